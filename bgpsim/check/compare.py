"""Prediction against observation, fact by fact, on four planes.

A fact is counted once, by a key (docs/reading-a-report.md publishes them). `compared` counts facts really read from
the lab: what could not be read is `not_observed`, never equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar

from bgpsim.check.spelling import attribute_texts, attributes_text, bgp_path_text, fib_text, fib_texts, forwarding_text
from bgpsim.network.state import (
    PLANES,
    BgpPath,
    Forwarding,
    NetworkState,
    Plane,
    Session,
)
from bgpsim.source import Source

Kind: TypeAlias = Literal["missing", "unexpected", "differs"]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One difference. missing: predicted, not seen. unexpected: seen, not predicted. differs: both, unequal."""

    plane: Plane
    kind: Kind
    device: str
    predicted: str
    observed: str
    peer: str | None = None
    family: str | None = None
    prefix: str | None = None
    field: str | None = None
    because: tuple[Source, ...] = ()

    @property
    def order(self) -> tuple[str, ...]:
        parts = (self.plane, self.device, self.family, self.prefix, self.peer, self.field, self.kind, self.predicted)
        return tuple(part or "" for part in parts)


@dataclass(frozen=True, slots=True)
class PlaneResult:
    """Counts of one plane. compared = equal + missing + unexpected + differs."""

    status: Literal["compared", "empty", "not_observed"]
    because: str | None = None
    equal: int = 0
    missing: int = 0
    unexpected: int = 0
    differs: int = 0
    not_observed: int = 0

    @property
    def compared(self) -> int:
        return self.equal + self.missing + self.unexpected + self.differs


@dataclass(frozen=True, slots=True)
class Comparison:
    planes: Mapping[Plane, PlaneResult]
    mismatches: tuple[Mismatch, ...]

    @property
    def agrees(self) -> bool:
        return not self.mismatches


def compare(predicted: NetworkState, observed: NetworkState) -> Comparison:
    """Compare two whole states. Nothing is left out for being equal by default: an unread device is not_observed."""
    # Both may be observations (`same-as`): what either could not read is not compared.
    tallies = {
        plane: _Tally(plane, {**predicted.not_observed.get(plane, {}), **observed.not_observed.get(plane, {})})
        for plane in PLANES
    }
    _compare_sessions(tallies["bgp"], predicted, observed)
    _compare_paths(tallies["bgp"], predicted, observed)
    bgp, fib, path, wire = (tallies[plane] for plane in PLANES)
    _compare_keyed(
        bgp,
        predicted.advertised,
        observed.advertised,
        where=lambda key: (key.device, f"to {key.neighbor}", key.family, _prefix(key)),
        fields=attribute_texts,
        text=attributes_text,
        sources=lambda key, _: predicted.lines.get(key, ()),
    )
    _compare_keyed(
        fib,
        predicted.fib,
        observed.fib,
        where=lambda key: (key.device, f"metric {key.metric}" if key.metric else None, key.family, str(key.prefix)),
        fields=fib_texts,
        text=fib_text,
        sources=lambda _, route: route.sources,
    )
    _compare_forwarding(path, predicted, observed)
    _compare_keyed(
        wire,
        predicted.wire,
        observed.wire,
        where=lambda key: (key.device, f"{key.direction} {key.neighbor}", key.family, _prefix(key)),
        fields=attribute_texts,
        text=attributes_text,
        sources=lambda key, _: predicted.lines.get(key, ()),
        stream=lambda key: key.stream,
    )
    # A stream that was not seen whole may have anything on it, also where nothing was predicted.
    wire.count_unread({key.stream for key in (*predicted.wire, *observed.wire)})
    mismatches = sorted((m for tally in tallies.values() for m in tally.mismatches), key=lambda m: m.order)
    empty = {
        "bgp": "no BGP in this scenario",
        "fib": "no routes in this scenario",
        "path": "no pair of endpoints in this scenario",
        "wire": "no session that carries a route in this scenario",
    }
    return Comparison(
        planes={plane: tally.result(empty[plane]) for plane, tally in tallies.items()}, mismatches=tuple(mismatches)
    )


def path_agrees(predicted: Forwarding, observed: Forwarding) -> bool:
    """Every branch walked: the same paths. Else: each path that was seen is one that was predicted."""
    seen = {(path.hops, path.disposition, path.at) for path in observed.paths}
    expected = {(path.hops, path.disposition, path.at) for path in predicted.paths}
    if observed.complete:
        return seen == expected and observed.disposition == predicted.disposition
    return bool(seen) and seen <= expected


Key = TypeVar("Key", bound=tuple[Any, ...])
Value = TypeVar("Value")
Where: TypeAlias = tuple[str, str | None, str | None, str | None]


class _Tally:
    """Counts facts of one plane and keeps the mismatches."""

    def __init__(self, plane: Plane, unread: Mapping[str, str]) -> None:
        self.plane = plane
        self.unread = unread
        self.mismatches: list[Mismatch] = []
        self.equal = 0
        self.not_observed = 0

    def read(self, *names: str) -> bool:
        """Whether a fact was read that goes by these names (a device, a pair); one that was not is counted."""
        if any(name in self.unread for name in names):
            self.not_observed += 1
            return False
        return True

    def count_unread(self, named: Set[str]) -> None:
        """Count what could not be read and is not among the names that facts go by."""
        self.not_observed += len(set(self.unread) - named)

    def mismatch(
        self,
        kind: Kind,
        where: Where,
        predicted: str,
        observed: str,
        *,
        field: str | None = None,
        because: tuple[Source, ...] = (),
    ) -> None:
        device, peer, family, prefix = where
        self.mismatches.append(
            Mismatch(self.plane, kind, device, predicted, observed, peer, family, prefix, field, because)
        )

    def result(self, empty: str) -> PlaneResult:
        kinds = [m.kind for m in self.mismatches]
        compared = self.equal + len(_facts(self.mismatches))
        why = "; ".join(sorted(f"{name}: {reason}" for name, reason in self.unread.items())) or None
        if compared == 0:
            if self.not_observed or self.unread:
                return PlaneResult("not_observed", why, not_observed=self.not_observed)
            return PlaneResult("empty", empty)
        facts = _facts(self.mismatches)
        return PlaneResult(
            "compared",
            why,
            equal=self.equal,
            missing=kinds.count("missing"),
            unexpected=kinds.count("unexpected"),
            differs=sum(kind == "differs" for kind in facts.values()),
            not_observed=self.not_observed,
        )


def _facts(mismatches: Iterable[Mismatch]) -> dict[tuple[object, ...], Kind]:
    """One entry per fact: a fact whose several fields differ has several mismatches and is counted once."""
    facts: dict[tuple[object, ...], Kind] = {}
    for number, m in enumerate(mismatches):
        key: tuple[object, ...] = (m.device, m.peer, m.family, m.prefix) if m.kind == "differs" else (number,)
        facts[(m.kind, *key)] = m.kind
    return facts


def _prefix(key: Any) -> str:
    return f"{key.prefix}" + (f" path-id {key.path_id}" if key.path_id else "")


def _compare_keyed(
    tally: _Tally,
    predicted: Mapping[Key, Value],
    observed: Mapping[Key, Value],
    *,
    where: Callable[[Any], Where],
    fields: Callable[[Value], dict[str, str]],
    text: Callable[[Value], str],
    sources: Callable[[Any, Value], tuple[Source, ...]],
    stream: Callable[[Any], str] | None = None,
) -> None:
    for key in sorted(set(predicted) | set(observed), key=str):
        place = where(key)
        if not tally.read(place[0], *(() if stream is None else (stream(key),))):
            continue
        if key not in observed:
            tally.mismatch("missing", place, text(predicted[key]), "", because=sources(key, predicted[key]))
        elif key not in predicted:
            tally.mismatch("unexpected", place, "", text(observed[key]))
        else:
            here, there = fields(predicted[key]), fields(observed[key])
            unequal = [name for name in here if here[name] != there[name]]
            if not unequal:
                tally.equal += 1
            for name in unequal:
                tally.mismatch(
                    "differs", place, here[name], there[name], field=name, because=sources(key, predicted[key])
                )


def _compare_sessions(tally: _Tally, predicted: NetworkState, observed: NetworkState) -> None:
    for key in sorted(set(predicted.sessions) | set(observed.sessions)):
        if not tally.read(key.device):
            continue
        place: Where = (key.device, key.neighbor, None, None)
        here, there = predicted.sessions.get(key), observed.sessions.get(key)
        if there is None:
            assert here is not None
            tally.mismatch("missing", place, here.state, "", field="session", because=here.because_sources)
        elif here is None:
            tally.mismatch("unexpected", place, "", there.state, field="session")
        else:
            _compare_session(tally, place, here, there)


def _compare_session(tally: _Tally, place: Where, here: Session, there: Session) -> None:
    unequal: list[tuple[str, str, str]] = []
    if here.state != there.state:
        why = f" ({here.because})" if here.because else ""
        unequal.append(("state", here.state + why, there.state))
    if here.state == there.state == "Established":
        for family in sorted(set(here.families) | set(there.families)):
            mine, other = here.families.get(family), there.families.get(family)
            if mine is None or other is None:
                unequal.append((f"{family} negotiated", str(mine is not None), str(other is not None)))
                continue
            for name in ("accepted", "received", "sent"):
                count, seen = getattr(mine, name), getattr(other, name)
                if count is not None and seen is not None and count != seen:
                    unequal.append((f"{family} {name}", str(count), str(seen)))
    if not unequal:
        tally.equal += 1
    for name, expected, seen in unequal:
        tally.mismatch("differs", place, expected, seen, field=name, because=here.because_sources)


def is_in_table(path: BgpPath) -> bool:
    """Whether a router shows the path at all: what is refused on import (own AS in the path, policy) it does not."""
    return not (path.lost or "").startswith("denied")


def _compare_paths(tally: _Tally, predicted: NetworkState, observed: NetworkState) -> None:
    expected = {key: path for key, path in predicted.paths.items() if is_in_table(path)}
    shown = {key: path for key, path in observed.paths.items() if is_in_table(path)}
    alternatives: dict[tuple[str, str], int] = {}
    for key in expected:
        table = (key.device, str(key.prefix))
        alternatives[table] = alternatives.get(table, 0) + 1

    def fields(path: BgpPath) -> dict[str, str]:
        return attribute_texts(path.attributes) | {
            "valid": str(path.valid),
            "best": str(path.best),
            "multipath": str(path.multipath),
            "weight": str(path.weight),
        }

    for key in sorted(set(expected) | set(shown), key=str):
        if not tally.read(key.device):
            continue
        place: Where = (key.device, key.neighbor, key.family, _prefix(key))
        here, there = expected.get(key), shown.get(key)
        if there is None:
            assert here is not None
            tally.mismatch("missing", place, bgp_path_text(here), "", because=here.sources)
            continue
        if here is None:
            tally.mismatch("unexpected", place, "", bgp_path_text(there))
            continue
        mine, other = fields(here), fields(there)
        unequal = [(name, mine[name], other[name]) for name in mine if mine[name] != other[name]]
        # With three paths and more FRR overwrites its selection reason at each comparison (bgp_route.c,
        # bgp_best_selection): the text is a fact only where there are exactly two.
        exact = alternatives[(key.device, str(key.prefix))] == 2
        if exact and here.best and there.best and here.reason and there.reason and here.reason != there.reason:
            unequal.append(("selection-reason", here.reason, there.reason))
        if not unequal:
            tally.equal += 1
        for name, want, seen in unequal:
            tally.mismatch("differs", place, want, seen, field=name, because=here.sources)


def _compare_forwarding(tally: _Tally, predicted: NetworkState, observed: NetworkState) -> None:
    for key in sorted(set(predicted.forwarding) | set(observed.forwarding)):
        if not tally.read(key.source, key.pair):
            continue
        place: Where = (key.source, key.target, None, key.target_address)
        here, there = predicted.forwarding.get(key), observed.forwarding.get(key)
        if there is None:
            assert here is not None
            tally.mismatch("missing", place, forwarding_text(here), "", because=_path_sources(here))
        elif here is None:
            tally.mismatch("unexpected", place, "", forwarding_text(there))
        elif path_agrees(here, there):
            tally.equal += 1
        else:
            tally.mismatch(
                "differs",
                place,
                forwarding_text(here),
                forwarding_text(there),
                field="path",
                because=_path_sources(here),
            )


def _path_sources(forwarding: Forwarding) -> tuple[Source, ...]:
    return tuple(sorted({source for path in forwarding.paths for source in path.sources}))
