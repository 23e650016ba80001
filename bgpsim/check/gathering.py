"""Changes gathered by what they are about, so that one cause is read once, and not at every router it reaches.

Prefixes that changed in the same way at the same places make one group: a session that goes down takes many with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import TypeAlias

from bgpsim.check.diff import RouteChange, SessionChange, StateDiff
from bgpsim.network.state import SessionKey

Signature: TypeAlias = frozenset[tuple[object, ...]]
_SENT = "sent "


@dataclass(frozen=True, slots=True)
class Group:
    """`prefixes`, in their order, each changed as `changes` tell of the first of them."""

    prefixes: tuple[str, ...]
    begins: RouteChange
    """The change to begin reading at: where the route comes into the network or leaves it."""
    changes: tuple[RouteChange, ...]
    session: SessionChange | None = None
    """The session that came or went with them."""

    @property
    def title(self) -> str:
        """`10.1.0.0/24, 10.1.1.0/24 … (9 prefixes)`."""
        shown = ", ".join(self.prefixes[:3])
        return shown if len(self.prefixes) <= 3 else f"{shown} … ({len(self.prefixes):,} prefixes)"

    def places(self) -> Mapping[tuple[str, str], Mapping[str, Sequence[str]]]:
        """(plane, kind) -> device -> the neighbors that the changed paths came from."""
        found: dict[tuple[str, str], dict[str, list[str]]] = {}
        for change in self.changes:
            at = found.setdefault((change.plane, change.kind), {}).setdefault(change.device, [])
            if change.peer and change.plane != "fib":
                at.append(change.peer)
        return found

    def places_text(self) -> str:
        """`bgp added: router0 (net1), tor0 (net0); fib added: tor0`."""
        return "; ".join(
            f"{plane} {kind}: " + ", ".join(d + (f" ({', '.join(peers)})" if peers else "") for d, peers in at.items())
            for (plane, kind), at in self.places().items()
        )


def gathered(change: StateDiff) -> tuple[Group, ...]:
    """Tables, kernel routes and what speakers sent; those that reach furthest first."""
    told = (
        *change.routes,
        *(r for r in change.wire if r.device in change.speakers and (r.peer or "").startswith(_SENT)),
    )
    return grouped(told, change.sessions)


def grouped(changes: Iterable[RouteChange], sessions: Sequence[SessionChange]) -> tuple[Group, ...]:
    """Nothing is left out: every change belongs to one group."""
    by_prefix: dict[str, list[RouteChange]] = {}
    for change in changes:
        by_prefix.setdefault(change.prefix, []).append(change)
    alike: dict[Signature, list[str]] = {}
    for prefix, found in sorted(by_prefix.items(), key=lambda item: _place(item[0])):
        alike.setdefault(frozenset(map(_signature, found)), []).append(prefix)
    ends = {session.key: session for session in sessions}
    groups = [_group(prefixes, by_prefix[prefixes[0]], ends) for prefixes in alike.values()]
    return tuple(sorted(groups, key=lambda g: (-len(g.changes), g.prefixes)))


def _place(prefix: str) -> tuple[int, int, int, str]:
    """By address; a path id may follow the prefix."""
    network = ip_network(prefix.partition(" ")[0])
    return (network.version, int(network.network_address), network.prefixlen, prefix)


def _signature(change: RouteChange) -> tuple[object, ...]:
    return (change.plane, change.device, change.peer, change.kind, change.attributes)


def _group(prefixes: Sequence[str], changes: Sequence[RouteChange], ends: Mapping[SessionKey, SessionChange]) -> Group:
    ordered = tuple(sorted(changes, key=lambda c: c.order))
    session = next((ends[key] for c in ordered if (key := SessionKey(c.device, c.peer or "")) in ends), None)
    return Group(tuple(prefixes), _beginning(ordered, session), ordered, session)


def _beginning(changes: Sequence[RouteChange], session: SessionChange | None) -> RouteChange:
    """A speaker's announcement, then a route that a router puts in itself, then what the session brought, then what
    came over the shortest AS path."""
    for change in changes:
        if change.plane == "wire":
            return change
    for change in changes:
        if change.plane == "bgp" and change.peer == "local":
            return change
    for change in changes:
        if session is not None and (change.device, change.peer) == session.key:
            return change
    return min(changes, key=lambda c: (c.plane != "bgp", len(c.after or c.before or ""), c.order))
