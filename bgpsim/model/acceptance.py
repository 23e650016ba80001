"""What a router accepts from a neighbor, and how its table keeps it."""

from __future__ import annotations

from dataclasses import replace

from bgpsim.model.inside_as import cluster_id, looped
from bgpsim.model.neighbor_policy import Filtered, asked_of_neighbor, hop_interface, through
from bgpsim.model.neighbors import router_id
from bgpsim.model.policy import GRACEFUL_SHUTDOWN, Sent, on_its_way_out, without_policy
from bgpsim.model.route_map_sets import Changed
from bgpsim.model.session_policy import received_path, refused_path
from bgpsim.model.sessions import SessionEnd
from bgpsim.model.wiring import Wiring
from bgpsim.network.description import Device, NeighborFamily
from bgpsim.network.state import Attributes
from bgpsim.network.types import Family, Prefix


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
    if without_policy(instance, end, any_policy=settings.inbound.any):
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


def _from_outside(path: Attributes, *, shutdown: bool) -> Attributes:
    communities = path.communities
    if "blackhole" in communities and "no-export" not in communities:
        communities = tuple(sorted((*communities, "no-export")))
    # bgp_route.c, bgp_update: a route on its way out is the last choice (RFC 8326 section 4).
    preference = 0 if GRACEFUL_SHUTDOWN in communities else path.local_preference
    path = replace(path, local_preference=preference, communities=communities)
    return on_its_way_out(path) if shutdown else path
