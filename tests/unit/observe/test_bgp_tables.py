"""Tables as FRR 8.4.4 and GoBGP 3.10.0 print them, with attributes that are rare. Shapes copied from real runs."""

from __future__ import annotations

import json
from ipaddress import ip_network
from typing import Any

from bgpsim.network.state import AdvertisedKey, PathKey
from bgpsim.observe.bgp import (
    BgpPlane,
    advertised_commands,
    read_advertised,
    read_frr,
    read_gobgp,
    several_paths,
)
from bgpsim.observe.owners import Owners

OWNERS = Owners({}, {"fe80::2": (("i", "r"),)}, {("i", "r"): ("r", "x-i"), ("r", "x-i"): ("i", "r")})
PREFIX = ip_network("10.90.0.0/16")


def path(rx: int, tx: int, **more: Any) -> dict[str, Any]:
    segments = [{"type": "as-sequence", "list": [65050]}, {"type": "as-set", "list": [65010, 65011]}]
    return {
        "aspath": {"string": "65050 {65010,65011}", "segments": segments, "length": 2},
        "origin": "EGP",
        "valid": True,
        "addpathRxId": rx,
        "addpathTxId": tx,
        "addpathTxIdAll": tx,
        "nexthops": [{"ip": "fe80::2", "afi": "ipv6", "scope": "global", "used": True}],
        "peer": {"peerId": "fe80::2", "routerId": "192.0.2.1", "type": "external"},
    } | more


def peer(state: str = "Established") -> dict[str, Any]:
    return {"remoteAs": 65099, "localAs": 65000, "state": state, "pfxRcd": 2, "pfxSnt": 3, "idType": "ipv6"}


def frr(*paths: dict[str, Any]) -> BgpPlane:
    plane = BgpPlane()
    summary = {"peers": {"fe80::2": peer()}}
    table = {"routes": {"10.90.0.0/16": [{"prefix": "10.90.0.0/16", "version": 4}, *paths]}}
    read_frr(plane, "r", [iter([text]) for text in (json.dumps(summary), json.dumps(table), "{}", "{}", "{}")], OWNERS)
    return plane


def test_paths_of_one_peer_are_told_apart_by_the_ids_that_it_gave() -> None:
    plane = frr(path(9, 5), path(3, 6, metric=7, aggregatorAs=70000, aggregatorId="1.2.3.4"))
    keys = [PathKey("r", "ipv4-unicast", PREFIX, "fe80::2", n) for n in (9, 3)]
    paths = plane.paths.grouped()
    assert list(paths) == keys
    attributes = paths[keys[1]].attributes
    assert attributes.as_path == (65050, frozenset({65010, 65011}))
    assert (attributes.next_hop, attributes.med, attributes.aggregator) == ("i:r", 7, "70000:1.2.3.4")
    assert plane.add_path == {"r"}
    assert frr(path(0, 0)).add_path == set()


def test_of_several_paths_sent_the_one_that_is_printed_is_no_fact() -> None:
    plane = frr(path(9, 5))
    shown = {
        "fe80::2": {"neighborCapabilities": {"addPath": {"ipv4Unicast": {"txAdvertisedAndReceived": True}}}},
        "fe80::3": {"neighborCapabilities": {"addPath": {"ipv4Unicast": {"rxAdvertised": True}}}},
        "fe80::4": {"bgpState": "Active"},
        "defaultLocPrf": 100,
    }
    several = several_paths(json.dumps(shown))
    assert several == {"fe80::2"}
    assert advertised_commands(plane, "r", several) == []
    assert len(advertised_commands(plane, "r", frozenset())) == 1


def test_an_as_set_is_printed_in_braces() -> None:
    plane = BgpPlane()
    route = {"nextHopGlobal": "::", "path": "65050 {65010,65011}", "bgpOriginCode": "e"}
    answer = json.dumps({"advertisedRoutes": {"10.90.0.0/16": route}})
    read_advertised(plane, "r", "ipv4-unicast", "net0", iter([answer]), OWNERS)
    found = plane.advertised.grouped()[AdvertisedKey("r", "net0", "ipv4-unicast", PREFIX)]
    assert found.as_path == (65050, frozenset({65010, 65011}))


def test_what_gobgp_does_not_know_and_how_it_spells_large_as_numbers() -> None:
    attributes = [
        {"type": 1, "value": 0},
        {"type": 99, "flags": 224, "value": "AAAAAQ=="},
        {
            "type": 16,
            "value": [
                {"type": 2, "subtype": 3, "value": "1.4464:5"},
                {"type": 1, "subtype": 2, "value": "1.2.3.4:7"},
                {"type": 0, "subtype": 2, "value": "65000:100"},
            ],
        },
    ]
    neighbor = {
        "state": {"neighbor_address": "10.0.0.1", "session_state": 6},
        "conf": {"peer_asn": 65010, "local_asn": 65010},
    }
    sides: dict[str, Any] = {"10.0.0.1": {"adj-in": {"10.90.0.0/16": []}, "adj-out": {}}}
    tables = {
        "neighbors": [neighbor],
        "families": {
            "ipv4-unicast": {
                "rib": {"10.90.0.0/16": [{"attrs": attributes, "neighbor-ip": "10.0.0.1", "best": True}]},
                "neighbors": sides,
            },
            "ipv6-unicast": {"rib": None, "neighbors": {"10.0.0.1": {"adj-in": None, "adj-out": None}}},
        },
    }
    plane = BgpPlane()
    read_gobgp(plane, "worker", tables, OWNERS)
    (found,) = plane.paths.grouped().values()
    assert found.attributes.unknown == ("99 0x00000001",)
    # 1.4464 is 65536 + 4464.
    assert found.attributes.extended_communities == ("RT:1.2.3.4:7", "RT:65000:100", "SoO:70000:5")
