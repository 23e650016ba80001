"""`probe: {sizes: …}` of a step: packets that must not be fragmented, once it has settled, against the model."""

from __future__ import annotations

from collections.abc import Mapping

from bgpsim.model.losses import Moment
from bgpsim.model.sizes import sizes
from bgpsim.network.sizes import SizeFate, SizeKey
from bgpsim.network.state import NetworkState
from bgpsim.report import probe_parts as parts
from bgpsim.scenario.timeline import Step


def size_parts(step: Step, state: NetworkState, observed: Mapping[SizeKey, SizeFate] | None) -> list[parts.SizePart]:
    """A row per flow and size, in that order. `observed` None: a plan."""
    predicted = sizes(Moment(step.network, state), step.flows, step.probe.sizes)
    return [
        _row(key, fates, None if observed is None else observed.get(key)) for key, fates in sorted(predicted.items())
    ]


def _row(key: SizeKey, fates: tuple[SizeFate, ...], seen: SizeFate | None) -> parts.SizePart:
    told = None if seen is None else parts.SizeFatePart(outcome=seen.outcome, at=seen.at)
    chosen = len(fates) > 1 and seen in fates
    return parts.SizePart.model_validate(
        {
            "from": key.flow.source,
            "to": key.flow.target,
            "address": key.flow.target_address,
            "size": key.size,
            "predicted": [parts.SizeFatePart(outcome=fate.outcome, at=fate.at) for fate in fates],
            "observed": None if chosen else told,
            "agrees": None if seen is None else seen in fates,
            "volatile": parts.SizeVolatile(observed=told if chosen else None),
        }
    )
