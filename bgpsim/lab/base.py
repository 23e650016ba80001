"""The Lab protocol: what scenario, observers, checks and reports know of a running lab, whichever backend it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from bgpsim.agent.protocol import Agent, LabDevice
from bgpsim.inputs.files.impairments import Impairment
from bgpsim.inputs.files.lab_files import TypedLines
from bgpsim.inputs.files.manifests import ManifestFile
from bgpsim.inputs.files.route_table import AnnouncedTable
from bgpsim.inputs.files.speakers import Announcement, SpeakerFile
from bgpsim.source import Source


@dataclass(frozen=True, slots=True)
class CommandResult:
    """One command run in a device."""

    device: str
    command: str
    exit_code: int
    output: str
    """stdout and stderr as they came."""
    source: Source | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A configuration line that a router refused."""

    device: str
    line: str
    answer: str
    source: Source | None


@dataclass(frozen=True, slots=True)
class ImageUse:
    """Which image a device asked for and what it runs on."""

    device: str
    asked: str
    used: str


@dataclass(frozen=True, slots=True)
class StandIn:
    """What stands in for what: `Cilium agent` by `gobgpd 3.10.0`."""

    stands_for: str
    by: str


@dataclass(frozen=True, slots=True)
class LabFacts:
    """What the report says of the lab; grows while the lab runs."""

    backend: Literal["embedded", "containerlab"]
    rootless: bool
    images: tuple[ImageUse, ...] = ()
    stand_ins: tuple[StandIn, ...] = ()
    induced: tuple[str, ...] = ()
    """What the speakers' attachment changed in the routers and could not be avoided, one sentence each."""
    exec_failures: tuple[CommandResult, ...] = ()
    rejected_lines: tuple[RejectedLine, ...] = ()
    versions: Mapping[str, str] | None = None


class Speakers(Protocol):
    """The speakers of a running lab (`bgpsim.speakers` implements it); given to a lab, which does not know them."""

    def start(self, progress: Callable[[str], None]) -> None:
        """Attach them to their routers and start them; returns when every session is Established."""

    def attach_again(self, router: str) -> None:
        """Give a router that was made anew the neighbors of its speakers."""

    def announce(self, announcement: Announcement) -> None: ...
    def withdraw(self, announcement: Announcement) -> None: ...
    def announce_table(self, table: AnnouncedTable) -> None: ...
    def withdraw_table(self, table: AnnouncedTable) -> None: ...
    def check_alive(self) -> None: ...


AttachSpeakers: TypeAlias = Callable[[Agent, Mapping[str, LabDevice], tuple[SpeakerFile, ...]], Speakers]


class Lab(Protocol):
    """A running lab. Every action returns when it is acknowledged at its effect, not when it was sent."""

    @property
    def agent(self) -> Agent: ...
    @property
    def devices(self) -> Mapping[str, LabDevice]: ...
    @property
    def facts(self) -> LabFacts: ...

    @property
    def lodgers(self) -> tuple[str, ...]:
        """Containers in the network namespace of a device (containerlab's `network-mode: container:…`)."""

    @property
    def supervisor(self) -> int | None:
        """The pid of the process whose end is the lab's; None while it is not up."""

    @property
    def ended(self) -> str | None:
        """How it ended, by itself or by `close`; None while it is up."""

    def log_lines(self) -> tuple[str, ...]:
        """The last that its supervisor and its agent wrote."""

    def bring_up(self, progress: Callable[[str], None]) -> None:
        """Start everything; returns when every `exec` line has run and every daemon answers.

        Where it raises, what is there can still be asked; `close` ends it.
        """

    def apply(self, manifest: ManifestFile) -> None:
        """As `kubectl apply -f` would."""

    def delete(self, manifest: ManifestFile) -> None:
        """As `kubectl delete -f` would."""

    def set_interface(self, device: str, interface: str, *, up: bool) -> None:
        """`ip link set INTERFACE up|down`; returns when both ends have seen it. Up: the link is silent no more."""

    def silence(self, device: str, interface: str) -> None:
        """Nothing passes the link any more, in either direction, and both its ends keep carrier."""

    def impair(self, device: str, interface: str, impairment: Impairment, *, both: bool = True) -> None:
        """What becomes of packets on the link (without `both`: of those that leave by the interface) from now on."""

    def set_node(self, device: str, *, up: bool) -> None:
        """Take a device's power, with all that runs on it: its links lose carrier at the other ends, and it says
        goodbye to nobody. Or make it anew and run its `exec` lines again, in their order."""

    def set_session(self, device: str, neighbor: str, source: Source, *, up: bool) -> None:
        """Shut a session down at this end, or no more; returns when the daemon says so."""

    def configure(self, typed: TypedLines) -> None:
        """Type lines in `configure terminal`; those that the router refuses are among `facts.rejected_lines`."""

    def execute(self, device: str, command: str, source: Source | None = None) -> CommandResult:
        """Run one line in a device as containerlab's `exec` would (split like a shell, run without one)."""

    def announce(self, announcement: Announcement) -> None:
        """Returns when the router has counted the UPDATE; LabError with the reason when it refuses."""

    def withdraw(self, announcement: Announcement) -> None:
        """Returns when the router has counted the withdrawal."""

    def announce_table(self, table: AnnouncedTable) -> None:
        """Returns when the router has counted an UPDATE for every route of it."""

    def withdraw_table(self, table: AnnouncedTable) -> None:
        """Returns when the router has counted the withdrawals."""

    def check_alive(self) -> None:
        """Raises DeviceDied, with its last log lines, when a daemon, node or speaker has ended by itself."""

    def close(self) -> None:
        """End the lab: no process, link or mount is left. Safe to call twice."""
