"""Why a device does not have a route that others have: the nearest places at which it stops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bgpsim.check.compare import is_in_table
from bgpsim.check.lookup import Wanted, best_of, covers, tables_of
from bgpsim.network.state import AdvertisedKey, NetworkState, PathKey, SessionKey, WireKey
from bgpsim.network.types import Prefix, family_of
from bgpsim.source import Source


@dataclass(frozen=True, slots=True)
class Missing:
    """`device` does not have it and `holder`, its neighbor, does (None where nobody has it)."""

    device: str
    holder: str | None
    because: str
    specified: str | None = None
    lines: tuple[Source, ...] = ()


def missing(state: NetworkState, device: str, wanted: Wanted) -> tuple[Missing, ...]:
    """The stops that are the fewest sessions away from `device`."""
    prefix = known(state, wanted)
    if prefix is None:
        return (Missing(device, None, f"no router of this lab has a route to {wanted}"),)
    holders = _holders(state, prefix)
    # A speaker keeps no table, and passes nothing on.
    tables = {key.device for key in state.paths} | {key.device for key in state.fib}
    reached, edge = {device}, [device]
    lame: list[Missing] = []
    while edge:
        lame = lame or [stop for here in edge for stop in _nowhere(state, here)]
        stops = [stop for here in edge for stop in _stops(state, here, prefix, holders)]
        if stops:
            return tuple(stops)
        following = {peer for here in edge for peer in _peers(state, here)} - reached
        reached |= following
        edge = sorted(following & tables)
    if lame:
        return tuple(lame)
    named = ", ".join(sorted(holders))
    return (Missing(device, None, f"no BGP session, up or down, leads from {device} to who has {prefix}: {named}"),)


def known(state: NetworkState, wanted: Wanted) -> Prefix | None:
    """The longest prefix that holds it and that somebody announces; else one of a kernel, a host's own last.

    No default route is meant.
    """
    told = {key.prefix for key, path in state.paths.items() if is_in_table(path)}
    told |= {key.prefix for key in state.wire if key.direction == "sent"}
    kernels = {key.prefix for key in state.fib}
    for prefixes in (told, {p for p in kernels if p.prefixlen < p.max_prefixlen}, kernels):
        held = [p for p in prefixes if p.prefixlen and covers(p, wanted)]
        if held:
            return max(held, key=lambda p: p.prefixlen)
    return None


def _holders(state: NetworkState, prefix: Prefix) -> set[str]:
    tables = {key.device for key, path in state.paths.items() if key.prefix == prefix and is_in_table(path)}
    kernels = {key.device for key in state.fib if key.prefix == prefix}
    speakers = {key.device for key in state.wire if key.prefix == prefix and key.direction == "sent"}
    return tables | kernels | speakers


def _peers(state: NetworkState, device: str) -> Iterator[str]:
    for key, session in state.sessions.items():
        if key.device == device and session.peer is not None:
            yield session.peer


def _nowhere(state: NetworkState, device: str) -> Iterator[Missing]:
    """Sessions that are down and whose far end nobody can name: over one of them the route would have come."""
    for key, session in sorted(state.sessions.items()):
        if key.device == device and session.peer is None and session.state == "Down":
            why = f"the session {key.neighbor} of {device} is down: {session.because}"
            yield Missing(device, None, why, lines=session.because_sources)


def _stops(state: NetworkState, device: str, prefix: Prefix, holders: set[str]) -> Iterator[Missing]:
    if device in holders:
        return
    for key, session in sorted(state.sessions.items()):
        if key.device != device or session.peer not in holders:
            continue
        holder = session.peer
        if session.state == "Down":
            why = f"the session of {device} with {holder} ({key.neighbor}) is down: {session.because}"
            yield Missing(device, holder, why, lines=session.because_sources)
        else:
            yield _over_a_session(state, key, holder, prefix)


def _over_a_session(state: NetworkState, key: SessionKey, holder: str, prefix: Prefix) -> Missing:
    """The session stands, and the route does not come over it."""
    family = family_of(prefix)
    heard = state.paths.get(PathKey(key.device, family, prefix, key.neighbor))
    if heard is not None:
        return Missing(key.device, holder, f"{key.device} refuses it: {heard.lost}", lines=heard.sources)
    back = next((k for k, s in state.sessions.items() if k.device == holder and s.peer == key.device), None)
    lines = () if back is None else state.sessions[back].because_sources
    best = best_of(tables_of(state, holder).of(prefix))
    if best is None:
        sent = any(k.device == holder and k.prefix == prefix for k in state.wire)
        why = (
            f"announces it to others than {key.device}" if sent else "has it in its kernel and does not put it into BGP"
        )
        return Missing(key.device, holder, f"{holder} {why}", lines=lines)
    if back is not None and AdvertisedKey(holder, back.neighbor, family, prefix) in state.advertised:
        return Missing(key.device, holder, f"{holder} sends it, and {key.device} does not keep it", lines=lines)
    why, where = _not_sent(state, best[0], holder, key, best[1].attributes.communities)
    return Missing(
        key.device, holder, f"{holder} does not send it to {key.device}{why}", where, lines + best[1].sources
    )


def _not_sent(
    state: NetworkState, best: PathKey, holder: str, key: SessionKey, communities: tuple[str, ...]
) -> tuple[str, str | None]:
    learnt = state.sessions.get(SessionKey(holder, best.neighbor))
    session = state.sessions[key]
    if "no-advertise" in communities:
        return ": it carries the community no-advertise", "RFC 1997"
    if session.type == "ebgp" and ("no-export" in communities or "local-AS" in communities):
        return ": it carries a community that keeps it inside the AS", "RFC 1997"
    if learnt is not None and learnt.type == session.type == "ibgp":
        return ": what is learnt by iBGP is not passed on by iBGP", "RFC 4271 section 9.2"
    return "", None


def announcement(state: NetworkState, speaker: str, router: str, prefix: Prefix) -> WireKey | None:
    """A speaker's announcement of exactly this prefix to that router."""
    key = WireKey(speaker, "sent", router, family_of(prefix), prefix)
    return key if key in state.wire else None
