"""Attributes as bytes -> as facts; scapy's layer, and each thing that it lacks."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

import pytest
from encoding import ORIGIN, attribute, next_hop, path

from bgpsim.errors import LabError
from bgpsim.network.state import Attributes
from bgpsim.observe.bgp_wire.attributes import decode

HOP = next_hop("10.0.0.1")


def test_every_attribute() -> None:
    data = b"".join(
        (
            attribute(1, b"\2"),
            attribute(2, struct.pack("!BBIIBBII", 2, 2, 65001, 4_200_000_000, 1, 2, 3, 4)),
            HOP,
            attribute(4, struct.pack("!I", 7), 0x80),
            attribute(5, struct.pack("!I", 200)),
            attribute(6, b""),
            attribute(7, struct.pack("!I4s", 4_200_000_001, IPv4Address("192.0.2.1").packed), 0xC0),
            attribute(8, struct.pack("!III", 65000 << 16 | 1, 0xFFFFFF01, 65000 << 16), 0xC0),
            attribute(9, IPv4Address("192.0.2.9").packed, 0x80),
            attribute(10, IPv4Address("192.0.2.8").packed + IPv4Address("192.0.2.7").packed, 0x80),
            attribute(16, struct.pack("!BBHI", 0, 2, 65000, 100) + bytes.fromhex("0600000000000001"), 0xC0),
            attribute(32, struct.pack("!6I", 65000, 1, 2, 1, 2, 3), 0xC0),
            attribute(99, b"\1\2", 0xC0),
            attribute(98, b"\3", 0x80),  # not transitive
        )
    )
    assert decode(data, b"", True) == Attributes(
        next_hop="10.0.0.1",
        as_path=(65001, 4_200_000_000, frozenset({3, 4})),
        origin="incomplete",
        med=7,
        local_preference=200,
        atomic_aggregate=True,
        aggregator="4200000001:192.0.2.1",
        communities=("65000:0", "65000:1", "no-export"),
        large_communities=("1:2:3", "65000:1:2"),
        extended_communities=("0x0600000000000001", "RT:65000:100"),
        originator_id="192.0.2.9",
        cluster_list=("192.0.2.8", "192.0.2.7"),
        unknown=("99 0x0102",),
    )


@pytest.mark.parametrize(
    ("hops", "text"),
    [
        (["10.0.0.9"], "10.0.0.9"),
        (["fe80::1"], "fe80::1"),
        (["2001:db8::1"], "2001:db8::1"),
        (["2001:db8::1", "fe80::1"], "fe80::1"),
        (["2001:db8::1", "::"], "2001:db8::1"),
        (["::ffff:10.0.0.1"], "::ffff:a00:1"),
    ],
)
def test_next_hops_of_mp_reach_nlri(hops: list[str], text: str) -> None:
    packed = b"".join((IPv4Address(h) if "." in h and ":" not in h else IPv6Address(h)).packed for h in hops)
    assert decode(ORIGIN, packed, True).next_hop == text
    assert decode(ORIGIN, packed, True, lambda address: f"<{address}>").next_hop == f"<{text}>"


def test_as_numbers_have_two_octets_where_one_end_has_no_more() -> None:
    assert decode(ORIGIN + HOP + path(65001, 65002, wide=False), b"", False).as_path == (65001, 65002)


@pytest.mark.parametrize(
    ("narrow", "wide", "merged"),
    [
        ((65001, 23456, 23456), (70000, 70001), (65001, 70000, 70001)),
        ((23456, 23456), (70000, 70001), (70000, 70001)),
        ((65001,), (70000, 70001), (65001,)),  # longer than AS_PATH: not to be used
    ],
)
def test_as4_path_is_put_in(narrow: tuple[int, ...], wide: tuple[int, ...], merged: tuple[int, ...]) -> None:
    data = ORIGIN + HOP + path(*narrow, wide=False) + path(*wide, code=17)
    assert decode(data, b"", False).as_path == merged


def test_as4_aggregator_is_used_for_as_trans_alone() -> None:
    four = attribute(18, struct.pack("!I", 70000) + b"\1\2\3\4", 0xC0)
    for asn, aggregator, as_path in ((23456, "70000:1.2.3.4", (70001,)), (65001, "65001:1.2.3.4", (23456,))):
        two = attribute(7, struct.pack("!H", asn) + b"\1\2\3\4", 0xC0)
        data = ORIGIN + HOP + path(23456, wide=False) + path(70001, code=17) + two + four
        found = decode(data, b"", False)
        assert (found.aggregator, found.as_path) == (aggregator, as_path)


def test_a_path_longer_than_a_segment_and_a_length_of_two_octets() -> None:
    long = attribute(2, b"".join(struct.pack("!BB", 2, 255) + struct.pack("!255I", *range(255)) for _ in range(2)))
    assert decode(ORIGIN + HOP + long, b"", True).as_path == (*range(255), *range(255))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (ORIGIN, "without a next hop"),
        (HOP + attribute(1, b"\7"), "unknown origin 7"),
        (HOP + path(1, kind=5), "AS path segment of the unknown kind 5"),
        (HOP + attribute(4, b"\0\0\0\1\2"), "MULTI_EXIT_DISC with octets to spare"),
        (HOP + attribute(4, b"\0"), "med that is cut short"),
        (HOP[:-1], "an attribute that is cut short"),
        (HOP + attribute(2, b"\2\2\0\0\0\1"), "cut short"),
    ],
)
def test_what_cannot_be_read_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(LabError) as caught:
        decode(data, b"", True)
    assert said in caught.value.message


def test_as_many_communities_as_a_message_holds() -> None:
    numbers = range(65000 << 16, (65000 << 16) + 900)
    found = decode(ORIGIN + HOP + attribute(8, struct.pack("!900I", *numbers), 0xC0), b"", True)
    assert sorted(found.communities) == sorted(f"65000:{n}" for n in range(900))
