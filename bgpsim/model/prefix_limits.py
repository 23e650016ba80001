"""`maximum-prefix`: the session that brings more ends, and stays down until somebody clears it.

FRR counts before it takes a prefix in (bgpd/bgp_route.c, bgp_update and bgp_maximum_prefix_overflow): with one more
than the limit a new session stands, until the next UPDATE that it lets in. Once it is over, the router neither connects
nor accepts (bgp_fsm.h, BGP_PEER_START_SUPPRESSED). `shutdown` forgets it (bgpd.c, peer_flag_modify_action), so does
`no neighbor X maximum-prefix`, and with `restart` so does the time, in minutes: longer than a lab waits. A limit typed
on a session that stands counts what is there. Measured on 8.4.4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bgpsim.model.groups import PredictedState
from bgpsim.model.neighbors import neighbor_sources
from bgpsim.model.sessions import SessionEnd, Sessions
from bgpsim.network.description import Network
from bgpsim.network.session_options import PrefixLimit
from bgpsim.network.state import FamilyCounters, NetworkState, Session, SessionKey
from bgpsim.network.types import Family

Counters = Mapping[tuple[SessionKey, str], FamilyCounters]
Held = frozenset[SessionKey]
"""Ends that have ended their session."""


def still_held(network: Network, before: NetworkState | None) -> Held:
    """Those of the step before, where nobody has cleared them."""
    if not isinstance(before, PredictedState):
        return frozenset()
    there = {
        SessionKey(device.name, neighbor.name)
        for device in network.devices.values()
        if device.bgp is not None and not device.bgp.shutdown
        for neighbor in device.bgp.neighbors
        if not neighbor.shutdown and neighbor.options.limits
    }
    return before.held & frozenset(there)


def newly_over(sessions: Sessions, before: NetworkState | None) -> Held:
    """Sessions that stood with more than what is allowed now: those at the edge of an older limit stay there."""
    if not isinstance(before, PredictedState):
        return frozenset()
    found = set()
    for key, end in sessions.ends.items():
        then = before.sessions.get(key)
        if then is None or then.state != "Established" or key in before.at_the_edge:
            continue
        for family, limit in end.neighbor.options.limits.items():
            count = then.families.get(family)
            if count is not None and not limit.warning_only and (count.accepted or 0) > limit.prefixes:
                found.add(key)
    return frozenset(found)


def without(sessions: Sessions, held: Held) -> Sessions:
    """With the sessions of these ends down, at both ends."""
    ends, down = dict(sessions.ends), dict(sessions.down)
    for key in sorted(held):
        end = ends.pop(key, None)
        if end is None:
            continue
        far = ends.pop(end.peer)
        lines = neighbor_sources(end.neighbor)
        down[key] = _down(end, "more prefixes came than maximum-prefix allows", lines)
        if not far.neighbor.dynamic:
            down[end.peer] = _down(far, f"more prefixes came to {key.device} than its maximum-prefix allows", lines)
    return Sessions(ends, down, sessions.split)


def _down(end: SessionEnd, because: str, lines: tuple[object, ...]) -> Session:
    interface = end.neighbor.interface if end.neighbor.address is None else None
    return Session("Down", end.type, end.peer.device, interface, because, because_sources=lines)  # type: ignore[arg-type]


def over_limit(sessions: Sessions, counters: Counters) -> Held:
    return frozenset(
        key for key, end in sessions.ends.items() if any(_is_over(end, f, counters[key, f]) for f in end.families)
    )


def _is_over(end: SessionEnd, family: Family, count: FamilyCounters) -> bool:
    limit = end.neighbor.options.limits.get(family)
    return limit is not None and not limit.warning_only and (count.accepted or 0) > limit.prefixes + 1


def at_the_edge(sessions: Sessions, counters: Counters) -> tuple[SessionEnd, ...]:
    """Those that stand with one prefix more than allowed: the next UPDATE ends them."""
    found = []
    for key, end in sessions.ends.items():
        limits = end.neighbor.options.limits
        if any(not limit.warning_only and _one_more(counters.get((key, f)), limit) for f, limit in limits.items()):
            found.append(end)
    return tuple(found)


def _one_more(count: FamilyCounters | None, limit: PrefixLimit) -> bool:
    return count is not None and count.accepted == limit.prefixes + 1


def first_over(over: Held, over_with: Callable[[Held], Held]) -> Held:
    """Of several that are over their limit: those that are so without the others, whose routes may never come that
    far. `over_with`: which are over their limit with some held down."""
    if len(over) < 2:
        return over
    alone = frozenset(key for key in over if key in over_with(over - {key}))
    return alone or over
