"""Captured packets -> text by scapy, and a file that scapy reads again."""

from __future__ import annotations

import io

from encoding import ACK, KEEPALIVE, ORIGIN, SYN, add_path, next_hop, opened, packet, path, reach, route, update
from scapy.utils import RawPcapNgReader

from bgpsim.observe.bgp_wire.printing import printed
from bgpsim.observe.pcap import ETHERNET, RAW_IP, Captured, write_pcapng

A, B = ("10.0.0.1", 40000), ("10.0.0.2", 179)


def capture(*said: tuple[bool, int, bytes, int]) -> list[Captured]:
    """Seen at tor0: whether it sent, sequence, payload, flags."""
    return [
        Captured(1_000 * n, "tor0", "net0", out, packet(*(A + B if out else B + A), sequence, data, flags=flags))
        for n, (out, sequence, data, flags) in enumerate(said)
    ]


UPDATE = update([ORIGIN, path(70000), next_hop("10.0.0.1")], route("10.1.0.0/24", 9))


def test_messages_are_printed_with_what_the_opens_agreed_on() -> None:
    ours = opened(65001, (65, b"\0\0\xfd\xe9"), add_path((1, 1, 2)))
    theirs = opened(65002, (65, b"\0\0\xfd\xea"), add_path((1, 1, 1)))
    texts = list(
        printed(
            capture(
                (True, 0, b"", SYN),
                (False, 0, b"", SYN | ACK),
                (True, 1, ours, ACK),
                (False, 1, theirs + KEEPALIVE, ACK),
                (True, 1 + len(ours), UPDATE[:30], ACK),
                (True, 1 + len(ours) + 30, UPDATE[30:], ACK),
            ),
            frames=False,
        )
    )
    heads = [text.splitlines()[0].split(" ", 1)[1] for text in texts]
    assert heads == [
        "tor0:net0 10.0.0.1 > 10.0.0.2 OPEN",
        "tor0:net0 10.0.0.2 > 10.0.0.1 OPEN",
        "tor0:net0 10.0.0.2 > 10.0.0.1 KEEPALIVE",
        "tor0:net0 10.0.0.1 > 10.0.0.2 UPDATE",
    ]
    for said in ("nlri_path_id= 9", "prefix    = 10.1.0.0/24", "70000", "next_hop  = 10.0.0.1", "origin    = IGP"):
        assert said in texts[3], texts[3]


def test_a_capture_that_begins_in_the_middle_says_so() -> None:
    six = update([ORIGIN, path(70000), reach(1, ["2001:db8::1", "fe80::1"], route("10.1.0.0/24"))])
    (text,) = printed(capture((True, 7, b"the end of one" + six, ACK)), frames=False)
    assert "no OPEN was seen" in text.splitlines()[0]
    for said in ("fe80::1", "2001:db8::1", "prefix    = 10.1.0.0/24", "70000"):
        assert said in text


def test_what_is_no_bgp_prints_nothing() -> None:
    arp = Captured(0, "tor0", "net0", True, b"\0" * 12 + b"\x08\x06" + b"\0" * 28)
    assert list(printed([arp], frames=True)) == []
    assert list(printed(capture((True, 0, b"", SYN), (True, 1, b"GET / HTTP/1.1" * 4, ACK)), frames=False)) == []


def test_scapy_reads_the_file() -> None:
    packets = capture((True, 0, b"x", SYN), (False, 0, b"", SYN | ACK))
    packets[1] = packets[1]._replace(device="tor1", time=1_700_000_000_123_456_789)
    stream = io.BytesIO()
    write_pcapng(stream, packets, RAW_IP)
    with RawPcapNgReader(io.BytesIO(stream.getvalue())) as reader:
        read = list(reader)
    assert [data for data, _ in read] == [p.data for p in packets]
    assert [meta.ifname for _, meta in read] == [b"tor0:net0", b"tor1:net0"]
    assert {meta.linktype for _, meta in read} == {RAW_IP}
    assert [meta.direction for _, meta in read] == [2, 1]
    assert (read[1][1].tshigh << 32 | read[1][1].tslow) == packets[1].time
    frames = io.BytesIO()
    write_pcapng(frames, [], ETHERNET)
    assert frames.getvalue()[:4] == b"\x0a\x0d\x0d\x0a"
