"""What a step changed: one state against another, routes by attribute and reachability by pair."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeVar

from bgpsim.check.compare import Comparison, compare, is_in_table
from bgpsim.check.spelling import bgp_path_text, fib_text, forwarding_text
from bgpsim.network.grouped import Grouped
from bgpsim.network.state import DELIVERED, BgpPath, FibKey, FlowKey, NetworkState, PathKey


@dataclass(frozen=True, slots=True)
class RouteChange:
    """`before` is None for an added route, `after` for a removed one; `plane` is bgp or fib."""

    plane: str
    device: str
    prefix: str
    peer: str | None
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class PairChange:
    flow: FlowKey
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class StateDiff:
    added: tuple[RouteChange, ...]
    removed: tuple[RouteChange, ...]
    changed: tuple[RouteChange, ...]
    lost: tuple[PairChange, ...]
    """Pairs whose packets were delivered before and are not now."""
    gained: tuple[PairChange, ...]
    moved: tuple[PairChange, ...]
    """Same disposition, other paths; or not delivered in another way."""

    @property
    def empty(self) -> bool:
        return not (self.added or self.removed or self.changed or self.lost or self.gained or self.moved)


def diff(before: NetworkState, after: NetworkState) -> StateDiff:
    """The change from one state to the next."""
    routes = [
        *_changes("bgp", _table(before), _table(after), bgp_path_text, _of_path),
        *_changes("fib", before.fib, after.fib, fib_text, _of_route),
    ]
    lost, gained, moved = [], [], []
    for flow in sorted(set(before.forwarding) & set(after.forwarding)):
        was_there, is_there = before.forwarding[flow], after.forwarding[flow]
        change = PairChange(flow, forwarding_text(was_there), forwarding_text(is_there))
        delivered_before = was_there.disposition in DELIVERED
        delivered_after = is_there.disposition in DELIVERED
        if delivered_before and not delivered_after:
            lost.append(change)
        elif delivered_after and not delivered_before:
            gained.append(change)
        elif change.before != change.after:
            moved.append(change)
    return StateDiff(
        added=tuple(r for r in routes if r.before is None),
        removed=tuple(r for r in routes if r.after is None),
        changed=tuple(r for r in routes if r.before is not None and r.after is not None),
        lost=tuple(lost),
        gained=tuple(gained),
        moved=tuple(moved),
    )


def same(before: NetworkState, after: NetworkState) -> Comparison:
    """`same-as`: every fact of `before` holds in `after`, and no other (compare's own rules)."""
    return compare(before, after)


Key = TypeVar("Key", bound=tuple[Any, ...])
Value = TypeVar("Value")


def _changes(
    plane: str,
    before: Mapping[Key, Value],
    after: Mapping[Key, Value],
    text: Callable[[Value], str],
    peer: Callable[[Any], str | None],
) -> list[RouteChange]:
    """By device, prefix (as text) and peer. Tables that are one object in both states are not looked into."""
    texts: dict[int, str] = {}

    def shown(value: Value | None) -> str | None:
        if value is None:
            return None
        if id(value) not in texts:
            texts[id(value)] = text(value)
        return texts[id(value)]

    old, new = Grouped.of(before).tables, Grouped.of(after).tables
    found = []
    for place in sorted({**old, **new}, key=lambda place: (place[0], peer(place) or "")):
        then, now = old.get(place, {}), new.get(place, {})
        if then is now:
            continue
        for prefix in {**then, **now}:
            was, is_now = then.get(prefix), now.get(prefix)
            if was is not is_now and (one := shown(was)) != (other := shown(is_now)):
                found.append(RouteChange(plane, place[0], str(prefix), peer(place), one, other))
    # Sorted by the last key first: a key of several would be a tuple for each of 400,000 changes.
    found.sort(key=attrgetter("prefix"))
    found.sort(key=attrgetter("device"))
    return found


def _table(state: NetworkState) -> Grouped[PathKey, BgpPath]:
    return Grouped.of(state.paths).where(is_in_table)


def _of_path(place: PathKey) -> str:
    return f"{place.neighbor} path-id {place.path_id}" if place.path_id else place.neighbor


def _of_route(place: FibKey) -> str | None:
    return f"metric {place.metric}" if place.metric else None
