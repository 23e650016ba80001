"""Orders of arrival, what is told inside of an AS, and AS paths with member ASes."""

from dataclasses import replace
from ipaddress import IPv4Address
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgpsim.model.decision import LAST_RESORT, Candidate, Rules, Verdict, compare
from bgpsim.model.inside_as import med_of_reflected, originator
from bgpsim.model.selection import contenders, decide
from bgpsim.network import as_path
from bgpsim.network.internal_bgp import Choice, Together
from bgpsim.network.state import Attributes
from bgpsim.network.types import AsPath

# MED is compared between a and b alone: b beats a, c beats b by its router ID, and a beats c by its own.
A = Candidate("a", "ibgp", Attributes("10.0.0.1", (1, 9), med=10), router_id=1, came=1)
B = Candidate("b", "ibgp", Attributes("10.0.0.2", (1, 8), med=0), router_id=3, came=1)
C = Candidate("c", "ibgp", Attributes("10.0.0.3", (2, 8), med=5), router_id=2, came=1)


def best(*paths: Candidate, rules: Rules) -> str:
    return next(entry.path.neighbor for entry in decide(paths, rules) if entry.best)


def test_without_deterministic_med_the_order_of_arrival_decides() -> None:
    rules = Rules()
    assert {path.neighbor for path in contenders((A, B, C), rules)} == {"a", "b", "c"}
    # FRR walks from the newest on: of (c, b, a) the first two leave c, and a beats it.
    arrived = (replace(A, came=1), replace(B, came=2), replace(C, came=3))
    assert [path.neighbor for path in contenders(arrived, rules)] == ["a"]
    assert best(*arrived, rules=rules) == "a"
    assert best(replace(A, came=3), replace(B, came=2), replace(C, came=1), rules=rules) == "c"
    # b and c at once, a after them: of (a, b, c) c is left, of (a, c, b) it is b.
    assert {p.neighbor for p in contenders((replace(A, came=9), B, C), rules)} == {"b", "c"}


def test_with_deterministic_med_it_does_not() -> None:
    rules = Rules(deterministic_med=True)
    assert [path.neighbor for path in contenders((A, B, C), rules)] == ["c"]
    assert {best(*order, rules=rules) for order in permutations((A, B, C))} == {"c"}
    assert best(A, B, C, rules=Rules(always_compare_med=True)) == "b"


def test_equal_external_paths_are_all_contenders_unless_router_ids_are_compared() -> None:
    one, other = (replace(path, type="ebgp", attributes=A.attributes, peer_as=1) for path in (A, B))
    worse = replace(other, neighbor="w", attributes=replace(A.attributes, med=99))
    assert {path.neighbor for path in contenders((one, other, worse), Rules())} == {"a", "b"}
    assert [path.neighbor for path in contenders((one, other, worse), Rules(compare_router_id=True))] == ["a"]


def test_of_one_neighbors_equal_paths_the_one_that_was_best_stays() -> None:
    first, second = (replace(A, path_id=n, peer_address=IPv4Address("10.0.0.1")) for n in (1, 2))
    assert compare(first, second, Rules()) == Verdict(-1, LAST_RESORT, equal=True, open=True)
    assert compare(first, replace(second, selected_before=True), Rules()).better == 1
    local = [replace(path, neighbor="local", type="local") for path in (first, second)]
    assert not compare(*local, Rules()).open


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (Rules(), "Peer Type"),
        (Rules(choice=Choice(peer_type_relax=True)), "Peer Type"),
        (Rules(choice=Choice(as_path_confed=True)), "Confederation based AS Path"),
    ],
)
def test_an_external_path_beats_one_of_another_member(rules: Rules, reason: str) -> None:
    external = Candidate("e", "ebgp", Attributes("10.0.0.1", (1,)), peer_as=1)
    member = Candidate("m", "confed", Attributes("10.0.0.2", ((7, 8), 1)), peer_as=7)
    verdict = compare(external, member, rules)
    assert (verdict.better, verdict.reason) == (-1, reason)
    assert verdict.equal is False


def test_a_path_of_another_member_beats_an_internal_one_in_a_confederation_alone() -> None:
    member = Candidate("m", "confed", Attributes("10.0.0.2", ((7,), 1)), router_id=9)
    internal = Candidate("i", "ibgp", Attributes("10.0.0.3", (1,)), router_id=1)
    assert compare(member, internal, Rules(confederation=True)).reason == "Confed Peer Type"
    assert compare(member, internal, Rules()).better == 1


def test_missing_med_as_worst_and_the_cluster_length_that_keeps_paths_apart() -> None:
    missing = replace(B, attributes=replace(A.attributes, med=None, next_hop="10.0.0.9"))
    assert compare(A, missing, Rules()).better == 1
    assert compare(A, missing, Rules(choice=Choice(med_missing_as_worst=True))).better == -1
    longer = replace(B, attributes=replace(A.attributes, next_hop="10.0.0.9", cluster_list=("1.1.1.1",)))
    assert compare(longer, A, Rules()).equal
    rules = Rules(together=Together(equal_cluster_length=True))
    assert (compare(longer, A, rules).equal, compare(A, longer, rules).reason) == (False, "IGP Metric")


def test_as_many_paths_are_used_together_as_are_let_by_their_next_hops() -> None:
    paths = [
        replace(A, neighbor=f"n{n}", attributes=replace(A.attributes, next_hop=f"10.0.0.{n}"), router_id=n)
        for n in (3, 11, 2, 1)
    ]
    together = [d.path.neighbor for d in decide(paths, Rules(together=Together(internal=3))) if d.multipath]
    assert together == ["n1", "n2", "n3"]
    assert not any(d.multipath for d in decide(paths, Rules(together=Together(internal=1))))


def test_the_first_reflector_gives_a_path_without_med_one_of_zero() -> None:
    plain = Candidate("n", "ibgp", Attributes("10.0.0.1"), router_id=0x0A000001)
    assert (originator(plain), med_of_reflected(plain)) == ("10.0.0.1", 0)
    again = replace(plain, attributes=replace(plain.attributes, originator_id="10.0.0.7"))
    assert (originator(again), med_of_reflected(again)) == ("10.0.0.7", None)


PARTS = st.integers(1, 2**32 - 1) | st.frozensets(st.integers(1, 99), min_size=1, max_size=3)
SEGMENTS = st.lists(st.integers(1, 99), min_size=1, max_size=3).map(tuple)


@given(st.lists(PARTS | SEGMENTS, max_size=6).map(tuple))
def test_as_paths_are_read_as_they_are_written(path: AsPath) -> None:
    assert as_path.read_as_path(as_path.as_path_text(path)) == path
    assert as_path.length(as_path.without_members(path)) == as_path.length(path)
    assert as_path.without_members(as_path.with_member(path, 7)) == as_path.without_members(path)
    assert as_path.holds(as_path.with_member(path, 7), 7)


def test_who_told_a_path() -> None:
    assert as_path.same_neighbor((), ())
    assert as_path.same_neighbor(((7,), 1, 2), (1, 3))
    assert as_path.same_neighbor(((7, 8),), ((7, 9), 1))
    assert not as_path.same_neighbor((frozenset({1}),), (frozenset({1}),))
    assert not as_path.same_neighbor(((7,),), ())
