"""Configuration lines that a router refused: FRR says so, skips them and goes on (at boot, to syslog alone)."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise

from bgpsim.agent.protocol import Agent
from bgpsim.lab.base import CommandResult, RejectedLine
from bgpsim.source import Source

# Answers to a line that is not taken (lib/command.c, vtysh/vtysh.c); `vtysh -b` and `-f` put the line's number first.
_ANSWER = re.compile(r"^(?:line (?P<number>\d+): )?(?P<answer>%.*|Failure to communicate.*)$", re.M)
# vtysh says it at each call where there is no vtysh.conf, and goes on: FRR's own images have none.
_NO_VTYSH_CONF = "% Can't open configuration file /etc/frr/vtysh.conf"
# What watchfrr says when `vtysh -b` came back with anything but success.
_BOOT_FAILED = re.compile(r"watchfrr\[\d+\]: .*restart all process \d+ exited with non-zero status")
_BOOT_FILE = "/etc/frr/frr.conf"


def refused_by_vtysh(result: CommandResult) -> list[RejectedLine]:
    """The lines of a vtysh command that were not taken. vtysh stops at the first one of its `-c`."""
    if "vtysh" not in result.command:
        return []
    words = shlex.split(result.command)
    given = [word.strip() for flag, word in pairwise(words) if flag == "-c"]
    if "vtysh" in words[0] and given and not any(word.startswith("conf") for word in given):
        return []  # an answer to `show` may begin with % too
    found = {}
    for match in _ANSWER.finditer(result.output):
        answer = match["answer"].strip()
        if answer.startswith(_NO_VTYSH_CONF):
            continue
        line = next((word for word in given if word and answer.endswith(word)), result.command)
        found[answer] = RejectedLine(result.device, line, answer, result.source)
    return list(found.values())


def refused_at_boot(agent: Agent, device: str, source: Source | None, shown: str | None = None) -> list[RejectedLine]:
    """The lines of frr.conf that were skipped when FRR started. `source`: the line that started it; `shown`: the file
    of the user's that is bound there, whose lines they are then.

    `vtysh -C` reads the file again without touching the router. It names what no daemon's grammar knows; a line that
    is well formed and was refused all the same is known by the failed start alone.
    """
    if not any(_BOOT_FAILED.search(line) for line in agent.call("nodes.log", device=device)):
        return []
    text: str = agent.call("nodes.read", device=device, path=_BOOT_FILE) or ""
    lines = text.splitlines()
    output: str = agent.call("nodes.run", device=device, command=["vtysh", "-C"])["output"]
    found = []
    for match in _ANSWER.finditer(output):
        if match["answer"].startswith(_NO_VTYSH_CONF):
            continue
        number = int(match["number"] or 0)
        line = lines[number - 1].strip() if 0 < number <= len(lines) else ""
        at = Source(shown, number, line) if shown is not None and line else source
        found.append(RejectedLine(device, f"{_BOOT_FILE}:{number}: {line}", match["answer"].strip(), at))
    if not found:
        found.append(RejectedLine(device, _BOOT_FILE, "vtysh -b failed: a line of it was not taken at boot", source))
    return found
