"""report.json back to states: whole ones from states.json.gz beside it, else what the report itself holds of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from bgpsim.errors import InputError
from bgpsim.network.state import (
    FamilyCounters,
    FlowKey,
    Forwarding,
    ForwardingPath,
    Hop,
    NetworkState,
    Session,
    SessionKey,
)
from bgpsim.network.types import FAMILIES, Family
from bgpsim.report.document import (
    ObservedForwarding,
    PathPart,
    PredictedForwarding,
    Report,
    RunPart,
    SessionPart,
    StepPart,
)
from bgpsim.report.states import RunStates, StepStates, read


def read_report(path: Path, shown: str) -> Report:
    """Raises InputError for what is no report.json."""
    try:
        return Report.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot read it: {error.strerror}", file=shown) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(
            f"{where}: {first['msg']}; expected a report.json (bgpsim.report/1)",
            file=shown,
            hint="`bgpsim run FILE --report DIR` writes one",
        ) from None


def states_of_report(path: Path, shown: str) -> tuple[tuple[RunStates, ...], bool]:
    """The states, and whether they are whole: without states.json.gz they are sessions and reachability alone."""
    report = read_report(path, shown)
    if report.states is not None:
        beside = path.parent / report.states
        if beside.exists():
            return read(beside, str(Path(shown).parent / report.states)), True
    return tuple(map(_run, report.runs)), False


def _run(run: RunPart) -> RunStates:
    return RunStates(run.scenario, run.file, tuple(map(_step, run.steps)))


def _step(step: StepPart) -> StepStates:
    ran = any(s.observed for s in step.sessions) or any(r.observed for r in step.reachability)
    return StepStates(step.name, _state(step, "predicted"), _state(step, "observed") if ran else None)


def _state(step: StepPart, which: str) -> NetworkState:
    sessions = {}
    for row in step.sessions:
        end = getattr(row, which)
        if end is not None:
            sessions[SessionKey(row.device, row.neighbor)] = Session(
                end.state,
                row.type,
                row.peer,
                row.interface,
                getattr(end, "because", None),
                _counters(row, which),
            )
    forwarding = {}
    for pair in step.reachability:
        found = getattr(pair, which)
        if found is not None:
            flow = FlowKey(pair.sender.id, pair.target.id, pair.sender.address, pair.target.address)
            forwarding[flow] = _forwarding(found)
    return NetworkState(sessions=sessions, forwarding=forwarding)


def _counters(row: SessionPart, which: str) -> dict[Family, FamilyCounters]:
    counters: dict[Family, FamilyCounters] = {}
    for family in FAMILIES:
        part = row.families.get(family)
        if part is not None:
            counts = (getattr(count, which) for count in (part.accepted, part.received, part.sent))
            counters[family] = FamilyCounters(*counts)
    return counters


def _forwarding(part: PredictedForwarding | ObservedForwarding) -> Forwarding:
    """Where hashing chose the branches they are volatile, and not taken."""
    certain = isinstance(part, PredictedForwarding) or part.volatile is None
    return Forwarding(part.disposition, tuple(_paths(part.paths or ())) if certain else (), complete=certain)  # type: ignore[arg-type]


def _paths(parts: Iterable[PathPart]) -> Iterable[ForwardingPath]:
    for part in parts:
        hops = tuple(Hop(hop.device, hop.ingress, hop.egress) for hop in part.hops)
        yield ForwardingPath(hops, part.disposition, part.at)  # type: ignore[arg-type]
