"""How often a watched lab is asked what; the reading itself is tested on a real lab."""

import threading
from ipaddress import ip_network
from typing import Any

import pytest

from bgpsim.errors import LabError
from bgpsim.network.state import Attributes, BgpPath, NetworkState, PathKey, WireKey
from bgpsim.observe.lookout import Ages, Pace, _Remembering, carried


def test_a_pace_at_rest_and_while_something_moves() -> None:
    pace = Pace(share=0.1, rest=5.0)
    assert pace.due(100.0, busy=False), "nothing was read yet"
    pace.read(100.0, cost=0.05)
    assert not pace.due(100.4, busy=True), "it would take more than its share"
    assert pace.due(100.5, busy=True)
    assert not pace.due(104.9, busy=False)
    assert pace.due(105.0, busy=False)
    pace.stir()
    assert pace.due(100.5, busy=False)
    assert not pace.due(100.4, busy=False)


def test_what_costs_much_is_read_seldom_even_at_rest() -> None:
    pace = Pace(share=0.1, rest=5.0)
    pace.read(100.0, cost=2.0)
    assert not pace.due(119.9, busy=False)
    assert pace.due(120.0, busy=False)


class Asked:
    """An agent that answers with how often it was asked, or says what is wrong."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.answered = threading.Event()
        self.wrong: str | None = None

    def call(self, method: str, /, timeout: float = 60.0, **params: Any) -> Any:
        self.calls.append(method)
        self.answered.set()
        if self.wrong is not None:
            raise LabError(self.wrong)
        return self.calls.count(method)

    def call_for_descriptors(self, method: str, /, timeout: float = 60.0, **params: Any) -> tuple[Any, tuple[int, ...]]:
        raise NotImplementedError


def refreshed(remembering: _Remembering, now: float) -> bool:
    """Ask again, and wait until the answer is there."""
    agent = remembering._agent
    assert isinstance(agent, Asked)
    agent.answered.clear()
    remembering.refresh(now, busy=True)
    assert agent.answered.wait(10)
    for thread in threading.enumerate():
        if thread.name == "dear":
            thread.join(10)
    return remembering.refresh(0.0, busy=False)


def test_what_is_dear_is_remembered_and_asked_again_in_the_background() -> None:
    agent = Asked()
    remembering = _Remembering(agent, {"dear": Pace(share=1.0, rest=1e9)})
    assert [remembering.call("dear", device="a") for _ in range(3)] == [1, 1, 1]
    assert [remembering.call("cheap") for _ in range(2)] == [1, 2]
    assert refreshed(remembering, 1e12)
    assert remembering.call("dear", device="a") == 2
    assert agent.calls.count("dear") == 2


def test_who_cannot_be_asked_again_is_told_of_once() -> None:
    agent = Asked()
    remembering = _Remembering(agent, {"dear": Pace(share=1.0, rest=1e9)})
    remembering.call("dear")
    agent.wrong = "the agent did not answer"
    with pytest.raises(LabError, match="did not answer"):
        refreshed(remembering, 1e12)
    assert not remembering.refresh(0.0, busy=False)
    assert remembering.call("dear") == 1


def test_what_could_not_be_read_is_as_it_was() -> None:
    prefix = ip_network("10.0.0.0/8")
    path = BgpPath(Attributes("self"), valid=True, best=True, multipath=False)
    at = {name: PathKey(name, "ipv4-unicast", prefix, "local") for name in ("tor0", "tor1")}
    heard = {name: WireKey("injector", "received", name, "ipv4-unicast", prefix) for name in ("tor0", "tor1")}
    before = NetworkState(
        paths=dict.fromkeys(at.values(), path), wire=dict.fromkeys(heard.values(), Attributes("tor0:x"))
    )
    unread = {"bgp": {"tor0": "bgpd does not answer"}, "wire": {heard["tor1"].stream: "not seen whole"}}
    now = carried(before, NetworkState(not_observed=unread))
    assert set(now.paths) == {at["tor0"]}
    assert set(now.wire) == {heard["tor1"]}
    assert now.not_observed == unread
    assert carried(before, NetworkState()) == NetworkState()


def test_ages_as_routers_tell_them() -> None:
    ages = Ages()
    peers = {
        "net0": {"state": "Established", "peerUptimeEstablishedEpoch": 7},
        "net1": {"state": "Idle", "peerUptimeEstablishedEpoch": 9},
    }
    table = {
        "10.0.0.0/8": [
            {"prefix": "10.0.0.0/8"},
            {"lastUpdate": {"epoch": 8}, "peer": {"peerId": "fe80::1", "interface": "net0"}},
            {"lastUpdate": {"epoch": 5}, "peer": {"peerId": "0.0.0.0"}},
        ]
    }
    ages.add_frr("tor0", "ipv4-unicast", {"peers": peers}, {"routes": table})
    assert {key.neighbor: since for key, since in ages.sessions.items()} == {"net0": 7.0}
    assert {neighbor: since for (_, _, _, neighbor), since in ages.paths.items()} == {
        "fe80::1": 8.0, "net0": 8.0, "local": 5.0,
    }  # fmt: skip
