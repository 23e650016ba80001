"""One scenario, driven: each step predicted, the lab taken through the same steps, and what both say compared.

Errors of bgpsim, a lab that broke and an interrupt are part of what `run` returns and never raised, so that the
report so far is always there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from bgpsim.check.compare import compare
from bgpsim.errors import LabError
from bgpsim.inputs.files.lab_files import LabFiles
from bgpsim.lab.base import Lab
from bgpsim.model import Prediction, outcomes, predict
from bgpsim.network.state import NetworkState, sharing_tables
from bgpsim.observe import observe
from bgpsim.observe.settle import Settled, wait_settled
from bgpsim.observe.speakers import Begun, since
from bgpsim.observe.traceroute import counts
from bgpsim.report import assemble
from bgpsim.report import document as doc
from bgpsim.scenario import quiet
from bgpsim.scenario.recording import (
    Listener,
    Outcome,
    Record,
    change_of,
    evaluated,
    judge_lab,
    lab_part,
    names_up_to,
    note_prediction,
    outcome,
)
from bgpsim.scenario.timeline import (
    Action,
    Announce,
    AnnounceTable,
    Apply,
    Delete,
    Execute,
    Scenario,
    SetInterface,
    Step,
    Withdraw,
    WithdrawTable,
)
from bgpsim.scenario.verdicts import FAIL, INCONCLUSIVE, INTERRUPTED, PASS, verdict_of

SETTLE_TIMEOUT = 90.0
"""Seconds; the longest wait that is normal is a hold time of 9 s and GoBGP's random dial of up to 9 s."""


def run(
    scenario: Scenario,
    make_lab: Callable[[LabFiles], Lab],
    listener: Listener,
    *,
    strict: bool = False,
    timeout: float = SETTLE_TIMEOUT,
) -> Outcome:
    """The whole timeline on a lab. `strict`: an `exec` line that failed makes it inconclusive."""
    record = Record(scenario, strict)
    listener.scenario(scenario.name, scenario.file)
    try:
        # The model works while the lab comes up: they share nothing but the input files.
        with ThreadPoolExecutor(1, thread_name_prefix="predict") as pool:
            predicting = pool.submit(_predict_all, scenario)
            _drive(record, make_lab, predicting.result, listener, timeout)
    except (Exception, KeyboardInterrupt) as error:
        record.fails(error)
    judge_lab(record)
    return outcome(record, listener)


def _predict_all(scenario: Scenario) -> list[Prediction]:
    predictions: list[Prediction] = []
    for step in scenario.steps:
        before = predictions[-1].state if predictions else None
        predictions.append(predict(step.network, before, step.flows))
    return predictions


def _drive(
    record: Record,
    make_lab: Callable[[LabFiles], Lab],
    predictions: Callable[[], list[Prediction]],
    listener: Listener,
    timeout: float,
) -> None:
    lab = make_lab(record.scenario.files)
    try:
        with listener.working("starting the lab") as tell:
            lab.bring_up(tell)
        record.bring_up = time.monotonic() - record.started
        record.facts = lab.facts
        listener.lab(lab_part(record), record.bring_up)
        before: NetworkState | None = None
        as_assumed = True
        for number, (step, assumed) in enumerate(zip(record.scenario.steps, predictions(), strict=True)):
            prediction = assumed if as_assumed else predict(step.network, before, step.flows)
            note_prediction(record, step, prediction)
            with listener.working(f"step “{step.name}”") as tell:
                part = _step(record, lab, number, timeout, tell, before, prediction)
            as_assumed = as_assumed and record.predicted[step.name] is prediction.state
            before = record.predicted[step.name]
            record.steps.append(part)
            listener.step(part)
    finally:
        record.facts = lab.facts
        lab.close()


def _step(
    record: Record,
    lab: Lab,
    number: int,
    timeout: float,
    tell: Callable[[str], None],
    before: NetworkState | None,
    prediction: Prediction,
) -> doc.StepPart:
    step = record.scenario.steps[number]
    start = time.monotonic()
    begun = Begun.now(lab.agent, lab.devices, earlier=start - record.started if number == 0 else 0.0)
    done: list[str] = []
    try:
        for action in step.actions:
            tell(f"step “{step.name}”: {action}")
            done.append(str(action))
            _act(record, lab, action)
        lab.check_alive()
        tell(f"step “{step.name}”: waiting until nothing moves")
        settled = wait_settled(lab.agent, lab.devices, quiet=_quiet(record.scenario, number), timeout=timeout)
        settled_at = time.monotonic() - record.started
        lab.check_alive()
        tell(f"step “{step.name}”: reading tables, sending packets")
        observed = observe(lab.agent, lab.devices, step.flows)
        told = since(lab.agent, begun)
        lab.check_alive()
    except (Exception, KeyboardInterrupt) as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        verdict = verdict_of(INTERRUPTED if interrupted else INCONCLUSIVE)
        record.steps.append(doc.StepPart(name=step.name, verdict=verdict, settled=None, actions=done))
        if isinstance(error, LabError):
            lab.check_alive()  # a daemon that is gone explains more than the call that it did not answer
        raise
    if number:
        # What did not change is kept once, whatever many steps there are.
        observed = sharing_tables(observed, record.observed[record.scenario.steps[number - 1].name])
    record.observed[step.name] = observed
    possible, seen = _outcome_seen(step, before, prediction, observed)
    record.predicted[step.name] = possible[seen].state
    part = _found(record, number, done, settled)
    part.volatile["seconds"] = time.monotonic() - start
    part.volatile["settling"] = {"seconds": settled.seconds, "quiet": settled.quiet, "at": settled_at}
    part.volatile["cross_check"] = counts(observed)
    part.volatile.update(told)
    if len(possible) > 1:
        part.outcomes = assemble.outcomes([one.state for one in possible], [tie.table for tie in prediction.ties])
        part.volatile["outcome"] = part.outcomes[seen].id
    return part


def _outcome_seen(
    step: Step, before: NetworkState | None, prediction: Prediction, observed: NetworkState
) -> tuple[tuple[Prediction, ...], int]:
    """All outcomes that BGP leaves open, and which of them explains all that was seen; the assumed one if none does."""
    possible = outcomes(step.network, before, step.flows) if prediction.ties else (prediction,)
    agreeing = (n for n, one in enumerate(possible) if compare(one.state, observed).agrees)
    return possible, next(agreeing, 0)


def _act(record: Record, lab: Lab, action: Action) -> None:
    match action:
        case Apply(manifest):
            lab.apply(manifest)
        case Delete(manifest):
            lab.delete(manifest)
        case SetInterface(device, interface, up):
            lab.set_interface(device, interface, up=up)
        case Withdraw(announcement):
            lab.withdraw(announcement)
        case Announce(announcement):
            lab.announce(announcement)
        case WithdrawTable(table):
            lab.withdraw_table(table)
        case AnnounceTable(table):
            lab.announce_table(table)
        case Execute():
            result = lab.execute(action.container, action.command, action.source)
            if result.exit_code != 0:
                record.failures.append(result)


def _quiet(scenario: Scenario, number: int) -> float:
    lines = [action.command for action in scenario.steps[number].actions if isinstance(action, Execute)]
    if number == 0:
        lines += [line.text for node in scenario.files.topology.nodes.values() for line in node.exec]
    return quiet.window(lines)


def _found(record: Record, number: int, done: list[str], settled: Settled) -> doc.StepPart:
    step, names = record.scenario.steps[number], names_up_to(record, number)
    predicted, observed = record.predicted[step.name], record.observed[step.name]
    comparison = compare(predicted, observed)
    told = assemble.gathered_mismatches(comparison.mismatches)
    results = evaluated(step, record.observed, names)
    code = PASS if comparison.agrees and all(r.holds for r in results) else FAIL
    for plane, result in comparison.planes.items():
        if result.status == "not_observed" or result.not_observed:
            code = INCONCLUSIVE
            what = "nothing" if result.status == "not_observed" else "not all"
            message = f"step “{step.name}”: {what} of the {plane} plane could be read: {result.because}"
            record.doubts(doc.ErrorPart(kind="not-observed", message=message))
    if settled.how != "quiet":
        code = INCONCLUSIVE
        record.doubts(
            doc.ErrorPart(kind="not-settled", message=f"step “{step.name}” did not settle: {settled.because}")
        )
    return doc.StepPart(
        name=step.name,
        verdict=verdict_of(code),
        settled=doc.Settled(how=settled.how, because=settled.because),
        sessions=assemble.sessions(predicted, observed),
        planes=assemble.planes(comparison),
        mismatches=assemble.mismatches(told.listed),
        mismatch_groups=assemble.mismatch_groups(told.groups),
        mismatches_left_out=told.left_out,
        reachability=assemble.reachability(predicted, observed),
        diff=change_of(record, names),
        expectations=assemble.expectations(results),
        actions=done,
        volatile={"session_words": _words(observed)},
    )


def _words(observed: NetworkState) -> dict[str, str]:
    """The router's own word for each session's state; it alternates (Idle, Active, Connect)."""
    return {f"{key.device} {key.neighbor}": s.word for key, s in sorted(observed.sessions.items()) if s.word}
