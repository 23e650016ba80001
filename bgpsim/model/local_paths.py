"""What a router puts into its own table: redistributed routes and its own originations."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from bgpsim.model.decision import LOCAL, Candidate
from bgpsim.model.policy import LOCAL_WEIGHT, SELF
from bgpsim.model.rib import Rib, StaticRoute
from bgpsim.model.wiring import parse_link_local
from bgpsim.network.description import BgpInstance, Device
from bgpsim.network.state import Attributes
from bgpsim.network.types import Prefix, family_of

SECOND = 1
"""The path id of a router's own second path of a prefix, in tables; on no session."""


def local_paths(device: Device, instance: BgpInstance, rib: Rib) -> Iterator[tuple[Prefix, Candidate]]:
    """What the router puts into its own table: redistributed routes and its own originations.

    Where `network` names a route that is redistributed too, bgpd has a path of each kind (bgpd/bgp_route.c,
    bgp_redistribute_add and bgp_static_update compare the kind); the redistributed one is the second.
    """
    named = {own.prefix for own in instance.originated}
    weight = LOCAL_WEIGHT if instance.engine == "frr" else 0
    if device.kind == "speaker":
        return
    for redistribution in instance.redistribute:
        for route in rib.selected():
            if family_of(route.prefix) == redistribution.family and _is_of(route, redistribution.protocol):
                lines = (*route.sources, *((redistribution.source,) if redistribution.source else ()))
                # bgpd/bgp_route.c, bgp_redistribute_add: ORIGIN incomplete, the route's metric as MED.
                path = Attributes(_gateway(route), origin="incomplete", med=route.rib_metric)
                yield (
                    route.prefix,
                    Candidate(
                        LOCAL,
                        "local",
                        path,
                        weight=weight,
                        sources=lines,
                        path_id=SECOND if route.prefix in named else 0,
                    ),
                )
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
        refused = None if there else "no such route in the RIB (bgp network import-check)"
        lines = (own.source,) if own.source else ()
        yield own.prefix, Candidate(LOCAL, "local", attributes, weight=weight, refused=refused, sources=lines)


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
