"""The commands of a node's `exec` lines, told apart by what they do."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from bgpsim.inputs.files.containerlab import ExecLine
from bgpsim.source import Source


@dataclass(frozen=True, slots=True)
class Command:
    """One `exec` line, split as a shell would; no words where no shell could."""

    words: tuple[str, ...]
    source: Source
    lines: tuple[tuple[int, str], ...] = ()
    """The file's lines that make it up, numbered."""

    @property
    def program(self) -> str:
        return self.words[0].rsplit("/", 1)[-1] if self.words else ""

    @property
    def text(self) -> str:
        """As written, shortened."""
        return self.source.text


@dataclass(frozen=True, slots=True)
class VtyLine:
    """One `-c` of a `vtysh` call, and the line of the file that it stands in."""

    text: str
    source: Source


def commands(lines: tuple[ExecLine, ...]) -> Iterator[Command]:
    """A line that no shell could split is a command of no program: the lab reports its failure."""
    for line in lines:
        words = _words(line.text)
        number = next((n for n, text in line.lines if text.strip()), line.source.line)
        yield Command(words, Source(line.source.file, number, line.text.strip()[:200]), line.lines)


@lru_cache(maxsize=4096)  # a network is built anew for every step
def _words(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError:
        return ()


def placed(texts: list[str], command: Command) -> tuple[VtyLine, ...]:
    """Lines of vtysh that stand within a command, each with its place in the file."""
    return tuple(_placed(texts, command))


def _placed(texts: list[str], command: Command) -> Iterator[VtyLine]:
    """Each where it stands in the file: the first place after the one before it."""
    lines = list(command.lines)
    column = 0
    for text in texts:
        for index, (number, line) in enumerate(lines):
            at = line.find(text, column if index == 0 else 0)
            if at >= 0:
                lines = lines[index:]
                column = at + len(text)
                yield VtyLine(text, Source(command.source.file, number, text.strip()))
                break
        else:
            # Folded in the middle, or with quotes within: the line that was found last is the nearest.
            number = lines[0][0] if lines and column else command.source.line
            yield VtyLine(text, Source(command.source.file, number, text.strip()))
