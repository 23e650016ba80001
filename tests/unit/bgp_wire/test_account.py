"""Packets of BGP sessions -> what stands on each, by the rules of RFC 4271, 6793 and 7911."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from encoding import (
    ACK,
    FIN,
    KEEPALIVE,
    ORIGIN,
    RST,
    SYN,
    add_path,
    four_octet_as,
    message,
    next_hop,
    opened,
    packet,
    path,
    reach,
    route,
    unreach,
    update,
)
from hypothesis import given
from hypothesis import strategies as st

from bgpsim.agent.bgp_account import Account, Seen
from bgpsim.agent.bgp_capture import parts_of

PLAIN = (ORIGIN, path(65001), next_hop("10.0.0.1"))


class Wire:
    """A connection from tor0 to node, whose segments are seen as they are written."""

    def __init__(self, account: Account | None = None, port: int = 40000, first: int = 100, syn: bool = True) -> None:
        self.account = account or Account(lambda device, interface: None)
        self.port = port
        self.next = {"tor0": first, "node": 5000 + first}
        if syn:
            self.segment("tor0", flags=SYN)
            self.segment("node", flags=SYN | ACK)

    def made(self, sender: str, payload: bytes = b"", flags: int = ACK) -> Seen:
        ends = [("10.0.0.1", self.port), ("10.0.0.2", 179)]
        source, target = ends if sender == "tor0" else ends[::-1]
        other = self.next["node" if sender == "tor0" else "tor0"]
        data = packet(*source, *target, self.next[sender], payload, flags=flags, acknowledged=other)
        self.next[sender] += len(payload) + bool(flags & SYN) + bool(flags & FIN)
        return Seen(0, sender, "net0", data)

    def segment(self, sender: str, payload: bytes = b"", flags: int = ACK) -> None:
        self.account.take([self.made(sender, payload, flags)])

    def established(self, *capabilities: tuple[int, bytes], answer: tuple[tuple[int, bytes], ...] = ()) -> Wire:
        self.segment("tor0", opened(65001, *capabilities))
        self.segment("node", opened(65002, *answer) + KEEPALIVE)
        self.segment("tor0", KEEPALIVE)
        return self

    def sent(self, sender: str = "tor0") -> Mapping[str, Any]:
        (found,) = (s for s in self.account.sessions() if s["device"] == sender)
        return found

    def routes(self, sender: str = "tor0") -> list[tuple[int, str]]:
        """AFI and the routes of it with path ids, in hexadecimal."""
        return [(afi, nlri) for _, _, afi, nlri in self.sent(sender)["routes"]]


def ids(*prefixes: str, path_id: int = 0) -> str:
    return b"".join(route(prefix, path_id) for prefix in prefixes).hex()


def test_a_session_and_the_last_word_on_each_route() -> None:
    wire = Wire().established()
    wire.segment("tor0", update(PLAIN, route("10.1.0.0/24") + route("10.2.0.0/24") + route("10.3.0.0/17")))
    wire.segment("tor0", update(withdrawn=route("10.2.0.0/24") + route("10.9.0.0/24")))
    wire.segment("tor0", update())  # End-of-RIB
    found = wire.sent()
    assert (found["peer"], found["source"], found["target"], found["problem"]) == ("node", "10.0.0.1", "10.0.0.2", None)
    assert wire.routes() == [(1, ids("10.1.0.0/24", "10.3.0.0/17"))]
    assert found["routes"][0][:2] == [b"".join(PLAIN).hex(), ""]
    assert wire.routes("node") == []


def test_both_families_and_ipv4_routes_with_an_ipv6_next_hop() -> None:
    wire = Wire().established()
    wire.segment("tor0", update([ORIGIN, reach(2, ["2001:db8::1", "fe80::1"], route("2001:db8:5::/48"))]))
    wire.segment("tor0", update([reach(1, ["fe80::1"], route("10.1.0.0/24") + route("10.2.0.0/24")), ORIGIN]))
    wire.segment("tor0", update([unreach(1, route("10.1.0.0/24"))]))
    assert wire.routes() == [(2, ids("2001:db8:5::/48")), (1, ids("10.2.0.0/24"))]
    wire.segment("tor0", update([unreach(2, route("2001:db8:5::/48"))]))
    assert wire.routes() == [(1, ids("10.2.0.0/24"))]


def test_path_ids_where_one_end_sends_them_and_the_other_takes_them() -> None:
    sends, takes, nothing = add_path((1, 1, 2)), add_path((1, 1, 1)), add_path((2, 1, 3))
    wire = Wire().established(sends, answer=(takes,))
    wire.segment("tor0", update(PLAIN, route("10.1.0.0/24", 1) + route("10.1.0.0/24", 2)))
    wire.segment("tor0", update(withdrawn=route("10.1.0.0/24", 1)))
    wire.segment("node", update(PLAIN, route("10.4.0.0/24")))  # the other direction has none
    assert wire.routes() == [(1, ids("10.1.0.0/24", path_id=2))]
    assert wire.routes("node") == [(1, ids("10.4.0.0/24"))]
    for own, other in ((takes, sends), (sends, nothing), (takes, takes)):
        plain = Wire().established(own, answer=(other,))
        plain.segment("tor0", update(PLAIN, route("10.1.0.0/24")))
        assert plain.routes() == [(1, ids("10.1.0.0/24"))]


@given(st.data())
def test_messages_are_the_same_however_the_stream_is_cut_and_reordered(draw: st.DataObject) -> None:
    said = (
        opened(65001, four_octet_as(65001))
        + KEEPALIVE
        + update(PLAIN, route("10.1.0.0/24") + route("10.2.0.0/24"))
        + update(withdrawn=route("10.1.0.0/24"))
        + update(PLAIN, route("10.3.0.0/24"))
    )
    wire = Wire(first=2**32 - 60)
    wire.segment("node", opened(65002, four_octet_as(65002)) + KEEPALIVE)
    cuts = sorted(draw.draw(st.sets(st.integers(1, len(said) - 1), max_size=10)) | {0, len(said)})
    pieces = [wire.made("tor0", said[a:b]) for a, b in pairwise(cuts)]
    again = draw.draw(st.lists(st.sampled_from(pieces), max_size=4))
    wire.account.take(draw.draw(st.permutations(pieces + again)))
    assert wire.routes() == [(1, ids("10.2.0.0/24", "10.3.0.0/24"))]
    assert wire.sent()["problem"] is None
    (counted,) = (c["counts"] for c in wire.account.counts() if c["device"] == "tor0")
    assert counted == {"keepalive": 1, "open": 1, "update": 3}


def test_an_update_waits_for_the_other_ends_open() -> None:
    """The capture of one device may be read before that of the other."""
    wire = Wire()
    wire.segment("tor0", opened(65001, add_path((1, 1, 2))) + KEEPALIVE + update(PLAIN, route("10.1.0.0/24", 7)))
    assert list(wire.account.sessions()) == []
    wire.segment("node", opened(65002, add_path((1, 1, 1))) + KEEPALIVE)
    assert wire.routes() == [(1, ids("10.1.0.0/24", path_id=7))]


def test_a_session_ends_with_its_routes() -> None:
    for ending in ("notification", "fin", "rst"):
        wire = Wire().established()
        wire.segment("tor0", update(PLAIN, route("10.1.0.0/24")))
        if ending == "notification":
            wire.segment("node", message(3, b"\4\0"))
        else:
            wire.segment("node", flags=FIN | ACK if ending == "fin" else RST)
        assert list(wire.account.sessions()) == [], ending


def test_a_new_session_at_the_same_ports_begins_anew() -> None:
    wire = Wire().established()
    wire.segment("tor0", update(PLAIN, route("10.1.0.0/24")))
    second = Wire(wire.account, first=900_000).established()
    second.segment("tor0", update(PLAIN, route("10.2.0.0/24")))
    assert second.routes() == [(1, ids("10.2.0.0/24"))]


def test_attempts_that_come_to_nothing_are_forgotten_and_the_session_is_not() -> None:
    wire = Wire().established()
    wire.segment("tor0", update(PLAIN, route("10.1.0.0/24")))
    for number in range(50):
        Wire(wire.account, port=50_000 + number)
    assert wire.routes() == [(1, ids("10.1.0.0/24"))]
    assert len(wire.account._connections) < 10


def test_a_packet_that_was_lost_is_told() -> None:
    wire = Wire().established()
    wire.made("tor0", update(PLAIN, route("10.1.0.0/24")))  # nobody saw it
    wire.segment("tor0", KEEPALIVE)
    assert "were not seen" in wire.sent()["problem"]
    assert wire.sent("node")["problem"] is None
    other = Wire().established()
    other.made("tor0", update(PLAIN, route("10.1.0.0/24")))
    other.segment("node", KEEPALIVE)
    assert "its peer has" in other.sent()["problem"]


def test_packets_that_a_ring_had_no_room_for_make_all_that_its_device_sends_doubtful() -> None:
    wire = Wire().established()
    wire.account.lose("tor0", 3)
    assert wire.sent()["problem"] == "the capture at tor0 lost 3 packets"
    assert wire.sent("node")["problem"] is None


def test_a_session_whose_beginning_was_not_seen_is_none() -> None:
    wire = Wire(syn=False)
    wire.segment("tor0", update(PLAIN, route("10.1.0.0/24")))
    assert list(wire.account.sessions()) == []


def test_a_router_on_the_way_changes_nothing() -> None:
    wire = Wire()
    seen = wire.made("tor0", opened(65001) + KEEPALIVE)
    wire.account.take([seen, seen._replace(device="transit", interface="in")])
    wire.segment("node", opened(65002) + KEEPALIVE)
    assert {found["device"] for found in wire.account.sessions()} == {"tor0", "node"}


def test_equal_link_local_addresses_on_two_links_are_two_sessions() -> None:
    links = {("tor0", "x"): 0, ("injector", "tor0"): 0, ("tor1", "x"): 1, ("injector", "tor1"): 1}
    account = Account(lambda device, interface: links[device, interface])
    for tor in ("tor0", "tor1"):
        said = ((("fe80::1", 179), tor, "x", 65001), (("fe80::2", 40000), "injector", tor, 65099))
        for flags, say in ((SYN, False), (ACK, True)):
            for number, (source, device, interface, asn) in enumerate(said):
                target = said[1 - number][0]
                payload = opened(asn) + KEEPALIVE if say else b""
                data = packet(*source, *target, 10 + say, payload, flags=flags)
                account.take([Seen(0, device, interface, data)])
    assert [(s["device"], s["peer"]) for s in account.sessions()] == [
        ("tor0", "injector"),
        ("injector", "tor0"),
        ("tor1", "injector"),
        ("injector", "tor1"),
    ]


def test_bytes_that_are_no_bgp_are_told() -> None:
    wire = Wire().established()
    wire.segment("tor0", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert "no BGP message begins with" in wire.sent()["problem"]


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_body_is_read_or_told(opening: bytes, body: bytes) -> None:
    wire = Wire()
    wire.segment("node", opened(65002) + KEEPALIVE)
    wire.segment("tor0", message(1, opening) + KEEPALIVE + message(2, body) + message(6))
    other = Wire().established(add_path((1, 1, 3)), answer=(add_path((1, 1, 3)),))
    other.segment("tor0", message(2, body))
    for found in (*wire.account.sessions(), *other.account.sessions()):
        assert found["problem"] is None or found["device"] == "tor0"


def test_updates_do_not_wait_for_ever() -> None:
    wire = Wire()
    wire.segment("tor0", opened(65001) + KEEPALIVE)
    for _ in range(40):
        wire.segment("tor0", update() * 500)
    wire.segment("node", opened(65002) + KEEPALIVE)
    assert wire.sent()["problem"] == "the OPEN of the other end was not seen"


class Elsewhere(Wire):
    """The same addresses and ports, between two other devices."""

    def made(self, sender: str, payload: bytes = b"", flags: int = ACK) -> Seen:
        return super().made(sender, payload, flags)._replace(device=f"other-{sender}")


def test_equal_addresses_in_two_parts_of_a_lab_are_two_sessions() -> None:
    account = Account(lambda device, interface: None, lambda device: device.startswith("other"))
    for number in range(3):
        Wire(account, port=40000 + number).established()
        Elsewhere(account, port=40000 + number, first=900).established()
    assert {of["device"] for of in account.sessions()} == {"tor0", "node", "other-tor0", "other-node"}


def test_parts_of_a_lab() -> None:
    parts = parts_of([("a", "b"), ("c", "d"), ("e", "f"), ("b", "g"), ("d", "e")])
    assert len({parts[device] for device in "abg"}) == len({parts[device] for device in "cdef"}) == 1
    assert parts["a"] != parts["c"]
