"""One state against another: sessions, routes by attribute, reachability by pair. What a step or an edit changed.

Where the lines that made a fact stand, why a path won and how it was found out are no facts: they change no outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from operator import attrgetter
from typing import Any, Generic, Literal, NamedTuple, TypeAlias, TypeVar

from bgpsim.check.compare import Comparison, compare, is_in_table
from bgpsim.check.spelling import (
    attribute_texts,
    attributes_text,
    bgp_path_text,
    fib_text,
    fib_texts,
    forwarding_text,
)
from bgpsim.network.grouped import Grouped, key_at
from bgpsim.network.state import (
    DELIVERED,
    PLANES,
    BgpPath,
    FlowKey,
    Forwarding,
    NetworkState,
    Plane,
    Session,
    SessionKey,
)

Key = TypeVar("Key", bound=tuple[Any, ...])
Value = TypeVar("Value")
ChangeKind: TypeAlias = Literal["added", "removed", "changed"]


class AttributeChange(NamedTuple):
    """One attribute, flag or field that is not what it was; an empty text: it is not there."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RouteChange:
    """`before` is None for an added route, `after` for a removed one; `plane` is bgp, fib or wire.

    `peer` as in `Mismatch`: the neighbor that a path came from, `to NEIGHBOR` of an Adj-RIB-Out, `metric N` of a kernel
    route, `sent ROUTER` or `received ROUTER` of a speaker's session.
    """

    plane: str
    device: str
    prefix: str
    peer: str | None
    before: str | None
    after: str | None
    attributes: tuple[AttributeChange, ...] = ()
    """What differs, of a changed one."""

    @property
    def kind(self) -> ChangeKind:
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"

    @property
    def order(self) -> tuple[str, ...]:
        return (self.plane, self.device, self.prefix, self.peer or "")


@dataclass(frozen=True, slots=True)
class SessionChange:
    """One end of a session. `before` and `after`: Established or Down; None where it is not configured."""

    key: SessionKey
    peer: str | None
    before: str | None
    after: str | None
    because: str | None = field(default=None, compare=False)
    """Why it is down now, where that is known (predicted)."""

    @property
    def came(self) -> bool:
        return self.after == "Established"


@dataclass(frozen=True, slots=True)
class CounterChange:
    """A prefix counter of one end: accepted, received or sent."""

    key: SessionKey
    family: str
    counter: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class PairChange:
    """`flow` as it is afterwards; `before` and `after` are both ways as texts."""

    flow: FlowKey
    before: str
    after: str
    was: Forwarding | None = field(default=None, compare=False)
    now: Forwarding | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class StateDiff:
    added: tuple[RouteChange, ...]
    """Paths of tables (bgp) and kernel routes (fib)."""
    removed: tuple[RouteChange, ...]
    changed: tuple[RouteChange, ...]
    lost: tuple[PairChange, ...]
    """Pairs whose packets were delivered before and are not now."""
    gained: tuple[PairChange, ...]
    moved: tuple[PairChange, ...]
    """Same disposition, other paths; or not delivered in another way."""
    sessions: tuple[SessionChange, ...] = ()
    counters: tuple[CounterChange, ...] = ()
    advertised: tuple[RouteChange, ...] = ()
    """Entries of Adj-RIBs-Out."""
    wire: tuple[RouteChange, ...] = ()
    speakers: frozenset[str] = field(default=frozenset(), compare=False)
    """The devices that speak for nobody but the scenario."""
    gone: tuple[PairChange, ...] = ()
    """Pairs that are followed before alone: an endpoint is not there any more."""
    new: tuple[PairChange, ...] = ()
    unread: tuple[str, ...] = field(default=(), compare=False)
    """What either state could not tell, and is not compared."""

    @property
    def empty(self) -> bool:
        return not (self.routes or self.pairs or self.sessions or self.counters or self.advertised or self.wire)

    @property
    def routes(self) -> tuple[RouteChange, ...]:
        return (*self.added, *self.removed, *self.changed)

    @property
    def pairs(self) -> tuple[PairChange, ...]:
        return (*self.lost, *self.gained, *self.moved, *self.gone, *self.new)


def diff(before: NetworkState, after: NetworkState, *, sent: bool = True) -> StateDiff:
    """The change from one state to the other. Without `sent`, not what routers and speakers sent: of a whole table,
    Adj-RIBs-Out and the wire are several times as many changes as all others."""
    unread = {plane: _unread(plane, before, after) for plane in PLANES}
    routes = _ordered((*_tables(before, after, unread["bgp"]), *_fibs(before, after, unread["fib"])))
    lost, gained, moved = [], [], []
    pairs = _pairs(before, after, unread["path"])
    for was_flow, flow in pairs.both:
        was, now = before.forwarding[was_flow], after.forwarding[flow]
        change = PairChange(flow, *_both_ways(was_flow, flow, was, now), was, now)
        delivered_before = was.disposition in DELIVERED
        delivered_after = now.disposition in DELIVERED
        if delivered_before and not delivered_after:
            lost.append(change)
        elif delivered_after and not delivered_before:
            gained.append(change)
        elif change.before != change.after and (_certain(was, now) or was.disposition != now.disposition):
            moved.append(change)
    return StateDiff(
        added=tuple(r for r in routes if r.kind == "added"),
        removed=tuple(r for r in routes if r.kind == "removed"),
        changed=tuple(r for r in routes if r.kind == "changed"),
        lost=tuple(lost),
        gained=tuple(gained),
        moved=tuple(moved),
        sessions=tuple(_sessions(before, after, unread["bgp"])),
        counters=tuple(_counters(before, after, unread["bgp"])),
        advertised=tuple(_ordered(_advertised(before, after, unread["bgp"]))) if sent else (),
        wire=tuple(_ordered(_wire(before, after, unread["wire"]))) if sent else (),
        speakers=_speakers(before) | _speakers(after),
        gone=tuple(PairChange(f, _way(before.forwarding[f]), "", before.forwarding[f]) for f in pairs.gone),
        new=tuple(PairChange(f, "", _way(after.forwarding[f]), None, after.forwarding[f]) for f in pairs.new),
        unread=tuple(f"{plane} of {name}: {why}" for plane in PLANES for name, why in sorted(unread[plane].items())),
    )


def same(before: NetworkState, after: NetworkState) -> Comparison:
    """`same-as`: every fact of `before` holds in `after`, and no other (compare's own rules)."""
    return compare(before, after)


def _ordered(changes: Iterable[RouteChange]) -> list[RouteChange]:
    """By plane, device, prefix and peer; one after the other, so that no key is made for each of 400,000 changes."""
    found = list(changes)
    found.sort(key=lambda r: r.peer or "")
    for part in ("prefix", "device", "plane"):
        found.sort(key=attrgetter(part))
    return found


def _unread(plane: Plane, before: NetworkState, after: NetworkState) -> dict[str, str]:
    return {**before.not_observed.get(plane, {}), **after.not_observed.get(plane, {})}


def _tables(before: NetworkState, after: NetworkState, unread: Mapping[str, str]) -> Iterator[RouteChange]:
    def facts(path: BgpPath) -> tuple[Any, ...]:
        return (path.attributes, path.valid, path.best, path.multipath, path.weight)

    def texts(path: BgpPath) -> dict[str, str]:
        flags = {"valid": path.valid, "best": path.best, "multipath": path.multipath}
        shown = {name: "yes" if on else "no" for name, on in flags.items()}
        return attribute_texts(path.attributes) | shown | {"weight": str(path.weight)}

    route = _Spelled(bgp_path_text, texts)
    for key, old, new in _both(before.paths, after.paths):
        was = old if old is not None and is_in_table(old) else None
        now = new if new is not None and is_in_table(new) else None
        if was is now or key.device in unread or (was and now and facts(was) == facts(now)):
            continue
        place = ("bgp", key.device, _prefix(key), key.neighbor)
        yield route.change(place, was, now)


def _fibs(before: NetworkState, after: NetworkState, unread: Mapping[str, str]) -> Iterator[RouteChange]:
    route = _Spelled(fib_text, fib_texts)
    for key, was, now in _both(before.fib, after.fib):
        if key.device in unread or (was and now and fib_texts(was) == fib_texts(now)):
            continue
        place = ("fib", key.device, str(key.prefix), f"metric {key.metric}" if key.metric else None)
        yield route.change(place, was, now)


def _advertised(before: NetworkState, after: NetworkState, unread: Mapping[str, str]) -> Iterator[RouteChange]:
    route = _Spelled(attributes_text, attribute_texts)
    for key, was, now in _both(before.advertised, after.advertised):
        if was != now and key.device not in unread:
            place = ("bgp", key.device, _prefix(key), f"to {key.neighbor}")
            yield route.change(place, was, now)


def _wire(before: NetworkState, after: NetworkState, unread: Mapping[str, str]) -> Iterator[RouteChange]:
    route = _Spelled(attributes_text, attribute_texts)
    for key, was, now in _both(before.wire, after.wire):
        if was != now and key.stream not in unread:
            place = ("wire", key[0], _prefix(key), f"{key.direction} {key.neighbor}")
            yield route.change(place, was, now)


def _speakers(state: NetworkState) -> frozenset[str]:
    """A speaker alone names a neighbor by its device."""
    return frozenset(key.device for key, session in state.sessions.items() if session.peer == key.neighbor)


def _both(before: Mapping[Key, Value], after: Mapping[Key, Value]) -> Iterator[tuple[Key, Value | None, Value | None]]:
    """Every key with both values, where they are not one object; tables that are one are not looked into."""
    old, new = Grouped.of(before).tables, Grouped.of(after).tables
    for place in {**old, **new}:
        then, now = old.get(place, {}), new.get(place, {})
        for prefix in {**then, **now} if then is not now else ():
            was, is_now = then.get(prefix), now.get(prefix)
            if was is not is_now:
                yield key_at(place, prefix), was, is_now


class _Spelled(Generic[Value]):
    """Changes in words. A value that stands at many prefixes is spelled once: it lives as long as both states."""

    def __init__(self, text: Callable[[Value], str], texts: Callable[[Value], dict[str, str]]) -> None:
        self._text, self._texts = text, texts
        self._known: dict[int, str] = {}
        self._changes: dict[tuple[int, int], tuple[AttributeChange, ...]] = {}

    def change(self, place: tuple[str, str, str, str | None], was: Value | None, now: Value | None) -> RouteChange:
        changed: tuple[AttributeChange, ...] = ()
        if was is not None and now is not None:
            both = (id(was), id(now))
            if both not in self._changes:
                old, new = self._texts(was), self._texts(now)
                self._changes[both] = tuple(
                    AttributeChange(name, old[name], new[name]) for name in old if old[name] != new[name]
                )
            changed = self._changes[both]
        return RouteChange(*place, self._told(was), self._told(now), changed)

    def _told(self, value: Value | None) -> str | None:
        if value is None:
            return None
        if id(value) not in self._known:
            self._known[id(value)] = self._text(value)
        return self._known[id(value)]


def _prefix(key: Any) -> str:
    return f"{key.prefix}" + (f" path-id {key.path_id}" if key.path_id else "")


def _sessions(before: NetworkState, after: NetworkState, unread: Mapping[str, str]) -> Iterator[SessionChange]:
    for key in sorted({**before.sessions, **after.sessions}):
        was, now = before.sessions.get(key), after.sessions.get(key)
        old, new = (None if session is None else session.state for session in (was, now))
        known = now or was
        assert known is not None
        if old != new and key.device not in unread:
            yield SessionChange(key, known.peer, old, new, None if now is None else now.because)


def _counters(before: NetworkState, after: NetworkState, unread: Mapping[str, str]) -> Iterator[CounterChange]:
    """Of sessions that stand in both."""
    for key in sorted(before.sessions):
        was, now = before.sessions[key], after.sessions.get(key)
        if now is None or key.device in unread or not was.state == now.state == "Established":
            continue
        yield from _counted(key, was, now)


def _counted(key: SessionKey, was: Session, now: Session) -> Iterator[CounterChange]:
    for family in sorted({*was.families} & {*now.families}):
        for counter in ("accepted", "received", "sent"):
            old, new = (getattr(session.families[family], counter) for session in (was, now))
            if old is not None and new is not None and old != new:
                yield CounterChange(key, family, counter, old, new)


class _Pairs(NamedTuple):
    both: list[tuple[FlowKey, FlowKey]]
    gone: list[FlowKey]
    new: list[FlowKey]


def _pairs(before: NetworkState, after: NetworkState, unread: Mapping[str, str]) -> _Pairs:
    """Pairs of the same endpoints: by their addresses, else (an address may have moved) by their names."""

    def name(flow: FlowKey) -> tuple[str, str, int]:
        return (flow.source, flow.target, ip_address(flow.target_address).version)

    def read(flow: FlowKey) -> bool:
        return flow.source not in unread and flow.pair not in unread

    old = {flow for flow in before.forwarding if read(flow)}
    new = {flow for flow in after.forwarding if read(flow)}
    both = [(flow, flow) for flow in old & new]
    by_name = {name(flow): flow for flow in new - old}
    renamed = [(flow, by_name[name(flow)]) for flow in old - new if name(flow) in by_name]
    gone = (old - new) - {flow for flow, _ in renamed}
    fresh = (new - old) - {flow for _, flow in renamed}
    return _Pairs(sorted(both + renamed), sorted(gone), sorted(fresh))


def _certain(was: Forwarding, now: Forwarding) -> bool:
    """Every branch was walked; else hashing chose which ones were, and other ones are no change."""
    return was.complete and now.complete


def _way(forwarding: Forwarding) -> str:
    return forwarding_text(forwarding) if forwarding.complete else f"{forwarding.disposition}, by some of several ways"


def _both_ways(was_flow: FlowKey, flow: FlowKey, was: Forwarding, now: Forwarding) -> tuple[str, str]:
    if was_flow == flow:
        return _way(was), _way(now)
    old, new = ((f.source_address, f.target_address) for f in (was_flow, flow))
    return f"{' → '.join(old)}: {_way(was)}", f"{' → '.join(new)}: {_way(now)}"
