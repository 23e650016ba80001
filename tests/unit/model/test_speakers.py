"""Speakers as internal and external peers, add-path, and impostors: what FRR makes of them, each measured on 8.4.4."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

import pytest
from drawing import flow, net, state
from hypothesis import given
from hypothesis import strategies as st

from bgpsim.model.decision import Candidate, Rules
from bgpsim.model.nexthop_tracking import ConnectedOnly, User
from bgpsim.model.selection import decide
from bgpsim.network.description import BgpInstance, Neighbor, NeighborFamily, Network, Origination, Redistribution
from bgpsim.network.state import AdvertisedKey, Attributes, PathKey, WireKey, numbered
from bgpsim.network.types import FAMILIES, UnknownAttribute

FOUR = ip_network("10.9.0.0/16")
FAMILY = "ipv4-unicast"
SET = (frozenset({1, 2}),)


def peer(name: str, asn: int, interface: str, address: str, **options: Any) -> Neighbor:
    families = {family: NeighborFamily() for family in FAMILIES}
    return Neighbor(name, ip_address(address), interface, asn, families, extended_nexthop=True, **options)


def lab(
    *routes: Origination,
    asn: int = 65000,
    other: tuple[Origination, ...] = (),
    add_path: bool = False,
    static: str = "",
) -> Network:
    """`i` (of that AS) and `e` (AS 65099) at r (AS 65000), which has a host; `l` (AS 65098), `j` (AS 65000) listen."""

    def speaker(number: int, own: int, originated: tuple[Origination, ...]) -> BgpInstance:
        back = peer("r", 65000, "r", "fe80::1", add_path=add_path)
        identifier = IPv4Address(f"192.0.2.{number}")
        return BgpInstance(
            "exabgp", own, identifier, (back,), originated=originated, ebgp_requires_policy=False, installs=False
        )

    speakers = {"i": (asn, routes), "e": (65099, other), "l": (65098, ()), "j": (65000, ())}
    neighbors = tuple(
        peer(f"fe80::{n}", own, f"x-{name}", f"fe80::{n}", add_path=add_path)
        for n, (name, (own, _)) in enumerate(speakers.items(), start=2)
    )
    router = BgpInstance(
        "frr", 65000, IPv4Address("10.0.0.1"), neighbors, ebgp_requires_policy=False,
        redistribute=(Redistribution(FAMILY, "connected"),),
    )  # fmt: skip
    return net(
        links=[*(f"r:x-{name} -- {name}:r" for name in speakers), "r:net0 -- h:net0"],
        addresses={"r:net0": "10.0.1.1/24", "h:net0": "10.0.1.2/24"},
        routers={
            "r": router,
            **{name: speaker(n, *of) for n, (name, of) in enumerate(speakers.items(), start=1)},
        },
        routes={"h": ["default via 10.0.1.1"], "r": [static] if static else []},
        kinds={**dict.fromkeys(speakers, "speaker"), "h": "host"},
        endpoints={"host:h": "h"},
        link_local={
            **{f"r:x-{name}": "fe80::1" for name in speakers},
            **{f"{name}:r": f"fe80::{n}" for n, name in enumerate(speakers, start=2)},
        },
        traffic="answer",
    )


FULL = Origination(
    FOUR, as_path=(65050, frozenset({65060, 65061})), origin="egp", med=5, local_preference=300,
    originator_id="9.9.9.9", cluster_list=("8.8.8.8", "7.7.7.7"), aggregator="65002:1.2.3.4", atomic_aggregate=True,
    communities=("65000:1",), extended_communities=("RT:65000:1",), large_communities=("1:2:3",),
    unknown=(UnknownAttribute(99, 0xC0, b"\1"), UnknownAttribute(100, 0x80, b"\2")),
)  # fmt: skip


def path(network: Network, neighbor: str = "fe80::2", path_id: int = 0) -> Any:
    return state(network).paths[PathKey("r", FAMILY, FOUR, neighbor, path_id)]


def heard(network: Network, speaker: str) -> Attributes | None:
    return state(network).wire.get(WireKey(speaker, "received", "r", FAMILY, FOUR))


def test_an_internal_speaker_is_believed_in_all_but_loops() -> None:
    found = path(lab(FULL))
    assert (found.valid, found.best) == (True, True)
    assert found.attributes.local_preference == 300
    assert found.attributes.originator_id == "9.9.9.9"
    # Passed on, and not shown by FRR.
    assert found.attributes.unknown == ()
    for change, why in (
        ({"originator_id": "10.0.0.1"}, "denied: ORIGINATOR_ID is the own router ID 10.0.0.1"),
        ({"cluster_list": ("8.8.8.8", "10.0.0.1")}, "denied: own router ID 10.0.0.1 in CLUSTER_LIST"),
        ({"as_path": (65050, frozenset({65000, 1}))}, "denied: own AS 65000 in the path"),
    ):
        assert path(lab(replace(FULL, **change))).lost == why  # type: ignore[arg-type]


def test_an_internal_route_goes_to_external_peers_alone_and_without_what_is_internal() -> None:
    assert heard(lab(FULL), "j") is None
    out = heard(lab(FULL), "l")
    assert out is not None
    assert out.as_path == (65000, 65050, frozenset({65060, 65061}))
    assert (out.local_preference, out.med, out.originator_id, out.cluster_list) == (None, None, None, ())
    assert (out.aggregator, out.atomic_aggregate, out.origin) == ("65002:1.2.3.4", True, "egp")
    # What is not transitive stops at the router.
    assert out.unknown == ("99 0x01",)


def test_of_an_external_speaker_the_local_preference_is_not_even_sent() -> None:
    network = lab(FULL, asn=65097)
    wire = state(network).wire[WireKey("i", "sent", "r", FAMILY, FOUR)]
    assert wire.local_preference is None
    assert path(network).attributes.local_preference is None
    # FRR keeps both of an external peer, and tells neither.
    assert path(network).attributes.originator_id == "9.9.9.9"
    out = heard(network, "j")
    assert out is not None
    assert (out.local_preference, out.originator_id, out.cluster_list, out.med) == (100, None, (), 5)


def test_without_an_as_path_an_internal_speaker_sends_none_and_a_preference_of_100() -> None:
    attributes = path(lab(Origination(FOUR))).attributes
    assert (attributes.as_path, attributes.local_preference) == ((), 100)


@pytest.mark.parametrize(
    ("internal", "external", "best", "reason"),
    [
        ({"local_preference": 101, "as_path": (1, 2, 3)}, {}, "fe80::2", "Local Pref"),
        ({"local_preference": 99}, {}, "fe80::3", "Local Pref"),
        # An empty path is shorter than [65099].
        ({}, {}, "fe80::2", "AS Path"),
        ({"as_path": (65099,)}, {"as_path": (65099,)}, "fe80::3", "Peer Type"),
        # MED of one neighboring AS comes before the peer type.
        ({"as_path": (65099,), "med": 1}, {"med": 2}, "fe80::2", "MED"),
        # An AS_SET counts as one, and at the beginning it is nobody's AS: MED is not compared.
        ({"as_path": SET, "med": 1}, {"as_path": SET, "med": 2}, "fe80::3", "Peer Type"),
    ],
)
def test_internal_against_external(internal: Any, external: Any, best: str, reason: str) -> None:
    network = lab(Origination(FOUR, **internal), other=(Origination(FOUR, **external),))
    found = {n: path(network, n) for n in ("fe80::2", "fe80::3")}
    assert [n for n, p in found.items() if p.best] == [best]
    assert found[best].reason == reason


def test_a_set_at_the_beginning_is_a_group_of_its_own_for_deterministic_med() -> None:
    one = Candidate("a", "ebgp", Attributes("x", SET, med=9), router_id=1)
    other = Candidate("b", "ebgp", Attributes("y", SET, med=1), router_id=2)
    (best,) = (d.path for d in decide((one, other), Rules(deterministic_med=True, compare_router_id=True)) if d.best)
    assert best is one


def test_one_external_path_by_a_next_hop_makes_internal_ones_want_it_connected() -> None:
    """10.9/16 by 10.7.0.1, in 10.7/16, a BGP route: good for an internal peer, until an external one has it too."""
    via = ip_address("10.7.0.1")
    internal = (Origination(ip_network("10.7.0.0/16")), Origination(FOUR, next_hop=via))
    assert path(lab(*internal)).valid
    with_external = lab(*internal, other=(Origination(ip_network("10.8.0.0/16"), next_hop=via),))
    assert path(with_external).lost == "next hop 10.7.0.1 cannot be resolved"
    # One that is refused wants nothing.
    # It stays so when that path is gone, as long as any has the next hop.
    after = state(lab(*internal), state(with_external))
    assert not after.paths[PathKey("r", FAMILY, FOUR, "fe80::2")].valid
    gone = state(lab(), after)
    assert state(lab(*internal), gone).paths[PathKey("r", FAMILY, FOUR, "fe80::2")].valid
    looped = Origination(ip_network("10.8.0.0/16"), next_hop=via, as_path=(65000,))
    assert path(lab(*internal, other=(looped,))).valid


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([None, "a", "b"])), max_size=30))
def test_next_hops_are_wanted_connected_as_long_as_somebody_wants_it(uses: list[tuple[int, str | None]]) -> None:
    tracked, now = ConnectedOnly(), {}
    for number, hop in uses:
        before = {h for h in now.values() if h}
        now[number] = hop
        after = {h for h in now.values() if h}
        assert tracked.use(User(FOUR, "n", number), hop) == before ^ after
        assert {h for h in ("a", "b") if h in tracked} == after


def several() -> Network:
    return lab(
        *(Origination(FOUR, path_id=n, med=med, as_path=(65050,)) for n, med in ((1, 9), (2, 3), (3, 5))),
        other=(Origination(FOUR, as_path=(65099, 65099)),),
        add_path=True,
    )


def test_every_path_of_a_speaker_with_add_path_is_in_the_table() -> None:
    network = several()
    assert [n for n in (1, 2, 3) if path(network, path_id=n).best] == [2]
    assert path(network, path_id=1).lost == "MED"
    assert path(network, "fe80::3").lost == "AS Path"
    counters = {k.neighbor: s.families[FAMILY] for k, s in state(network).sessions.items() if k.device == "r"}
    # Three, and the external one.
    assert [counters[n].accepted for n in ("fe80::2", "fe80::3", "fe80::4")] == [3, 1, 0]
    # All four and the connected network to an external peer; to an internal one what is not internal.
    assert [counters[n].sent for n in ("fe80::2", "fe80::4", "fe80::5")] == [2, 5, 2]


def test_with_add_path_a_router_sends_every_valid_path_counted_by_its_attributes() -> None:
    found = state(several())
    told = {key.path_id: a for key, a in found.wire.items() if key[:3] == ("l", "received", "r") and key.prefix == FOUR}
    assert sorted(told) == [1, 2, 3, 4]
    assert sorted(a.as_path for a in told.values()) == [(65000, 65050)] * 3 + [(65000, 65099, 65099)]
    # FRR prints one of them, and nobody knows which: no fact of the bgp plane.
    assert AdvertisedKey("r", "fe80::4", FAMILY, FOUR) not in found.advertised


@given(st.permutations([3, 8, 12]), st.lists(st.integers(0, 3), min_size=3, max_size=3))
def test_the_ids_that_a_router_gives_do_not_matter(ids: list[int], meds: list[int]) -> None:
    def wire(numbers: list[int]) -> dict[WireKey, Attributes]:
        return {
            WireKey("l", "received", "r", FAMILY, FOUR, n): Attributes("x", med=med)
            for n, med in zip(numbers, meds, strict=True)
        }

    assert numbered(wire(ids), lambda a: a) == numbered(wire([1, 2, 3]), lambda a: a)
    assert sorted(key.path_id for key in numbered(wire(ids), lambda a: a)) == [1, 2, 3]
    own = {key._replace(direction="sent"): value for key, value in wire(ids).items()}
    assert numbered(own, lambda a: a) == own


def test_an_impostor_answers_for_what_it_announces_and_for_nothing_else() -> None:
    network = lab(Origination(FOUR), Origination(ip_network("0.0.0.0/0")))
    there, elsewhere = flow(network, "host:h", "address:10.9.0.1"), flow(network, "host:h", "address:10.8.0.1")
    found = state(network, None, [there, elsewhere]).forwarding
    assert (found[there].disposition, found[there].paths[0].at) == ("delivered-to-speaker", "i")
    assert found[elsewhere].disposition == "delivered-to-speaker"
    # A static route sends there what nobody has announced.
    bare = lab(static="10.8.0.0/16 via fe80::2 dev x-i")
    assert state(bare, None, [elsewhere]).forwarding[elsewhere].disposition == "dropped-by-speaker"
