"""Route-maps, while a router's lines are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from bgpsim.inputs.frr.values import NotTaken
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
        self.matches.pop((match.kind, match.version), None)
        self.matches[match.kind, match.version] = match

    def unmatch(self, kind: MatchKind, version: Version | None) -> None:
        if self.matches.pop((kind, version), None) is None:
            raise NotTaken("there is no such line in the route-map")

    def set(self, change: Set) -> None:
        self.sets.pop(command(change.kind), None)
        self.sets[command(change.kind)] = change

    def unset(self, kind: SetKind) -> None:
        if self.sets.pop(command(kind), None) is None:
            raise NotTaken("there is no such line in the route-map")


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
        """An entry, or the whole route-map, which goes with its last one."""
        entries = self._maps.get(name, {})
        if seq is None:
            entries = {}
        elif entries.pop(seq, None) is None:
            raise NotTaken("there is no such entry at this line")
        if not entries and self._maps.pop(name, None) is None:
            raise NotTaken(f"there is no route-map {name} at this line")

    def built(self) -> dict[str, RouteMap]:
        return {
            name: tuple(
                MapEntry(seq, e.action, tuple(e.matches.values()), tuple(e.sets.values()), e.call, e.on_match, e.source)
                for seq, e in sorted(entries.items())
            )
            for name, entries in self._maps.items()
        }
