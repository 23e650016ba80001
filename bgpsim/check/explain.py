"""Why a route is as it is: which path is best, at which step each other one lost, who it comes from, what is missing.

Functions of a state whose paths carry their reasons (a predicted one); an observed one may stand beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Literal, TypeAlias

from bgpsim.check.compare import is_in_table
from bgpsim.check.decision_words import specified, told_apart
from bgpsim.check.lookup import DeviceTables, Wanted, best_of, longest, tables_of
from bgpsim.check.missing import Missing, known, missing
from bgpsim.check.spelling import attributes_text, fib_text
from bgpsim.network.state import BgpPath, FibKey, FibRoute, NetworkState, PathKey, SessionKey, WireKey
from bgpsim.network.types import Prefix
from bgpsim.source import Source

Fate: TypeAlias = Literal["best", "used beside the best", "lost", "not eligible"]
LOCAL = "local"


@dataclass(frozen=True, slots=True)
class PathReason:
    """One path that a device heard or has itself."""

    neighbor: str
    peer: str | None
    """The device at the other end of the session; None for its own."""
    session: Literal["ebgp", "ibgp"] | None
    attributes: str
    fate: Fate
    step: str | None
    """Where it won or lost, in FRR's words, or why it is not eligible."""
    why: str
    specified: str | None
    lines: tuple[Source, ...]
    observed: str | None = None
    """What the lab shows of it; None where no lab was asked."""


@dataclass(frozen=True, slots=True)
class KernelReason:
    """The route that the kernel forwards by."""

    prefix: str
    text: str
    lines: tuple[Source, ...]
    observed: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a route comes into the network: a device's own, or a speaker's announcement."""

    device: str
    speaker: bool
    prefix: str
    by: tuple[str, ...]
    """The devices that passed it on, from the one that was asked to the origin."""
    attributes: str
    lines: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class RouteReason:
    """`prefix` is the one that covers what was asked for; None where the device has none."""

    device: str
    asked: str
    prefix: str | None
    paths: tuple[PathReason, ...]
    kernel: KernelReason | None
    origin: Origin | None
    covering: str | None
    """The next shorter prefix that the device has, which this one goes before, where an address was asked for."""
    missing: tuple[Missing, ...] = ()


def explain_route(
    state: NetworkState, device: str, wanted: Wanted, observed: NetworkState | None = None
) -> RouteReason:
    """`wanted`: an address, or a prefix that is in some table of the network."""
    tables = tables_of(state, device)
    seen = None if observed is None else tables_of(observed, device)
    refused = {key.prefix for key in tables.paths} - tables.prefixes
    exact = isinstance(wanted, IPv4Network | IPv6Network) and wanted in tables.prefixes | refused
    prefix = wanted if exact else longest(tables.prefixes, wanted)
    assert prefix is None or isinstance(prefix, IPv4Network | IPv6Network)
    there = known(state, wanted)
    better_elsewhere = there is not None and (prefix is None or there.prefixlen > prefix.prefixlen)
    kernel = tables.route(wanted)
    return RouteReason(
        device=device,
        asked=str(wanted),
        prefix=None if prefix is None else str(prefix),
        paths=() if prefix is None else tuple(_reasons(state, tables.of(prefix), seen)),
        kernel=None if kernel is None else _kernel(*kernel, seen),
        origin=None if prefix is None else origin(state, device, prefix),
        covering=None if prefix is None or prefix == wanted else _covering(tables, prefix),
        missing=missing(state, device, wanted) if prefix is None or better_elsewhere or prefix in refused else (),
    )


def _covering(tables: DeviceTables, prefix: Prefix) -> str | None:
    shorter = longest((p for p in tables.prefixes if p.prefixlen and p != prefix), prefix)
    return None if shorter is None else str(shorter)


def _kernel(key: FibKey, route: FibRoute, seen: DeviceTables | None) -> KernelReason:
    observed = None
    if seen is not None:
        there = seen.fib.get(key)
        observed = "not there" if there is None else "as predicted" if _same(route, there) else fib_text(there)
    return KernelReason(str(key.prefix), fib_text(route), route.sources, observed)


def _same(route: FibRoute, there: FibRoute) -> bool:
    return fib_text(route) == fib_text(there)


def _reasons(state: NetworkState, paths: dict[PathKey, BgpPath], seen: DeviceTables | None) -> Iterator[PathReason]:
    """The best first, then those beside it, then the others in the order of their neighbors."""
    best = best_of(paths)
    order = {"best": 0, "used beside the best": 1, "lost": 2, "not eligible": 3}
    reasons = [_reason(state, key, path, paths, None if best is None else best[1], seen) for key, path in paths.items()]
    yield from sorted(reasons, key=lambda r: (order[r.fate], r.neighbor))


def _reason(
    state: NetworkState,
    key: PathKey,
    path: BgpPath,
    all_paths: dict[PathKey, BgpPath],
    best: BgpPath | None,
    seen: DeviceTables | None,
) -> PathReason:
    session = state.sessions.get(SessionKey(key.device, key.neighbor))
    fate: Fate = "best" if path.best else "used beside the best" if path.multipath else "lost"
    if not path.valid:
        fate = "not eligible"
    step = path.reason if path.best else path.lost
    return PathReason(
        neighbor=key.neighbor,
        peer=None if session is None else session.peer,
        session=None if session is None else session.type,
        attributes=attributes_text(path.attributes),
        fate=fate,
        step=step,
        why=_why(path, fate, all_paths, best),
        specified=None if step is None else specified(step),
        lines=path.sources,
        observed=None if seen is None else _seen(path, seen.paths.get(key)),
    )


def _why(path: BgpPath, fate: Fate, all_paths: dict[PathKey, BgpPath], best: BgpPath | None) -> str:
    if fate == "not eligible":
        return path.lost or "not eligible"
    if fate == "best":
        eligible = sum(p.valid for p in all_paths.values())
        if eligible == 1:
            return "the only path" if len(all_paths) == 1 else "the only eligible path"
        return f"won at {path.reason}" if path.reason else "the order of arrival decides"
    told = told_apart(path.lost, path, best) if path.lost and best else None
    lost = f"lost at {path.lost}" + (f": {told}" if told else "")
    return f"equal up to the IGP metric, so used too; {lost}" if fate == "used beside the best" else lost


def _seen(path: BgpPath, there: BgpPath | None) -> str:
    if there is None or not is_in_table(there):
        return "not there" if is_in_table(path) else "as predicted"
    mine, other = ((attributes_text(p.attributes), p.best, p.multipath, p.valid) for p in (path, there))
    if mine == other:
        return "as predicted"
    flags = ", ".join(name for name, on in (("best", there.best), ("multipath", there.multipath)) if on)
    return f"{other[0]} ({flags or 'not best'})"


def owners(state: NetworkState, prefix: str) -> tuple[str, ...]:
    """The devices that put it into BGP themselves."""
    return tuple(sorted({k.device for k in state.paths if k.neighbor == LOCAL and str(k.prefix) == prefix}))


def origin(state: NetworkState, device: str, prefix: Prefix) -> Origin | None:
    """Follow the best paths from router to router to where the route comes from; None where no path is best."""
    by: list[str] = []
    while device not in by:
        by.append(device)
        best = best_of(tables_of(state, device).of(prefix))
        if best is None:
            return None
        key, path = best
        if key.neighbor == LOCAL:
            return Origin(device, False, str(prefix), tuple(by), attributes_text(path.attributes), path.sources)
        session = state.sessions.get(SessionKey(device, key.neighbor))
        peer = None if session is None else session.peer
        if peer is None:
            return None
        sent = WireKey(peer, "sent", device, key.family, prefix)
        if sent in state.wire:
            lines = state.lines.get(sent, ())
            return Origin(peer, True, str(prefix), (*by, peer), attributes_text(state.wire[sent]), lines)
        device = peer
    return None
