"""All the files of one scenario's lab, and the timeline's effect on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bgpsim.frr_series import Series
from bgpsim.inputs.files.containerlab import TopologyFile
from bgpsim.inputs.files.impairments import Impaired
from bgpsim.inputs.files.kind import ClusterFile
from bgpsim.inputs.files.manifests import ManifestFile
from bgpsim.inputs.files.route_table import AnnouncedTable
from bgpsim.inputs.files.speakers import Announcement, SpeakerFile
from bgpsim.source import Source, Unmodelled


@dataclass(frozen=True, slots=True)
class LabFiles:
    """What `lab:` and `speakers:` of a scenario name, read."""

    topology: TopologyFile
    cluster: ClusterFile | None = None
    manifests: tuple[ManifestFile, ...] = ()
    """There before the first step (the DaemonSet)."""
    speakers: tuple[SpeakerFile, ...] = ()
    cilium: str = "1.14"
    """Cilium's minor version; 1.14 where CiliumBGPPeeringPolicy is used and nothing else is said."""
    ecmp: Literal["as-is", "forced"] = "as-is"
    allow_refused: bool = False
    frr: Series | None = None
    """The FRR of every router, whatever its image's tag says; None: as the tags say (`frr_series.of_image`)."""
    unmodelled: tuple[Unmodelled, ...] = ()
    """Statements of the topology and cluster files that are not read."""


@dataclass(frozen=True, slots=True)
class TypedLines:
    """Lines typed in `configure terminal` on a router that runs, in one go."""

    device: str
    lines: tuple[Source, ...]
    """Each with its text."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """What the steps so far have made of the lab; the model's Network is a function of LabFiles and this."""

    applied: tuple[ManifestFile, ...] = ()
    """Applied and not deleted again, in order."""
    interfaces_down: tuple[tuple[str, str], ...] = ()
    """(device, interface) set down by `link-down`, in order."""
    interfaces_cut: tuple[tuple[str, str], ...] = ()
    """(device, interface) that was set down at some time, whether or not it is up again: the kernel has dropped its
    routes and its IPv6 addresses, and nothing puts them back."""
    announced: tuple[Announcement, ...] = ()
    """In force, one per `Announcement.key`, in order of announcement."""
    impaired: tuple[Impaired, ...] = ()
    """In force, one per interface."""
    silenced: tuple[tuple[str, str], ...] = ()
    """(device, interface) by which nothing leaves, though it has carrier: both ends of each silent link, in order."""
    nodes_down: tuple[str, ...] = ()
    """Devices that `node-down` has taken away."""
    configured: tuple[TypedLines, ...] = ()
    """Typed on routers since they were started, in order."""
    sessions_shut: tuple[tuple[str, str], ...] = ()
    """(device, neighbor) shut down where no line of the files makes the neighbor: a node's, a speaker's at its router.
    """
    tables: tuple[AnnouncedTable, ...] = ()
    """In force too, in order; no prefix stands twice for one session, here and in `announced`."""
