"""One scenario, driven: each step predicted, the lab taken through the same steps, and what both say compared.

Errors of bgpsim, a lab that broke and an interrupt are part of what `run` returns and never raised, so that the
report so far is always there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bgpsim.check.compare import compare
from bgpsim.errors import LabError
from bgpsim.inputs.files.binds import configuration_lines
from bgpsim.inputs.files.lab_files import LabFiles
from bgpsim.lab.base import Lab
from bgpsim.model import Prediction, outcome_with, outcomes, predict
from bgpsim.network.state import NetworkState, sharing_tables
from bgpsim.observe import observe
from bgpsim.observe.settle import Settled, wait_settled
from bgpsim.observe.speakers import Begun, since
from bgpsim.observe.traceroute import counts
from bgpsim.report import assemble
from bgpsim.report import document as doc
from bgpsim.report.masking import masked_part
from bgpsim.scenario.playing import probing, quiet
from bgpsim.scenario.playing.reactions import Watch, watching
from bgpsim.scenario.playing.recording import (
    Listener,
    Outcome,
    Record,
    change_of,
    evaluated,
    gather_evidence,
    judge_lab,
    lab_part,
    note_prediction,
    outcome,
)
from bgpsim.scenario.playing.verdicts import FAIL, INCONCLUSIVE, INTERRUPTED, PASS, verdict_of
from bgpsim.scenario.timeline import (
    Action,
    Announce,
    AnnounceTable,
    Apply,
    AwaitEvent,
    Configure,
    Delete,
    Execute,
    Impair,
    Scenario,
    SetInterface,
    SetNode,
    SetSession,
    Silence,
    Step,
    Withdraw,
    WithdrawTable,
)

SETTLE_TIMEOUT = 90.0
"""Seconds; the longest wait that is normal is a hold time of 9 s and GoBGP's random dial of up to 9 s."""


def run(
    scenario: Scenario,
    make_lab: Callable[[LabFiles], Lab],
    listener: Listener,
    *,
    strict: bool = False,
    timeout: float = SETTLE_TIMEOUT,
    bundle: Path | None = None,
    bundled: bool = False,
) -> Outcome:
    """The whole timeline on a lab. `strict`: an `exec` line that failed makes it inconclusive.

    A run that is inconclusive leaves a bundle, and with `bundled` any run does: in the folder `bundle`, or among the
    temporary files.
    """
    record = Record(scenario, strict, bundle=bundle, bundled=bundled)
    listener.scenario(scenario.name, scenario.file)
    try:
        _drive(record, make_lab, lambda: _predict_all(scenario), listener, timeout)
    except (Exception, KeyboardInterrupt) as error:
        record.fails(error)
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
        bring_up(record, lab, listener)
        # Predicted only now: until here the exec lines want the processor, and from here on the routers wait for their
        # timers.
        play(record, lab, listener, predictions(), timeout)
    except (Exception, KeyboardInterrupt) as error:
        record.fails(error)
    finally:
        record.facts = lab.facts
        judge_lab(record)
        gather_evidence(record, lab)
        lab.close()


def bring_up(record: Record, lab: Lab, listener: Listener) -> None:
    with listener.working("starting the lab") as tell:
        lab.bring_up(tell)
    record.bring_up = time.monotonic() - record.started
    record.facts = lab.facts
    listener.lab(lab_part(record), record.bring_up)


def play(
    record: Record,
    lab: Lab,
    listener: Listener,
    predictions: Sequence[Prediction] = (),
    timeout: float = SETTLE_TIMEOUT,
    wanted: Callable[[], bool] = lambda: True,
    ended: Callable[[Step, doc.StepPart], None] = lambda step, part: None,
) -> None:
    """Take the lab through the record's steps, from where its past ends.

    `predictions`: of the steps in order, made under the assumption that each open choice falls as the model assumes;
    where one does not, or none are given, a step is predicted when it begins. `wanted` is asked before each step,
    `ended` told after it.
    """
    as_assumed = bool(predictions)
    for number, step in enumerate(record.scenario.steps):
        if not wanted():
            raise KeyboardInterrupt
        first, before = not record.past.names, record.past.before
        prediction = predictions[number] if as_assumed else predict(step.network, before, step.flows)
        note_prediction(record, step, prediction)
        with listener.working(f"step “{step.name}”") as tell:
            part = _step(record, lab, step, timeout, tell, before, prediction, first=first)
        as_assumed = as_assumed and record.past.predicted[step.name] is prediction.state
        part = masked_part(part)
        record.steps.append(part)
        ended(step, part)
        listener.step(part)


def _step(
    record: Record,
    lab: Lab,
    step: Step,
    timeout: float,
    tell: Callable[[str], None],
    before: NetworkState | None,
    prediction: Prediction,
    *,
    first: bool,
) -> doc.StepPart:
    """`first`: the lab has just come up; what its exec lines began belongs to this step."""
    start = time.monotonic()
    begun = Begun.now(lab.agent, lab.devices, earlier=start - record.started if first else 0.0)
    done: list[str] = []
    try:
        probing_begun = probing.begin(lab, step, probing.moment_before(record, before), prediction.state)
        with watching(lab.agent, step.actions) as watch:
            for action in step.actions:
                tell(f"step “{step.name}”: {action}")
                done.append(str(action))
                _act(record, lab, action, watch)
        lab.check_alive()
        tell(f"step “{step.name}”: waiting until nothing moves")
        settled = wait_settled(lab.agent, lab.devices, quiet=_quiet(record.scenario, step, first), timeout=timeout)
        settled_at = time.monotonic() - record.started
        lab.check_alive()
        probed = probing.end(lab, probing_begun)
        tell(f"step “{step.name}”: reading tables, sending packets")
        observed = observe(lab.agent, lab.devices, step.flows)
        told = since(lab.agent, begun)
        lab.check_alive()
    except (Exception, KeyboardInterrupt) as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        verdict = verdict_of(INTERRUPTED if interrupted else INCONCLUSIVE)
        record.steps.append(doc.StepPart(name=step.name, verdict=verdict, settled=None, actions=done))
        probing.abandon(lab, step)
        if isinstance(error, LabError):
            lab.check_alive()  # a daemon that is gone explains more than the call that it did not answer
        raise
    if record.past.observed_before is not None:
        # What did not change is kept once, whatever many steps there are.
        observed = sharing_tables(observed, record.past.observed_before)
    record.past.observed[step.name] = observed
    possible, seen = _outcome_seen(step, before, prediction, observed)
    record.past.predicted[step.name] = possible[seen].state
    part = _found(record, step, done, settled)
    probing.tell(record, part, probed, possible[seen].state)
    part.volatile["seconds"] = time.monotonic() - start
    part.volatile["settling"] = {"seconds": settled.seconds, "quiet": settled.quiet, "at": settled_at}
    part.volatile["cross_check"] = counts(observed)
    if watch.told:
        part.volatile["events"] = watch.told
    part.volatile.update(told)
    if len(possible) > 1:
        part.outcomes = assemble.outcomes([one.state for one in possible], [tie.table for tie in prediction.ties])
        part.volatile["outcome"] = part.outcomes[seen].id
    return part


def _outcome_seen(
    step: Step, before: NetworkState | None, prediction: Prediction, observed: NetworkState
) -> tuple[tuple[Prediction, ...], int]:
    """The outcomes that BGP leaves open, and which of them explains all that was seen. Where none does, the one that
    comes nearest: with every tie as it was seen to fall."""
    if not prediction.is_open:
        return (prediction,), 0
    possible = outcomes(step.network, before, step.flows)
    for number, one in enumerate(possible):
        if compare(one.state, observed).agrees:
            return possible, number
    best = frozenset(key for key, path in observed.paths.items() if path.best)
    nearest = min(
        (*outcome_with(step.network, before, step.flows, best), *possible),
        key=lambda one: len(compare(one.state, observed).mismatches),
    )
    known = next((n for n, one in enumerate(possible) if one.state == nearest.state), None)
    return (possible, known) if known is not None else ((*possible, nearest), len(possible))


def _act(record: Record, lab: Lab, action: Action, watch: Watch) -> None:
    match action:
        case Apply(manifest):
            lab.apply(manifest)
        case Delete(manifest):
            lab.delete(manifest)
        case SetInterface(device, interface, up):
            lab.set_interface(device, interface, up=up)
        case Silence(device, interface):
            lab.silence(device, interface)
        case Impair(device, interface, impairment, both):
            lab.impair(device, interface, impairment, both=both)
        case SetNode(device, up):
            lab.set_node(device, up=up)
        case SetSession(device, neighbor, up, source):
            lab.set_session(device, neighbor, source, up=up)
        case Configure(typed):
            lab.configure(typed)
        case AwaitEvent(event):
            watch.wait_for(event)
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


def _quiet(scenario: Scenario, step: Step, first: bool) -> float:
    lines = [action.command for action in step.actions if isinstance(action, Execute)]
    typed = [action.typed for action in step.actions if isinstance(action, Configure)]
    lines += [line.text for one in typed for line in one.lines]
    if first:
        lines += [line.text for node in scenario.files.topology.nodes.values() for line in node.exec]
        lines += [line for node in scenario.files.topology.nodes.values() for line in configuration_lines(node.binds)]
    return quiet.window(lines)


def _found(record: Record, step: Step, done: list[str], settled: Settled) -> doc.StepPart:
    past = record.past
    predicted, observed = past.predicted[step.name], past.observed[step.name]
    comparison = compare(predicted, observed)
    told = assemble.gathered_mismatches(comparison.mismatches)
    results = evaluated(step, past.observed, past.names)
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
        diff=change_of(record),
        expectations=assemble.expectations(results),
        actions=done,
        volatile={"session_words": _words(observed)},
    )


def _words(observed: NetworkState) -> dict[str, str]:
    """The router's own word for each session's state; it alternates (Idle, Active, Connect)."""
    return {f"{key.device} {key.neighbor}": s.word for key, s in sorted(observed.sessions.items()) if s.word}
