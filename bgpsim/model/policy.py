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

from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address

from bgpsim.model.as_paths import to_external
from bgpsim.model.decision import DEFAULT_LOCAL_PREFERENCE, LOCAL, Candidate
from bgpsim.model.frr_versions import prints_preference_to_external
from bgpsim.model.inside_as import (
    cluster_id,
    comes_back,
    held_back,
    looped,
    med_of_reflected,
    originator,
    path_told,
    reflected,
)
from bgpsim.model.neighbor_policy import Filtered, asked_of_neighbor, hop_addresses, hop_interface, through
from bgpsim.model.neighbors import neighbor_sources, router_id
from bgpsim.model.rib import Rib
from bgpsim.model.route_map_sets import SELF, Changed, Mark
from bgpsim.model.route_maps import Answer, Asked, apply
from bgpsim.model.session_policy import not_told, received_path, refused_path, sent_path
from bgpsim.model.sessions import SessionEnd
from bgpsim.model.update_groups import UpdateGroups
from bgpsim.model.wiring import LOOPBACK, Wiring, link_local_text, parse_link_local
from bgpsim.network.description import BgpInstance, Device, InterfaceRef, NeighborFamily, Origination
from bgpsim.network.policies import Use
from bgpsim.network.state import UNTOLD, AsPath, Attributes
from bgpsim.network.types import Address, Family, Prefix
from bgpsim.source import Source, merged

GRACEFUL_SHUTDOWN = "graceful-shutdown"
_NO_MARKS: frozenset[Mark] = frozenset()
LOCAL_WEIGHT = 32768
"""FRR's weight of routes that the router puts in by itself (BGP_ATTR_DEFAULT_WEIGHT)."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One entry of an Adj-RIB-Out."""

    wire: Attributes
    printed: Attributes
    sources: tuple[Source, ...]
    beside: str | None = None
    """The global half of an IPv6 next hop of 32 octets, where it is not the sender's own address."""


def default_prefix(prefix: Prefix) -> bool:
    return prefix.prefixlen == 0


def accepted(wiring: Wiring, device: Device, end: SessionEnd, family: Family, prefix: Prefix, sent: Sent) -> Filtered:
    """A received route as the table keeps it, or why it does not (bgp_route.c, bgp_update; RFC 4271 section 9.1.2).

    In FRR's order: loops, lists, RFC 8212, the route-map, and what the router itself does to communities last.
    """
    instance, path = device.bgp, sent.wire
    assert instance is not None
    settings = end.neighbor.families[family]
    refused = refused_path(instance, end, path.as_path) or _looped(device, end, settings, path)
    if refused is None and not settings.import_accept:
        refused = "denied: import policy refuses everything"
    if instance.engine != "frr":
        return Filtered(Changed(path), refused)
    route = replace(_parsed(end, path), beside=sent.beside)
    if refused is not None:
        return Filtered(route, refused)
    if _without_policy(instance, end, any_policy=settings.inbound.any):
        return Filtered(route, "denied: no import policy, and ebgp-requires-policy is on")
    asked = asked_of_neighbor(wiring, device, end, prefix, "in", hop_interface(wiring, end, path))
    found = through(settings.inbound, asked, replace(route, weight=settings.weight))
    if end.type != "ebgp":
        return found
    attributes = _from_outside(found.route.attributes, shutdown=instance.graceful_shutdown)
    return replace(found, route=replace(found.route, attributes=attributes))


def _parsed(end: SessionEnd, path: Attributes) -> Changed:
    """As the attributes come out of the message (bgp_attr.c): an external peer's local preference is none, and of
    equal extended communities one is left."""
    preference = path.local_preference if end.type != "ebgp" else None
    extended = tuple(sorted(set(path.extended_communities)))
    as_path = received_path(end, path.as_path)
    path = replace(path, as_path=as_path, local_preference=preference, extended_communities=extended)
    return Changed(path, med=path.med or 0, preference=preference or 0)


def _looped(device: Device, end: SessionEnd, settings: NeighborFamily, path: Attributes) -> str | None:
    own, cluster = str(router_id(device)), cluster_id(device)
    found = looped(device, end, settings.options, path.as_path)
    if found is not None:
        return found
    if path.originator_id == own:
        return f"denied: ORIGINATOR_ID is the own router ID {own}"
    if cluster in path.cluster_list:
        return f"denied: own {'router ID' if cluster == own else 'cluster ID'} {cluster} in CLUSTER_LIST"
    return None


def _without_policy(instance: BgpInstance, end: SessionEnd, *, any_policy: bool) -> bool:
    """RFC 8212. Between member ASes of a confederation FRR 8.4 finds no policy, whatever there is (bgp_route.c,
    bgp_inbound_policy_exists)."""
    if not instance.ebgp_requires_policy or end.type == "ibgp":
        return False
    return end.type == "confed" or not any_policy


def on_its_way_out(path: Attributes) -> Attributes:
    """`bgp graceful-shutdown` (RFC 8326; bgpd/bgp_route.c, bgp_attr_add_gshut_community)."""
    communities = tuple(sorted({*path.communities, GRACEFUL_SHUTDOWN}))
    return replace(path, local_preference=0, communities=communities)


def _from_outside(path: Attributes, *, shutdown: bool) -> Attributes:
    communities = path.communities
    if "blackhole" in communities and "no-export" not in communities:
        communities = tuple(sorted((*communities, "no-export")))
    # bgp_route.c, bgp_update: a route on its way out is the last choice (RFC 8326 section 4).
    preference = 0 if GRACEFUL_SHUTDOWN in communities else path.local_preference
    path = replace(path, local_preference=preference, communities=communities)
    return on_its_way_out(path) if shutdown else path


class Exporter:
    """Adj-RIB-Out of every engine."""

    def __init__(self, wiring: Wiring, ribs: dict[str, Rib], groups: UpdateGroups | None = None) -> None:
        self.wiring = wiring
        self.ribs = ribs
        self.groups = groups

    def send(
        self,
        device: Device,
        end: SessionEnd,
        family: Family,
        prefix: Prefix,
        best: Candidate,
        *,
        suppressed: bool = False,
    ) -> Sent | None:
        """What goes to the peer for a prefix whose best path is `best`; None where nothing does. `suppressed`: an
        aggregate holds the path back."""
        instance = device.bgp
        assert instance is not None
        settings = end.neighbor.families[family]
        if device.kind == "speaker":
            return None
        if instance.engine == "gobgp" and (best.neighbor == end.neighbor.name or self._peer_in_path(end, best)):
            return None
        if reflected(end, best) and held_back(instance, end, family, best):
            return None
        if comes_back(instance, best.attributes.as_path):
            return None
        if _held_by_community(end, best.attributes.communities) or not_told(end, best):
            return None
        if suppressed:
            if settings.options.unsuppress is None:
                return None
            settings = replace(settings, outbound=replace(settings.outbound, route_map=settings.options.unsuppress))
        if instance.engine == "frr":
            if settings.default_originate and default_prefix(prefix):
                return None
            if _without_policy(instance, end, any_policy=settings.outbound.any):
                return None
        return self._attributes(device, instance, end, family, settings, prefix, best)

    def default_route(
        self, device: Device, end: SessionEnd, family: Family, table: Iterable[tuple[Prefix, Candidate]] = ()
    ) -> Sent | None:
        """`default-originate` (bgp_updgrp_adv.c, subgroup_default_originate): whatever the table holds; with a
        route-map only while it permits something in the `table`. No other policy is asked, and RFC 8212 neither."""
        instance = device.bgp
        assert instance is not None
        settings = end.neighbor.families[family]
        if not settings.default_originate:
            return None
        lines = (settings.source,) if settings.source else neighbor_sources(end.neighbor)
        # FRR 8.4.4 sends a MED of 0 with it, and shows that there is such a route, and nothing of it.
        default = instance.choice.default_local_preference
        made = Attributes(SELF, med=0, local_preference=None if end.type == "ebgp" else default)
        route = Changed(made, preference=default)
        if settings.default_map is not None:
            chosen = default_of_map(self.wiring, device, settings.default_map, route, table)
            if chosen is None:
                return None
            route = chosen.route
            if family == "ipv4-unicast" or end.extended_nexthop:
                # What the route-map does to the next hop is undone; FRR forgets the IPv6 one.
                route = replace(route, attributes=replace(route.attributes, next_hop=SELF), marks=frozenset())
            lines = (*lines, *chosen.lines)
        if instance.graceful_shutdown:
            route = replace(route, attributes=on_its_way_out(route.attributes))
        sent = self._sent(
            device, end, family, settings, Candidate(LOCAL, "local", Attributes(SELF), sources=lines), route
        )
        return replace(sent, printed=Attributes(SELF))

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
        prefix: Prefix,
        best: Candidate,
    ) -> Sent | None:
        """Through the neighbor's policies; None where they hold it back."""
        path, options = best.attributes, settings.options
        external, reflects = end.type == "ebgp", reflected(end, best)
        internal_med = med_of_reflected(best) if reflects else path.med
        preference = _internal_preference(instance, path)
        route = Changed(
            replace(
                path,
                as_path=to_external(options, path.as_path, instance.asn, end.peer_as) if external else path.as_path,
                med=internal_med if not external or best.type == "local" or "med" in options.unchanged else None,
                local_preference=path.local_preference if external else preference,
            ),
            med=path.med or 0,
            preference=_kept_preference(instance, best) if external else preference,
            weight=best.weight,
            tag=best.tag,
            marks=best.marks if settings.outbound.route_map is None else frozenset(),
            beside=best.beside,
        )
        if instance.engine == "frr":
            asked = asked_of_neighbor(self.wiring, device, end, prefix, "out", best.hop_interface)
            asked = replace(asked, untyped=best.type != "local" and "ipv4" not in best.marks)
            found = through(settings.outbound, asked, route, path.as_path)
            if found.refused is not None:
                return None
            best = replace(best, sources=merged(best.sources, found.lines)) if found.lines else best
            # RFC 4456 section 8: what is reflected is not changed.
            route = (
                found.route if not reflects or instance.reflection.outbound_policy else replace(route, marks=_NO_MARKS)
            )
        if "next-hop" in options.unchanged:
            route = replace(route, marks=route.marks | {"unchanged"})
        if instance.graceful_shutdown:
            attributes = route.attributes
            attributes = on_its_way_out(attributes) if external else replace(attributes, local_preference=0)
            route = replace(route, attributes=attributes)
        return self._sent(device, end, family, settings, best, route)

    def _sent(
        self,
        device: Device,
        end: SessionEnd,
        family: Family,
        settings: NeighborFamily,
        best: Candidate,
        route: Changed,
    ) -> Sent:
        instance = device.bgp
        assert instance is not None
        path = route.attributes
        external = end.type == "ebgp"
        changed = bool(route.marks) or "unchanged" in best.marks
        next_hop = (
            self._changed_hop(family, route, best) if changed else self._next_hop(device, end, family, settings, best)
        )
        printed = Attributes(
            next_hop=self._shown_hop(device, end, family, settings, best, path.next_hop, next_hop, changed=changed),
            as_path=path.as_path,
            origin=path.origin,
            med=path.med,
            local_preference=_printed_preference(instance, path) if external else path.local_preference,
        )
        own = self._own_next_hop(device, end, family, best.type == "local")
        kept_path = bool(path.as_path) and "as-path" in settings.options.unchanged
        kept = not self._own_after_all(device, end, family, settings, best, route, next_hop, own)
        wire = replace(
            path,
            next_hop=next_hop if kept else own,
            as_path=self._told_path(instance, end, path.as_path, kept=external and kept_path),
            local_preference=None if external else path.local_preference,
            originator_id=originator(best) if reflected(end, best) else None,
            cluster_list=(cluster_id(device), *best.attributes.cluster_list) if reflected(end, best) else (),
            communities=path.communities if "standard" in settings.send_communities else (),
            large_communities=path.large_communities if "large" in settings.send_communities else (),
            extended_communities=path.extended_communities if "extended" in settings.send_communities else (),
        )
        if instance.engine != "frr":
            printed = wire
        two = family == "ipv6-unicast" and not kept and next_hop != SELF and parse_link_local(own) is not None
        lines = merged(best.sources, neighbor_sources(end.neighbor))
        return Sent(wire, printed, lines, next_hop if two and "peer-address" not in route.marks else None)

    @staticmethod
    def _told_path(instance: BgpInstance, end: SessionEnd, path: AsPath, *, kept: bool) -> AsPath:
        if kept:
            return path
        if end.neighbor.options.local_as is not None:
            return sent_path(instance, end, path)
        return path_told(instance, end, path)

    def _shown_hop(
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

    def _changed_hop(self, family: Family, route: Changed, best: Candidate) -> str:
        """A route-map had to do with it: nothing is cleared but a link-local address, of use on its link only."""
        path = route.attributes
        if family == "ipv4-unicast" and _ipv6(path.next_hop):
            return route.beside or SELF
        if parse_link_local(path.next_hop) is None:
            return path.next_hop
        beside = self._global_beside(best) if family == "ipv6-unicast" else None
        return beside or SELF

    def _own_after_all(
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

    def _next_hop(
        self, device: Device, end: SessionEnd, family: Family, settings: NeighborFamily, best: Candidate
    ) -> str:
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


def _ipv6(next_hop: str) -> bool:
    """A global IPv6 address."""
    return next_hop != SELF and parse_link_local(next_hop) is None and ip_address(next_hop).version == 6


def _sent_preference(route: Origination) -> int:
    """ExaBGP sends a local preference to internal peers alone, and always there."""
    return DEFAULT_LOCAL_PREFERENCE if route.local_preference is None else route.local_preference


def _kept_preference(instance: BgpInstance, best: Candidate) -> int:
    """What bgpd has in the field, whether or not the attribute is there (bgp_attr.c, bgp_attr_default_set)."""
    value = best.attributes.local_preference
    if value is not None:
        return value
    return instance.choice.default_local_preference if best.type == "local" else 0


def default_of_map(
    wiring: Wiring, device: Device, use: Use, route: Changed, table: Iterable[tuple[Prefix, Candidate]]
) -> Answer | None:
    """The answer of the first entry that permits any path of the table; the route-map changes the default route and
    not the path that it looks at."""
    best: Answer | None = None
    for prefix, path in table:
        neighbors = device.bgp.neighbors if device.bgp is not None else ()
        neighbor = next((n for n in neighbors if n.name == path.neighbor), None)
        asked = Asked(
            device.policies,
            prefix,
            "default",
            peer=None if neighbor is None else neighbor.name,
            peer_group=None if neighbor is None else neighbor.peer_group,
            peer_address=path.peer_address,
            interface=path.hop_interface,
            hops=lambda text: hop_addresses(wiring, text),
        )
        kept = 0 if device.bgp is None else _kept_preference(device.bgp, path)
        there = Changed(path.attributes, path.attributes.med or 0, kept, path.weight, path.tag)
        answer = apply(asked, use.name, route, matched=there)
        if answer.permitted and (best is None or _earlier(answer, best)):
            best = answer
    return best


def _earlier(one: Answer, other: Answer) -> bool:
    return one.entry is not None and (other.entry is None or one.entry.seq < other.entry.seq)


def _internal_preference(instance: BgpInstance, path: Attributes) -> int:
    return instance.choice.default_local_preference if path.local_preference is None else path.local_preference


def _next_hop_self(end: SessionEnd, settings: NeighborFamily, best: Candidate) -> bool:
    """Of what is reflected only with `force` (RFC 4456 section 10)."""
    return settings.next_hop_self_force or (settings.next_hop_self and not reflected(end, best))


def _printed_preference(instance: BgpInstance, path: Attributes) -> int | None:
    """Of what goes to an external peer, which is not sent it."""
    return path.local_preference if prints_preference_to_external(instance) else None


def _held_by_community(end: SessionEnd, communities: tuple[str, ...]) -> bool:
    """RFC 1997 (bgp_route.c, bgp_community_filter)."""
    if "no-advertise" in communities:
        return True
    if end.type == "confed":
        return "local-AS" in communities
    return end.type == "ebgp" and ("no-export" in communities or "local-AS" in communities)
