"""What an `exec` line hands to vtysh: `-c` lines, a here-document, a file.

The plain forms: `vtysh -c A -c B`, `vtysh -f FILE`, `vtysh -b`; and by a shell, alone in its script, any of these,
`vtysh <<EOF … EOF`, `vtysh < FILE`. A script that does more is not read.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from bgpsim.inputs.commands import Command, VtyLine, placed
from bgpsim.inputs.frr.reader import How

INTEGRATED = "/etc/frr/frr.conf"
_SHELLS = ("sh", "bash", "dash", "ash")
_HERE = re.compile(
    r"\s*(?:exec\s+)?(?P<vtysh>\S+)\s*<<-?\s*(?P<quote>['\"]?)(?P<end>\w+)(?P=quote)[ \t]*\n"
    r"(?P<body>.*?)^\t*(?P=end)\s*",
    re.S | re.M,
)
_EXPANDED = re.compile(r"[$`\\]")
_OF_A_SHELL = re.compile(r"[;&|<>()`$\n]")
_FROM_FILE = re.compile(r"\s*(?:exec\s+)?(?P<vtysh>\S+)\s*<\s*(?P<file>[\w./-]+)\s*")


@dataclass(frozen=True, slots=True)
class VtyshCall:
    """Lines, or the file in the node that has them."""

    how: How
    lines: tuple[VtyLine, ...] = ()
    file: str | None = None


def vtysh_call(command: Command) -> VtyshCall | None:
    """None for what is no call of vtysh, or more than one of the plain forms."""
    if command.program == "vtysh":
        return _by_options(command, command.words[1:])
    if command.program in _SHELLS and len(command.words) == 3 and command.words[1] in ("-c", "-ec", "-ce"):
        return _by_script(command, command.words[2])
    return None


def _by_script(command: Command, script: str) -> VtyshCall | None:
    here = _HERE.fullmatch(script)
    if here is not None and _is_vtysh(here["vtysh"]):
        if not here["quote"] and _EXPANDED.search(here["body"]):
            return None
        lines = [line.strip() for line in here["body"].splitlines() if line.strip()]
        return VtyshCall("typed", placed(lines, command))
    file = _FROM_FILE.fullmatch(script)
    if file is not None and _is_vtysh(file["vtysh"]):
        return VtyshCall("typed", file=file["file"])
    try:
        words = shlex.split(script)
    except ValueError:
        return None
    words = words[1:] if words[:1] == ["exec"] else words
    if not words or not _is_vtysh(words[0]) or any(_OF_A_SHELL.search(word) for word in words):
        return None
    return _by_options(command, words[1:])


def _is_vtysh(program: str) -> bool:
    return program.rsplit("/", 1)[-1] == "vtysh"


def _by_options(command: Command, options: Sequence[str]) -> VtyshCall | None:
    found = []
    words = list(options)
    while words:
        option = words.pop(0)
        if option in ("-c", "--command") and words:
            found.append(words.pop(0))
        elif option.startswith("-c") and len(option) > 2:
            found.append(option[2:])
        elif option.startswith("--command="):
            found.append(option.removeprefix("--command="))
        elif option in ("-f", "--inputfile") and len(words) == 1 and not found:
            return VtyshCall("file", file=words[0])
        elif option in ("-b", "--boot") and not words and not found:
            return VtyshCall("file", file=INTEGRATED)
        else:
            return None
    return VtyshCall("call", placed(found, command))
