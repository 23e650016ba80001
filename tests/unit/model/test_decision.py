"""Each step of the decision process with two paths that differ in just that step."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from bgpsim.model.decision import Candidate, Rules, compare
from bgpsim.model.selection import decide
from bgpsim.network.state import Attributes

BASE = Candidate(
    "a",
    "ibgp",
    Attributes("10.0.0.1", (65001, 65002), med=10),
    peer_as=65001,
    router_id=1,
    peer_address=ip_address("10.0.0.1"),
)


def path(neighbor: str = "b", **changes: object) -> Candidate:
    names = {"as_path", "origin", "med", "local_preference", "cluster_list", "next_hop", "originator_id"}
    inside = {key: value for key, value in changes.items() if key in names}
    outside = {key: value for key, value in changes.items() if key not in names}
    attributes = replace(BASE.attributes, **inside)  # type: ignore[arg-type]
    return replace(BASE, neighbor=neighbor, attributes=attributes, **outside)  # type: ignore[arg-type]


WORSE = {
    "Weight": ({"weight": 5}, {"weight": 4}),
    "Local Pref": ({"local_preference": 101}, {"local_preference": None}),
    "Local Route": ({"type": "local"}, {"type": "ibgp"}),
    "AS Path": ({"as_path": (65001,)}, {"as_path": (65001, 65002)}),
    "Origin": ({"origin": "igp"}, {"origin": "incomplete"}),
    "MED": ({"med": None}, {"med": 1}),
    "Peer Type": ({"type": "ebgp"}, {"type": "ibgp"}),
    "IGP Metric": ({"igp_metric": 0}, {"igp_metric": 10}),
    "Older Path": ({"type": "ebgp", "selected_before": True, "router_id": 9}, {"type": "ebgp"}),
    "Router ID": ({"router_id": 1}, {"router_id": 2}),
    "Cluster length": ({"cluster_list": ()}, {"cluster_list": ("1.1.1.1",)}),
    "Neighbor IP": ({"peer_address": ip_address("10.0.0.2")}, {"peer_address": ip_address("10.0.0.10")}),
}


@pytest.mark.parametrize("reason", WORSE)
def test_each_step_decides_where_nothing_before_it_does(reason: str) -> None:
    better, worse = WORSE[reason]
    winner, loser = path("z", **better), path("a", **worse)
    assert compare(winner, loser, Rules()).reason == reason
    assert compare(winner, loser, Rules()).better == -1
    assert compare(loser, winner, Rules()).better == 1
    best, other = sorted(decide((loser, winner), Rules()), key=lambda entry: not entry.best)
    assert (best.path, best.reason, other.lost) == (winner, reason, reason)


def test_med_compares_within_one_neighbor_as_only() -> None:
    low, high = path("z", med=1, router_id=2), path("a", med=9, as_path=(65009, 65002))
    assert compare(low, high, Rules()).reason == "Router ID"
    assert compare(low, high, Rules(always_compare_med=True)).reason == "MED"


def test_compare_router_id_does_not_ask_which_is_older() -> None:
    old, new = path("z", type="ebgp", selected_before=True, router_id=9), path("a", type="ebgp")
    assert compare(old, new, Rules(compare_router_id=True)).reason == "Router ID"


def test_multipath_needs_the_same_neighbor_as_unless_relaxed() -> None:
    one = path("a", type="ebgp")
    same = path("b", type="ebgp", next_hop="10.0.0.2", as_path=(65001, 65009))
    other = path("c", type="ebgp", next_hop="10.0.0.3", as_path=(65003, 65002), peer_as=65003, med=10)

    def used(rules: Rules) -> list[str]:
        return [entry.path.neighbor for entry in decide((one, same, other), rules) if entry.multipath]

    assert used(Rules()) == ["a", "b"]
    assert used(Rules(multipath_relax=True)) == ["a", "b", "c"]
    assert used(Rules(multipath=False)) == []


def test_a_refused_path_keeps_its_reason_and_a_lone_best_has_none() -> None:
    best, refused = decide((path("a"), path("b", weight=9, refused="next hop unresolved")), Rules())
    assert (best.best, best.reason) == (True, None)
    assert (refused.best, refused.lost) == (False, "next hop unresolved")


def test_deterministic_med_groups_by_neighbor_as() -> None:
    a = path("a", med=10, router_id=3)
    b = path("b", med=5, router_id=9)
    c = path("c", as_path=(65009, 65002), router_id=5)
    (best,) = [e.path.neighbor for e in decide((a, b, c), Rules(deterministic_med=True)) if e.best]
    assert best == "c", "b beats a by MED; c beats b by router ID"
