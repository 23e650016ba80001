"""Prediction against observation, fact by fact, on four planes.

A fact is counted once, by a key (docs/reading-a-report.md publishes them). `compared` counts facts really read from
the lab: what could not be read is `not_observed`, never equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from bgpsim.check.spelling import attribute_texts, attributes_text, bgp_path_text, fib_text, fib_texts, forwarding_text
from bgpsim.network.grouped import Grouped, key_at
from bgpsim.network.state import (
    PLANES,
    UNTOLD,
    Attributes,
    BgpPath,
    Forwarding,
    NetworkState,
    PathKey,
    Plane,
    Session,
    wire_stream,
)
from bgpsim.network.types import Prefix
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
        fields=_printed_texts,
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
    wire.count_unread({wire_stream(*place[:3]) for of in (predicted, observed) for place in Grouped.of(of.wire).tables})
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


def _printed_texts(attributes: Attributes) -> dict[str, str]:
    """What is not predicted is no fact."""
    texts = attribute_texts(attributes)
    return {name: text for name, text in texts.items() if text != UNTOLD}


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

    def read(self, *names: str, facts: int = 1) -> bool:
        """Whether facts were read that go by these names (a device, a pair); those that were not are counted."""
        if any(name in self.unread for name in names):
            self.not_observed += facts
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


Unequal: TypeAlias = tuple[str, str, str]
"""A field, predicted and observed."""


class _Unequal(Generic[Value]):
    """In what two values differ, told once for each two: a table of 100,000 routes has few values."""

    def __init__(self, fields: Callable[[Value], dict[str, str]]) -> None:
        self._fields = fields
        self._known: dict[tuple[int, int], tuple[Unequal, ...]] = {}

    def of(self, here: Value, there: Value) -> tuple[Unequal, ...]:
        # Both live as long as the states that are compared, so a number is one value's alone.
        key = (id(here), id(there))
        found = self._known.get(key)
        if found is None:
            mine, other = self._fields(here), self._fields(there)
            found = tuple((n, mine[n], other[n]) for n in mine if n in other and mine[n] != other[n])
            self._known[key] = found
        return found


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
    also: Callable[[Any, Prefix, Value, Value], Iterable[Unequal]] | None = None,
) -> None:
    """`also`: what else of two values differs, by the place and the prefix of their key."""
    unequal = _Unequal(fields)
    texts: dict[int, str] = {}

    def shown(value: Value) -> str:
        if id(value) not in texts:
            texts[id(value)] = text(value)
        return texts[id(value)]

    mine, other = Grouped.of(predicted).tables, Grouped.of(observed).tables
    for place in {**mine, **other}:
        here, there = mine.get(place, {}), other.get(place, {})
        if not tally.read(place[0], *(() if stream is None else (stream(place),)), facts=len({**here, **there})):
            continue
        missing = 0
        for prefix, want in here.items():
            seen = there.get(prefix)
            if seen is None:
                missing += 1
                key = key_at(place, prefix)
                tally.mismatch("missing", where(key), shown(want), "", because=sources(key, want))
                continue
            found = unequal.of(want, seen)
            if also is not None:
                found = (*found, *also(place, prefix, want, seen))
            if not found:
                tally.equal += 1
                continue
            key = key_at(place, prefix)
            for name, one, another in found:
                tally.mismatch("differs", where(key), one, another, field=name, because=sources(key, want))
        for prefix, seen in there.items() if len(there) > len(here) - missing else ():
            if prefix not in here:
                tally.mismatch("unexpected", where(key_at(place, prefix)), "", shown(seen))


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
    expected = Grouped.of(predicted.paths).where(is_in_table)

    def reasons(place: PathKey, prefix: Prefix, here: BgpPath, there: BgpPath) -> Iterator[Unequal]:
        if here.best and there.best and here.reason and there.reason and here.reason != there.reason:
            # With three paths and more FRR overwrites its selection reason at each comparison (bgp_route.c,
            # bgp_best_selection), and the last one is of the best path with any of the others.
            beside = [of[prefix] for at, of in expected.tables.items() if at[:2] == place[:2] and prefix in of]
            if len(beside) == 2 or there.reason not in {path.lost for path in beside}:
                yield "selection-reason", here.reason, there.reason

    _compare_keyed(
        tally,
        expected,
        Grouped.of(observed.paths).where(is_in_table),
        where=lambda key: (key.device, key.neighbor, key.family, _prefix(key)),
        fields=_path_texts,
        text=bgp_path_text,
        sources=lambda _, path: path.sources,
        also=reasons,
    )


def _path_texts(path: BgpPath) -> dict[str, str]:
    return attribute_texts(path.attributes) | {
        "valid": str(path.valid),
        "best": str(path.best),
        "multipath": str(path.multipath),
        "weight": str(path.weight),
    }


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
