"""What a router sends to a neighbor.

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

from bgpsim.model.as_paths import to_external
from bgpsim.model.decision import DEFAULT_LOCAL_PREFERENCE, LOCAL, Candidate
from bgpsim.model.frr_versions import prints_preference_to_external
from bgpsim.model.inside_as import (
    cluster_id,
    comes_back,
    held_back,
    med_of_reflected,
    originator,
    path_told,
    reflected,
)
from bgpsim.model.neighbor_policy import asked_of_neighbor, hop_addresses, through
from bgpsim.model.neighbors import neighbor_sources
from bgpsim.model.next_hops import SentNextHops
from bgpsim.model.rib import Rib
from bgpsim.model.route_map_sets import SELF, Changed, Mark
from bgpsim.model.route_maps import Answer, Asked, apply
from bgpsim.model.session_policy import not_told, sent_path
from bgpsim.model.sessions import SessionEnd
from bgpsim.model.update_groups import UpdateGroups
from bgpsim.model.wiring import Wiring, parse_link_local
from bgpsim.network.description import BgpInstance, Device, NeighborFamily, Origination
from bgpsim.network.policies import Use
from bgpsim.network.state import AsPath, Attributes
from bgpsim.network.types import Family, Prefix
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


def without_policy(instance: BgpInstance, end: SessionEnd, *, any_policy: bool) -> bool:
    """RFC 8212. Between member ASes of a confederation FRR 8.4 finds no policy, whatever there is (bgp_route.c,
    bgp_inbound_policy_exists)."""
    if not instance.ebgp_requires_policy or end.type == "ibgp":
        return False
    return end.type == "confed" or not any_policy


def on_its_way_out(path: Attributes) -> Attributes:
    """`bgp graceful-shutdown` (RFC 8326; bgpd/bgp_route.c, bgp_attr_add_gshut_community)."""
    communities = tuple(sorted({*path.communities, GRACEFUL_SHUTDOWN}))
    return replace(path, local_preference=0, communities=communities)


class Exporter:
    """Adj-RIB-Out of every engine."""

    def __init__(self, wiring: Wiring, ribs: dict[str, Rib], groups: UpdateGroups | None = None) -> None:
        self.wiring = wiring
        self.hops = SentNextHops(wiring, ribs, groups)

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
            if without_policy(instance, end, any_policy=settings.outbound.any):
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
            next_hop=self.hops.own(device, end, family, local=True)
            if route.next_hop is None
            else self.hops.written(device, end, route.next_hop),
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
            self.hops.changed(family, route, best) if changed else self.hops.chosen(device, end, family, settings, best)
        )
        printed = Attributes(
            next_hop=self.hops.shown(device, end, family, settings, best, path.next_hop, next_hop, changed=changed),
            as_path=path.as_path,
            origin=path.origin,
            med=path.med,
            local_preference=_printed_preference(instance, path) if external else path.local_preference,
        )
        own = self.hops.own(device, end, family, best.type == "local")
        kept_path = bool(path.as_path) and "as-path" in settings.options.unchanged
        kept = not self.hops.own_after_all(device, end, family, settings, best, route, next_hop, own)
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
