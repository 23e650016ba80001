"""The outcomes that BGP leaves open: whole states, one for each order in which equal paths may have arrived.

FRR keeps the external path that came first (bgpd/bgp_route.c, bgp_path_info_cmp), and where two come at once nobody
can say which that is. Each tie is tried with each of its paths, with all that follows from it elsewhere. Where a step
acts on an event (`at:`), the routers may have come to rest before it did, or not: both are tried.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bgpsim.model.prediction import Prediction, in_haste, predict
from bgpsim.network.description import Network
from bgpsim.network.state import FlowKey, NetworkState, PathKey

MOST = 32
"""So many states are computed at most: ties that do not touch each other multiply."""


def outcomes(
    network: Network, before: NetworkState | None, flows: Sequence[FlowKey], *, most: int = MOST
) -> tuple[Prediction, ...]:
    """Every outcome, the one that `predict` assumes first; that one alone where nothing is open."""
    found: dict[tuple[bool, frozenset[PathKey]], Prediction] = {}
    hasty = in_haste(network)
    waiting: list[tuple[bool, frozenset[PathKey]]] = [(False, frozenset())]
    if hasty is not None:
        waiting.append((True, frozenset()))
    while waiting and len(found) < most:
        haste, arrived = waiting.pop(0)
        if (haste, arrived) in found:
            continue
        prediction = predict(hasty if haste and hasty else network, before, flows, arrived=arrived)
        found[haste, arrived] = prediction
        for tie in prediction.ties:
            # The first one is assumed already.
            waiting += [(haste, arrived | {path}) for path in tie.paths[1:]]
    distinct: list[Prediction] = []
    for prediction in found.values():
        if all(prediction.state != other.state for other in distinct):
            distinct.append(prediction)
    return tuple(distinct)


def outcome_with(
    network: Network, before: NetworkState | None, flows: Sequence[FlowKey], best: Collection[PathKey]
) -> tuple[Prediction, ...]:
    """The outcome in which every tie falls to the path that is among `best`, where one of its paths is: one for each
    haste. Ties of many destinations multiply beyond what can be tried; which of them came about can be seen.
    """
    hasty = in_haste(network)
    found = []
    for one in (network,) if hasty is None else (network, hasty):
        arrived: frozenset[PathKey] = frozenset()
        prediction = predict(one, before, flows)
        while more := {path for tie in prediction.ties for path in tie.paths if path in best} - arrived:
            arrived |= more
            prediction = predict(one, before, flows, arrived=arrived)
        found.append(prediction)
    return tuple(found)
