"""The `announce:`, `replace:` and `withdraw:` entries of one step, in order: single routes and tables together.

A session has one route for a prefix, whether a table or a single entry brought it; the later one replaces the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bgpsim.inputs.files.lab_files import Timeline
from bgpsim.inputs.files.speakers import Announcement
from bgpsim.network.types import Prefix
from bgpsim.scenario.reading import tables
from bgpsim.scenario.reading.announcements import AnnouncementReader, At
from bgpsim.scenario.reading.names import Names, problem
from bgpsim.scenario.reading.tables import TableReader
from bgpsim.scenario.schema import AnnounceEntry, WithdrawEntry
from bgpsim.scenario.timeline import Action, AnnounceTable, Withdraw, WithdrawTable


@dataclass(slots=True)
class SpeakerEntries:
    """`now`: what is in force after the entries so far."""

    announcements: AnnouncementReader
    tables: TableReader
    names: Names
    now: Timeline

    def withdraw(self, entry: WithdrawEntry, at: At) -> Sequence[Action]:
        if entry.file is not None or entry.generate is not None:
            gone, self.now = self.tables.withdraw(entry, at, self.now)
            return gone
        of_tables = self._tables_of(entry) if entry.all_ else ()
        if of_tables:
            if not any(a.speaker == entry.speaker for a in self.now.announced):
                return of_tables
        elif entry.prefix is not None and entry.path_id is None:
            with self.announcements.problems.collected():
                prefix = self.names.prefix(entry.prefix, self.announcements.source(*at, "prefix"))
                self._single(tables.of_prefix(self.now, entry.speaker, prefix))
        singles, left = self.announcements.withdraw(entry, at, self.names, self.now.announced)
        self.now = replace(self.now, announced=left)
        return (*of_tables, *singles)

    def _tables_of(self, entry: WithdrawEntry) -> tuple[WithdrawTable, ...]:
        """All of them, taken out of what is in force."""
        gone = [t for t in self.now.tables if t.speaker == entry.speaker and (not entry.to or t.router in entry.to)]
        self.now = replace(self.now, tables=tuple(t for t in self.now.tables if t not in gone))
        return tuple(map(WithdrawTable, gone))

    def _single(self, routes: Iterable[Announcement]) -> None:
        """Take these out of their tables; they are announced like any other then."""
        routes = tuple(routes)
        gone = {(a.speaker, a.router): frozenset({a.prefix}) for a in routes}
        self.now = tables.without(replace(self.now, announced=(*self.now.announced, *routes)), gone)

    def announce(self, entry: AnnounceEntry, at: At, *, replacing: bool) -> Sequence[Action]:
        if entry.prefix is None:
            if replacing:
                text = "replace: found a table; expected `prefix:` (announced again, a table replaces its routes)"
                self.announcements.problems.found.append(problem(self.announcements.source(*at), text))
                return ()
            tables_of, self.now = self.tables.announce(entry, at, self.now)
            return tables_of
        if self.now.tables:
            with self.announcements.problems.collected():
                prefix = self.names.prefix(entry.prefix, self.announcements.source(*at, "prefix"))
                if not entry.path_id:
                    routes = tables.of_prefix(self.now, entry.speaker, prefix)
                    self._single(a for a in routes if entry.to is None or a.router in entry.to)
        made, announced = self.announcements.announce(entry, at, self.names, self.now.announced, replacing=replacing)
        self.now = replace(self.now, announced=announced)
        return made

    def put_back(self, actions: Iterable[Action]) -> bool:
        """Whether a route that these actions withdraw is announced again after them."""
        actions = tuple(actions)
        gone = {action.announcement.key for action in actions if isinstance(action, Withdraw)}
        if any(a.key in gone for a in self.now.announced):
            return True
        taken: dict[tuple[str, str], set[Prefix]] = {}
        for key in gone:
            taken.setdefault((key[0], key[1]), set()).add(key[2])
        for action in actions:
            if isinstance(action, WithdrawTable):
                taken.setdefault((action.table.speaker, action.table.router), set()).update(action.table.prefixes)
        again = [action.table for action in actions if isinstance(action, AnnounceTable)]
        return any(
            not table.prefixes.isdisjoint(taken.get((table.speaker, table.router), ())) for table in again
        ) or any(a.prefix in taken.get((a.speaker, a.router), ()) for a in self.now.announced)
