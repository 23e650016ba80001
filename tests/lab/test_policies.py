"""Policies drawn from a seed on real FRR: every path, every Adj-RIB-Out and every message as predicted.

python tests/lab/policies.py 40 60      by hand: seeds 40 to 59, one lab after the other
"""

from __future__ import annotations

from pathlib import Path

import policies
import pytest
from variants import Step, Variant, all_agree, router, topology

pytestmark = pytest.mark.lab
DRAWN = (1, 7)
"""Seeds whose policies let most routes through."""

PLAIN = topology(
    [
        router(
            "r1",
            65001,
            {"l1": "10.1.1.1/24", "lo": "10.255.0.1/32"},
            "neighbor 10.1.1.2 remote-as 65002\nredistribute connected",
            config="ip route 10.70.1.0/24 blackhole",
        ),
        router(
            "r2",
            65002,
            {"l1": "10.1.1.2/24", "lo": "10.255.0.2/32"},
            "neighbor 10.1.1.1 remote-as 65001\nneighbor 10.1.1.1 route-map IN in\nredistribute connected",
            config="route-map IN permit 10\nset local-preference 200",
        ),
    ],
    ("r1:l1", "r2:l1"),
)


def heard(step: Step) -> set[tuple[str, str, str]]:
    """What came, went or changed at r2 from r1: prefix, how, and what is there now."""
    routes = step["diff"]["observed"]["routes"]
    return {
        (r["prefix"], how, r["after"])
        for how in ("added", "removed", "changed")
        for r in routes[how]
        if (r["plane"], r["device"], r["peer"]) == ("bgp", "r2", "10.1.1.1")
    }


def typed(steps: list[Step]) -> None:
    """An edited route-map is taken five seconds later (`bgp route-map delay-timer`), and the peer asked again."""
    _, edited, listed, none, gone = steps
    assert {"local-preference 300" in after for _, _, after in heard(edited)} == {True}
    assert {(prefix, how) for prefix, how, _ in heard(listed)} == {("10.1.1.0/24", "removed")}
    assert {how for _, how, _ in heard(none)} == {"removed"}
    assert {how for _, how, _ in heard(gone)} == {"added"}


def test_policies_typed_on_running_routers(tmp_path: Path) -> None:
    steps = (
        "name: start",
        'name: edited, configure: {r2: ["route-map IN permit 10", "set local-preference 300"]}',
        'name: listed, configure: {r2: ["ip prefix-list LO permit 10.255.0.0/24 le 32", "route-map IN permit 10",'
        ' "match ip address prefix-list LO"]}',
        'name: none, configure: {r2: ["no route-map IN"]}',
        'name: gone, configure: {r2: ["router bgp 65002", "no neighbor 10.1.1.1 route-map IN in"]}',
    )
    all_agree({"typed": Variant(PLAIN, steps, typed)}, tmp_path)


def test_drawn_policies_do_what_is_predicted(tmp_path: Path) -> None:
    all_agree({f"seed {seed}": policies.variant(seed) for seed in DRAWN}, tmp_path)
