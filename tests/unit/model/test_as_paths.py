"""AS paths to external neighbors, and of aggregates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgpsim.model.as_paths import aggregated, count, to_external
from bgpsim.network.route_options import PrivateAs, RouteOptions
from bgpsim.network.types import AsPath

OWN, PEER = 3000, 64513
MIXED: AsPath = (64600, 3001, 64513, frozenset((64514, 3009)))
PRIVATE: AsPath = (64600, 64513, 64601)


@pytest.mark.parametrize(
    ("form", "path", "sent"),
    [
        ("remove", MIXED, MIXED),
        ("remove", PRIVATE, (64513,)),
        ("remove", (), ()),
        ("remove all", MIXED, (3001, 64513, frozenset((3009,)))),
        ("replace", MIXED, MIXED),
        ("replace", PRIVATE, (OWN, 64513, OWN)),
        ("replace all", MIXED, (OWN, 3001, 64513, frozenset((OWN, 3009)))),
    ],
)
def test_private_numbers_go_and_the_peers_stays(form: PrivateAs, path: AsPath, sent: AsPath) -> None:
    assert to_external(RouteOptions(private_as=form), path, OWN, PEER) == sent


def test_the_peers_number_is_overridden_last() -> None:
    options = RouteOptions(private_as="remove all", as_override=True)
    assert to_external(options, (64600, PEER, PEER), OWN, PEER) == (OWN, OWN)


def test_sets_and_member_ases_count() -> None:
    assert count((1, 2, frozenset((1, 3)), 1), 1) == 3
    assert count(((7, 1, 7), 1, 2), 7) == 2


def test_member_ases_are_numbers_as_others_are() -> None:
    path: AsPath = ((64600, 64513), 3001)
    assert to_external(RouteOptions(private_as="remove all"), path, OWN, PEER) == ((64513,), 3001)
    assert to_external(RouteOptions(private_as="replace all"), path, OWN, PEER) == ((OWN, 64513), 3001)
    assert to_external(RouteOptions(as_override=True), path, OWN, PEER) == ((64600, OWN), 3001)
    assert aggregated([((7,), 1), ((7,), 2)]) == ((7,), frozenset((1, 2)))


@pytest.mark.parametrize(
    ("paths", "together"),
    [
        ([(1, 2, 3)], (1, 2, 3)),
        ([(1, 2, 3), (1, 2, 4)], (1, 2, frozenset((3, 4)))),
        ([(1, 2), (1, 2, 4)], (1, 2, frozenset((4,)))),
        ([(1, 2), ()], (frozenset((1, 2)),)),
        ([(1, frozenset((2, 3))), (1, 4)], (1, frozenset((2, 3, 4)))),
    ],
)
def test_an_aggregate_has_what_is_common_and_a_set_of_the_rest(paths: list[AsPath], together: AsPath) -> None:
    assert aggregated(paths) == together


NUMBERS = st.integers(1, 6)
PATHS = st.lists(st.one_of(NUMBERS, st.frozensets(NUMBERS, min_size=1, max_size=3)), max_size=5).map(tuple)


@given(st.lists(PATHS, min_size=1, max_size=5))
def test_no_number_is_lost_and_the_order_does_not_matter(paths: list[AsPath]) -> None:
    made = aggregated(paths)
    assert {n for n in range(1, 7) if count(made, n)} == {n for n in range(1, 7) if any(count(p, n) for p in paths)}
    assert aggregated(reversed(paths)) == made
