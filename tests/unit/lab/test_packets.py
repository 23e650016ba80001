"""What packet sockets see -> probes and errors about them -> the way of one probe. All bytes and sightings by hand."""

from __future__ import annotations

import random
import socket
import struct

import pytest

from bgpsim.agent.sightings import (
    PORT,
    TTL,
    Direction,
    Header,
    IcmpError,
    ProbeKey,
    Sighting,
    Trail,
    Visit,
    follow,
    mark,
    read_mark,
    read_packet,
)

RUN, OTHER_RUN = b"12345678", b"87654321"
PROBE = ProbeKey(3, 40005)
H1, H2 = "10.0.1.2", "10.0.2.2"
SIX1, SIX2 = "2001:db8:1::2", "2001:db8:2::2"
HEADER = Header(H1, H2, 40005, PORT)


def udp(payload: bytes, source_port: int = 40005) -> bytes:
    return struct.pack("!HHHH", source_port, PORT, 8 + len(payload), 0) + payload


def four(
    payload: bytes, protocol: int = 17, ttl: int = 61, options: bytes = b"", ends: tuple[str, str] = (H1, H2)
) -> bytes:
    words = 5 + len(options) // 4
    head = struct.pack("!BBHHHBBH", 0x40 | words, 0, 4 * words + len(payload), 0, 0, ttl, protocol, 0)
    return head + b"".join(map(socket.inet_aton, ends)) + options + payload


def six(payload: bytes, protocol: int = 17, ttl: int = 61, ends: tuple[str, str] = (SIX1, SIX2)) -> bytes:
    head = struct.pack("!IHBB", 0x60000000, len(payload), protocol, ttl)
    return head + b"".join(socket.inet_pton(socket.AF_INET6, end) for end in ends) + payload


def icmp(kind: int, code: int, quoted: bytes) -> bytes:
    return struct.pack("!BBHI", kind, code, 0, 0) + quoted


def read(packet: bytes, kind: int = socket.PACKET_HOST) -> tuple[ProbeKey, Sighting | IcmpError] | None:
    return read_packet(packet, kind, RUN, "r1", "net0")


@pytest.mark.parametrize(
    ("kind", "direction"),
    [(socket.PACKET_HOST, "in"), (socket.PACKET_OUTGOING, "out"), (socket.PACKET_OTHERHOST, "foreign")],
)
def test_a_probe_is_known_by_its_mark(kind: int, direction: Direction) -> None:
    seen = Sighting("r1", "net0", direction, 61, HEADER)
    assert read(four(udp(mark(RUN, PROBE))), kind) == (PROBE, seen)
    assert read(four(udp(mark(RUN, PROBE)), options=b"\1" * 8), kind) == (PROBE, seen)
    in_six = Sighting("r1", "net0", direction, 61, Header(SIX1, SIX2, 40005, PORT))
    assert read(six(udp(mark(RUN, PROBE))), kind) == (PROBE, in_six)


def test_the_header_is_what_was_on_the_wire_and_the_key_what_was_sent() -> None:
    """Behind a masquerading router."""
    found = read(four(udp(mark(RUN, PROBE), source_port=1024), ends=("172.20.20.2", H2)))
    assert found == (PROBE, Sighting("r1", "net0", "in", 61, Header("172.20.20.2", H2, 1024, PORT)))


def test_an_error_that_quotes_a_probe_is_no_probe() -> None:
    probe = four(udp(mark(RUN, PROBE)), ttl=1)
    assert read(four(icmp(11, 0, probe), protocol=1)) == (PROBE, IcmpError(11, 0))
    assert read(four(icmp(3, 1, four(udp(mark(RUN, PROBE)), options=b"\1" * 4)), protocol=1)) == (
        PROBE,
        IcmpError(3, 1),
    )
    assert read(six(icmp(1, 3, six(udp(mark(RUN, PROBE)))), protocol=58)) == (PROBE, IcmpError(1, 3))


def test_what_is_neither_is_nothing() -> None:
    probe = udp(mark(RUN, PROBE))
    others = [
        b"",
        four(b""),
        four(udp(b"bgpsim")),
        four(udp(b" " + mark(RUN, PROBE))),
        four(udp(mark(OTHER_RUN, PROBE))),
        four(probe, protocol=6),
        # An echo that carries a probe, and a redirect about one: nothing went wrong.
        four(icmp(8, 0, four(probe)), protocol=1),
        four(icmp(5, 1, four(probe)), protocol=1),
        six(icmp(128, 0, six(probe)), protocol=58),
        four(icmp(3, 1, four(udp(mark(OTHER_RUN, PROBE)))), protocol=1),
        four(icmp(3, 1, four(probe, protocol=6)), protocol=1),
        four(icmp(3, 1, b""), protocol=1),
        four(icmp(3, 1, four(probe)), protocol=1)[:60],
    ]
    assert [read(packet) for packet in others] == [None] * len(others)


def test_a_mark_is_read_back_and_another_run_s_is_not() -> None:
    assert read_mark(mark(RUN, PROBE), RUN) == PROBE
    assert read_mark(mark(OTHER_RUN, PROBE), RUN) is None
    assert read_mark(mark(RUN, PROBE)[:-1], RUN) is None


def seen(device: str, interface: str, direction: Direction, ttl: int, header: Header = HEADER) -> Sighting:
    return Sighting(device, interface, direction, ttl, header)


def line(*hops: tuple[str, str | None, str | None]) -> list[Sighting]:
    """All sightings of a packet that is forwarded by each device in turn."""
    found = []
    for number, (device, ingress, egress) in enumerate(hops):
        if ingress is not None:
            found.append(seen(device, ingress, "in", TTL + 1 - number))
        if egress is not None:
            found.append(seen(device, egress, "out", TTL - number))
    return found


PLAIN = (("h1", None, "net0"), ("r1", "net0", "p1"), ("r2", "p1", "net0"), ("h2", "net0", None))


def test_the_ttl_orders_what_was_seen_whatever_socket_was_read_first() -> None:
    sightings = line(*PLAIN)
    wanted = Trail(tuple(Visit(*hop, min(TTL, TTL + 1 - n)) for n, hop in enumerate(PLAIN)), False, HEADER)
    assert follow("h1", sightings) == wanted
    devices = ["h1", "r1", "r2", "h2"]
    for seed in range(20):
        random.Random(seed).shuffle(devices)
        assert follow("h1", sorted(sightings, key=lambda s: devices.index(s.device))) == wanted


def test_nothing_seen_and_seen_leaving_only() -> None:
    assert follow("h1", []) == Trail((Visit("h1", None, None, TTL),), False, None)
    assert follow("h1", line(PLAIN[0])) == Trail((Visit("h1", None, "net0", TTL),), False, None)


def test_a_packet_to_oneself_goes_nowhere() -> None:
    assert follow("h1", line(("h1", None, "lo"), ("h1", "lo", None))).visits == (Visit("h1", None, None, TTL),)


def test_a_bridge_s_port_is_not_where_ip_took_it() -> None:
    """The frame comes in at the port and then at the bridge, whose address it is for; so too with a VLAN on a link."""
    upper = [seen("clab", "port0", "in", 63), seen("clab", "br0", "in", 63)]
    trail = follow("h1", [*line(("h1", None, "net0"), ("r1", "net0", "eth0")), *upper])
    assert trail.visits[-1] == Visit("clab", "br0", None, 63)
    down = [seen("clab", "br0", "out", 62), seen("clab", "port1", "out", 62)]
    trail = follow("h1", [*line(("h1", None, "net0"), ("r1", "net0", "eth0")), *upper, *down])
    assert trail.visits[-1] == Visit("clab", "br0", "br0", 63)


def test_a_frame_that_is_only_bridged_visits_neither_the_bridge_nor_those_that_overhear_it() -> None:
    bridged = [
        seen("clab", "port0", "foreign", 63),
        seen("clab", "port1", "out", 63),
        seen("clab", "port2", "out", 63),
        seen("h9", "eth0", "foreign", 63),
        seen("h2", "eth0", "in", 63),
    ]
    trail = follow("h1", [*line(("h1", None, "net0"), ("r1", "net0", "eth0")), *bridged])
    assert [visit[:3] for visit in trail.visits] == [("h1", None, "net0"), ("r1", "net0", "eth0"), ("h2", "eth0", None)]


def test_a_loop_ends_where_it_closes() -> None:
    round_trip = [("r1", "net0", "p0"), ("r2", "p0", "p1"), ("r1", "p1", "p0"), ("r2", "p0", "p1"), ("r1", "p1", "p0")]
    trail = follow("h1", line(("h1", None, "net0"), *round_trip))
    # r1 twice is no loop yet: it came by another interface.
    assert [visit[:3] for visit in trail.visits] == [
        ("h1", None, "net0"),
        ("r1", "net0", "p0"),
        ("r2", "p0", "p1"),
        ("r1", "p1", "p0"),
        ("r2", "p0", None),
    ]
    assert trail.looped


def test_the_last_header_is_that_of_the_last_device() -> None:
    behind = Header("172.20.20.2", H2, 1024, PORT)
    trail = follow("h1", [*line(PLAIN[0], PLAIN[1]), seen("r2", "p1", "in", 63, behind)])
    assert trail.header == behind
