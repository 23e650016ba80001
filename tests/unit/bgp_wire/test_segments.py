"""TCP segments in any order, cut anywhere, sent twice -> the bytes that were sent; and what was not seen is told."""

from __future__ import annotations

import socket
from itertools import pairwise

import pytest
from encoding import SYN, packet
from hypothesis import given
from hypothesis import strategies as st

from bgpsim.agent.tcp_segments import ByteStream, segment_of


def stream(first: int = 1000) -> ByteStream:
    made = ByteStream()
    made.syn(first)
    return made


@given(
    data=st.binary(min_size=1, max_size=300),
    first=st.one_of(st.integers(0, 2**32 - 1), st.integers(2**32 - 400, 2**32 - 1)),
    draw=st.data(),
)
def test_whatever_way_bytes_arrive_they_are_what_was_sent(data: bytes, first: int, draw: st.DataObject) -> None:
    cuts = sorted(draw.draw(st.sets(st.integers(1, len(data)), max_size=12)) | {0, len(data)})
    pieces = [(a, data[a:b]) for a, b in pairwise(cuts)]
    again = draw.draw(st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(1, 300)), max_size=8))
    pieces += [(at, data[at : at + size]) for at, size in again]
    made = stream(first)
    got = b"".join(made.take((first + 1 + at) % 2**32, piece) for at, piece in draw.draw(st.permutations(pieces)))
    assert got == data
    assert made.problem() is None


@given(data=st.binary(min_size=3, max_size=60), draw=st.data())
def test_a_hole_is_told_and_nothing_after_it_is_given(data: bytes, draw: st.DataObject) -> None:
    a = draw.draw(st.integers(0, len(data) - 2))
    b = draw.draw(st.integers(a + 1, len(data) - 1))
    made = stream(0)
    assert made.take(1 + b, data[b:]) == b""
    assert made.take(1, data[:a]) == data[:a]
    assert made.problem() == f"{b - a} bytes from byte {a} on were not seen"


def test_without_its_syn_nothing_is_read() -> None:
    made = ByteStream()
    assert made.take(5, b"abc") == b""
    assert made.problem() == "its SYN was not seen"


def test_what_the_peer_acknowledges_must_have_been_seen() -> None:
    made = stream(0)
    made.take(1, b"abc")
    made.acknowledge(4)
    made.acknowledge(5)  # its FIN
    assert made.problem() is None
    made.acknowledge(9)
    assert made.problem() == "its peer has 8 bytes of it, 3 were seen"


@pytest.mark.parametrize(("source", "target"), [("10.0.0.1", "10.0.0.2"), ("fe80::1", "fe80::2")])
def test_a_segment_out_of_a_packet(source: str, target: str) -> None:
    found = segment_of(packet(source, 179, target, 40000, 7, b"abc", flags=SYN, acknowledged=9))
    assert found is not None
    assert (found.source, found.source_port, found.target, found.target_port) == (source, 179, target, 40000)
    assert (found.sequence, found.acknowledged, found.flags, found.payload) == (7, 9, SYN, b"abc")


def test_padding_of_a_short_frame_is_no_payload() -> None:
    found = segment_of(packet("10.0.0.1", 179, "10.0.0.2", 40000, 7) + b"\0" * 6)
    assert found is not None
    assert found.payload == b""


@given(st.binary(max_size=80))
def test_any_bytes_are_a_segment_or_none(data: bytes) -> None:
    segment_of(data)


def test_what_is_no_segment() -> None:
    whole = packet("10.0.0.1", 179, "10.0.0.2", 40000, 7, b"abc")
    udp = whole[:9] + bytes([socket.IPPROTO_UDP]) + whole[10:]
    fragment = whole[:6] + b"\x20\0" + whole[8:]
    assert [segment_of(data) for data in (b"", udp, fragment, whole[:-1])] == [None] * 4
