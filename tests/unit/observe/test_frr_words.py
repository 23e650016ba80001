"""One table in the words of FRR 8.4.4 and of 10.3 (copied from real runs, shortened) is one state."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bgpsim.errors import LabError
from bgpsim.frr_series import OBSERVED
from bgpsim.observe.bgp import BgpPlane, read_advertised, read_frr
from bgpsim.observe.owners import Owners

OWNERS = Owners({}, {}, {})
PATH = {
    "aspath": {"string": "65000", "segments": [{"type": "as-sequence", "list": [65000]}], "length": 1},
    "bestpath": {"overall": True, "selectionReason": "First path received"},
    "metric": 0,
    "nexthops": [{"accessible": True, "afi": "ipv4", "ip": "10.0.1.2", "used": True}],
    "origin": "incomplete",
    "peer": {"peerId": "10.0.1.2", "routerId": "10.0.0.9", "type": "external"},
    "valid": True,
    "weight": 0,
}
TABLES = {
    "8.4": {"10.9.0.0/16": [{"advertisedTo": {}, "prefix": "10.9.0.0/16", "version": 4}, PATH]},
    "10.3": {"10.9.0.0/16": {"advertisedTo": {}, "paths": [PATH], "prefix": "10.9.0.0/16", "version": 4}},
}
ADVERTISED: dict[str, dict[str, Any]] = {
    "8.4": {"appliedStatusSymbols": {"*": True, ">": True}, "bgpOriginCode": "?"},
    "10.3": {"best": True, "valid": True, "origin": "incomplete"},
}


def read(release: str) -> BgpPlane:
    plane = BgpPlane()
    peer = {"remoteAs": 65000, "localAs": 65010, "state": "Established", "pfxRcd": 1, "pfxSnt": 1, "idType": "ipv4"}
    answers = ({"peers": {"10.0.1.2": peer}}, {"routes": TABLES[release]}, {}, {})
    read_frr(plane, "r", [iter([json.dumps(answer)]) for answer in answers], OWNERS)
    route = {"addrPrefix": "10.9.0.0", "nextHop": "10.0.1.2", "path": "65000", "metric": 0, **ADVERTISED[release]}
    answer = json.dumps({"advertisedRoutes": {"10.9.0.0/16": route}})
    read_advertised(plane, "r", "ipv4-unicast", "10.0.1.2", iter([answer]), OWNERS)
    return plane


def test_both_are_read_alike() -> None:
    old, new = read("8.4"), read("10.3")
    assert len(old.paths.grouped()) == len(old.advertised.grouped()) == 1
    assert dict(new.paths.grouped()) == dict(old.paths.grouped())
    assert dict(new.advertised.grouped()) == dict(old.advertised.grouped())
    (sent,) = new.advertised.grouped().values()
    assert sent.origin == "incomplete"


@pytest.mark.parametrize("route", [{"nextHop": "10.0.1.2"}, {"origin": "IGP"}, {"nextHop": "::", "origin": "else"}])
def test_a_third_shape_is_told(route: dict[str, str]) -> None:
    answer = json.dumps({"advertisedRoutes": {"10.9.0.0/16": {"path": "", **route}}})
    with pytest.raises(LabError, match="unknown shape"):
        read_advertised(BgpPlane(), "r", "ipv4-unicast", "10.0.1.2", iter([answer]), OWNERS)


def test_frr_7_cannot_be_read_and_the_error_says_what_can() -> None:
    """7.5 prints no own AS in its summary, and knows no `json detail`."""
    peer = {"remoteAs": 65000, "state": "Established", "pfxRcd": 1, "idType": "ipv4"}
    answers = (json.dumps({"as": 65010, "peers": {"10.0.1.2": peer}}), "% [BGP] Unknown command", "{}", "{}")
    with pytest.raises(LabError, match="prints no whole table") as refused:
        read_frr(BgpPlane(), "r", [iter([answer]) for answer in answers], OWNERS)
    assert all(f"{major}.{minor}" in (refused.value.hint or "") for major, minor in OBSERVED)
