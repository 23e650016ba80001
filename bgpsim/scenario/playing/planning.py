"""The prediction alone: no lab, no observers."""

from __future__ import annotations

import time
from dataclasses import replace

from bgpsim.check.compare import is_in_table
from bgpsim.model import predict
from bgpsim.network.grouped import Grouped
from bgpsim.network.state import NetworkState
from bgpsim.report import assemble
from bgpsim.report import document as doc
from bgpsim.report.tables import tables
from bgpsim.scenario.playing import probing
from bgpsim.scenario.playing.recording import (
    Listener,
    Outcome,
    Record,
    change_of,
    evaluated,
    note_prediction,
    outcome,
)
from bgpsim.scenario.playing.verdicts import FAIL, PASS, verdict_of
from bgpsim.scenario.timeline import Scenario, Step


def plan(scenario: Scenario, listener: Listener, *, with_tables: bool = False) -> Outcome:
    """The prediction alone; exit code 1 if an expectation fails in it. `with_tables`: with RIBs and FIBs."""
    record = Record(scenario, strict=False)
    listener.scenario(scenario.name, scenario.file)
    try:
        for step in scenario.steps:
            start = time.monotonic()
            before = record.past.before
            prediction = predict(step.network, before, step.flows)
            note_prediction(record, step, prediction)
            part = _planned(record, step)
            part.probe = probing.predicted_part(step, probing.moment_before(record, before), prediction.state)
            if with_tables:
                part.tables = tables(prediction.state)
            part.volatile["seconds"] = time.monotonic() - start
            record.steps.append(part)
            listener.step(part)
    except (Exception, KeyboardInterrupt) as error:
        record.fails(error)
    return outcome(record, listener)


def _planned(record: Record, step: Step) -> doc.StepPart:
    past = record.past
    results = evaluated(step, {name: _as_shown(past.predicted[name]) for name in past.names}, past.names)
    state = past.predicted[step.name]
    verdict = verdict_of(PASS if all(r.holds for r in results) else FAIL)
    return doc.StepPart(
        name=step.name,
        verdict=verdict,
        settled=None,
        sessions=assemble.sessions(state, None),
        reachability=assemble.reachability(state, None),
        diff=change_of(record),
        expectations=assemble.expectations(results),
        actions=[str(action) for action in step.actions],
    )


def _as_shown(state: NetworkState) -> NetworkState:
    """As a router would show it: what is refused on import is in no table, so it is no fact for `same-as` either."""
    return replace(state, paths=Grouped.of(state.paths).where(is_in_table))
