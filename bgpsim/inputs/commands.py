"""The commands of a node's `exec` lines, told apart by what they do."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from bgpsim.inputs.files.containerlab import ExecLine
from bgpsim.source import Source


@dataclass(frozen=True, slots=True)
class Command:
    """One `exec` line, split as a shell would."""

    words: tuple[str, ...]
    source: Source

    @property
    def program(self) -> str:
        return self.words[0].rsplit("/", 1)[-1] if self.words else ""

    @property
    def text(self) -> str:
        return shlex.join(self.words)


def commands(lines: tuple[ExecLine, ...]) -> Iterator[Command]:
    """A line that no shell could split is a command of no program: the lab reports its failure."""
    for line in lines:
        try:
            words = tuple(shlex.split(line.text))
        except ValueError:
            words = ()
        yield Command(words, Source(line.source.file, line.source.line, line.text[:200]))


def vtysh_lines(command: Command) -> tuple[str, ...] | None:
    """The lines of `vtysh -c … -c …`; None for anything else that vtysh can do."""
    lines = []
    words = list(command.words[1:])
    while words:
        option = words.pop(0)
        if option in ("-c", "--command") and words:
            lines.append(words.pop(0))
        elif option.startswith("-c") and len(option) > 2:
            lines.append(option[2:])
        else:
            return None
    return tuple(lines)
