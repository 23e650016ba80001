"""What is told inside of one AS: route reflection (RFC 4456) and confederations (RFC 5065), as bgpd 8.4 does both."""

from __future__ import annotations

from ipaddress import IPv4Address

from bgpsim.model.as_paths import count
from bgpsim.model.decision import Candidate
from bgpsim.model.neighbors import router_id
from bgpsim.model.sessions import SessionEnd
from bgpsim.network import as_path
from bgpsim.network.description import BgpInstance, Device
from bgpsim.network.route_options import RouteOptions
from bgpsim.network.types import AsPath, Family


def reflected(end: SessionEnd, best: Candidate) -> bool:
    return best.type == "ibgp" and end.type == "ibgp"


def held_back(instance: BgpInstance, end: SessionEnd, family: Family, best: Candidate) -> bool:
    """Whether an internal peer's path is kept from another one (bgp_route.c, subgroup_announce_check): what a client
    told goes to all, the teller among them; what another one told to clients alone."""
    to_client = end.neighbor.families[family].reflector_client
    if _of_client(instance, family, best):
        return to_client and not instance.reflection.between_clients
    return not to_client


def _of_client(instance: BgpInstance, family: Family, best: Candidate) -> bool:
    neighbor = next((n for n in instance.neighbors if n.name == best.neighbor), None)
    return neighbor is not None and family in neighbor.families and neighbor.families[family].reflector_client


def cluster_id(device: Device) -> str:
    assert device.bgp is not None
    return str(device.bgp.reflection.cluster_id or router_id(device))


def originator(best: Candidate) -> str:
    return best.attributes.originator_id or str(IPv4Address(best.router_id))


def med_of_reflected(best: Candidate) -> int | None:
    """A path without MED gets one of 0 with its first ORIGINATOR_ID: bgpd sets the flag of another attribute
    (bgp_route.c, subgroup_announce_check: SET_FLAG(attr->flag, BGP_ATTR_ORIGINATOR_ID))."""
    med = best.attributes.med
    return med if best.attributes.originator_id is not None else med or 0


def known_as(instance: BgpInstance) -> int:
    """Its AS number to those outside, and as an aggregate's AGGREGATOR (bgp_attr.c, bgp_attr_aggregate_intern)."""
    return instance.asn if instance.confederation is None else instance.confederation.identifier


def path_told(instance: BgpInstance, end: SessionEnd, path: AsPath) -> AsPath:
    """The AS path on the wire (bgp_attr.c, bgp_packet_attribute; RFC 5065 section 4.1)."""
    if end.type == "ibgp":
        return path
    if end.type == "confed":
        return as_path.with_member(path, instance.asn)
    return (known_as(instance), *as_path.without_members(path))


def looped(device: Device, end: SessionEnd, options: RouteOptions, path: AsPath) -> str | None:
    """Why an AS path is not taken (RFC 4271 section 9.1.2, RFC 5065 sections 4 and 5)."""
    instance = device.bgp
    assert instance is not None
    members = [part for part in path if isinstance(part, tuple)]
    if end.type == "ebgp" and members:
        return "denied: a confederation's segment in an external peer's path"
    if end.type == "confed" and not isinstance(path[:1] and path[0], tuple):
        return "denied: no confederation's segment at the beginning of another member's path"
    if options.own_origin_allowed and path[-1:] == (instance.asn,):
        return None
    own = [instance.asn] if instance.confederation is None else [instance.asn, instance.confederation.identifier]
    for asn in own:
        if count(path, asn) > options.own_as_allowed:
            return f"denied: own AS {asn} in the path"
    return None


def comes_back(instance: BgpInstance, path: AsPath) -> bool:
    """A path that holds the confederation's own number is told to nobody."""
    return instance.confederation is not None and as_path.holds(path, instance.confederation.identifier)
