"""States of many steps: as they were, whichever is asked for, and the older ones small."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bgpsim.model import predict
from bgpsim.network.state import NetworkState
from bgpsim.scenario.older_states import WHOLE, OlderStates
from bgpsim.scenario.playing.recording import Past
from bgpsim.scenario.reading.loading import load

SCENARIO = Path(__file__).parents[3] / "scenarios" / "cilium-bgp" / "scenario.yaml"


@pytest.fixture(scope="module")
def predicted() -> list[NetworkState]:
    states: list[NetworkState] = []
    for step in load(SCENARIO, "scenario.yaml").steps:
        states.append(predict(step.network, states[-1] if states else None, step.flows).state)
    return states


def test_each_is_as_it_was(predicted: list[NetworkState]) -> None:
    kept = OlderStates()
    for number, state in enumerate(predicted):
        kept[str(number)] = state
        assert kept[str(number)] is state
    assert len(predicted) > WHOLE
    assert len(kept) == len(predicted)
    assert list(kept) == [str(number) for number in range(len(predicted))]
    for number, state in enumerate(predicted):
        assert kept[str(number)] == state
        assert type(kept[str(number)]) is type(state)
    assert "0" in kept
    assert kept.get("no such step") is None
    with pytest.raises(KeyError):
        kept["no such step"]


def test_a_name_that_comes_again(predicted: list[NetworkState]) -> None:
    past = Past(predicted=OlderStates(), observed=OlderStates())
    for name, state in zip("abcdea", predicted, strict=False):
        past.begin(name)
        past.predicted[name] = past.observed[name] = state
    assert past.names == ["a (before)", "b", "c", "d", "e", "a"]
    for name, state in zip(past.names, predicted, strict=False):
        assert past.predicted[name] == past.observed[name] == state
    assert past.before is predicted[5]


def test_an_older_one_is_small(predicted: list[NetworkState]) -> None:
    kept = OlderStates()
    for number in range(WHOLE + 1):
        kept[str(number)] = predicted[-1]
    (packed,) = kept._packed.values()
    assert sys.getsizeof(packed) < 60_000
