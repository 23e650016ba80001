"""A scenario, read and checked: the lab's files and the steps, each with the network that it makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from bgpsim.check.expectations import Expected
from bgpsim.check.spelling import as_path_text
from bgpsim.inputs.files.lab_files import LabFiles
from bgpsim.inputs.files.manifests import ManifestFile
from bgpsim.inputs.files.route_table import AnnouncedTable
from bgpsim.inputs.files.speakers import Announcement
from bgpsim.network.description import Network
from bgpsim.network.state import FlowKey
from bgpsim.source import Source


@dataclass(frozen=True, slots=True)
class Apply:
    manifest: ManifestFile

    def __str__(self) -> str:
        return f"apply {self.manifest.path}"


@dataclass(frozen=True, slots=True)
class Delete:
    manifest: ManifestFile

    def __str__(self) -> str:
        return f"delete {self.manifest.path}"


@dataclass(frozen=True, slots=True)
class SetInterface:
    device: str
    interface: str
    up: bool

    def __str__(self) -> str:
        return f"link-{'up' if self.up else 'down'} {self.device}:{self.interface}"


@dataclass(frozen=True, slots=True)
class Withdraw:
    announcement: Announcement

    def __str__(self) -> str:
        a = self.announcement
        path = f" path-id {a.path_id}" if a.path_id else ""
        return f"withdraw {a.prefix}{path} by {a.speaker} from {a.router}"


@dataclass(frozen=True, slots=True)
class Announce:
    announcement: Announcement
    replaces: bool = False
    """Other attributes for a route that is announced."""

    def __str__(self) -> str:
        a = self.announcement
        attributes = [
            ("path-id", a.path_id or None),
            ("as-path", None if a.as_path is None else f"[{as_path_text(a.as_path)}]"),
            ("origin", None if a.origin == "igp" else a.origin),
            ("med", a.med),
            ("communities", " ".join(a.communities) or None),
            ("large-communities", " ".join(a.large_communities) or None),
            ("extended-communities", " ".join(a.extended_communities) or None),
            ("local-preference", a.local_preference),
            ("originator-id", a.originator_id),
            ("cluster-list", " ".join(a.cluster_list) or None),
            ("aggregator", a.aggregator),
            ("atomic-aggregate", "yes" if a.atomic_aggregate else None),
            ("attributes", " ".join(f"[{unknown.text}]" for unknown in a.unknown) or None),
            ("next-hop", a.next_hop),
        ]
        said = "".join(f", {name} {value}" for name, value in attributes if value is not None)
        return f"{'replace' if self.replaces else 'announce'} {a.prefix} by {a.speaker} to {a.router}{said}"


@dataclass(frozen=True, slots=True)
class Execute:
    """A line typed on a device: outside the model."""

    device: str
    command: str
    source: Source
    lodger: str | None = None
    """The container it is typed in, where that is another one in the device's network namespace."""

    @property
    def container(self) -> str:
        return self.lodger or self.device

    def __str__(self) -> str:
        return f"exec on {self.container}: {self.command}"


@dataclass(frozen=True, slots=True)
class AnnounceTable:
    table: AnnouncedTable

    def __str__(self) -> str:
        t = self.table
        return f"announce {_routes(t)} of {t.name} by {t.speaker} to {t.router}"


@dataclass(frozen=True, slots=True)
class WithdrawTable:
    table: AnnouncedTable
    """What is withdrawn."""

    def __str__(self) -> str:
        t = self.table
        return f"withdraw {_routes(t)} of {t.name} by {t.speaker} from {t.router}"


def _routes(table: AnnouncedTable) -> str:
    return f"{len(table)} routes ({len(table.groups)} sets of attributes)"


Action: TypeAlias = Apply | Delete | SetInterface | Withdraw | Announce | WithdrawTable | AnnounceTable | Execute


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what to do, what the network is then, what to follow through it and what is expected."""

    name: str
    source: Source
    actions: tuple[Action, ...]
    network: Network
    flows: tuple[FlowKey, ...]
    expected: tuple[Expected, ...]


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    file: str
    """As the user named it."""
    files: LabFiles
    steps: tuple[Step, ...]
