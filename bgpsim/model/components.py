"""Outcomes by component: choices that touch the same facts belong together, others do not multiply.

Ten routers that each hear two equal paths at once have ten components of two outcomes each, not 1024 outcomes. Which
choices touch each other is found out by making each of them alone, and looking at what it changes. Counters of sessions
count for no touch: they are sums over prefixes, and are compared in the whole state that is predicted in the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias, TypeVar

from bgpsim.model.outcomes import MOST, outcomes
from bgpsim.model.prediction import Prediction, Tie, predict
from bgpsim.network.description import Network
from bgpsim.network.grouped import Grouped
from bgpsim.network.state import FlowKey, NetworkState, PathKey
from bgpsim.network.types import Prefix

Key = TypeVar("Key", bound=tuple[Any, ...])
Value = TypeVar("Value")
Touched: TypeAlias = frozenset["Place"]


class Place(NamedTuple):
    """A group of facts: a table's paths of a prefix, or a fact of another plane by its key."""

    plane: str
    key: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Alternative:
    """One outcome of a component: the paths that are said to have arrived first, and what then stands at its places."""

    arrived: frozenset[PathKey]
    state: NetworkState


@dataclass(frozen=True, slots=True)
class Component:
    """Choices that belong together. The assumed outcome is the first of `alternatives`."""

    ties: tuple[Tie, ...]
    touched: Touched
    alternatives: tuple[Alternative, ...]

    def part_of(self, state: NetworkState) -> NetworkState:
        """What of a state this component decides."""
        return part_of(state, self.touched)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """All that a step leaves open. No components: nothing is."""

    assumed: Prediction
    components: tuple[Component, ...]
    network: Network
    before: NetworkState | None
    flows: tuple[FlowKey, ...]

    def chosen(self, picks: Sequence[int]) -> Prediction:
        """The whole prediction with one outcome of each component (their numbers, in order)."""
        if not any(picks):
            return self.assumed
        arrived = frozenset(
            path
            for component, pick in zip(self.components, picks, strict=True)
            for path in component.alternatives[pick].arrived
        )
        return predict(self.network, self.before, self.flows, arrived=arrived)


@dataclass(slots=True)
class _Tried:
    """What one tie's choices change, whichever way they go."""

    touched: set[Place]
    states: list[tuple[PathKey, NetworkState]] = field(default_factory=list)
    """After each of the choices that are not assumed; others may have been made in it, so only `touched` counts."""
    closed: bool = True
    """No further choice comes of one of them."""


def outcomes_by_component(
    network: Network,
    before: NetworkState | None,
    flows: Sequence[FlowKey],
    assumed: Prediction,
    *,
    most: int = MOST,
) -> Outcomes:
    """`most`: outcomes of one component. `assumed`: what `predict` says."""
    tried = _tried(network, before, flows, assumed)
    components = []
    for ties in _connected({tie: frozenset(of.touched) for tie, of in tried.items()}):
        if len(ties) == 1 and tried[ties[0]].closed:
            of = tried[ties[0]]
            found = [(frozenset[PathKey](), assumed.state), *((frozenset({p}), state) for p, state in of.states)]
            places = frozenset(of.touched)
        else:
            tables = frozenset(tie.table for tie in ties)
            several = outcomes(network, before, flows, most=most, among=tables)
            found = [(one.arrived, one.state) for one in several]
            places = frozenset(place for _, state in found for place in _differences(assumed.state, state))
        parts = [Alternative(arrived, part_of(state, places)) for arrived, state in found]
        if any(part.state != parts[0].state for part in parts):
            components.append(Component(ties, places, tuple(parts)))
    return Outcomes(assumed, tuple(components), network, before, tuple(flows))


def _tried(
    network: Network, before: NetworkState | None, flows: Sequence[FlowKey], assumed: Prediction
) -> dict[Tie, _Tried]:
    found = {tie: _Tried({_table(tie)}) for tie in assumed.ties}
    known = {tie.table for tie in assumed.ties}
    for batch in _batches(assumed.ties):
        together = predict(network, before, flows, arrived=frozenset(path for _, path in batch))
        changed = _differences(assumed.state, together.state)
        owners = {tie.table.prefix for tie, _ in batch}
        apart = len(batch) == 1 or all(_prefix(place) in owners for place in changed)
        for tie, path in batch:
            alone = together if apart else predict(network, before, flows, arrived=frozenset({path}))
            of = found[tie]
            mine = changed if apart else _differences(assumed.state, alone.state)
            prefix = tie.table.prefix
            of.touched |= {place for place in mine if not apart or len(batch) == 1 or _prefix(place) == prefix}
            of.states.append((path, alone.state))
            of.closed = of.closed and all(
                other.table in known or (apart and other.table.prefix != prefix) for other in alone.ties
            )
    return found


def _batches(ties: Iterable[Tie]) -> list[list[tuple[Tie, PathKey]]]:
    """Choices about different prefixes are made at once, as long as nothing else changes by them."""
    by_prefix: dict[Prefix, list[tuple[Tie, PathKey]]] = {}
    for tie in ties:
        by_prefix.setdefault(tie.table.prefix, []).extend((tie, path) for path in tie.paths[1:])
    longest = max(map(len, by_prefix.values()), default=0)
    return [[of[n] for of in by_prefix.values() if n < len(of)] for n in range(longest)]


def _connected(touched: Mapping[Tie, Touched]) -> list[tuple[Tie, ...]]:
    groups: list[tuple[list[Tie], set[Place]]] = []
    for tie, places in touched.items():
        joined, all_places = [tie], set(places)
        apart = []
        for ties, theirs in groups:
            if all_places & theirs:
                joined = ties + joined
                all_places |= theirs
            else:
                apart.append((ties, theirs))
        groups = [*apart, (joined, all_places)]
    return [tuple(ties) for ties, _ in groups]


def _table(tie: Tie) -> Place:
    return Place("paths", (tie.table.device, tie.table.prefix))


def _prefix(place: Place) -> Any:
    return place.key[-1]


def _differences(one: NetworkState, other: NetworkState) -> set[Place]:
    found: set[Place] = set()
    for plane in ("paths", "advertised", "fib", "wire"):
        mine, theirs = (Grouped.of(getattr(state, plane)).tables for state in (one, other))
        for at in {**mine, **theirs}:
            here, there = mine.get(at, {}), theirs.get(at, {})
            if here is there:
                continue
            for prefix in {**here, **there}:
                if here.get(prefix) != there.get(prefix):
                    found.add(_place(plane, at, prefix))
    for flow in {**one.forwarding, **other.forwarding}:
        if one.forwarding.get(flow) != other.forwarding.get(flow):
            found.add(Place("forwarding", tuple(flow)))
    return found


def _place(plane: str, at: tuple[object, ...], prefix: Prefix) -> Place:
    return Place(plane, (at[0], prefix)) if plane == "paths" else Place(plane, (*at, prefix))


def part_of(state: NetworkState, places: Touched) -> NetworkState:
    """The facts of a state at these places alone."""

    return NetworkState(
        not_observed=state.not_observed,
        paths=_kept("paths", state.paths, places),
        advertised=_kept("advertised", state.advertised, places),
        fib=_kept("fib", state.fib, places),
        wire=_kept("wire", state.wire, places),
        forwarding={k: v for k, v in state.forwarding.items() if Place("forwarding", tuple(k)) in places},
    )


def _kept(plane: str, entries: Mapping[Key, Value], places: Touched) -> Grouped[Key, Value]:
    return Grouped(
        {
            at: {prefix: value for prefix, value in of.items() if _place(plane, at, prefix) in places}
            for at, of in Grouped.of(entries).tables.items()
        }
    )
