"""What a step changed: one state against another, routes by attribute and reachability by pair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bgpsim.check.compare import Comparison, compare, is_in_table
from bgpsim.check.spelling import bgp_path_text, fib_text, forwarding_text
from bgpsim.network.state import DELIVERED, FlowKey, NetworkState


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
    routes: list[RouteChange] = []
    for plane, old, new in (("bgp", _tables(before), _tables(after)), ("fib", _fibs(before), _fibs(after))):
        for key in sorted(set(old) | set(new)):
            was, now = old.get(key), new.get(key)
            if was != now:
                device, prefix, peer = key
                routes.append(RouteChange(plane, device, prefix, peer or None, was, now))
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


def _tables(state: NetworkState) -> Mapping[Any, str]:
    return {
        (
            key.device,
            str(key.prefix),
            f"{key.neighbor} path-id {key.path_id}" if key.path_id else key.neighbor,
        ): bgp_path_text(path)
        for key, path in state.paths.items()
        if is_in_table(path)
    }


def _fibs(state: NetworkState) -> Mapping[Any, str]:
    return {
        (key.device, str(key.prefix), f"metric {key.metric}" if key.metric else ""): fib_text(route)
        for key, route in state.fib.items()
    }
