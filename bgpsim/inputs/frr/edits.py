"""What lines typed on a running router do beside what they say: sessions that they reset, choices made anew.

At boot the order of lines and the sessions between them do not matter; on a running bgpd most changes to a neighbor
close its session (bgpd/bgpd.c: peer_flag_action_list, peer_af_flag_action_list, peer_ebgp_multihop_set,
peer_update_source_if_set, non_peergroup_activate_af, peer_remote_as, peer_group_bind; bgp_router_id_set), and others
wait for the next session, as timers do. Measured on FRR 8.4.4.
"""

from __future__ import annotations

from bgpsim.network.description import BgpInstance, Neighbor


def sessions_reset(before: BgpInstance | None, after: BgpInstance | None) -> frozenset[str]:
    """The neighbors whose sessions one line closes, those that it removes among them."""
    if before is None:
        return frozenset()
    open_before = [neighbor for neighbor in before.neighbors if not neighbor.shutdown]
    if after is None or (before.asn, before.router_id) != (after.asn, after.router_id):
        return frozenset(neighbor.name for neighbor in open_before)
    confederated = before.confederation != after.confederation
    then = {neighbor.name: neighbor for neighbor in after.neighbors}
    return frozenset(
        n.name
        for n in open_before
        if n.name not in then
        or _session(n, before) != _session(then[n.name], after)
        or (confederated and _member(n, before) != _member(then[n.name], after))
    )


def _session(neighbor: Neighbor, instance: BgpInstance) -> tuple[object, ...]:
    """What a session is made of: a change of any of these closes it."""
    internal = neighbor.remote_as in ("internal", instance.asn)
    return (
        *(neighbor.address, neighbor.interface, neighbor.v6_only, neighbor.remote_as, neighbor.peer_group),
        *(frozenset(neighbor.families), neighbor.update_source, neighbor.passive, neighbor.shutdown),
        # The TTL of an internal session is 255 whatever is said.
        *(neighbor.extended_nexthop, None if internal else neighbor.ebgp_ttl),
        # bgp_cluster_id_set closes internal sessions; peer_af_flag_action_list has the reflector's clients.
        instance.reflection.cluster_id if internal else None,
        frozenset(family for family, settings in neighbor.families.items() if settings.reflector_client),
        *((s.options.sent_paths, s.options.several_taken) for s in neighbor.families.values()),
        *(neighbor.options.password, neighbor.options.connected_check),
        *(neighbor.options.port, neighbor.options.local_as, instance.shutdown),
    )


def _member(neighbor: Neighbor, instance: BgpInstance) -> tuple[object, ...]:
    """What a confederation makes of a session (bgp_confederation_id_set and its like close those that it concerns)."""
    confederation = instance.confederation
    if neighbor.remote_as in ("internal", instance.asn):
        return ()
    if confederation is None:
        return (None,)
    return (True,) if neighbor.remote_as in confederation.peers else (confederation.identifier,)


def chooses_anew(before: BgpInstance | None, after: BgpInstance | None) -> bool:
    """Whether a line makes the router choose every best path again (bgp_recalculate_all_bestpaths)."""
    if before is None or after is None:
        return False
    return _rules(before) != _rules(after)


def _rules(instance: BgpInstance) -> tuple[object, ...]:
    return (
        instance.multipath_relax,
        instance.compare_router_id,
        instance.always_compare_med,
        instance.deterministic_med,
        instance.choice,
    )
