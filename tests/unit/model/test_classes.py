"""A table solved as classes comes to the same as its routes one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seed_lab import seed

from bgpsim.model import predict
from bgpsim.model.classes import classes
from bgpsim.network.description import Network, OriginatedTable, Origination
from bgpsim.network.state import FlowKey, NetworkState
from bgpsim.network.types import Prefix

SPEAKER = "injector"
TO = ("tor0", "tor1")
# Beside plain ones: the default route, a pod CIDR and its halves, node links, a loopback, what covers next hops of
# others, and what somebody sends to.
PLAIN = [f"80.0.{n}.0/24" for n in range(8)] + [f"2001:db8:{n}::/48" for n in range(3)]
TRICKY = ["0.0.0.0/0", "10.0.0.0/8", "10.1.3.0/24", "10.1.3.0/25", "10.0.3.0/24", "10.0.0.1/32", "80.1.0.0/16", "::/0"]
FLOW = FlowKey("pod:default/netshoot@worker", "address:80.1.2.3", "10.1.1.2", "80.1.2.3")
ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={
        "as_path": st.sampled_from([(65099,), (65099, 3356), (65099, 65010), (65099, 65000)]),
        "med": st.sampled_from([5, 50]),
        "communities": st.sampled_from([(), ("no-export",), ("blackhole",)]),
        "next_hop": st.sampled_from([None, ip_address("80.1.0.9"), ip_address("10.0.3.2")]),
    },
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[OriginatedTable, ...]:
    """No prefix twice to one router."""
    found = []
    for router in TO:
        left = draw(st.lists(st.sampled_from(PLAIN + TRICKY), unique=True, max_size=12))
        while left:
            size = draw(st.integers(1, len(left)))
            prefixes = tuple(map(ip_network, left[:size]))
            left = left[size:]
            attributes = draw(ATTRIBUTES)
            if attributes.get("next_hop") is not None and any(p.version == 6 for p in prefixes):
                del attributes["next_hop"]
            found.append(OriginatedTable(Origination(prefixes[0], (router,), **attributes), prefixes))
    return tuple(found)


def network(found: Sequence[OriginatedTable], *, one_by_one: bool, single: Sequence[Origination] = ()) -> Network:
    made = seed(cilium=True, announced=())
    speaker = made.devices[SPEAKER]
    assert speaker.bgp is not None
    routes = tuple(replace(t.like, prefix=p) for t in found for p in t.prefixes) if one_by_one else ()
    bgp = replace(speaker.bgp, originated=(*single, *routes), tables=() if one_by_one else tuple(found))
    return replace(made, devices={**made.devices, SPEAKER: replace(speaker, bgp=bgp)})


@settings(max_examples=40, deadline=None)
@given(st.lists(tables(), min_size=1, max_size=3))
def test_as_one_by_one(steps: list[tuple[OriginatedTable, ...]]) -> None:
    """Through several steps, since what was there before decides between equal paths."""
    whole: NetworkState | None = None
    single: NetworkState | None = None
    for found in steps:
        together = predict(network(found, one_by_one=False), whole, [FLOW])
        apart = predict(network(found, one_by_one=True), single, [FLOW])
        assert together.state == apart.state
        open_ends = sum(len(t.paths) for t in together.ties), sum(len(t.paths) for t in apart.ties)
        assert (open_ends[0] > 0) == (open_ends[1] > 0)
        whole, single = together.state, apart.state


def plain(count: int, *routers: str) -> tuple[OriginatedTable, ...]:
    prefixes: tuple[Prefix, ...] = tuple(ip_network(f"80.{n >> 8}.{n & 255}.0/24") for n in range(count))
    return tuple(OriginatedTable(Origination(prefixes[0], (router,)), prefixes) for router in routers)


def test_what_is_alike_is_one_class() -> None:
    found = classes(network(plain(500, *TO), one_by_one=False), None, ())
    assert found is not None
    assert [len(of) for of in found.members.values()] == [500]
    assert len(found.network.devices[SPEAKER].bgp.originated) == 2  # type: ignore[union-attr]
    # Half of them to one router alone are another class.
    halves = (plain(500, "tor0")[0], plain(250, "tor1")[0])
    of = classes(network(halves, one_by_one=False), None, ())
    assert of is not None
    assert sorted(len(members) for members in of.members.values()) == [250, 250]


@pytest.mark.parametrize("single", ["80.0.7.0/24", "10.1.3.0/24"])
def test_a_prefix_that_somebody_else_originates_is_alone(single: str) -> None:
    route = Origination(ip_network(single), ("tor1",))
    made = network(plain(10, "tor0"), one_by_one=False, single=[route])
    found = classes(made, None, ())
    assert found is not None
    assert sorted(len(of) for of in found.members.values()) == ([1, 9] if single.startswith("80") else [10])
    assert predict(made, None, ()).state == predict(
        network(plain(10, "tor0"), one_by_one=True, single=[route]), None, ()
    ).state  # fmt: skip


def test_what_did_not_change_is_the_very_object() -> None:
    made = network(plain(50, "tor0"), one_by_one=False)
    first = predict(made, None, ()).state
    second = predict(made, first, ()).state
    assert first == second
    for plane in ("paths", "advertised", "fib", "wire"):
        old, new = getattr(first, plane).tables, getattr(second, plane).tables
        assert all(new[place] is old[place] for place in old), plane


def test_open_ends_are_told_once_for_a_class() -> None:
    prediction = predict(network(plain(40, *TO), one_by_one=False), None, ())
    texts = [u.text for u in prediction.unmodelled]
    assert [text for text in texts if "and 39 more" in text] == [
        "order of arrival decides between the paths of 80.0.0.0/24 and 39 more from net0, net1"
    ]
    assert len(prediction.ties) == 1
