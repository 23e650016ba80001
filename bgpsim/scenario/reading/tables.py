"""`announce:` and `withdraw:` entries of whole tables, with `file:` or `generate:`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from bgpsim.inputs.files.lab_files import Timeline
from bgpsim.inputs.files.route_table import AnnouncedTable, RouteGroup, grouped_routes, taken_out
from bgpsim.inputs.files.speakers import Announcement, Attachment, SpeakerFile
from bgpsim.network.description import Network
from bgpsim.network.grouped import prefix_of
from bgpsim.network.types import Prefix
from bgpsim.scenario.reading.announcements import AnnouncementReader
from bgpsim.scenario.reading.gobgp_limits import refusal
from bgpsim.scenario.reading.names import problem
from bgpsim.scenario.reading.route_generator import generate
from bgpsim.scenario.reading.route_mrt import is_mrt, read_mrt
from bgpsim.scenario.reading.route_text import read_route_text
from bgpsim.scenario.schema import AnnounceEntry, WithdrawEntry, literal_prefix
from bgpsim.scenario.timeline import AnnounceTable, WithdrawTable

Entry: TypeAlias = AnnounceEntry | WithdrawEntry
At: TypeAlias = tuple[str | int, ...]


@dataclass(slots=True)
class TableReader:
    """Reads the tables that entries name, each once. `folder`: the scenario file's."""

    folder: Path
    announcements: AnnouncementReader
    network: Network
    """Of the lab at its beginning: its own ranges and AS numbers."""
    read: dict[tuple[object, ...], tuple[RouteGroup, ...]] = field(default_factory=dict)

    def announce(self, entry: AnnounceEntry, at: At, now: Timeline) -> tuple[list[AnnounceTable], Timeline]:
        """The actions, one per peer, and what is in force after them. What is wrong is among the problems."""
        links, groups = self._links_and_groups(entry, at)
        if groups is None:
            self.announcements.unsure.add(entry.speaker)
            return [], now
        made = []
        for speaker, link in links:
            own = tuple(self._of_link(group, entry, speaker, link, at) for group in groups)
            self._refuse(own, speaker)
            table = AnnouncedTable(_name(entry), speaker.name, link.router, own, self.announcements.source(*at))
            tables, _ = taken_out(now.tables, speaker.name, link.router, table.prefixes)
            left = tuple(a for a in now.announced if not _replaced(a, table))
            now = replace(now, announced=left, tables=(*tables, table))
            made.append(AnnounceTable(table))
        return made, now

    def withdraw(self, entry: WithdrawEntry, at: At, now: Timeline) -> tuple[list[WithdrawTable], Timeline]:
        """Of the table's prefixes those that are announced by a table."""
        links, groups = self._links_and_groups(entry, at)
        if groups is None:
            return [], now
        prefixes = frozenset(prefix for group in groups for prefix in group.prefixes)
        gone: list[WithdrawTable] = []
        for speaker, link in links:
            left, taken = taken_out(now.tables, speaker.name, link.router, prefixes)
            gone += map(WithdrawTable, taken)
            now = replace(now, tables=left)
        if not gone and entry.speaker not in self.announcements.unsure:
            self.announcements.problems.found.append(
                problem(
                    self.announcements.source(*at),
                    f"speaker {entry.speaker} announces nothing of {_name(entry)} here;"
                    " expected a table that a step before has announced and none has withdrawn",
                )
            )
        return gone, now

    def _links_and_groups(
        self, entry: Entry, at: At
    ) -> tuple[list[tuple[SpeakerFile, Attachment]], tuple[RouteGroup, ...] | None]:
        """None where something is wrong with it."""
        speaker = self.announcements.speaker(entry.speaker, self.announcements.source(*at, "speaker"))
        links = None if speaker is None else self.announcements.links(speaker, entry.to, at)
        groups = None
        with self.announcements.problems.collected():
            groups = self._groups(entry, at)
        if speaker is None or links is None or groups is None:
            return [], None
        return [(speaker, link) for link in links], groups

    def _groups(self, entry: Entry, at: At) -> tuple[RouteGroup, ...]:
        key = (entry.file, entry.peer, *((entry.generate.model_dump().values()) if entry.generate else ()))
        if key not in self.read:
            self.read[key] = grouped_routes(self._routes(entry, at))
        return self.read[key]

    def _routes(self, entry: Entry, at: At) -> Mapping[Prefix, Announcement]:
        if entry.file is not None:
            return self._of_file(entry.file, entry.peer, at)
        assert entry.generate is not None
        wanted, version = entry.generate, 4 if entry.generate.family == "ipv4" else 6
        try:
            return generate(wanted.routes, version, wanted.seed, _ranges(self.network), _asns(self.network))
        except ValueError as error:
            raise problem(self.announcements.source(*at, "generate"), str(error)) from None

    def _of_file(self, name: str, peer: str | None, at: At) -> Mapping[Prefix, Announcement]:
        path, source = self.folder / name, self.announcements.source(*at, "file")
        if path.is_dir():
            raise problem(source, f"'{name}' is a folder; expected a file")
        try:
            mrt = is_mrt(path)
        except OSError as error:
            raise problem(source, f"cannot read '{name}': {error.strerror}") from None
        if mrt:
            found = read_mrt(path, name, peer, self.announcements.source(*at, "peer"))
        elif peer is not None:
            raise problem(
                self.announcements.source(*at, "peer"), f"peer: '{name}' is no MRT file; expected it with one"
            )
        else:
            found = read_route_text(path, name, _prefix)
        if not found:
            raise problem(source, f"'{name}' has no route; expected one or more")
        return found

    def _of_link(self, group: RouteGroup, entry: Entry, speaker: SpeakerFile, link: Attachment, at: At) -> RouteGroup:
        """The routes as they are announced over this link."""
        like = replace(group.like, speaker=speaker.name, router=link.router)
        if not like.source.file:
            like = replace(like, source=self.announcements.source(*at))
        if entry.generate is not None and like.as_path is not None:
            router = self.network.devices[link.router].bgp
            if router is None or router.asn != speaker.asn:
                like = replace(like, as_path=(speaker.asn, *like.as_path))
        if like.next_hop == link.speaker_address:
            like = replace(like, next_hop=None)
        if like.next_hop is not None and like.next_hop.version == 6 and like.next_hop.is_link_local:
            self.announcements.problems.found.append(
                problem(
                    like.source,
                    f"next-hop {like.next_hop} is link-local, and nobody's on the link to {link.router};"
                    f" expected a global address or self",
                )
            )
        return replace(group, like=like)

    def _refuse(self, groups: tuple[RouteGroup, ...], speaker: SpeakerFile) -> None:
        """Told once for a table, with the first route."""
        found = [(group, refused[1]) for group in groups if (refused := refusal(group.like, speaker, self.network))]
        if found:
            first, text = found[0]
            others = sum(len(group.prefixes) for group, _ in found) - 1
            more = f" (and {others} more)" if others else ""
            self.announcements.problems.found.append(problem(first.like.source, f"{first.prefixes[0]}: {text}{more}"))


def _replaced(announcement: Announcement, table: AnnouncedTable) -> bool:
    a = announcement
    return (a.speaker, a.router, a.path_id) == (table.speaker, table.router, 0) and a.prefix in table.prefixes


def _prefix(text: str) -> Prefix:
    return prefix_of(literal_prefix(text))


def _name(entry: Entry) -> str:
    if entry.generate is None:
        peer = f" from peer {entry.peer}" if entry.peer else ""
        return f"{entry.file}{peer}"
    wanted = entry.generate
    return f"the table generated with seed {wanted.seed} ({wanted.routes} routes of {wanted.family})"


def _ranges(network: Network) -> frozenset[Prefix]:
    found: set[Prefix] = set()
    for device in network.devices.values():
        found.update(address.network for interface in device.interfaces for address in interface.addresses)
        found.update(route.prefix for route in device.routes)
        found.update(device.pod_cidrs)
    return frozenset(found)


def _asns(network: Network) -> frozenset[int]:
    return frozenset(device.bgp.asn for device in network.devices.values() if device.bgp is not None)


def of_prefix(now: Timeline, speaker: str, prefix: Prefix) -> tuple[Announcement, ...]:
    """The routes of tables for that prefix, whichever peer they go to."""
    found = (table.at(prefix) for table in now.tables if table.speaker == speaker)
    return tuple(route for route in found if route is not None)


def without(now: Timeline, gone: Mapping[tuple[str, str], frozenset[Prefix]]) -> Timeline:
    """`gone`: by speaker and router, what no table announces any more."""
    tables = now.tables
    for (speaker, router), prefixes in gone.items():
        tables, _ = taken_out(tables, speaker, router, prefixes)
    return replace(now, tables=tables)
