"""Random networks: always the same, always readable, and of every kind."""

import tempfile
from collections import Counter
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import sketches

from bgpsim.check.compare import compare
from bgpsim.fuzz.draws import BEGINNINGS, DRAWS
from bgpsim.fuzz.files import ROUTER_IMAGE, lab_files
from bgpsim.fuzz.generator import MOST_ROUTERS, network
from bgpsim.fuzz.joined import Member, read, together
from bgpsim.fuzz.renaming import prefixed
from bgpsim.fuzz.sessions import STATEMENTS
from bgpsim.fuzz.sketch import Sketch
from bgpsim.model import predict
from bgpsim.network.description import Network
from bgpsim.network.state import NetworkState

MANY = 25


def member(sketch: Sketch) -> Member:
    with tempfile.TemporaryDirectory() as folder:
        return read(sketch, Path(folder), ROUTER_IMAGE)


def played(sketch: Sketch) -> list[NetworkState]:
    states: list[NetworkState] = []
    for step in member(sketch).scenario.steps:
        states.append(predict(step.network, states[-1] if states else None, step.flows).state)
    return states


def test_the_same_seed_and_index_give_the_same_bytes() -> None:
    for index in range(20):
        assert lab_files(network(7, index)) == lab_files(network(7, index))
    assert len({lab_files(network(7, index))["topo.yml"] for index in range(20)}) == 20
    assert lab_files(network(7, 0)) != lab_files(network(8, 0))


def test_fewer_changes_are_the_first_ones() -> None:
    whole, part = network(1, 5, changes=4), network(1, 5, changes=2)
    assert whole.steps[:3] == part.steps
    assert whole.routers == part.routers


@pytest.mark.parametrize("index", range(MANY))
def test_every_network_is_read_and_predicted(index: int) -> None:
    sketch = network(11, index)
    assert 2 <= len(sketch.routers) <= MOST_ROUTERS
    assert len(played(sketch)) == 5
    found = member(sketch).scenario
    known = (*found.files.unmodelled, *(one for step in found.steps for one in step.network.unmodelled))
    listed = [one for one in known if one.effect == "possible"]
    assert not listed


def test_every_family_of_statements_is_drawn() -> None:
    drawn = Counter(statement for index in range(10 * MANY) for statement in network(11, index).statements)
    assert set(drawn) == {"frr defaults", *BEGINNINGS, *DRAWS, *STATEMENTS}
    assert min(drawn.values()) >= 2


def test_every_kind_of_change_is_drawn() -> None:
    keys = Counter(a.key for index in range(2 * MANY) for step in network(11, index).steps[1:] for a in step.actions)
    assert len(keys) == 8


@settings(max_examples=10, deadline=None)
@given(sketches())
def test_a_prefix_before_the_names_alters_nothing_else(sketch: Sketch) -> None:
    plain, named = played(sketch), played(prefixed(sketch, "n9-"))
    for one, other in zip(plain, named, strict=True):
        assert len(one.paths) == len(other.paths)
        assert {("n9-" + key.device, *key[1:]) for key in one.paths} == set(other.paths)
        assert {("n9-" + key.device, *key[1:]) for key in one.fib} == set(other.fib)
        assert [path.best for path in one.paths.values()] == [path.best for path in other.paths.values()]


@settings(max_examples=10, deadline=None)
@given(sketches(), st.randoms(use_true_random=False))
def test_a_prediction_does_not_depend_on_the_order_of_devices(sketch: Sketch, random) -> None:
    found = member(sketch).scenario
    before = shuffled_before = None
    for step in found.steps:
        before = predict(step.network, before, step.flows).state
        other = shuffled(step.network, random)
        shuffled_before = predict(other, shuffled_before, step.flows).state
        assert compare(before, shuffled_before).mismatches == ()


def shuffled(of: Network, random) -> Network:
    names = list(of.devices)
    random.shuffle(names)
    return replace(
        of,
        devices={name: of.devices[name] for name in names},
        interim=tuple(shuffled(passed, random) for passed in of.interim),
    )


def test_networks_of_one_lab_keep_apart() -> None:
    members = [member(prefixed(network(3, index), f"n{index}-")) for index in range(4)]
    files = together(members)
    assert len(files.topology.nodes) == sum(len(one.scenario.files.topology.nodes) for one in members)
    assert len(files.topology.links) == sum(len(one.scenario.files.topology.links) for one in members)
    for one, other in combinations(members, 2):
        assert not one.names & other.names
