"""Kernel routes as the agent dumps them -> FibRoute."""

from collections.abc import Mapping
from typing import Any

import pytest

from bgpsim.network.state import FibRoute
from bgpsim.observe.fib import read_fib
from bgpsim.observe.owners import owners


@pytest.mark.parametrize(
    ("told", "protocol"),
    [("196", "static"), ("zstatic", "static"), ("static", "static"), ("bgp", "bgp"), (None, "boot")],
)
def test_the_protocol_of_frrs_static_routes(told: str | None, protocol: str) -> None:
    """zebra gives them RTPROT_ZSTATIC, 196, for which iproute2 has no name of its own."""
    route: dict[str, Any] = {"dst": "10.60.0.0/24", "gateway": "10.0.13.3", "dev": "b", "metric": 20}
    if told is not None:
        route["protocol"] = told
    assert read(route).protocol == protocol


def read(route: Mapping[str, Any]) -> FibRoute:
    (found,) = read_fib([("r1", "ipv4-unicast", [route])], owners({}, [])).values()
    return found


@pytest.mark.parametrize(
    ("first", "second", "interfaces", "linkdown"),
    [
        ([], [], {"a", "b"}, False),
        # Without carrier it is still used; with its interface down it is not.
        (["linkdown"], [], {"a", "b"}, False),
        (["dead", "linkdown"], [], {"b"}, False),
        (["dead", "linkdown"], ["linkdown"], {"b"}, True),
        (["linkdown"], ["linkdown"], {"a", "b"}, True),
    ],
)
def test_several_next_hops(first: list[str], second: list[str], interfaces: set[str], linkdown: bool) -> None:
    hops = [{"gateway": "10.0.1.2", "dev": "a", "flags": first}, {"gateway": "10.0.2.2", "dev": "b", "flags": second}]
    found = read({"dst": "10.255.0.2", "nexthops": hops, "flags": []})
    assert ({hop.interface for hop in found.next_hops}, found.linkdown) == (interfaces, linkdown)
