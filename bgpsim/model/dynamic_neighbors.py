"""Neighbors that nobody configured: who connects from a listen range is one, while its session stands.

FRR bgpd/bgpd.c, peer_lookup_dynamic_neighbor: the neighbor is named by its address, and is what its peer-group is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType

from bgpsim.model.neighbors import address_of
from bgpsim.network.description import BgpInstance, Device, Neighbor, Network
from bgpsim.network.types import Address


def with_dynamic_neighbors(network: Network) -> Network:
    """Everybody who may connect is a neighbor; whether a session comes up is for `find_sessions` to say."""
    if not any(device.bgp is not None and device.bgp.listen_ranges for device in network.devices.values()):
        return network
    devices = {
        name: replace(device, bgp=_with(network, device, device.bgp))
        if device.bgp is not None and device.bgp.listen_ranges
        else device
        for name, device in network.devices.items()
    }
    return replace(network, devices=MappingProxyType(devices))


def _with(network: Network, device: Device, instance: BgpInstance) -> BgpInstance:
    known = {neighbor.address for neighbor in instance.neighbors}
    made: dict[Address, Neighbor] = {}
    for address in _callers(network, device):
        like = next(
            (r.like for r in instance.listen_ranges if address.version == r.prefix.version and address in r.prefix),
            None,
        )
        if like is not None and address not in known and not like.shutdown:
            made[address] = replace(like, name=str(address), address=address)
    return replace(instance, neighbors=(*instance.neighbors, *(made[address] for address in sorted(made, key=str))))


def _callers(network: Network, device: Device) -> Iterator[Address]:
    """The addresses of all who have this device for a neighbor."""
    own = {address.ip for interface in device.interfaces for address in interface.addresses}
    for other in network.devices.values():
        neighbors = () if other.bgp is None or other.name == device.name else other.bgp.neighbors
        if any(address_of(other, neighbor) in own for neighbor in neighbors):
            for interface in other.interfaces:
                yield from (a.ip for a in interface.addresses if not a.ip.is_link_local)
