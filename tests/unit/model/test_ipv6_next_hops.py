"""IPv6 routes on IPv4 sessions: next hops as in the packet, measured on FRR 8.4.4 by the capture of the wire."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from drawing import frr, gobgp, neighbor, net, state

from bgpsim.network.description import Network

BOTH = ("ipv4-unicast", "ipv6-unicast")
OF_A = "fd00:255::1/128"


def line(**to_c: bool) -> Network:
    """a - b - c: an external session, an internal one, all links with addresses of both families."""

    def of(address: str, asn: int, **more: bool):  # type: ignore[no-untyped-def]
        return neighbor(address, asn, families=BOTH, **more)

    return net(
        links=["a:b -- b:a", "b:c -- c:b"],
        addresses={
            "a:lo": f"10.255.0.1/32 {OF_A}",
            "a:b": "10.0.12.1/24 fd00:12::1/64",
            "b:a": "10.0.12.2/24 fd00:12::2/64",
            "b:c": "10.0.23.2/24 fd00:23::2/64",
            "c:b": "10.0.23.3/24 fd00:23::3/64",
        },
        routers={
            "a": frr(65001, of("10.0.12.2", 65002), router_id="10.0.0.1"),
            "b": frr(65002, of("10.0.12.1", 65001), of("10.0.23.3", 65002, **to_c), router_id="10.0.0.2"),
            "c": frr(65002, of("10.0.23.2", 65002), router_id="10.0.0.3"),
        },
    )


def hops(network: Network) -> Mapping[tuple[str, str], str]:
    found = state(network)
    return {(k.stream, str(k.prefix)): of.next_hop for k, of in found.wire.items() if k.family == "ipv6-unicast"}


def test_on_a_common_link_the_link_local_address_goes_along() -> None:
    """To an external peer, and of own routes to an internal one (bgp_route.c, subgroup_announce_check)."""
    found = hops(line())
    assert found["a to 10.0.12.2", OF_A] == "a:b"
    assert found["b to 10.0.12.1", "fd00:23::/64"] == "b:a"
    assert found["c to 10.0.23.2", "fd00:23::/64"] == "c:b"


@pytest.mark.parametrize(("next_hop_self", "hop"), [(False, "fd00:12::1"), (True, "fd00:23::2")])
def test_to_an_internal_peer_an_external_route_has_its_global_next_hop(next_hop_self: bool, hop: str) -> None:
    network = line(next_hop_self=next_hop_self)
    assert hops(network)["b to 10.0.23.3", OF_A] == hop
    printed = {(k.device, k.neighbor, str(k.prefix)): of.next_hop for k, of in state(network).advertised.items()}
    assert printed["b", "10.0.23.3", OF_A] == ("self" if next_hop_self else hop)


def test_gobgp_maps_its_ipv4_address() -> None:
    """RFC 4291 section 2.5.5.2."""
    network = net(
        links=["node:net0 -- tor:net0"],
        addresses={"node:net0": "10.0.1.2/24", "tor:net0": "10.0.1.1/24"},
        routers={
            "node": gobgp(65001, "10.0.1.2", "10.0.1.1", "fd00:1::/64"),
            "tor": frr(65001, neighbor("10.0.1.2", 65001, families=BOTH), router_id="10.0.0.1"),
        },
    )
    assert hops(network) == {("node to 10.0.1.1", "fd00:1::/64"): "::ffff:a00:102"}
