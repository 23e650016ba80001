"""What a router puts into its own table: redistributed routes and its own originations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from typing import Literal

from bgpsim.model.decision import DEFAULT_LOCAL_PREFERENCE, LOCAL, Candidate
from bgpsim.model.neighbor_policy import by_map, hop_addresses
from bgpsim.model.policy import LOCAL_WEIGHT
from bgpsim.model.rib import Rib, StaticRoute
from bgpsim.model.route_map_sets import SELF, Changed
from bgpsim.model.route_maps import Asked
from bgpsim.model.wiring import Wiring, parse_link_local
from bgpsim.network.description import BgpInstance, Device
from bgpsim.network.policies import Use
from bgpsim.network.state import Attributes
from bgpsim.network.types import Prefix, family_of
from bgpsim.source import Source

SECOND = 1
"""The path id of a router's own second path of a prefix, in tables; on no session."""


def local_paths(wiring: Wiring, device: Device, instance: BgpInstance, rib: Rib) -> Iterator[tuple[Prefix, Candidate]]:
    """What the router puts into its own table: redistributed routes and its own originations.

    Where `network` names a route that is redistributed too, bgpd has a path of each kind (bgpd/bgp_route.c,
    bgp_redistribute_add and bgp_static_update compare the kind); the redistributed one is the second.
    """
    if device.kind == "speaker":
        return
    named = dict(_named(wiring, device, instance, rib))
    for redistribution in instance.redistribute:
        for route in rib.selected():
            if family_of(route.prefix) == redistribution.family and _is_of(route, redistribution.protocol):
                lines = (*route.sources, *((redistribution.source,) if redistribution.source else ()))
                metric = route.rib_metric if redistribution.metric is None else redistribution.metric
                # bgpd/bgp_route.c, bgp_redistribute_add: ORIGIN incomplete, the route's metric as MED.
                path = Attributes(_gateway(route), origin="incomplete", med=metric)
                made = _made(wiring, device, route.prefix, "redistribute", redistribution.route_map, path, lines, route)
                if made is not None:
                    yield route.prefix, replace(made, path_id=SECOND if route.prefix in named else 0)
    yield from named.items()


def _named(wiring: Wiring, device: Device, instance: BgpInstance, rib: Rib) -> Iterator[tuple[Prefix, Candidate]]:
    """Of `network`, GoBGP's own and a speaker's."""
    for own in instance.originated:
        attributes = Attributes(
            SELF,
            as_path=own.as_path or (),
            origin=own.origin,
            med=0 if instance.engine == "frr" and own.med is None else own.med,
            local_preference=own.local_preference,
            communities=own.communities,
            large_communities=own.large_communities,
            extended_communities=own.extended_communities,
        )
        there = instance.engine != "frr" or rib.table.get(own.prefix) is not None
        lines = (own.source,) if own.source else ()
        made = _made(wiring, device, own.prefix, "network", own.route_map, attributes, lines, None)
        if made is not None:
            refused = None if there else "no such route in the RIB (bgp network import-check)"
            yield own.prefix, replace(made, refused=refused)


def _made(
    wiring: Wiring,
    device: Device,
    prefix: Prefix,
    place: Literal["redistribute", "network"],
    use: Use | None,
    attributes: Attributes,
    lines: tuple[Source, ...],
    route: StaticRoute | None,
) -> Candidate | None:
    """Through the route-map, if one is named; None where it denies: nothing is put into the table."""
    assert device.bgp is not None
    preference = DEFAULT_LOCAL_PREFERENCE if attributes.local_preference is None else attributes.local_preference
    weight = LOCAL_WEIGHT if device.bgp.engine == "frr" else 0
    interface = None if route is None or route.kind != "unicast" else _first_interface(route)
    changed = Changed(attributes, attributes.med or 0, preference, weight)
    if use is not None:
        asked = Asked(
            device.policies, prefix, place, interface=interface, hops=lambda text: hop_addresses(wiring, text)
        )
        found = by_map(use, asked, changed, lines)
        if found.refused is not None:
            return None
        changed, lines = found.route, found.lines
    return Candidate(
        LOCAL,
        "local",
        changed.attributes,
        weight=changed.weight,
        sources=lines,
        tag=changed.tag,
        marks=changed.marks,
        hop_interface=interface,
    )


def _first_interface(route: StaticRoute) -> str | None:
    gateway = _gateway(route)
    hops = sorted(route.next_hops, key=lambda hop: str(hop.interface))
    return next((hop.interface for hop in hops if hop.via == gateway or gateway == SELF), None)


def _is_of(route: StaticRoute, protocol: str) -> bool:
    """zebra calls whatever another program put into the kernel a kernel route; FRR's own static ones are static."""
    if route.connected:
        return protocol == "connected"
    return protocol == ("static" if route.protocol == "static" else "kernel")


def _gateway(route: StaticRoute) -> str:
    """The first in zebra's order, by address (lib/nexthop_group.c, nexthop_group_add_sorted)."""
    gateways = [hop.via for hop in route.next_hops if hop.via is not None]
    link_local = sorted(via for via in gateways if parse_link_local(via) is not None)
    return next(iter(sorted((via for via in gateways if via not in link_local), key=ip_address) + link_local), SELF)
