"""A scenario, read and checked: the lab's files and the steps, each with the network that it makes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from bgpsim.check.expectations import Expected
from bgpsim.check.spelling import as_path_text
from bgpsim.inputs.files.impairments import Impairment
from bgpsim.inputs.files.lab_files import LabFiles, Timeline, TypedLines
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
class Silence:
    """A link goes down without a word: nothing passes, and its ends keep carrier. A link-up ends it."""

    device: str
    interface: str

    def __str__(self) -> str:
        return f"link-down {self.device}:{self.interface}, silent"


@dataclass(frozen=True, slots=True)
class Impair:
    """What becomes of packets on a link, or, without `both`, of those that leave by the interface."""

    device: str
    interface: str
    impairment: Impairment
    both: bool = True

    def __str__(self) -> str:
        what = "clear" if self.impairment.nothing else str(self.impairment)
        return f"impair {self.device}:{self.interface}{'' if self.both else ' outwards'}: {what}"


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
class SetNode:
    """A device's power."""

    device: str
    up: bool

    def __str__(self) -> str:
        return f"node-{'up' if self.up else 'down'} {self.device}"


@dataclass(frozen=True, slots=True)
class SetSession:
    """One session, shut down at one end or no more."""

    device: str
    neighbor: str
    up: bool
    source: Source

    def __str__(self) -> str:
        return f"session-{'up' if self.up else 'down'} {self.device}:{self.neighbor}"


@dataclass(frozen=True, slots=True)
class Configure:
    """Lines typed in `configure terminal` on a router; the model reads them too."""

    typed: TypedLines

    def __str__(self) -> str:
        return f"configure {self.typed.device}: {'; '.join(line.text for line in self.typed.lines)}"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that is observed within a step: what was so when the step began counts only once it has been otherwise.

    `kind` session: of `device` with neighbor `what`. link: `device:what`. route: prefix `what` in its BGP table.

    `state`: established or down; up or down; present, absent or, with a best path from `via`, best.
    """

    kind: Literal["session", "link", "route"]
    device: str
    what: str
    state: Literal["established", "down", "up", "present", "absent", "best"]
    source: Source
    engine: str | None = None
    via: str | None = None

    def __str__(self) -> str:
        if self.kind == "route":
            told = f"best via {self.via}" if self.state == "best" else self.state
            return f"{self.what} is {told} on {self.device}"
        return f"{self.kind} {self.device}:{self.what} is {self.state}"

    def asked(self) -> dict[str, Any]:
        """As the agent's `events.*` take it."""
        return {
            "kind": self.kind,
            "device": self.device,
            "what": self.what,
            "state": self.state,
            "engine": self.engine,
            "via": self.via,
        }


@dataclass(frozen=True, slots=True)
class AwaitEvent:
    """Nothing is done before this is seen."""

    event: Event

    def __str__(self) -> str:
        return f"after {self.event}:"


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


Action: TypeAlias = (
    Apply
    | Delete
    | SetNode
    | SetInterface
    | Silence
    | Impair
    | SetSession
    | Configure
    | Withdraw
    | WithdrawTable
    | Announce
    | AnnounceTable
    | Execute
    | AwaitEvent
)


@dataclass(frozen=True, slots=True)
class Continuous:
    """A steady stream of packets while the step is under way."""

    flows: tuple[FlowKey, ...] | None
    """None: of the step's own, a set that is not too large."""
    interval: float
    """Seconds."""
    control: FlowKey | None
    """None: chosen."""
    at_most: float | None
    """Seconds that each pair may lose."""
    source: Source


@dataclass(frozen=True, slots=True)
class Probe:
    """What is sent besides the probes that follow every flow at the end."""

    continuous: Continuous | None = None
    sizes: tuple[int, ...] = ()
    """Bytes of IP packets that must not be fragmented."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what to do, what the network is then, what to follow through it and what is expected."""

    name: str
    source: Source
    actions: tuple[Action, ...]
    network: Network
    flows: tuple[FlowKey, ...]
    expected: tuple[Expected, ...]
    probe: Probe = Probe()
    timeline: Timeline = field(default_factory=Timeline)
    """What this step and those before it have made of the lab."""


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    file: str
    """As the user named it."""
    files: LabFiles
    steps: tuple[Step, ...]
    inputs: tuple[Path, ...] = ()
    """The scenario file and every file that it names, as they were opened."""
