"""`probe: continuous` of a step: which pairs are measured, and what follows from the measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bgpsim.check.losses import agrees, void
from bgpsim.model.losses import Moment, losses
from bgpsim.network.description import Network
from bgpsim.network.loss import LossPrediction, Measurement
from bgpsim.network.state import FlowKey, NetworkState
from bgpsim.report import document as doc
from bgpsim.report import probe_parts as parts
from bgpsim.report.probes import measured_part
from bgpsim.scenario.reading.endpoints import all_pairs
from bgpsim.scenario.timeline import Continuous, Execute, Step

MOST_PAIRS = 12
"""Measured where the scenario names none."""
_CANDIDATES = 500
"""Pairs that are looked at for those."""
_FIRST: Mapping[str, int] = {"must": 0, "may": 1, "none": 2}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured. `predicted`: also of the control pair."""

    asked: Continuous
    flows: tuple[FlowKey, ...]
    of: int
    control: FlowKey
    chosen: str
    """Why that control pair."""
    predicted: Mapping[FlowKey, LossPrediction]


def plan(step: Step, before: Moment | None, state: NetworkState) -> Plan | None:
    """None where the step asks for no stream, or has nobody to send."""
    asked = step.probe.continuous
    every = all_pairs(step.network)
    if asked is None or not (asked.flows or every):
        return None
    told = () if asked.flows is None else asked.flows
    candidates = every[:_CANDIDATES]
    wanted = tuple(dict.fromkeys((*told, *candidates, *([asked.control] if asked.control else []))))
    predicted = predict(step, before, state, wanted)
    flows = told or tuple(sorted(sorted(candidates, key=lambda f: _FIRST[predicted[f].loss])[:MOST_PAIRS]))
    control, chosen = _control(asked, candidates, predicted, state, step.network, flows[0])
    if control not in predicted:
        predicted = {**predicted, **predict(step, before, state, (control,))}
    return Plan(asked, flows, len(told or every), control, chosen, predicted)


def predict(
    step: Step, before: Moment | None, state: NetworkState, flows: Sequence[FlowKey]
) -> dict[FlowKey, LossPrediction]:
    asked = step.probe.continuous
    assert asked is not None
    typed = any(isinstance(action, Execute) for action in step.actions)
    outside = "what the step types on a device is outside the model" if typed else None
    return losses(before, Moment(step.network, state), flows, interval=asked.interval, outside=outside)


def _control(
    asked: Continuous,
    candidates: Sequence[FlowKey],
    predicted: Mapping[FlowKey, LossPrediction],
    state: NetworkState,
    network: Network,
    first: FlowKey,
) -> tuple[FlowKey, str]:
    """The longest way that nothing touches; else a way that hardly leaves the sender."""
    if asked.control is not None:
        return asked.control, "the scenario names it"
    untouched = [flow for flow in candidates if predicted[flow].loss == "none" and flow in state.forwarding]
    if untouched:
        length = {flow: max(len(path.hops) for path in state.forwarding[flow].paths) for flow in untouched}
        return min(untouched, key=lambda flow: (-length[flow], flow)), "nothing on its way is touched"
    sender = next(e for e in network.endpoints if e.id == first.source)
    node = network.devices[sender.device].node
    at = next((e for e in network.endpoints if e.device == node), sender)
    version = next(a.version for a in sender.addresses if str(a) == first.source_address)
    target = next((a for a in at.addresses if a.version == version), None)
    if target is None or at is sender:
        return first._replace(target=sender.id, target_address=first.source_address), "it does not leave its sender"
    return first._replace(target=at.id, target_address=str(target)), "it ends at the sender's own node"


@dataclass(frozen=True, slots=True)
class Finding:
    """What follows from a measurement, and how it is told."""

    part: parts.ContinuousPart
    volatile: dict[str, object]
    expectation: doc.ExpectationPart | None

    @property
    def void(self) -> str | None:
        return self.part.void

    @property
    def holds(self) -> bool:
        met = self.expectation is None or self.expectation.verdict == "pass"
        return met and all(pair.agrees is not False for pair in self.part.pairs)


def finding(planned: Plan, step: Step, before: Moment | None, state: NetworkState, measured: Measurement) -> Finding:
    """`state`: the outcome that was seen, which may be another than the one that the plan was made for."""
    predicted = predict(step, before, state, planned.flows)
    why_void = void(measured)
    part = predicted_part(planned, predicted)
    for row, flow in zip(part.pairs, planned.flows, strict=True):
        row.agrees = None if why_void else agrees(predicted[flow], measured.pairs[flow])
    part.void = why_void
    return Finding(part, measured_part(measured, planned.flows), _bound(planned, measured, why_void))


def predicted_part(planned: Plan, predicted: Mapping[FlowKey, LossPrediction]) -> parts.ContinuousPart:
    """Without a measurement, as `plan` shows it."""
    control = planned.control
    return parts.ContinuousPart(
        interval_ms=round(1000 * planned.asked.interval, 3),
        of=planned.of,
        pairs=[
            parts.LossPart.model_validate(
                {
                    **_ends(flow),
                    "predicted": parts.PredictedLossPart(
                        loss=predicted[flow].loss, recovers=predicted[flow].recovers, because=predicted[flow].because
                    ),
                    "agrees": None,
                }
            )
            for flow in planned.flows
        ],
        control=parts.ControlPart.model_validate({**_ends(control), "because": planned.chosen}),
    )


def _ends(flow: FlowKey) -> dict[str, object]:
    return {"from": flow.source, "to": flow.target, "address": flow.target_address}


def _bound(planned: Plan, measured: Measurement, why_void: str | None) -> doc.ExpectationPart | None:
    bound = planned.asked.at_most
    if bound is None:
        return None
    text = f"each pair loses at most {round(1000 * bound)} ms"
    if why_void is not None:
        return doc.ExpectationPart(text=text, verdict="inconclusive", seen="the measurement is void")
    worst = max(planned.flows, key=lambda flow: measured.pairs[flow].lost_seconds)
    over = [flow for flow in planned.flows if measured.pairs[flow].lost_seconds > bound]
    most = round(1000 * measured.pairs[worst].lost_seconds)
    figures = f"most: {most} ms, {worst.source} → {worst.target}" + (f"; {len(over)} pairs over it" if over else "")
    return doc.ExpectationPart(
        text=text,
        verdict="fail" if over else "pass",
        seen="some pairs lose more" if over else f"so do all {len(planned.flows)} pairs",
        volatile=doc.ExpectationVolatile(seen=figures),
    )
