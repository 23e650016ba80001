"""Route-maps, while a router's lines are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeVar

from bgpsim.network.policies import Action, MapEntry, Match, MatchKind, RouteMap, Set, SetKind, Version
from bgpsim.source import Source

_ONE_COMMAND: dict[SetKind, str] = {
    "as-path prepend last-as": "as-path prepend",
    "ip next-hop peer-address": "ip next-hop",
    "ip next-hop unchanged": "ip next-hop",
}
"""Lines that are one command to bgpd, of which an entry has one (bgpd/bgp_routemap.c)."""


def command(kind: SetKind) -> str:
    return _ONE_COMMAND.get(kind, kind)


def _form(line: Match | Set) -> int:
    """Which of a command's forms it is, in the order of their cases in FRR's YANG models."""
    match line.kind:
        case "peer":
            return 3 if line.name == "local" else 1 if ":" in line.name else 0 if "." in line.name else 2
        case "metric" if isinstance(line, Set):
            return ("", "+", "-").index(line.sign)
        case "community" | "large-community" if isinstance(line, Set):
            return int(bool(line.words))
        case "as-path prepend last-as":
            return 1
        case _:
            return 0


Line = TypeVar("Line", Match, Set)


def _taken(there: Line | None, line: Line) -> bool:
    """Where a line is to take the place of one of a later form, bgpd adds the new one and then removes both, though
    `show running-config` has it (measured on 8.4.4: `set metric +5`, then `set metric 5`, sets nothing)."""
    return there is None or _form(there) <= _form(line)


@dataclass
class EntryLines:
    """Another line of the same command takes the place of the one before, at the end (lib/routemap.c)."""

    seq: int
    action: Action
    source: Source
    matches: dict[tuple[MatchKind, Version | None], Match] = field(default_factory=dict)
    sets: dict[str, Set] = field(default_factory=dict)
    call: str | None = None
    on_match: Literal["next"] | int | None = None

    def match(self, match: Match) -> None:
        if _taken(self.matches.pop((match.kind, match.version), None), match):
            self.matches[match.kind, match.version] = match

    def unmatch(self, kind: MatchKind, version: Version | None) -> None:
        self.matches.pop((kind, version), None)

    def set(self, change: Set) -> None:
        there = self.sets.pop(command(change.kind), None)
        if _taken(there, change):
            self.sets[command(change.kind)] = change

    def unset(self, kind: SetKind) -> None:
        self.sets.pop(command(kind), None)


class RouteMaps:
    def __init__(self) -> None:
        self._maps: dict[str, dict[int, EntryLines]] = {}
        self._here: EntryLines | None = None

    @property
    def here(self) -> EntryLines:
        """The entry that the lines of the block are about."""
        assert self._here is not None
        return self._here

    def enter(self, name: str, action: Action, seq: int, source: Source) -> None:
        entries = self._maps.setdefault(name, {})
        self._here = entries.setdefault(seq, EntryLines(seq, action, source))
        self._here.action, self._here.source = action, source

    def remove(self, name: str, seq: int | None = None) -> None:
        """An entry, or the whole route-map, which goes with its last one. What is not there is no error to FRR."""
        entries = self._maps.get(name, {})
        if seq is not None:
            entries.pop(seq, None)
        if seq is None or not entries:
            self._maps.pop(name, None)

    def built(self) -> dict[str, RouteMap]:
        return {
            name: tuple(
                MapEntry(seq, e.action, tuple(e.matches.values()), tuple(e.sets.values()), e.call, e.on_match, e.source)
                for seq, e in sorted(entries.items())
            )
            for name, entries in self._maps.items()
        }
