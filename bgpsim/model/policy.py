"""What a router accepts from a neighbor and what it sends to one.

Adj-RIB-Out has two faces, and this module is the one place that knows both:

- `wire`: the attributes in the UPDATE, as a speaker receives them;
- `printed`: what FRR 8.4 shows in `show bgp … neighbors X advertised-routes json`, which is what an observer reads:
  the attributes *before* the packet is made (bgp_updgrp_packet.c): the own AS is not yet prepended, a next hop that is
  set to the router's own address reads 0.0.0.0 or :: (`self` here), communities are not shown. Measured on 8.4.4.

Local preference is None on local and on eBGP-learnt paths (FRR ignores it there), the number on iBGP-learnt paths and
on what is sent to iBGP peers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address

from bgpsim.model.decision import DEFAULT_LOCAL_PREFERENCE, Candidate
from bgpsim.model.neighbors import neighbor_sources, router_id
from bgpsim.model.rib import Rib
from bgpsim.model.session_policy import held_back, received_path, refused_path, sent_path
from bgpsim.model.sessions import SessionEnd
from bgpsim.model.wiring import LOOPBACK, Wiring, link_local_text, parse_link_local
from bgpsim.network.description import BgpInstance, Device, InterfaceRef, NeighborFamily, Origination
from bgpsim.network.state import AsPath, Attributes
from bgpsim.network.types import Address, Family, Prefix
from bgpsim.source import Source, merged

SELF = "self"
GRACEFUL_SHUTDOWN = "graceful-shutdown"
LOCAL_WEIGHT = 32768
"""FRR's weight of routes that the router puts in by itself (BGP_ATTR_DEFAULT_WEIGHT)."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One entry of an Adj-RIB-Out."""

    wire: Attributes
    printed: Attributes
    sources: tuple[Source, ...]


def default_prefix(prefix: Prefix) -> bool:
    return prefix.prefixlen == 0


def denied(device: Device, instance: BgpInstance, end: SessionEnd, family: Family, path: Attributes) -> str | None:
    """Why a received route is not taken into the table (bgp_route.c, bgp_update; RFC 4271 section 9.1.2)."""
    own = str(router_id(device))
    if any(instance.asn == part or (isinstance(part, frozenset) and instance.asn in part) for part in path.as_path):
        return f"denied: own AS {instance.asn} in the path"
    refused = refused_path(end, path.as_path)
    if refused is not None:
        return refused
    if path.originator_id == own:
        return f"denied: ORIGINATOR_ID is the own router ID {own}"
    if own in path.cluster_list:
        return f"denied: own router ID {own} in CLUSTER_LIST"
    if not end.neighbor.families[family].import_accept:
        return "denied: import policy refuses everything"
    if instance.engine == "frr" and end.type == "ebgp" and instance.ebgp_requires_policy:
        return "denied: no import policy, and ebgp-requires-policy is on"
    return None


def received(instance: BgpInstance, end: SessionEnd, path: Attributes) -> Attributes:
    """The attributes as the table keeps them (bgp_attr.c)."""
    if end.type == "ibgp" or instance.engine != "frr":
        return path
    communities = path.communities
    if "blackhole" in communities and "no-export" not in communities:
        communities = tuple(sorted((*communities, "no-export")))
    # bgp_route.c, bgp_update: a route on its way out is the last choice (RFC 8326 section 4).
    preference = 0 if GRACEFUL_SHUTDOWN in communities else None
    as_path = received_path(end, path.as_path)
    return replace(path, as_path=as_path, local_preference=preference, communities=communities)


class Exporter:
    """Adj-RIB-Out of every engine."""

    def __init__(self, wiring: Wiring, ribs: dict[str, Rib]) -> None:
        self.wiring = wiring
        self.ribs = ribs

    def send(self, device: Device, end: SessionEnd, family: Family, prefix: Prefix, best: Candidate) -> Sent | None:
        """What goes to the peer for a prefix whose best path is `best`; None where nothing does."""
        instance = device.bgp
        assert instance is not None
        settings = end.neighbor.families[family]
        if device.kind == "speaker":
            return None
        if instance.engine == "gobgp" and (best.neighbor == end.neighbor.name or self._peer_in_path(end, best)):
            return None
        if best.type == "ibgp" and end.type == "ibgp":
            return None
        if _held_by_community(end, best.attributes.communities) or held_back(end, best):
            return None
        if instance.engine == "frr":
            if settings.default_originate and default_prefix(prefix):
                return None
            if end.type == "ebgp" and instance.ebgp_requires_policy:
                return None
        return self._attributes(device, instance, end, family, settings, best)

    def default_route(self, device: Device, end: SessionEnd, family: Family) -> Sent | None:
        """`default-originate` (bgp_updgrp_adv.c, subgroup_default_originate): whatever the table holds."""
        instance = device.bgp
        assert instance is not None
        settings = end.neighbor.families[family]
        if not settings.default_originate:
            return None
        if end.type == "ebgp" and instance.ebgp_requires_policy:
            return None
        lines = (settings.source,) if settings.source else neighbor_sources(end.neighbor)
        path = Candidate("local", "local", Attributes(SELF), sources=lines)
        sent = self._attributes(device, instance, end, family, settings, path)
        # FRR 8.4.4 sends a MED of 0 with it, and shows that there is such a route, and nothing of it.
        return replace(sent, printed=Attributes(SELF), wire=replace(sent.wire, med=0))

    def originated(self, device: Device, end: SessionEnd, family: Family, route: Origination) -> Sent:
        """A speaker's announcement: exactly as given (an explicit AS path is not prepended to)."""
        instance = device.bgp
        assert instance is not None
        own: AsPath = (instance.asn,) if end.type == "ebgp" else ()
        wire = Attributes(
            next_hop=self._own_next_hop(device, end, family, local=True)
            if route.next_hop is None
            else self._written_next_hop(device, end, route.next_hop),
            as_path=own if route.as_path is None else route.as_path,
            origin=route.origin,
            med=route.med,
            local_preference=None if end.type == "ebgp" else _sent_preference(route),
            communities=route.communities,
            large_communities=route.large_communities,
            extended_communities=route.extended_communities,
            originator_id=route.originator_id,
            cluster_list=route.cluster_list,
            aggregator=route.aggregator,
            atomic_aggregate=route.atomic_aggregate,
            # What is not transitive goes no further than to the peer, and shows nowhere.
            unknown=tuple(unknown.text for unknown in route.unknown if unknown.transitive),
        )
        return Sent(wire, wire, (route.source,) if route.source else ())

    def _written_next_hop(self, device: Device, end: SessionEnd, address: Address) -> str:
        """A link-local one is named by its owner on the session's link."""
        if not address.is_link_local or end.interface is None:
            return str(address)
        here = InterfaceRef(device.name, end.interface)
        interface = device.interface(end.interface)
        if interface is not None and interface.link_local == address:
            return link_local_text(here)
        owner = self.wiring.link_local_owner(here, address) if isinstance(address, IPv6Address) else None
        return str(address) if owner is None else link_local_text(owner)

    @staticmethod
    def _peer_in_path(end: SessionEnd, best: Candidate) -> bool:
        """GoBGP holds back what the peer would refuse."""
        return end.type == "ebgp" and end.peer_as in best.attributes.as_path

    def _attributes(
        self,
        device: Device,
        instance: BgpInstance,
        end: SessionEnd,
        family: Family,
        settings: NeighborFamily,
        best: Candidate,
    ) -> Sent:
        path = best.attributes
        external = end.type == "ebgp"
        next_hop = self._next_hop(device, end, family, settings, best)
        # FRR 8.4.4 prints the stored attributes: of an IPv4 route to a peer without RFC 8950 the IPv6 next hop that it
        # was learnt with (it is replaced in the packet alone), else one that is cleared; and an iBGP path's preference.
        if family == "ipv4-unicast" and end.extended_nexthop:
            shown_hop = SELF
        elif family == "ipv4-unicast" and parse_link_local(path.next_hop) is not None and not settings.next_hop_self:
            shown_hop = path.next_hop
        else:
            shown_hop = next_hop
            beside = self._global_beside(family, best)
            if external and beside and best.neighbor != end.neighbor.name and self._shared(device, end, beside):
                shown_hop = beside
        printed = Attributes(
            next_hop=shown_hop,
            as_path=path.as_path,
            origin=path.origin,
            med=path.med if not external or best.type == "local" else None,
            local_preference=path.local_preference if external else _internal_preference(path),
        )
        wire = replace(
            path,
            next_hop=self._own_next_hop(device, end, family, best.type == "local") if next_hop == SELF else next_hop,
            as_path=sent_path(instance, end, path.as_path),
            med=printed.med,
            local_preference=None if external else printed.local_preference,
            originator_id=None,
            cluster_list=(),
        )
        if instance.engine != "frr":
            printed = wire
        return Sent(wire, printed, merged(best.sources, neighbor_sources(end.neighbor)))

    def _next_hop(
        self, device: Device, end: SessionEnd, family: Family, settings: NeighborFamily, best: Candidate
    ) -> str:
        """`self` where the router puts in its own address (bgp_route.c, subgroup_announce_check)."""
        text = best.attributes.next_hop
        if text == SELF or settings.next_hop_self:
            return SELF
        if parse_link_local(text) is not None:
            # An internal peer gets the global address that came with it; to others the router's own goes along.
            beside = self._global_beside(family, best) if end.type == "ibgp" else None
            return beside or SELF
        if end.type == "ebgp" and (best.neighbor == end.neighbor.name or not self._shared(device, end, text)):
            return SELF
        if family == "ipv4-unicast" and end.extended_nexthop:
            return SELF
        return text

    def _global_beside(self, family: Family, best: Candidate) -> str | None:
        """The global address in the other half of a learnt next hop of 32 octets (RFC 2545 section 3)."""
        ref = parse_link_local(best.attributes.next_hop)
        interface = self.wiring.interface(ref) if ref is not None else None
        if interface is None or best.type == "local" or family != "ipv6-unicast":
            return None
        found = (a.ip for a in interface.addresses if a.version == 6 and not a.ip.is_link_local)
        return next(map(str, found), None)

    def _shared(self, device: Device, end: SessionEnd, text: str) -> bool:
        """The next hop and the peer are on one connected network: a third-party next hop is kept."""
        if end.peer_address is None:
            return False
        peer = self.ribs[device.name].connected_to(end.peer_address)
        return peer is not None and peer is self.ribs[device.name].connected_to(ip_address(text))

    def _own_next_hop(self, device: Device, end: SessionEnd, family: Family, local: bool) -> str:
        """The router's own address as the peer sees it (bgp_zebra.c, bgp_nexthop_set)."""
        if family == "ipv4-unicast" and not end.extended_nexthop:
            if end.local_address is not None and end.local_address.version == 4:
                return str(end.local_address)
            return str(self._interface_address(device, end, 4) or router_id(device))
        if isinstance(end.local_address, IPv4Address):
            return self._next_hop_of_ipv4_session(device, end, end.local_address, local)
        if end.interface is not None and end.interface != LOOPBACK and (end.type == "ebgp" or local):
            return link_local_text(InterfaceRef(device.name, end.interface))
        if isinstance(end.local_address, IPv6Address):
            return str(end.local_address)
        found = self._interface_address(device, end, 6)
        if found is not None:
            return str(found)
        assert end.interface is not None
        return link_local_text(InterfaceRef(device.name, end.interface))

    @staticmethod
    def _next_hop_of_ipv4_session(device: Device, end: SessionEnd, session: IPv4Address, local: bool) -> str:
        """An IPv6 address of the interface that has the session's address, else that address mapped (RFC 4291 section
        2.5.5.2; bgp_zebra.c, bgp_nexthop_set, and bgp_updgrp_packet.c). GoBGP maps always.

        On a common link the link-local address goes with it, and is the one that the peer uses (bgp_route.c,
        subgroup_announce_check: 32 octets to an external peer, and of own routes to any)."""
        assert device.bgp is not None
        for interface in device.interfaces if device.bgp.engine == "frr" else ():
            if any(address.ip == session for address in interface.addresses):
                if end.interface == interface.name != LOOPBACK and (end.type == "ebgp" or local):
                    return link_local_text(InterfaceRef(device.name, interface.name))
                for address in interface.addresses:
                    if address.version == 6:
                        return str(address.ip)
                if interface.name != LOOPBACK:
                    return link_local_text(InterfaceRef(device.name, interface.name))
        return str(IPv6Address(f"::ffff:{session}"))

    def _interface_address(self, device: Device, end: SessionEnd, version: int) -> Address | None:
        interface = device.interface(end.interface) if end.interface else None
        for address in interface.addresses if interface else ():
            if address.version == version:
                return address.ip
        return None


def _sent_preference(route: Origination) -> int:
    """ExaBGP sends a local preference to internal peers alone, and always there."""
    return DEFAULT_LOCAL_PREFERENCE if route.local_preference is None else route.local_preference


def _internal_preference(path: Attributes) -> int:
    return DEFAULT_LOCAL_PREFERENCE if path.local_preference is None else path.local_preference


def _held_by_community(end: SessionEnd, communities: tuple[str, ...]) -> bool:
    """RFC 1997 (bgp_route.c, bgp_community_filter)."""
    if "no-advertise" in communities:
        return True
    return end.type == "ebgp" and ("no-export" in communities or "local-AS" in communities)
