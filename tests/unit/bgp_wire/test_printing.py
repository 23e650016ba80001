"""Captured frames -> text by scapy."""

from __future__ import annotations

from encoding import ACK, KEEPALIVE, ORIGIN, SYN, add_path, next_hop, opened, packet, path, reach, route, update

from bgpsim.observe.bgp_wire.printing import Captured, printed

ETHERNET = b"\0" * 12 + b"\x08\0"
A, B = ("10.0.0.1", 40000), ("10.0.0.2", 179)


def capture(*said: tuple[bool, int, bytes, int]) -> list[Captured]:
    """Whether the captured end sent it, sequence, payload, flags."""
    return [
        Captured(1_000 * n, "net0", ETHERNET + packet(*(A + B if out else B + A), sequence, data, flags=flags))
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
            )
        )
    )
    heads = [text.splitlines()[0].split(" ", 1)[1] for text in texts]
    assert heads == [
        "net0 10.0.0.1 > 10.0.0.2 OPEN",
        "net0 10.0.0.2 > 10.0.0.1 OPEN",
        "net0 10.0.0.2 > 10.0.0.1 KEEPALIVE",
        "net0 10.0.0.1 > 10.0.0.2 UPDATE",
    ]
    for said in ("nlri_path_id= 9", "prefix    = 10.1.0.0/24", "70000", "next_hop  = 10.0.0.1", "origin    = IGP"):
        assert said in texts[3], texts[3]


def test_a_capture_that_begins_in_the_middle_says_so() -> None:
    six = update([ORIGIN, path(70000), reach(1, ["2001:db8::1", "fe80::1"], route("10.1.0.0/24"))])
    (text,) = printed(capture((True, 7, b"the end of one" + six, ACK)))
    assert "no OPEN was seen" in text.splitlines()[0]
    for said in ("fe80::1", "2001:db8::1", "prefix    = 10.1.0.0/24", "70000"):
        assert said in text


def test_what_is_no_bgp_prints_nothing() -> None:
    arp = Captured(0, "net0", b"\0" * 12 + b"\x08\x06" + b"\0" * 28)
    assert list(printed([arp])) == []
    assert list(printed(capture((True, 0, b"", SYN), (True, 1, b"GET / HTTP/1.1" * 4, ACK)))) == []
