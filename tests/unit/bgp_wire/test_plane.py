"""What was captured of each session -> facts of the wire plane, under the names that routers give."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

from encoding import ORIGIN, four_octet_as, opened, path, route

from bgpsim.agent.protocol import LabDevice
from bgpsim.check.compare import compare
from bgpsim.network.state import Attributes, NetworkState, Session, SessionKey, WireKey
from bgpsim.observe.bgp_wire.plane import WirePlane, contradicted, read_wire
from bgpsim.observe.owners import Owners

DEVICES = {
    "tor0": LabDevice("tor0", "router", "frr"),
    "router0": LabDevice("router0", "router", "frr"),
    "injector": LabDevice("injector", "speaker", "exabgp"),
}
OWNERS = Owners(
    {},
    {"fe80::a": (("tor0", "net0"),), "fe80::1": (("tor0", "x"),), "fe80::2": (("injector", "tor0"),)},
    {
        ("tor0", "net0"): ("router0", "net3"),
        ("router0", "net3"): ("tor0", "net0"),
        ("tor0", "x"): ("injector", "tor0"),
        ("injector", "tor0"): ("tor0", "x"),
    },
)
UP, DOWN = "Established", "Down"
V4, V6 = "ipv4-unicast", "ipv6-unicast"


def captured(device: str, interface: str, peer: str, target: str, hop: str = "", **fields: Any) -> Mapping[str, Any]:
    own, other = (opened(asn, four_octet_as(asn))[19:].hex() for asn in (70000, 65001))
    routes = [[(ORIGIN + path(70000)).hex(), hop, 1, (route("10.1.0.0/24", 0) + route("10.2.0.0/15", 7)).hex()]]
    made = {"device": device, "interface": interface, "peer": peer, "target": target, "begun": 1}
    return {**made, "source": "", "problem": None, "open": own, "answer": other, "routes": routes, **fields}


def session(peer: str, state: Any = UP) -> Session:
    return Session(state, "ebgp", peer)


FABRIC = captured("tor0", "net0", "router0", "fe80::b", hop="fe80000000000000000000000000000a")
TO_SPEAKER = captured("tor0", "x", "injector", "fe80::2", hop="fe800000000000000000000000000001")
FROM_SPEAKER = captured("injector", "tor0", "tor0", "fe80::1", hop="fe800000000000000000000000000002")
SESSIONS = {
    SessionKey("tor0", "net0"): session("router0"),
    SessionKey("tor0", "fe80::2"): session("injector"),
    SessionKey("injector", "tor0"): session("tor0"),
}


def test_each_stream_is_one_fact_under_the_name_of_its_session() -> None:
    plane = read_wire([FABRIC, TO_SPEAKER, FROM_SPEAKER], SESSIONS, DEVICES, OWNERS)
    assert plane.not_observed == {}
    hops = {
        ("tor0", "sent", "net0"): "tor0:net0",
        ("injector", "received", "tor0"): "tor0:x",
        ("injector", "sent", "tor0"): "injector:tor0",
    }
    assert plane.facts == {
        WireKey(*stream, V4, ip_network(prefix), path_id): Attributes(hop, as_path=(70000,))  # type: ignore[arg-type]
        for stream, hop in hops.items()
        # The ids that a router gives are counted anew.
        for prefix, path_id in (("10.1.0.0/24", 0), ("10.2.0.0/15", 1 if stream[1] == "received" else 7))
    }


def test_the_newest_connection_is_the_session() -> None:
    old = {**FABRIC, "routes": [], "problem": "its SYN was not seen"}
    plane = read_wire([old, FABRIC], {SessionKey("tor0", "net0"): session("router0")}, DEVICES, OWNERS)
    assert len(plane.facts) == 2
    assert plane.not_observed == {}


def test_a_session_that_its_router_calls_down_carries_nothing() -> None:
    assert read_wire([FABRIC], {SessionKey("tor0", "net0"): session("router0", DOWN)}, DEVICES, OWNERS) == WirePlane()


def test_what_was_not_seen_whole_is_not_observed() -> None:
    broken = {**FABRIC, "problem": "12 bytes from byte 7 on were not seen"}
    unreadable = {**FROM_SPEAKER, "routes": [[ORIGIN.hex(), "", 1, route("10.1.0.0/24", 0).hex()]]}
    plane = read_wire([broken, unreadable], SESSIONS, DEVICES, OWNERS)
    assert plane.facts == {}
    assert plane.not_observed == {
        "tor0 to net0": "12 bytes from byte 7 on were not seen",
        "injector from tor0": "no connection of it was seen from its SYN on",
        "injector to tor0": "an UPDATE announces routes without a next hop",
    }


def test_where_exabgp_says_otherwise_neither_counts() -> None:
    plane = read_wire([FABRIC, TO_SPEAKER, FROM_SPEAKER], SESSIONS, DEVICES, OWNERS)
    told = {key: of for key, of in plane.facts.items() if key.device == "injector"}
    contradicted(plane, told, ["injector"])
    assert plane.not_observed == {}
    one = next(key for key in told if key.direction == "received")
    contradicted(plane, {**told, one: Attributes("elsewhere")}, ["injector"])
    assert plane.not_observed == {"injector from tor0": f"the capture and ExaBGP differ on {one.prefix}"}
    assert {key.stream for key in plane.facts} == {"tor0 to net0", "injector to tor0"}


def test_a_stream_that_was_not_observed_is_counted_with_or_without_a_predicted_route() -> None:
    facts = read_wire([FABRIC], {SessionKey("tor0", "net0"): session("router0")}, DEVICES, OWNERS).facts
    other = {WireKey("router0", "sent", "net3", V4, ip_network("10.0.0.0/8")): Attributes("a")}
    unread = {"wire": {"tor0 to net0": "why", "tor0 to net1": "why not"}}
    found = compare(NetworkState(wire={**facts, **other}), NetworkState(wire=other, not_observed=unread))
    wire = found.planes["wire"]
    assert (wire.status, wire.equal, wire.not_observed) == ("compared", 1, 3)
    assert found.mismatches == ()
