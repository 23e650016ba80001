"""The packets of a trace are one flow, and what quotes one tells which it was. Errors made by hand, as RFCs say."""

from __future__ import annotations

import socket
import struct

import pytest

from bgpsim.agent.sightings import PORT, ProbeKey, mark
from bgpsim.observe.trace_packets import Answer, Trace, packet, read_four, read_six

TOKEN, OTHER = b"0123456789abcdef", b"fedcba9876543210"
H1, H2 = "10.0.1.2", "10.0.2.2"
SIX1, SIX2 = "2001:db8:1::2", "2001:db8:2::2"
TTLS = range(1, 33)


def four(ttl: int, token: bytes = TOKEN) -> bytes:
    return bytes(packet(H1, H2, 40000, token, ttl))


def six(ttl: int, token: bytes = TOKEN) -> bytes:
    return bytes(packet(SIX1, SIX2, 40000, token, ttl))


def sum16(data: bytes) -> int:
    """RFC 1071."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def error(kind: int, quoted: bytes) -> bytes:
    return struct.pack("!BBHI", kind, 0, 0, 0) + quoted


def test_all_that_a_router_may_hash_is_the_same_in_ipv4() -> None:
    packets = [four(ttl) for ttl in TTLS]
    assert [p[8] for p in packets] == list(TTLS)
    assert [struct.unpack_from("!H", p, 4)[0] for p in packets] == list(TTLS)
    # All but length, identification, TTL and the header's checksum; UDP's checksum and the payload included.
    assert len({p[:4] + p[6:8] + p[9:10] + p[12:] for p in packets}) == 1
    assert packets[0][12:24] == socket.inet_aton(H1) + socket.inet_aton(H2) + struct.pack("!HH", 40000, PORT)
    assert {sum16(p[:20]) for p in packets} == {0xFFFF}


def test_all_that_a_router_may_hash_is_the_same_in_ipv6() -> None:
    packets = [six(ttl) for ttl in TTLS]
    assert [p[7] for p in packets] == list(TTLS)
    assert len({p[:7] + p[8:48] for p in packets}) == 1
    assert packets[0][:4] == b"\x60\0\0\0", "no flow label"
    # The checksum is the same, and right for every payload (RFC 8200 section 8.1).
    pseudo = packets[0][8:40] + struct.pack("!II", len(packets[0]) - 40, 17)
    assert {sum16(pseudo + p[40:]) for p in packets} == {0xFFFF}


@pytest.mark.parametrize("kind", [3, 11])
def test_an_ipv4_error_tells_to_what(kind: int) -> None:
    assert read_four(error(kind, four(3))) == Answer(TOKEN, 3)
    assert read_four(error(kind, four(3, OTHER))) == Answer(OTHER, 3)


@pytest.mark.parametrize("kind", [1, 3])
def test_an_ipv6_error_tells_to_what(kind: int) -> None:
    assert read_six(error(kind, six(3))) == Answer(TOKEN, 3)


def test_what_is_no_error_about_a_trace_is_nobody_s() -> None:
    """Echoes, redirects, errors about TCP; and the path plane's own probes, whose ports are the same."""
    assert read_four(error(0, four(3))) is None
    assert read_four(error(5, four(3))) is None
    assert read_six(error(129, six(3))) is None
    tcp = four(3)[:9] + b"\x06" + four(3)[10:]
    assert read_four(error(11, tcp)) is None
    marked = mark(b"12345678", ProbeKey(0, 40000))
    probe = four(3)[:24] + struct.pack("!HH", 8 + len(marked), 0) + marked
    found = read_four(error(11, probe))
    assert found is not None
    assert found.token == marked[:16]
    # A router that quotes no more than RFC 792 asks for names no trace.
    short = read_four(error(11, four(3)[:28]))
    assert short is not None
    assert short.token == b""


@pytest.mark.parametrize(("source", "target", "kinds"), [(H1, H2, (11, 3)), (SIX1, SIX2, (3, 1))])
def test_answers_are_by_ttl_in_whatever_order_they_come(source: str, target: str, kinds: tuple[int, int]) -> None:
    trace, other = Trace(source, target, 40000, 3), Trace(source, target, 40000, 3)
    exceeded, unreachable = kinds
    one, two, three = trace.packets()
    assert trace.answering([]) == [None, None, None]
    came = [
        ("h2", error(unreachable, three)),
        ("nobody", error(0, two)),
        ("r3", error(exceeded, other.packets()[1])),
        ("r1", error(exceeded, one)),
        ("r2", error(exceeded, one)),
        ("far", error(exceeded, bytes(packet(source, target, 40000, trace.token, 4)))),
    ]
    assert trace.answering(came) == ["r1", None, "h2"]
    assert other.answering(came) == [None, "r3", None]
    assert two not in other.packets()
