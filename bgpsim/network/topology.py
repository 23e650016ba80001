"""What a drawing needs of a Network: its devices and the links between them, without what lies behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bgpsim.network.description import DeviceKind, InterfaceRef, Network


@dataclass(frozen=True, slots=True)
class Link:
    """Two ends, the smaller first; `up` where both are administratively up."""

    ends: tuple[InterfaceRef, InterfaceRef]
    up: bool = True


@dataclass(frozen=True, slots=True)
class Topology:
    devices: Mapping[str, DeviceKind] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    """Sorted; the management networks are left out."""


def topology_of(network: Network) -> Topology:
    links = []
    for segment in network.segments:
        if segment.management or len(segment.ends) != 2:
            continue
        one, other = sorted(segment.ends)
        links.append(Link((one, other), _up(network, one) and _up(network, other)))
    shown = {name: device.kind for name, device in network.devices.items() if device.kind != "gateway"}
    return Topology(dict(sorted(shown.items())), tuple(sorted(links, key=lambda link: link.ends)))


def _up(network: Network, end: InterfaceRef) -> bool:
    interface = network.devices[end.device].interface(end.interface)
    return interface is not None and interface.up
