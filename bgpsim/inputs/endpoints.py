"""What packets go from and to: pods, hosts, nodes and routers, each with its addresses."""

from __future__ import annotations

from collections.abc import Mapping

from bgpsim.network.description import Device, Endpoint
from bgpsim.network.types import Address


def endpoints_of(devices: Mapping[str, Device], node_ips: Mapping[str, tuple[Address, ...]]) -> tuple[Endpoint, ...]:
    """The first address of a family is the one that a name stands for: a node's is its node-ip; a host's is on a link
    of the topology, where it has one, and not on the management network."""
    prefix = {"node": "node", "host": "host", "router": "router"}
    found = []
    for device in devices.values():
        interfaces = [i for i in device.interfaces if i.name != "lo" or device.kind == "router"]
        if device.kind == "host":
            interfaces.sort(key=lambda interface: interface.name == "eth0")
        here = [a.ip for i in interfaces for a in i.addresses]
        own = node_ips.get(device.name, ())
        addresses = (*(a for a in own if a in here), *(a for a in here if a not in own))
        if device.kind == "pod":
            found.append(Endpoint(device.name, device.name, addresses, device.labels, device.away, device.source))
        elif device.kind in prefix:
            endpoint = f"{prefix[device.kind]}:{device.name}"
            found.append(Endpoint(endpoint, device.name, addresses, device.labels, device.away, device.source))
    return tuple(found)
