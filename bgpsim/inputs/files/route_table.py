"""Tables of routes that a speaker announces: routes with equal attributes together, so that nothing is kept per route.

A table comes from a route file, an MRT file or a generator (`bgpsim.scenario.reading.tables`); what is in force of it
for one peer is an `AnnouncedTable`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from bgpsim.inputs.files.speakers import Announcement
from bgpsim.network.types import Prefix
from bgpsim.source import Source


@dataclass(frozen=True, slots=True)
class RouteGroup:
    """Routes that differ in their prefix alone; of one address family."""

    like: Announcement
    """One of them."""
    prefixes: tuple[Prefix, ...]
    """By address, each once."""

    def at(self, prefix: Prefix) -> Announcement:
        return replace(self.like, prefix=prefix)


@dataclass(frozen=True)
class AnnouncedTable:
    """Routes of one table, to one peer. No prefix stands twice."""

    name: str
    """`full.mrt`, `10000 generated routes`."""
    speaker: str
    router: str
    groups: tuple[RouteGroup, ...]
    source: Source

    @property
    def session(self) -> tuple[str, str]:
        return (self.speaker, self.router)

    @cached_property
    def prefixes(self) -> frozenset[Prefix]:
        return frozenset(prefix for group in self.groups for prefix in group.prefixes)

    def __len__(self) -> int:
        return sum(len(group.prefixes) for group in self.groups)

    def at(self, prefix: Prefix) -> Announcement | None:
        """The route of that prefix."""
        if prefix not in self.prefixes:
            return None
        return next(group.at(prefix) for group in self.groups if prefix in group.prefixes)

    def without(self, prefixes: Collection[Prefix]) -> AnnouncedTable:
        """`prefixes`: a set, where there are many."""
        return self._of(tuple(p for p in group.prefixes if p not in prefixes) for group in self.groups)

    def only(self, prefixes: Collection[Prefix]) -> AnnouncedTable:
        return self._of(tuple(p for p in group.prefixes if p in prefixes) for group in self.groups)

    def _of(self, kept: Iterable[tuple[Prefix, ...]]) -> AnnouncedTable:
        groups = [
            group if len(prefixes) == len(group.prefixes) else RouteGroup(group.at(prefixes[0]), prefixes)
            for group, prefixes in zip(self.groups, kept, strict=True)
            if prefixes
        ]
        return replace(self, groups=tuple(groups))


def grouped_routes(routes: Mapping[Prefix, Announcement]) -> tuple[RouteGroup, ...]:
    """`routes`: by prefix; those that are alike share one Announcement, whatever prefix it has. By address."""
    groups: dict[tuple[int, int], list[Prefix]] = {}
    like: dict[int, Announcement] = {}
    for prefix in sorted(routes, key=lambda p: (p.version, int(p.network_address), p.prefixlen)):
        route = routes[prefix]
        like[id(route)] = route
        groups.setdefault((id(route), prefix.version), []).append(prefix)
    return tuple(
        RouteGroup(replace(like[number], prefix=prefixes[0]), tuple(prefixes))
        for (number, _), prefixes in groups.items()
    )


def taken_out(
    tables: Iterable[AnnouncedTable], speaker: str, router: str, prefixes: Collection[Prefix]
) -> tuple[tuple[AnnouncedTable, ...], tuple[AnnouncedTable, ...]]:
    """What is left of the tables without these prefixes on that session, and what was taken out of them."""
    left, taken = [], []
    for table in tables:
        if table.session != (speaker, router) or table.prefixes.isdisjoint(prefixes):
            left.append(table)
            continue
        taken.append(table.only(prefixes))
        rest = table.without(prefixes)
        if rest.groups:
            left.append(rest)
    return tuple(left), tuple(taken)


def in_force(
    table: AnnouncedTable, tables: Iterable[AnnouncedTable], routes: Iterable[Announcement]
) -> frozenset[Prefix]:
    """The prefixes of `table` that these announce to the same peer already, with the same attributes."""

    def kind(route: Announcement) -> tuple[int, Announcement]:
        return route.prefix.version, replace(route, source=table.source, prefix=table.groups[0].like.prefix)

    here = [group for other in tables if other.session == table.session for group in other.groups]
    here += [RouteGroup(a, (a.prefix,)) for a in routes if a.key[:2] == table.session]
    if not here:
        return frozenset()
    wanted = {kind(group.like): group.prefixes for group in table.groups}
    return frozenset(p for group in here for p in {*wanted.get(kind(group.like), ())}.intersection(group.prefixes))
