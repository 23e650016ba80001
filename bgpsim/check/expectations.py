"""What a scenario expects of a step, checked against a state: the observed one, or for `plan` the predicted one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from bgpsim.check.diff import diff, same
from bgpsim.network.state import Disposition, FlowKey, NetworkState


@dataclass(frozen=True, slots=True)
class SessionsExpected:
    """Every session of these devices whose far end is one of them too is in this state.

    With a single device: every session of it.
    """

    text: str
    devices: tuple[str, ...]
    state: str
    """Established or Down."""


@dataclass(frozen=True, slots=True)
class ReachExpected:
    """All these flows are delivered; the scenario layer lists both directions of each pair."""

    text: str
    flows: tuple[FlowKey, ...]


@dataclass(frozen=True, slots=True)
class ChangeExpected:
    """Exactly these flows were lost (or gained) against the step before."""

    text: str
    flows: tuple[FlowKey, ...]
    gained: bool = False


@dataclass(frozen=True, slots=True)
class DispositionExpected:
    text: str
    flows: tuple[FlowKey, ...]
    disposition: Disposition


@dataclass(frozen=True, slots=True)
class SameAsExpected:
    """All planes are as they were at the end of an earlier step."""

    text: str
    step: str


Expected: TypeAlias = SessionsExpected | ReachExpected | ChangeExpected | DispositionExpected | SameAsExpected


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    text: str
    holds: bool
    seen: str


def evaluate(expected: Expected, states: Mapping[str, NetworkState], steps: tuple[str, ...]) -> ExpectationResult:
    """Check one expectation at the last of `steps`; `states` has the state at the end of each of them."""
    now = states[steps[-1]]
    match expected:
        case SessionsExpected():
            return _sessions(expected, now)
        case ReachExpected():
            bad = [flow for flow in expected.flows if not _delivered(now, flow)]
            seen = f"{len(expected.flows) - len(bad)} of {len(expected.flows)} flows delivered"
            return ExpectationResult(expected.text, bool(expected.flows) and not bad, _with(seen, now, bad))
        case DispositionExpected():
            bad = [flow for flow in expected.flows if _disposition(now, flow) != expected.disposition]
            seen = f"{len(expected.flows) - len(bad)} of {len(expected.flows)} flows {expected.disposition}"
            return ExpectationResult(expected.text, bool(expected.flows) and not bad, _with(seen, now, bad))
        case ChangeExpected():
            if len(steps) < 2:
                return ExpectationResult(expected.text, False, "there is no step before this one")
            change = diff(states[steps[-2]], now, sent=False)
            found = {c.flow for c in (change.gained if expected.gained else change.lost)}
            missing, extra = sorted(set(expected.flows) - found), sorted(found - set(expected.flows))
            word = "gained" if expected.gained else "lost"
            seen = f"{len(found)} pairs {word}"
            if missing:
                seen += f"; not {word}: {_pairs(missing)}"
            if extra:
                seen += f"; {word} too: {_pairs(extra)}"
            return ExpectationResult(expected.text, not missing and not extra, seen)
        case SameAsExpected():
            comparison = same(states[expected.step], now)
            if comparison.agrees:
                total = sum(plane.compared for plane in comparison.planes.values())
                return ExpectationResult(expected.text, True, f"all {total} facts equal")
            first = comparison.mismatches[0]
            seen = f"{len(comparison.mismatches)} differences, the first: {first.plane} {first.device} " + " ".join(
                part for part in (first.prefix, first.peer, first.field) if part
            )
            return ExpectationResult(expected.text, False, seen)


def _sessions(expected: SessionsExpected, state: NetworkState) -> ExpectationResult:
    wanted = set(expected.devices)
    alone = len(wanted) == 1
    concerned = {
        key: session
        for key, session in state.sessions.items()
        if key.device in wanted and (alone or session.peer in wanted)
    }
    bad = sorted(f"{key.device} {key.neighbor}" for key, s in concerned.items() if s.state != expected.state)
    seen = f"{len(concerned) - len(bad)} of {len(concerned)} session ends {expected.state}"
    if bad:
        seen += "; not: " + ", ".join(bad)
    return ExpectationResult(expected.text, bool(concerned) and not bad, seen)


def _disposition(state: NetworkState, flow: FlowKey) -> str:
    forwarding = state.forwarding.get(flow)
    return "not observed" if forwarding is None else forwarding.disposition


def _delivered(state: NetworkState, flow: FlowKey) -> bool:
    return _disposition(state, flow) in ("delivered", "delivered-by-service")


def _with(seen: str, state: NetworkState, bad: list[FlowKey]) -> str:
    if not bad:
        return seen
    return f"{seen}; " + ", ".join(f"{f.source} → {f.target}: {_disposition(state, f)}" for f in bad[:6])


def _pairs(flows: list[FlowKey]) -> str:
    return ", ".join(f"{flow.source} → {flow.target}" for flow in flows[:6])
