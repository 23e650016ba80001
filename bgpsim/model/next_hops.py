"""Next hops of what a router sends: on the wire, and as FRR 8.4 prints them (see `policy.py` for the two faces)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from bgpsim.model.decision import Candidate
from bgpsim.model.inside_as import reflected
from bgpsim.model.neighbor_policy import hop_addresses
from bgpsim.model.neighbors import router_id
from bgpsim.model.rib import Rib
from bgpsim.model.route_map_sets import SELF, Changed, Mark
from bgpsim.model.sessions import SessionEnd
from bgpsim.model.update_groups import UpdateGroups
from bgpsim.model.wiring import LOOPBACK, Wiring, link_local_text, parse_link_local
from bgpsim.network.description import Device, InterfaceRef, NeighborFamily
from bgpsim.network.state import UNTOLD
from bgpsim.network.types import Address, Family


class SentNextHops:
    """Of every Adj-RIB-Out."""

    def __init__(self, wiring: Wiring, ribs: dict[str, Rib], groups: UpdateGroups | None) -> None:
        self.wiring = wiring
        self.ribs = ribs
        self.groups = groups

    def written(self, device: Device, end: SessionEnd, address: Address) -> str:
        """A link-local one is named by its owner on the session's link."""
        if not address.is_link_local or end.interface is None:
            return str(address)
        here = InterfaceRef(device.name, end.interface)
        interface = device.interface(end.interface)
        if interface is not None and interface.link_local == address:
            return link_local_text(here)
        owner = self.wiring.link_local_owner(here, address) if isinstance(address, IPv6Address) else None
        return str(address) if owner is None else link_local_text(owner)

    def shown(
        self,
        device: Device,
        end: SessionEnd,
        family: Family,
        settings: NeighborFamily,
        best: Candidate,
        after_policy: str,
        next_hop: str,
        *,
        changed: bool,
    ) -> str:
        """FRR 8.4.4 prints the stored next hop: of an IPv4 route to a peer without RFC 8950 the IPv6 one that it was
        learnt with (it is replaced in the packet alone), else one that is cleared."""
        path = best.attributes
        external = end.type == "ebgp"
        if family == "ipv4-unicast" and _ipv6(after_policy) and (changed or not end.extended_nexthop):
            # Learnt so, or put there by a route-map: shown and not sent.
            return after_policy
        own = _next_hop_self(end, settings, best)
        if external and best.type == "local" and path.next_hop != SELF and not own and not changed:
            # The gateway, where any peer of the update subgroup is on its network, else the router's own address
            # (bgp_updgrp.c, bgp_subgrp_multiaccess_check_v4): who is in it depends on who came when.
            return UNTOLD
        if family == "ipv4-unicast" and end.extended_nexthop:
            return next_hop if not external and _ipv6(next_hop) else SELF
        if changed and family == "ipv4-unicast" and parse_link_local(after_policy) is not None:
            return after_policy
        if changed:
            return next_hop
        if family == "ipv4-unicast" and parse_link_local(path.next_hop) is not None:
            return self._global_beside(best) or path.next_hop
        beside = self._global_beside(best) if family == "ipv6-unicast" else None
        if external and beside and best.neighbor != end.neighbor.name and self._shared(device, end, beside):
            return beside
        if external and self._another_shares(device, end, best, beside or path.next_hop):
            return UNTOLD
        return next_hop

    def changed(self, family: Family, route: Changed, best: Candidate) -> str:
        """A route-map had to do with it: nothing is cleared but a link-local address, of use on its link only."""
        path = route.attributes
        if family == "ipv4-unicast" and _ipv6(path.next_hop):
            return route.beside or SELF
        if parse_link_local(path.next_hop) is None:
            return path.next_hop
        beside = self._global_beside(best) if family == "ipv6-unicast" else None
        return beside or SELF

    def own_after_all(
        self,
        device: Device,
        end: SessionEnd,
        family: Family,
        settings: NeighborFamily,
        best: Candidate,
        route: Changed,
        next_hop: str,
        own: str,
    ) -> bool:
        """The last word is the packet's (bgp_updgrp_packet.c, bpacket_reformat_for_peer): to an external peer only its
        own route-map names a next hop that is not on their network, and beside an IPv6 one of 32 octets goes the own
        link-local address, which is the one that is used."""
        if next_hop == SELF or "peer-address" in route.marks:
            return True
        two = end.type == "ebgp" or best.type == "local"  # of others an internal peer gets the global half alone
        if family == "ipv6-unicast" and two and parse_link_local(own) is not None:
            return True
        if end.type != "ebgp" or not route.marks:
            return False
        named: Mark = "ipv4" if family == "ipv4-unicast" else "ipv6-global"
        if settings.outbound.route_map is not None and named in route.marks:
            return False
        return "unchanged" not in route.marks and not self._shared(device, end, next_hop)

    def chosen(self, device: Device, end: SessionEnd, family: Family, settings: NeighborFamily, best: Candidate) -> str:
        """`self` where the router puts in its own address (bgp_route.c, subgroup_announce_check)."""
        text = best.attributes.next_hop
        if family == "ipv4-unicast" and best.beside is not None:
            text = best.beside
        if text == SELF or _next_hop_self(end, settings, best):
            return SELF
        if parse_link_local(text) is not None:
            # An internal peer gets the global address that came with it; to others the router's own goes along.
            named = end.type == "ibgp" and (family == "ipv6-unicast" or end.extended_nexthop)
            return (self._global_beside(best) if named else None) or SELF
        if end.type == "ebgp" and (self._goes_back(end, family, best) or not self._shared(device, end, text)):
            return SELF
        if family == "ipv4-unicast" and end.extended_nexthop:
            return text if end.type == "ibgp" and _ipv6(text) else SELF
        return text

    def _goes_back(self, end: SessionEnd, family: Family, best: Candidate) -> bool:
        """To whom it is from, alone of its update group on that network."""
        back = best.neighbor == end.neighbor.name
        return back and not (self.groups is not None and self.groups.another_on_the_network(end, family))

    def _global_beside(self, best: Candidate) -> str | None:
        """The global address in the other half of a learnt next hop of 32 octets (RFC 2545 section 3)."""
        if best.beside is not None:
            return best.beside
        ref = parse_link_local(best.attributes.next_hop)
        if ref is None or best.type == "local":
            return None
        own = [address for address in hop_addresses(self.wiring, best.attributes.next_hop) if not address.is_link_local]
        return str(own[0]) if own else None

    def _shared(self, device: Device, end: SessionEnd, text: str) -> bool:
        """The next hop and the peer are on one connected network: a third-party next hop is kept."""
        if end.peer_address is None:
            return False
        peer = self.ribs[device.name].connected_to(end.peer_address)
        return peer is not None and peer is self.ribs[device.name].connected_to(ip_address(text))

    def _another_shares(self, device: Device, end: SessionEnd, best: Candidate, text: str) -> bool:
        """A peer that may be in the same update subgroup is on the learnt IPv6 next hop's network, and this one is
        not (bgp_updgrp.c, bgp_subgrp_multiaccess_check_v6, which leaves out whom the route is from)."""
        if parse_link_local(text) is not None or text == SELF or ip_address(text).version == 4:
            return False
        if self._shared(device, end, text):
            return False
        connected = self.ribs[device.name].connected_to
        at = connected(ip_address(text))
        assert device.bgp is not None
        others = (n.address for n in device.bgp.neighbors if n.name not in (best.neighbor, end.neighbor.name))
        return at is not None and any(address is not None and connected(address) is at for address in others)

    def own(self, device: Device, end: SessionEnd, family: Family, local: bool) -> str:
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


def _ipv6(next_hop: str) -> bool:
    """A global IPv6 address."""
    return next_hop != SELF and parse_link_local(next_hop) is None and ip_address(next_hop).version == 6


def _next_hop_self(end: SessionEnd, settings: NeighborFamily, best: Candidate) -> bool:
    """Of what is reflected only with `force` (RFC 4456 section 10)."""
    return settings.next_hop_self_force or (settings.next_hop_self and not reflected(end, best))
