"""What takes the place of what the files name, or of what a lab has by default."""

from __future__ import annotations

from collections.abc import Mapping

from bgpsim.inputs.files.lab_files import LabFiles
from bgpsim.lab.base import StandIn
from bgpsim.lab.images import Image


def stand_ins(files: LabFiles, images: Mapping[str, Image]) -> tuple[StandIn, ...]:
    found = []
    if files.cluster is not None:
        found.append(StandIn("Cilium agent", _gobgpd(images)))
        found.append(StandIn("Cilium datapath", "kernel routes, a namespace per pod"))
        found.append(StandIn("kubelet and scheduler", "a namespace per node, pods placed by bgpsim"))
    found += [
        StandIn(f"Open vSwitch ({name})", "a bridge of the kernel's")
        for name, node in files.topology.nodes.items()
        if node.kind == "ovs-bridge"
    ]
    for speaker in files.speakers:
        if speaker.engine == "gobgp":
            found.append(StandIn(f"ExaBGP (speaker {speaker.name})", _gobgpd(images)))
    return tuple(found)


def _gobgpd(images: Mapping[str, Image]) -> str:
    return f"gobgpd {images['node'].versions['gobgpd']}"
