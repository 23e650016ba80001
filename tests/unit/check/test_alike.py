"""Many routes of which the same is said are told once, and nothing is lost in the counts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bgpsim.check.alike import EXAMPLES, MANY, MOST_LISTED, gathered

Fact = tuple[str | None, str]
FACTS = st.lists(st.tuples(st.sampled_from([None, *(f"10.{n}.0.0/16" for n in range(30))]), st.sampled_from("abc")))


def of(facts: list[Fact]):  # type: ignore[no-untyped-def]
    return gathered(facts, lambda fact: fact[0], lambda fact: fact[1])


@given(FACTS)
def test_few_are_all_listed(facts: list[Fact]) -> None:
    found = of(facts)
    assert (list(found.listed), found.left_out) == (facts, 0)
    for group in found.groups:
        assert len(group.routes) >= MANY
        kinds = [sorted(what for prefix, what in facts if prefix == route) for route in group.routes]
        assert all(kind == kinds[0] for kind in kinds)
        assert group.count == sum(map(len, kinds))


def test_of_many_the_first_of_each_kind_are_listed() -> None:
    facts: list[Fact] = [(None, "session")]
    facts += [(f"{n >> 8}.{n & 255}.0.0/16", what) for n in range(3000) for what in ("missing", "missing there")]
    facts += [(f"200.{n}.0.0/16", "differs") for n in range(20)]
    found = of(facts)
    assert [(len(g.routes), g.count, len(g.facts)) for g in found.groups] == [(3000, 6000, 2), (20, 20, 1)]
    assert len(found.listed) + found.left_out == len(facts)
    assert found.listed[0] == (None, "session")
    assert [fact for fact in found.listed if fact[1] == "missing"] == [(f"0.{n}.0.0/16", "missing") for n in range(3)]
    assert len(found.listed) == 1 + 3 * EXAMPLES


def test_what_has_nothing_in_common_is_listed_up_to_a_number() -> None:
    facts: list[Fact] = [(f"{n >> 8}.{n & 255}.0.0/16", str(n)) for n in range(2 * MOST_LISTED)]
    found = of(facts)
    assert (len(found.listed), found.left_out, found.groups) == (MOST_LISTED, MOST_LISTED, ())
