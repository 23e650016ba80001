"""Which of the outcomes that BGP leaves open was seen: one of each component must explain all its facts."""

from __future__ import annotations

from dataclasses import dataclass, field

from bgpsim.check.compare import compare
from bgpsim.model import Prediction, outcome_with, outcomes, outcomes_by_component
from bgpsim.network.state import NetworkState
from bgpsim.report import assemble
from bgpsim.report import document as doc
from bgpsim.scenario.timeline import Step


@dataclass(frozen=True, slots=True)
class Seen:
    """`state`: as predicted for what was seen; the assumed one where nothing explains it."""

    state: NetworkState
    told: list[doc.OutcomePart] = field(default_factory=list)
    """All that were possible; none where there was one."""
    outcome: str | None = None
    """The ids of those that were seen, joined."""


def outcome_seen(step: Step, before: NetworkState | None, assumed: Prediction, observed: NetworkState) -> Seen:
    if not assumed.is_open:
        return Seen(assumed.state)
    if assumed.hurried:
        return _whole(step, before, assumed, observed)
    possible = outcomes_by_component(step.network, before, step.flows, assumed)
    picks = []
    told: list[doc.OutcomePart] = []
    ids = []
    for number, component in enumerate(possible.components, start=1):
        part = component.part_of(observed)
        agreeing = (n for n, one in enumerate(component.alternatives) if compare(one.state, part).agrees)
        picks.append(next(agreeing, 0))
        states = [alternative.state for alternative in component.alternatives]
        parts = assemble.outcomes(states, [tie.table for tie in component.ties])
        if len(possible.components) > 1:
            parts = [doc.OutcomePart(id=f"{number}.{of.id}", facts=of.facts) for of in parts]
        told += parts
        ids.append(parts[picks[-1]].id)
    if not picks:
        return Seen(assumed.state)
    return Seen(_nearest(step, before, possible.chosen(picks), observed), told, " ".join(ids))


def _nearest(step: Step, before: NetworkState | None, chosen: Prediction, observed: NetworkState) -> NetworkState:
    """Where the chosen outcomes do not explain all, the one may come nearer in which every tie falls as it was seen to
    fall."""
    if compare(chosen.state, observed).agrees:
        return chosen.state
    best = frozenset(key for key, path in observed.paths.items() if path.best)
    tried = (chosen, *outcome_with(step.network, before, step.flows, best))
    return min(tried, key=lambda one: len(compare(one.state, observed).mismatches)).state


def _whole(step: Step, before: NetworkState | None, assumed: Prediction, observed: NetworkState) -> Seen:
    """How far the routers had come decides: that touches everything."""
    possible = outcomes(step.network, before, step.flows)
    if len(possible) < 2:
        return Seen(possible[0].state)
    seen = next((n for n, one in enumerate(possible) if compare(one.state, observed).agrees), 0)
    told = assemble.outcomes([one.state for one in possible], [tie.table for tie in assumed.ties])
    return Seen(possible[seen].state, told, told[seen].id)
