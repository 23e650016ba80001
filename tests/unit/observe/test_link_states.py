"""What a lab tells of its links, and what of a probe it explains."""

from __future__ import annotations

from typing import Any

import pytest

from bgpsim.agent.protocol import LabDevice
from bgpsim.network.state import FlowKey
from bgpsim.observe.impairments import LinkStates, read, send_until_through
from bgpsim.observe.path import Observer

FLOW = FlowKey("host:h", "host:g", "10.0.0.1", "10.0.9.1")


def told(device: str, interface: str, **changes: Any) -> dict[str, Any]:
    plain = {"means": "relay", "silent": False, "delay": 0, "jitter": 0, "loss": 0.0, "rate": 0}
    return {"device": device, "interface": interface, **plain, **changes}


def kernel(**changes: Any) -> dict[str, Any]:
    plain = {"kind": "unicast", "interface": "net1", "via": "10.0.1.2", "forwards": True, "carrier": True}
    return {**plain, "neighbor": "REACHABLE", **changes}


def probe(egress: str | None = None, answer: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    made = {"port": 40000, "pair": 0, "visits": [["h", None, "net0"], ["r", "net0", egress]], "looped": False}
    return {**made, "received": None, "refused": None, "errors": [], "resolving": False, "kernel": answer, **changes}


SILENT = LinkStates(silent=frozenset({("r", "net1")}))
LOSSY = LinkStates(lossy={("r", "net1"): 0.01})


def test_what_is_told_is_read() -> None:
    states = read(
        [
            told("a", "net0", delay=20_000, jitter=5_000, loss=1.0),
            told("b", "net0", loss=100.0),
            told("c", "net0", silent=True, loss=3.0, means="relay"),
            told("d", "net0", rate=1000),
        ]
    )
    assert states.silent == {("b", "net0"), ("c", "net0")}
    assert states.lossy == {("a", "net0"): 0.01}
    assert states.delay == pytest.approx(0.025)


@pytest.mark.parametrize(
    ("loss", "tries", "certain"), [(0.0, 1, True), (0.01, 3, True), (0.3, 12, True), (0.6, 12, False)]
)
def test_tries_until_chance_is_ruled_out(loss: float, tries: int, certain: bool) -> None:
    states = LinkStates(lossy={("a", "net0"): loss} if loss else {})
    assert (states.tries, states.certain) == (tries, certain)


@pytest.mark.parametrize(
    ("states", "sent", "takes"),
    [
        (SILENT, probe(answer=kernel()), True),
        (SILENT, probe(answer=kernel(neighbor="FAILED"), errors=[[3, 1]]), True),
        (SILENT, probe("net1"), True),
        (SILENT, probe(answer=kernel(carrier=False)), False),
        (SILENT, probe(answer=kernel(forwards=False)), False),
        (SILENT, probe(answer=kernel(interface="net2")), False),
        (SILENT, probe(answer=kernel(kind="blackhole", interface=None)), False),
        (SILENT, probe(answer=None, received="r"), False),
        (LOSSY, probe(answer=kernel()), True),
        (LOSSY, probe(answer=kernel(neighbor="FAILED")), False),
        (LOSSY, probe(answer=kernel(), errors=[[3, 1]]), False),
        (LinkStates(), probe(answer=kernel()), False),
    ],
)
def test_which_probes_a_link_took(states: LinkStates, sent: dict[str, Any], takes: bool) -> None:
    assert (states.takes(sent) == ("r", "net1")) is takes


def test_a_silent_link_is_a_black_hole_whether_or_not_the_kernel_has_noticed() -> None:
    devices = {name: LabDevice(name, "router", "frr") for name in ("h", "r")}
    observer = Observer(devices, frozenset(), {}, {}, SILENT)
    for answer in (kernel(), kernel(neighbor="FAILED"), kernel(neighbor="INCOMPLETE")):
        path = observer.path(FLOW, probe(answer=answer))
        assert path.disposition == "blackhole"
        assert [(hop.device, hop.ingress, hop.egress) for hop in path.hops] == [
            ("h", None, "net0"),
            ("r", "net0", "net1"),
        ]
    assert observer.path(FLOW, probe(answer=kernel(carrier=False))).disposition == "neighbor-unresolved"


class Losing:
    """An agent whose lossy link takes the first probes of some ports."""

    def __init__(self, lost: dict[tuple[str, int], int]) -> None:
        self.lost, self.calls = lost, []

    def call(self, method: str, /, timeout: float = 60.0, **params: Any) -> Any:
        assert method == "packets.probe"
        self.calls.append([(pair["target"], pair["ports"]) for pair in params["pairs"]])
        answers = []
        for number, pair in enumerate(params["pairs"]):
            for port in pair["ports"]:
                key = (pair["target"], port)
                gone = self.lost.get(key, 0) > 0
                self.lost[key] = self.lost.get(key, 0) - 1
                answers.append(probe(answer=kernel(), port=port, pair=number, received=None if gone else "g"))
        return answers


def test_probes_lost_by_chance_are_sent_again_and_only_those() -> None:
    agent = Losing({("b", 2): 2, ("a", 1): 1})
    pairs = [{"target": "a", "ports": [1, 2]}, {"target": "b", "ports": [1, 2]}]
    found = send_until_through(agent, ["r"], pairs, LinkStates(lossy={("r", "net1"): 0.01}))
    assert agent.calls == [[("a", [1, 2]), ("b", [1, 2])], [("a", [1]), ("b", [2])], [("b", [2])]]
    assert {(one["pair"], one["port"], one["received"]) for one in found} == {
        (0, 1, "g"),
        (0, 2, "g"),
        (1, 1, "g"),
        (1, 2, "g"),
    }


def test_without_lossy_links_a_probe_is_sent_once() -> None:
    agent = Losing({("a", 1): 1})
    (one,) = send_until_through(agent, ["r"], [{"target": "a", "ports": [1]}], LinkStates())
    assert one["received"] is None
    assert len(agent.calls) == 1
