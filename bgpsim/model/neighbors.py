"""What a configured neighbor and a router's addresses mean, at one end alone."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Literal, TypeAlias

from bgpsim.model.wiring import LOOPBACK
from bgpsim.network.description import NO_AS, BgpInstance, Device, Neighbor
from bgpsim.network.types import Address
from bgpsim.source import Source

SessionType: TypeAlias = Literal["ebgp", "ibgp", "confed"]
"""confed: with another member AS of the same confederation (RFC 5065)."""


def router_id(device: Device) -> IPv4Address:
    """As configured; else FRR's choice: the highest address of `lo`, then of any interface (zebra/router-id.c)."""
    assert device.bgp is not None
    if device.bgp.router_id is not None:
        return device.bgp.router_id
    found: list[tuple[bool, IPv4Address]] = [(False, IPv4Address(0))]
    for interface in device.interfaces:
        for address in interface.addresses:
            if isinstance(address.ip, IPv4Address) and not address.ip.is_loopback and interface.up:
                found.append((interface.name == LOOPBACK, address.ip))
    return max(found)[1]


def derived_address(device: Device, neighbor: Neighbor) -> IPv4Address | None:
    """The other end's address on an interface with a /30 or /31, which an unnumbered neighbor of FRR's prefers
    (bgpd/bgp_fsm.c and bgpd.c, bgp_peer_conf_if_to_su_update_v4)."""
    interface = device.interface(neighbor.interface) if neighbor.interface and neighbor.address is None else None
    if interface is None or not interface.up or neighbor.v6_only:
        return None
    for address in interface.addresses:
        if isinstance(address.ip, IPv4Address) and address.network.prefixlen in (30, 31):
            others = [other for other in address.network.hosts() if other != address.ip]
            return IPv4Address(others[0]) if len(others) == 1 else None
    return None


def address_of(device: Device, neighbor: Neighbor) -> Address | None:
    """The neighbor's, as it is configured or derived."""
    return neighbor.address if neighbor.address is not None else derived_address(device, neighbor)


def own_as(instance: BgpInstance, neighbor: Neighbor) -> int:
    """The AS number that this end gives in its OPEN: to the outside a confederation's (bgpd/bgpd.c, peer_remote_as)."""
    confederation = instance.confederation
    if confederation is None or neighbor.remote_as in ("internal", "external", instance.asn, *confederation.peers):
        return instance.asn
    return confederation.identifier


def session_type(instance: BgpInstance, neighbor: Neighbor, peer_as: int | None = None) -> SessionType | None:
    """By the AS number that is configured, and where it is none by the peer's own, if known (bgpd/bgpd.c,
    peer_calc_sort)."""
    remote = neighbor.remote_as
    if remote == NO_AS:
        return None
    if remote in ("internal", instance.asn):
        return "ibgp"
    number = remote if isinstance(remote, int) else peer_as
    confederation = instance.confederation
    return "confed" if confederation is not None and number in confederation.peers else "ebgp"


def as_number_fits(instance: BgpInstance, neighbor: Neighbor, peer_as: int) -> bool:
    """`peer_as`: what the peer gives in its OPEN."""
    if neighbor.remote_as == "internal":
        return peer_as == instance.asn
    if neighbor.remote_as == "external":
        return peer_as != instance.asn
    return peer_as == neighbor.remote_as


def session_as(instance: BgpInstance, neighbor: Neighbor) -> int:
    """The AS number that this end says it is of: the instance's, its confederation's, or the session's local-as."""
    local = neighbor.options.local_as
    return own_as(instance, neighbor) if local is None else local.asn


def is_internal(instance: BgpInstance, neighbor: Neighbor) -> bool:
    """As this end sees it: local-as does not count (bgpd/bgpd.c, peer_calc_sort)."""
    return neighbor.remote_as in ("internal", instance.asn)


def must_be_connected(neighbor: Neighbor) -> bool:
    """Whether FRR wants an external peer, and its next hops, on a connected network."""
    return neighbor.ebgp_ttl == 1 and neighbor.options.connected_check


def preferred_source(device: Device, interface: str, towards: Address, version: int) -> Address | None:
    """The kernel's choice: an address of the egress interface (the one that shares the next hop's network first),
    else the first address of any other interface (net/ipv4/devinet.c, inet_select_addr)."""
    out = device.interface(interface)
    own = [a for a in out.addresses if a.version == version] if out else []
    for address in own:
        if towards in address.network:
            return address.ip
    if own:
        return own[0].ip
    for other in device.interfaces:
        for address in other.addresses:
            if address.version == version and other.up and not address.ip.is_link_local:
                return address.ip
    return None


def neighbor_sources(neighbor: Neighbor) -> tuple[Source, ...]:
    if neighbor.sources:
        return neighbor.sources
    return (neighbor.source,) if neighbor.source else ()
