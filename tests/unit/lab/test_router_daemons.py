"""Daemons of routers that end while the router comes up, or later: which one is named."""

from __future__ import annotations

from typing import Any

import pytest

from bgpsim.errors import DeviceDied
from bgpsim.lab.embedded.daemons import RouterDaemons

STARTS = [
    "watchfrr[16]: [T83RR-8SM5G] watchfrr 8.4.4 starting: vty@0",
    "watchfrr[16]: [ZCJ3S-SPH5S] zebra state -> down : initial connection attempt failed",
    "watchfrr[16]: [ZCJ3S-SPH5S] bgpd state -> down : initial connection attempt failed",
    "watchfrr[16]: [YFT0P-5Q5YX] Forked background command [pid 17]: /usr/lib/frr/watchfrr.sh restart all",
    "watchfrr[16]: [QDG3Y-BY5TN] bgpd state -> up : connect succeeded",
]
LOST = "watchfrr[16]: [HD38Q-0HBRT][EC 268435457] {} state -> down : read returned EOF"
RUNNING = {"5": "watchfrr", "6": "zebra", "7": "bgpd", "8": "staticd", "9": "tini"}


class Agent:
    def __init__(self, said: list[str], running: dict[str, str]) -> None:
        self.said, self.running = said, running

    def call(self, method: str, /, timeout: float = 60.0, **params: Any) -> Any:
        return {
            "health.running": {"r1": self.running},
            "nodes.log": self.said,
            "nodes.processes": self.running,
            "daemons.ended": [],
        }[method]

    def call_for_descriptors(self, method: str, /, timeout: float = 60.0, **params: Any) -> tuple[Any, tuple[int, ...]]:
        raise NotImplementedError


def without(*names: str) -> dict[str, str]:
    return {pid: name for pid, name in RUNNING.items() if name not in names}


def test_a_router_that_came_up() -> None:
    daemons = RouterDaemons()
    daemons.remember(Agent(STARTS, RUNNING), ["r1"])
    daemons.check(Agent(STARTS, RUNNING))
    # One that runs none, and one whose FRR was stopped by its own lines.
    daemons.remember(Agent([], {"9": "tini"}), ["r1"])
    daemons.remember(Agent(STARTS, {"9": "tini"}), ["r1"])


@pytest.mark.parametrize(
    ("more", "running", "says"),
    [
        ([LOST.format("bgpd")], RUNNING, r"^r1: bgpd ended by itself \(read returned EOF\)$"),
        (
            ["watchfrr[16]: [X][EC 1] zebra state -> unresponsive : no response yet to ping sent 10 seconds ago"],
            RUNNING,
            r"^r1: zebra ended by itself \(no response yet to ping sent 10 seconds ago\)$",
        ),
        (
            ["watchfrr[16]: [YFT0P-5Q5YX] Forked background command [pid 44]: /usr/lib/frr/watchfrr.sh restart bgpd"],
            RUNNING,
            "^r1: bgpd ended by itself$",
        ),
        ([], without("watchfrr"), "^r1: watchfrr ended by itself$"),
    ],
)
def test_one_that_ends_while_its_router_comes_up(more: list[str], running: dict[str, str], says: str) -> None:
    with pytest.raises(DeviceDied, match=says):
        RouterDaemons().remember(Agent(STARTS + more, running), ["r1"])


@pytest.mark.parametrize(
    ("more", "gone", "named"),
    [
        ([], ("staticd",), "staticd"),
        ([], ("watchfrr",), "watchfrr"),
        # watchfrr ends the others too when it has lost zebra.
        ([LOST.format("zebra")], ("bgpd", "staticd", "zebra"), "zebra"),
    ],
)
def test_one_that_ends_later(more: list[str], gone: tuple[str, ...], named: str) -> None:
    daemons = RouterDaemons()
    daemons.remember(Agent(STARTS, RUNNING), ["r1"])
    with pytest.raises(DeviceDied, match=f"^r1: {named} ended by itself$") as died:
        daemons.check(Agent(STARTS + more, without(*gone)))
    assert died.value.log[-1].startswith("still running on r1: ")


def test_one_that_was_started_anew_is_another() -> None:
    daemons = RouterDaemons()
    daemons.remember(Agent(STARTS, RUNNING), ["r1"])
    with pytest.raises(DeviceDied, match=r"^r1: bgpd ended by itself$"):
        daemons.check(Agent(STARTS, {**without("bgpd"), "70": "bgpd"}))


def test_mgmtd_of_frr_10_is_a_router_s_too() -> None:
    running = {**RUNNING, "10": "mgmtd"}
    daemons = RouterDaemons()
    daemons.remember(Agent(STARTS, running), ["r1"])
    with pytest.raises(DeviceDied, match=r"^r1: mgmtd ended by itself$"):
        daemons.check(Agent(STARTS, RUNNING))
