"""What options of a session do to the routes on it: local-as, enforce-first-as, solo.

FRR bgpd/bgp_attr.c, bgp_attr_aspath_check and bgp_packet_attribute; bgp_route.c, bgp_update and
subgroup_announce_check. Measured on 8.4.4.
"""

from __future__ import annotations

from bgpsim.model.decision import Candidate
from bgpsim.model.frr_versions import enforces_first_as
from bgpsim.model.sessions import SessionEnd
from bgpsim.network.description import BgpInstance
from bgpsim.network.state import AsPath


def sent_path(instance: BgpInstance, end: SessionEnd, path: AsPath) -> AsPath:
    """With the own AS number in front, to an external peer."""
    if end.type != "ebgp":
        return path
    local = end.neighbor.options.local_as
    if local is None:
        return (instance.asn, *path)
    return (local.asn, *path) if local.replace_as else (local.asn, instance.asn, *path)


def received_path(end: SessionEnd, path: AsPath) -> AsPath:
    """As the table keeps it: behind the local-as."""
    local = end.neighbor.options.local_as
    return path if local is None or local.no_prepend else (local.asn, *path)


def refused_path(instance: BgpInstance, end: SessionEnd, path: AsPath) -> str | None:
    """Why a path is not taken in, as it came."""
    options = end.neighbor.options
    strict = enforces_first_as(instance) if options.enforce_first_as is None else options.enforce_first_as
    if strict and end.type == "ebgp" and path[:1] != (end.peer_as,):
        return f"denied: the path does not begin with the peer's AS {end.peer_as} (enforce-first-as)"
    local = options.local_as
    if local is not None and _holds(path, local.asn):
        return f"denied: own local-as {local.asn} in the path"
    return None


def not_told(end: SessionEnd, best: Candidate) -> bool:
    """Whether the peer, alone in its update group, is not told of a route."""
    options = end.neighbor.options
    if not options.alone:
        return False
    return best.neighbor == end.neighbor.name or (
        options.loop_detection and _holds(best.attributes.as_path, end.peer_as)
    )


def _holds(path: AsPath, asn: int) -> bool:
    return any(part == asn or (isinstance(part, frozenset) and asn in part) for part in path)
