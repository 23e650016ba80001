"""Differences gathered by what they are about, so that one cause is read once, and not at every router it reaches.

A pair of endpoints, a session, a route: each is one `Difference`. What would have gone over a session that is down
belongs to the session. A route's difference begins where the router has it as predicted and does not send it so, or
does not have it so itself; what follows from that elsewhere is told in one line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bgpsim.report.document import MismatchGroupPart, MismatchPart

_TO = "to "
"""How an Adj-RIB-Out entry names its neighbor (check/compare.py)."""
_DIRECTIONS = (_TO, "sent ", "received ")
"""And how a route on the wire does."""
_COUNTERS = ("accepted", "received", "sent")


@dataclass(frozen=True, slots=True)
class Difference:
    """`first`: the mismatch to begin reading at. `others`: the same difference elsewhere."""

    about: str
    first: MismatchPart
    others: tuple[MismatchPart, ...] = ()
    not_listed: int = 0
    """Of a session: so many more routes of it, which no list has."""

    @property
    def title(self) -> str:
        """`route 10.1.3.0/24: bgp missing at tor1, to net0`."""
        m = self.first
        if m.plane == "path":
            return self.about
        field = f" ({m.field})" if m.field else ""
        peer = f", {m.peer}" if m.peer else ""
        return f"{self.about}: {m.plane} {m.kind}{field} at {m.device}{peer}"

    def elsewhere(self) -> str:
        """`bgp missing: router0 (net1, to net0), tor0 (net0); fib missing: tor0`."""
        places: dict[tuple[str, str], dict[str, list[str]]] = {}
        for m in self.others:
            at = places.setdefault((m.plane, m.kind), {}).setdefault(m.device, [])
            what = m.peer or ""
            if m.plane != "fib" and what and what not in at:
                at.append(what)
        return "; ".join(
            f"{plane} {kind}: "
            + ", ".join(device + (f" ({', '.join(of)})" if of else "") for device, of in sorted(by_device.items()))
            for (plane, kind), by_device in places.items()
        )


def gathered(mismatches: Sequence[MismatchPart], groups: Sequence[MismatchGroupPart] = ()) -> tuple[Difference, ...]:
    """Pairs first, then sessions, then routes by how far they reach, then counters. A group's routes are one."""
    alike = _AlikeRoutes(mismatches, groups)
    paths = [Difference(f"path {m.device} → {m.peer}", m) for m in mismatches if m.plane == "path"]
    states = {(m.device, m.peer): m for m in mismatches if m.prefix is None and not _counts(m)}
    over: dict[tuple[str, str | None], list[MismatchPart]] = {session: [] for session in states}
    counters: list[MismatchPart] = []
    routes: dict[str, list[MismatchPart]] = {}
    for m in mismatches:
        if m.plane == "path":
            continue
        session = _over(m)
        if session in over:
            over[session].append(m)
        elif m.prefix is not None:
            routes.setdefault(m.prefix, []).append(m)
        elif _counts(m):
            counters.append(m)
    sessions = [Difference("session", m, tuple(over[s]), alike.not_listed(s)) for s, m in states.items()]
    told: set[str] = set()
    differing = []
    for prefix, found in routes.items():
        kind = alike.kinds[prefix]
        if kind not in told:
            differing.append(_route(alike.named(prefix), found))
        if kind in alike.sizes:
            told.add(kind)
    of_routes = sorted(differing, key=lambda d: -len(d.others))
    counted = [Difference("prefix counters", counters[0], tuple(counters[1:]))] if counters else []
    return (*paths, *sessions, *of_routes, *counted)


def _neighbor(peer: str) -> str:
    for direction in _DIRECTIONS:
        peer = peer.removeprefix(direction)
    return peer


def _over(m: MismatchPart) -> tuple[str, str | None]:
    """The session whose state a route's mismatch may be a consequence of; no session's name for what is none."""
    if m.prefix is None or m.plane not in ("bgp", "wire"):
        return ("", None)
    return (m.device, _neighbor(m.peer or ""))


class _AlikeRoutes:
    """What the routes that are listed stand for (`bgpsim.check.alike`)."""

    def __init__(self, mismatches: Sequence[MismatchPart], groups: Sequence[MismatchGroupPart]) -> None:
        of_routes: dict[str, list[MismatchPart]] = {}
        for m in mismatches:
            if m.prefix is not None and m.plane != "path":
                of_routes.setdefault(m.prefix, []).append(m)
        self.kinds = {prefix: _kind(found) for prefix, found in of_routes.items()}
        self.sizes = {_kind(group.first): group.routes for group in groups}
        self._first = {_kind(group.first): group.first for group in groups}

    def named(self, prefix: str) -> str:
        more = self.sizes.get(self.kinds[prefix], 1) - 1
        return f"{prefix} and {more} more" if more else prefix

    def not_listed(self, session: tuple[str, str | None]) -> int:
        """Routes over a session that are in no list."""
        kinds = list(self.kinds.values())
        return sum(
            (size - kinds.count(kind)) * sum(_over(m) == session for m in self._first[kind])
            for kind, size in self.sizes.items()
        )


def _kind(found: Sequence[MismatchPart]) -> str:
    """What a group's routes have in common."""
    return repr(sorted(repr((m.plane, m.kind, m.device, m.peer, m.family, m.field)) for m in found))


def _counts(m: MismatchPart) -> bool:
    return m.field is not None and m.field.endswith(_COUNTERS)


def _route(prefix: str, found: Sequence[MismatchPart]) -> Difference:
    first = next(_beginnings(found), found[0])
    same = [m for m in found if m is not first]
    return Difference(f"route {prefix}", first, tuple(same))


def _beginnings(found: Sequence[MismatchPart]) -> Iterator[MismatchPart]:
    """The likely causes, best first."""
    bgp = [m for m in found if m.plane == "bgp"]
    holders = {m.device for m in bgp if not (m.peer or "").startswith(_TO)}
    yield from (m for m in bgp if (m.peer or "").startswith(_TO) and m.device not in holders)
    yield from (m for m in bgp if m.peer == "local")
    yield from (m for m in found if m.plane == "fib" and m.device not in holders)
