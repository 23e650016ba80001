"""Each statement about a session changes the prediction, and those that a router refuses are predicted as refused."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_interface
from pathlib import Path

import pytest

from bgpsim.inputs.commands import VtyLine
from bgpsim.inputs.frr.reader import FrrReader
from bgpsim.model.prediction import predict
from bgpsim.network.description import BgpInstance, Device, Interface, InterfaceRef, Network, Segment
from bgpsim.network.state import NetworkState
from bgpsim.source import Source

sys.path.append(str(Path(__file__).parents[2] / "lab"))
from session_cases import CASES, REFUSED, Case, lines


def reader(statements: str, asn: int) -> FrrReader:
    made = FrrReader("r", allow_refused=True)
    said = ["configure terminal", "frr defaults datacenter", f"router bgp {asn}", *statements.splitlines()]
    made.read([VtyLine(line.strip(), Source("f", n, line.strip())) for n, line in enumerate(said, 1)], "typed")
    return made


def network(case: Case, keep: Callable[[str], bool] = lambda line: True) -> Network:
    devices = {}
    for end, name in enumerate("ab"):
        said = lines(case, end, f"10.0.1.{2 - end}").splitlines()
        text = "\n".join(line for line in said if end or keep(line))
        instance = reader(text, case.asn[end]).instance()
        assert isinstance(instance, BgpInstance)
        loopbacks = tuple(ip_interface(f"10.{net}.1.{end + 1}/32") for net in (254, 255))
        net0 = Interface("net0", (ip_interface(f"10.0.1.{end + 1}/24"),))
        devices[name] = Device(name, "router", (Interface("lo", loopbacks), net0), bgp=instance)
    link = Segment((InterfaceRef("a", "net0"), InterfaceRef("b", "net0")))
    return Network("two", devices, (link,))


def predicted(case: Case, keep: Callable[[str], bool] = lambda line: True) -> NetworkState:
    return predict(network(case, keep), None, ()).state


def facts(state: NetworkState) -> object:
    states = {key: (s.state, s.type, s.families) for key, s in state.sessions.items()}
    paths = {key: (path.attributes, path.best) for key, path in state.paths.items()}
    return states, paths, state.wire


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_session_stands_or_not(case: Case) -> None:
    up = {session.state for key, session in predicted(case).sessions.items() if key.device == "b"}
    assert up == {"Established" if case.up else "Down"}


@pytest.mark.parametrize("case", [case for case in CASES if case.shows], ids=lambda case: case.name)
def test_without_the_statement_something_is_otherwise(case: Case) -> None:
    kept = predicted(case, lambda line: case.shows not in line)
    assert facts(kept) != facts(predicted(case))


@pytest.mark.parametrize("case", REFUSED[:-1], ids=lambda case: case.name)
def test_a_router_refuses_the_last_line(case: Case) -> None:
    last = lines(case, 0, "10.0.1.2").splitlines()[-1]
    assert [refusal.source.text for refusal in reader(lines(case, 0, "10.0.1.2"), 65001).refusals] == [last]


def test_a_new_session_stands_with_one_prefix_more_than_its_limit() -> None:
    """Three prefixes come: a new session stands with one more than its limit, and not with two."""
    edge = next(case for case in REFUSED if case.name == "edge")
    assert {s.state for s in predicted(edge).sessions.values()} == {"Established"}
    assert {s.state for s in predicted(replace(edge, a=edge.a.replace(" 2", " 1"))).sessions.values()} == {"Down"}


def test_more_dynamic_neighbors_than_the_limit_are_an_open_outcome() -> None:
    listen = next(case for case in CASES if case.name == "listen")
    devices = dict(network(listen).devices)
    instance = devices["a"].bgp
    assert instance is not None
    for limit, told in ((1, []), (0, ["1 dynamic neighbors, and a listen limit of 0"])):
        devices["a"] = replace(devices["a"], bgp=replace(instance, listen_limit=limit))
        prediction = predict(replace(network(listen), devices=devices), None, ())
        assert [open_end.text for open_end in prediction.unmodelled] == told
