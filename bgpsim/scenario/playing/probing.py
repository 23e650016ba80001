"""A step's `probe:` around the step: `begin` before its first action, `end` once it has settled, then `tell`."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

from bgpsim.errors import LabError
from bgpsim.lab.base import Lab
from bgpsim.model.losses import Moment
from bgpsim.network.loss import Measurement
from bgpsim.network.sizes import SizeFate, SizeKey
from bgpsim.network.state import NetworkState
from bgpsim.observe import stream
from bgpsim.observe.sizes import read_sizes
from bgpsim.report import document as doc
from bgpsim.report import probe_parts as parts
from bgpsim.scenario.playing import continuous
from bgpsim.scenario.playing.recording import Record
from bgpsim.scenario.playing.sizes import size_parts
from bgpsim.scenario.playing.verdicts import FAIL, INCONCLUSIVE, verdict_of
from bgpsim.scenario.timeline import Step


@dataclass(frozen=True, slots=True)
class Begun:
    step: Step
    before: Moment | None
    planned: continuous.Plan | None
    stream: stream.Stream | None


@dataclass(frozen=True, slots=True)
class Ended:
    begun: Begun
    measured: Measurement | None
    sizes: Mapping[SizeKey, SizeFate]


def moment_before(record: Record, before: NetworkState | None) -> Moment | None:
    """The network of the step before and the state that it came to rest in."""
    network = record.past.network_before
    return None if before is None or network is None else Moment(network, before)


def begin(lab: Lab, step: Step, before: Moment | None, predicted: NetworkState) -> Begun:
    """Returns when the stream, if the step asks for one, is under way."""
    planned = continuous.plan(step, before, predicted)
    if planned is None:
        return Begun(step, before, None, None)
    flows, control, interval = planned.flows, planned.control, planned.asked.interval
    return Begun(step, before, planned, stream.start(lab.agent, lab.devices, flows, control, interval))


def end(lab: Lab, begun: Begun) -> Ended:
    """End the stream, and send what is to be sent at rest."""
    measured = None if begun.stream is None else stream.stop(lab.agent, lab.devices, begun.stream)
    sizes = begun.step.probe.sizes
    seen = read_sizes(lab.agent, lab.devices, begun.step.flows, sizes) if sizes else {}
    return Ended(begun, measured, seen)


def abandon(lab: Lab, step: Step) -> None:
    """The step broke off: its stream, if it has one, must not run into the next."""
    if step.probe.continuous is not None:
        with contextlib.suppress(LabError):
            lab.agent.call("stream.stop")


def tell(record: Record, part: doc.StepPart, ended: Ended, state: NetworkState) -> None:
    """Add to the step's part what was found. `state`: the predicted outcome that was seen."""
    step, planned = ended.begun.step, ended.begun.planned
    found = None
    if planned is not None and ended.measured is not None:
        found = continuous.finding(planned, step, ended.begun.before, state, ended.measured)
        part.volatile["probe"] = found.volatile
        part.expectations += [] if found.expectation is None else [found.expectation]
    rows = size_parts(step, state, ended.sizes) if step.probe.sizes else []
    if found is None and not rows:
        return
    part.probe = parts.ProbePart(continuous=None if found is None else found.part, sizes=rows)
    if found is not None and found.void is not None:
        part.verdict = verdict_of(INCONCLUSIVE)
        message = f"step “{step.name}”: the measurement of losses is void: {found.void}"
        record.doubts(doc.ErrorPart(kind="probe-void", message=message))
    wrong = (found is not None and not found.holds) or any(row.agrees is False for row in rows)
    if wrong and part.verdict == "pass":
        part.verdict = verdict_of(FAIL)


def predicted_part(step: Step, before: Moment | None, state: NetworkState) -> parts.ProbePart | None:
    """The prediction alone, as `plan` shows it."""
    planned = continuous.plan(step, before, state)
    rows = size_parts(step, state, None) if step.probe.sizes else []
    if planned is None and not rows:
        return None
    told = None if planned is None else continuous.predicted_part(planned, planned.predicted)
    return parts.ProbePart(continuous=told, sizes=rows)
