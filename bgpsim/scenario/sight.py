"""What a watcher sees of a running lab at one moment, beside what is predicted of it; and what changed between two.

An event is a JSON object {"event", "time", …}; docs/watch.md has them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from bgpsim.agent.protocol import LabDevice
from bgpsim.check.compare import Comparison, Mismatch, compare, is_in_table, path_agrees
from bgpsim.check.spelling import attribute_texts, forwarding_path_text
from bgpsim.network.state import (
    Attributes,
    BgpPath,
    FlowKey,
    Forwarding,
    NetworkState,
    PathKey,
    Plane,
    Session,
    SessionKey,
    WireKey,
)

Event: TypeAlias = dict[str, Any]
Fact: TypeAlias = Mapping[str, Any]
"""What an event says of one thing: JSON, without `event`, `time` and `change`."""
Place: TypeAlias = tuple[str, str, str | None, str | None, str | None]
"""Where a comparison finds a difference: plane, device, peer, family, prefix."""

MOST_OPEN = 40
"""Differences that an `agreement` event lists; it counts all."""
_UNTOLD = frozenset({"since"})
"""What alone is no change."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Which facts are as predicted: a comparison, asked fact by fact."""

    comparison: Comparison | None = None
    """None where nothing was predicted."""
    wrong: frozenset[Place] = frozenset()
    unread: Mapping[Plane, frozenset[str]] = field(default_factory=dict)

    def of(
        self,
        plane: Plane,
        device: str,
        peer: str,
        family: str | None = None,
        prefix: str | None = None,
        stream: str | None = None,
    ) -> bool | None:
        """Whether it is there, or is not there, as predicted; None where that is not known.

        `stream`: what may not have been read though its device was (`WireKey.stream`).
        """
        unread = self.unread.get(plane, ())
        if self.comparison is None or device in unread or stream in unread:
            return None
        return (plane, device, peer, family, prefix) not in self.wrong


def judge(predicted: NetworkState | None, observed: NetworkState) -> Judgement:
    """Paths of packets left out: each watcher has its own."""
    if predicted is None:
        return Judgement()
    comparison = compare(replace(predicted, forwarding={}), observed)
    wrong = frozenset((m.plane, m.device, m.peer or "", m.family, m.prefix) for m in comparison.mismatches)
    unread = {plane: frozenset(why) for plane, why in observed.not_observed.items()}
    return Judgement(comparison, wrong, unread)


@dataclass(frozen=True, slots=True)
class Sight:
    """Facts by kind and key. `time`: seconds since the epoch."""

    time: float
    lab: Fact
    step: Fact
    sessions: Mapping[SessionKey, Fact] = field(default_factory=dict)
    routes: Mapping[PathKey, Fact] = field(default_factory=dict)
    heard: Mapping[WireKey, Fact] = field(default_factory=dict)
    agreement: Fact = field(default_factory=dict)
    trouble: str | None = None
    """Why the lab could not be read."""
    ended: Fact | None = None
    judgement: Judgement = field(default_factory=Judgement)


def session_facts(
    observed: NetworkState, judgement: Judgement, since: Mapping[SessionKey, float]
) -> dict[SessionKey, Fact]:
    return {
        key: {**_session(key, session, judgement), "since": since.get(key)}
        for key, session in observed.sessions.items()
    }


def _session(key: SessionKey, session: Session, judgement: Judgement) -> Fact:
    return {
        "device": key.device,
        "neighbor": key.neighbor,
        "peer": session.peer,
        "state": session.state,
        "word": session.word,
        "families": {
            family: {"accepted": counters.accepted, "sent": counters.sent}
            for family, counters in sorted(session.families.items())
        },
        "predicted": judgement.of("bgp", key.device, key.neighbor),
    }


def route_facts(observed: NetworkState, judgement: Judgement, since: Mapping[PathKey, float]) -> dict[PathKey, Fact]:
    return {
        key: {**_route(key, path), "since": since.get(key), "predicted": _route_predicted(key, judgement)}
        for key, path in observed.paths.items()
        if is_in_table(path)
    }


def _route(key: PathKey, path: BgpPath) -> dict[str, Any]:
    return {
        "device": key.device,
        "family": key.family,
        "prefix": str(key.prefix),
        "neighbor": key.neighbor,
        "path_id": key.path_id,
        "best": path.best,
        "multipath": path.multipath,
        "valid": path.valid,
        "attributes": shown_attributes(path.attributes),
    }


def _route_predicted(key: PathKey, judgement: Judgement) -> bool | None:
    return judgement.of("bgp", key.device, key.neighbor, key.family, _prefix(key))


def heard_facts(
    observed: NetworkState, devices: Mapping[str, LabDevice], judgement: Judgement, since: Mapping[WireKey, float]
) -> dict[WireKey, Fact]:
    """What stands on the speakers' sessions, in both directions."""
    found: dict[WireKey, Fact] = {}
    for key, attributes in observed.wire.items():
        speaker, direction, router, family, prefix, path_id = key
        if speaker in devices and devices[speaker].role == "speaker":
            found[key] = {
                "speaker": speaker,
                "router": router,
                "direction": direction,
                "family": family,
                "prefix": str(prefix),
                "path_id": path_id,
                "attributes": shown_attributes(attributes),
                "since": since.get(key),
                "predicted": _heard_predicted(key, judgement),
            }
    return found


def _heard_predicted(key: WireKey, judgement: Judgement) -> bool | None:
    speaker, direction, router, family, _, _ = key
    return judgement.of("wire", speaker, f"{direction} {router}", family, _prefix(key), key.stream)


def _prefix(key: PathKey | WireKey) -> str:
    """As a comparison has it."""
    return f"{key.prefix}" + (f" path-id {key.path_id}" if key.path_id else "")


def shown_attributes(attributes: Attributes) -> dict[str, str]:
    """Those that are there, by their names in reports."""
    return {name: text for name, text in attribute_texts(attributes).items() if text or name == "as-path"}


def agreement_fact(step: str | None, judgement: Judgement) -> Fact:
    """Counts per plane that was compared, and the differences that are left."""
    if judgement.comparison is None:
        return {"step": step, "planes": {}, "open": [], "open_count": 0}
    planes = {
        plane: {"compared": result.compared, "equal": result.equal, "not_observed": result.not_observed}
        for plane, result in judgement.comparison.planes.items()
        if plane != "path" and result.status != "empty"
    }
    differences = judgement.comparison.mismatches
    return {
        "step": step,
        "planes": planes,
        "open": [_difference(m) for m in differences[:MOST_OPEN]],
        "open_count": len(differences),
    }


def _difference(mismatch: Mismatch) -> dict[str, Any]:
    names = ("plane", "kind", "device", "peer", "family", "prefix", "field", "predicted", "observed")
    return {name: getattr(mismatch, name) for name in names}


def path_fact(flow: FlowKey, seen: Forwarding | None, because: str | None, predicted: NetworkState | None) -> Fact:
    """A pair's way. `seen` is None where it could not be observed, and `because` says why."""
    expected = None if predicted is None else predicted.forwarding.get(flow)
    return {
        "from": flow.source,
        "to": flow.target,
        "addresses": [flow.source_address, flow.target_address],
        "disposition": None if seen is None else seen.disposition,
        "hops": [] if seen is None else _ways(seen),
        "complete": None if seen is None else seen.complete,
        "because": because,
        "expected": None if expected is None else {"disposition": expected.disposition, "hops": _ways(expected)},
        "predicted": None if seen is None or expected is None else path_agrees(expected, seen),
    }


def _ways(forwarding: Forwarding) -> list[str]:
    return sorted(forwarding_path_text(path) for path in forwarding.paths)


def changes(before: Sight | None, after: Sight) -> Iterator[Event]:
    """What a watcher is told who was told `before` last; without one, all there is, each with `first`."""
    first = {"first": True} if before is None else {}
    old = before or Sight(after.time, {}, {})

    def event(kind: str, fact: Fact, **more: Any) -> Event:
        return {"event": kind, "time": round(after.time, 3), **more, **fact, **first}

    for kind in ("lab", "step"):
        if getattr(old, kind) != getattr(after, kind):
            yield event(kind, getattr(after, kind))
    absent = after.judgement
    for key, change, fact in _changed(old.sessions, after.sessions):
        told = {**fact, "predicted": absent.of("bgp", key.device, key.neighbor)} if change == "left" else fact
        yield event("session", told, change=change)
    for path, change, fact in _changed(old.routes, after.routes):
        told = {**fact, "predicted": _route_predicted(path, absent)} if change == "left" else fact
        yield event("route", told, change=change)
    for route, change, fact in _changed(old.heard, after.heard):
        told = {**fact, "predicted": _heard_predicted(route, absent)} if change == "left" else fact
        yield event("heard", told, change=change)
    if old.agreement != after.agreement:
        yield event("agreement", after.agreement)
    if old.trouble != after.trouble:
        yield event("trouble", {"message": after.trouble})
    if after.ended is not None and old.ended is None:
        yield event("ended", after.ended)


def _changed(before: Mapping[Any, Fact], after: Mapping[Any, Fact]) -> Iterator[tuple[Any, str, Fact]]:
    """Key, what happened (arrived, left, changed, prediction) and the fact; a changed one has `was`."""
    if before is after:
        return
    for key in sorted({*before, *after}, key=str):
        old, new = before.get(key), after.get(key)
        if new is None:
            assert old is not None
            yield key, "left", old
        elif old is None:
            yield key, "arrived", new
        elif was := {name: old[name] for name in new if name not in _UNTOLD and old[name] != new[name]}:
            yield key, "prediction" if set(was) == {"predicted"} else "changed", {**new, "was": was}


def times(
    known: Mapping[Any, float], before: Mapping[Any, Any], after: Mapping[Any, Any], now: float
) -> dict[Any, float]:
    """Since when each of `after` is as it is: as known, or `now` where it was not there before, or was another."""
    found = {}
    for key, value in after.items():
        if key not in before or before[key] != value:
            found[key] = now
        elif key in known:
            found[key] = known[key]
    return found


def names(sequence: Sequence[Sequence[str]]) -> list[list[str]]:
    """Links as events have them: both ends as DEVICE:INTERFACE, sorted."""
    return sorted(sorted([f"{a}:{a_interface}", f"{b}:{b_interface}"]) for a, a_interface, b, b_interface in sequence)
