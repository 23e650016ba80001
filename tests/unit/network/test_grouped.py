"""A mapping in two levels is the mapping it was made of, and shares what did not change."""

from __future__ import annotations

from ipaddress import IPv4Network

from hypothesis import given
from hypothesis import strategies as st

from bgpsim.network.grouped import Grouped, Growing, sharing
from bgpsim.network.state import AdvertisedKey, Attributes, PathKey, WireKey

PREFIXES = st.builds(lambda n: IPv4Network((n << 24, 8)), st.integers(1, 6))
NAMES, FAMILY = st.sampled_from("ab"), st.just("ipv4-unicast")
KEYS = st.one_of(
    st.builds(PathKey, NAMES, FAMILY, PREFIXES, NAMES, st.integers(0, 1)),
    st.builds(AdvertisedKey, NAMES, NAMES, FAMILY, PREFIXES),
    st.builds(WireKey, NAMES, st.just("sent"), st.just("b"), FAMILY, PREFIXES),
)
ENTRIES = st.dictionaries(KEYS, st.builds(Attributes, st.sampled_from(["10.0.0.1", "10.0.0.2"])), max_size=12)


@given(ENTRIES)
def test_it_is_the_same_mapping(entries: dict[PathKey, Attributes]) -> None:
    grouped = Grouped.of(entries)
    assert dict(grouped) == entries
    assert {type(key) for key in grouped} == {type(key) for key in entries}
    assert len(grouped) == len(entries)
    assert all(grouped[key] is value for key, value in entries.items())
    assert grouped == entries
    assert grouped == Grouped.of(dict(reversed(entries.items())))
    assert (PathKey("nobody", "ipv4-unicast", IPv4Network("0.0.0.0/0"), "x") in grouped) is False


@given(ENTRIES, ENTRIES)
def test_sharing_changes_no_value_and_keeps_what_is_as_before(
    entries: dict[PathKey, Attributes], earlier: dict[PathKey, Attributes]
) -> None:
    before = Grouped.of(earlier)
    shared = sharing(entries, before)
    assert dict(shared) == entries
    for place, table in shared.tables.items():
        if table == before.tables.get(place):
            assert table is before.tables[place]
        as_before = {p: v for p, v in table.items() if before.tables.get(place, {}).get(p) == v}
        if 2 * len(as_before) > len(table):
            assert all(value is before.tables[place][prefix] for prefix, value in as_before.items())


@given(ENTRIES, KEYS)
def test_what_is_discarded_is_gone(entries: dict[PathKey, Attributes], key: PathKey) -> None:
    growing: Growing[PathKey, Attributes] = Growing()
    for one, value in entries.items():
        growing[one] = value
    growing.discard(key)
    assert dict(growing.grouped()) == {one: value for one, value in entries.items() if one != key}


@given(ENTRIES)
def test_where_asks_of_values(entries: dict[PathKey, Attributes]) -> None:
    kept = Grouped.of(entries).where(lambda value: value.next_hop == "10.0.0.1")
    assert dict(kept) == {key: value for key, value in entries.items() if value.next_hop == "10.0.0.1"}
