"""What zebra makes of routes that are there without BGP, and what next hops resolve through (FRR 8.4.4, measured)."""

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
from drawing import frr, neighbor, net, route, state, with_down

from bgpsim.network.description import KernelRoute, RouteNextHop
from bgpsim.network.state import FibKey, FibNextHop, PathKey

V4 = "ipv4-unicast"
EDGE = {"r1:a": "10.0.12.1/24", "r1:e": "10.0.1.1/30", "r2:a": "10.0.12.2/24", "e1:u": "10.0.1.2/30"}


def edge(*routes: str, loopback: bool = False):
    """r2 learns e1's prefixes by iBGP from r1, which leaves the next hop as it is."""
    addresses = EDGE | {"e1:h": "10.9.0.1/24"} | ({"e1:lo": "10.0.1.2/32"} if loopback else {})
    return net(
        links=["r1:a -- r2:a", "r1:e -- e1:u", "e1:h -- h9:net0"],
        addresses=addresses,
        routers={
            "r1": frr(65000, neighbor("10.0.12.2", 65000), neighbor("10.0.1.2", 65001), redistribute=()),
            "r2": frr(65000, neighbor("10.0.12.1", 65000), redistribute=()),
            "e1": frr(65001, neighbor("10.0.1.1", 65000)),
        },
        routes={"r2": routes},
        kinds={"h9": "host"},
    )


def learnt(found, prefix: str, device: str = "r2", of: str = "10.0.12.1"):
    path = found.paths[PathKey(device, V4, ip_network(prefix), of)]
    kernel = found.fib.get(FibKey(device, V4, ip_network(prefix), 20))
    return path.valid, path.best, kernel.next_hops if kernel else None


VIA_R1 = frozenset({FibNextHop("10.0.12.1", "a")})


@pytest.mark.parametrize(
    ("routes", "usable"),
    [
        ((), False),
        # `ip nht resolve-via-default` is off, whatever `frr defaults` a later line says.
        (("default via 10.0.12.1",), False),
        (("10.0.1.0/30 via 10.0.12.1",), True),
        (("10.0.0.0/16 via 10.0.12.1",), True),
    ],
)
def test_a_next_hop_resolves_through_any_route_but_the_default(routes: tuple[str, ...], usable: bool) -> None:
    found = state(edge(*routes))
    assert learnt(found, "10.9.0.0/24") == (usable, usable, VIA_R1 if usable else None)


def test_zebra_looks_for_a_next_hop_no_further_than_to_the_route_itself() -> None:
    """10.0.1.0/30 by 10.0.1.2, which 10.0.0.0/16 holds too: bgpd takes the path, zebra does not install it."""
    assert learnt(state(edge("10.0.0.0/16 via 10.0.12.1")), "10.0.1.0/30") == (True, True, None)


def test_a_host_route_by_its_own_address_loops_through_itself() -> None:
    """Even where the address is on a connected network: bgp_find_or_add_nexthop asks for the prefix first."""
    found = state(edge(loopback=True))
    assert learnt(found, "10.0.1.2/32", "r1", "10.0.1.2") == (False, False, None)
    assert learnt(found, "10.9.0.0/24", "r1", "10.0.1.2")[:2] == (True, True)


def statics(*written: KernelRoute, routes: tuple[str, ...] = (), **more):
    network = net(
        links=["r1:a -- r2:a", "r1:b -- r3:b"],
        addresses={"r1:a": "10.0.12.1/24", "r2:a": "10.0.12.2/24", "r1:b": "10.0.13.1/24", "r3:b": "10.0.13.3/24"},
        routers={
            "r1": frr(65001, "10.0.12.2", redistribute=("static", "kernel")),
            "r2": frr(65002, "10.0.12.1", redistribute=()),
        },
        routes={"r1": routes},
        **more,
    )
    r1 = network.devices["r1"]
    return replace(network, devices={**network.devices, "r1": replace(r1, routes=(*r1.routes, *written))})


def static(prefix: str, *via: str) -> KernelRoute:
    """`ip route PREFIX VIA` of FRR's configuration; 20 is the metric that zebra gives the kernel."""
    return KernelRoute(ip_network(prefix), "unicast", tuple(RouteNextHop(ip_address(v)) for v in via), "static", 20)


def test_a_static_route_has_metric_zero_for_bgp_and_twenty_in_the_kernel() -> None:
    found = state(statics(static("10.60.0.0/24", "10.0.13.3"), routes=("10.61.0.0/24 via 10.0.13.3 metric 7",)))
    assert found.paths[PathKey("r2", V4, ip_network("10.60.0.0/24"), "10.0.12.1")].attributes.med == 0
    assert found.paths[PathKey("r2", V4, ip_network("10.61.0.0/24"), "10.0.12.1")].attributes.med == 7
    assert found.fib[FibKey("r1", V4, ip_network("10.60.0.0/24"), 20)].protocol == "static"


def test_without_carrier_zebra_drops_its_static_route_and_keeps_a_kernel_route() -> None:
    network = statics(static("10.60.0.0/24", "10.0.13.3"), routes=("10.61.0.0/24 via 10.0.13.3",))
    found = state(with_down(network, "r3:b"))
    assert PathKey("r2", V4, ip_network("10.60.0.0/24"), "10.0.12.1") not in found.paths
    assert PathKey("r2", V4, ip_network("10.61.0.0/24"), "10.0.12.1") in found.paths
    assert FibKey("r1", V4, ip_network("10.60.0.0/24"), 20) not in found.fib
    assert found.fib[FibKey("r1", V4, ip_network("10.61.0.0/24"), 0)].linkdown
    assert PathKey("r2", V4, ip_network("10.61.0.0/24"), "10.0.12.1") not in state(with_down(network, "r1:b")).paths


def test_a_kernel_route_goes_before_a_static_one() -> None:
    found = state(statics(static("10.60.0.0/24", "10.0.12.2"), routes=("10.60.0.0/24 via 10.0.13.3",)))
    assert FibKey("r1", V4, ip_network("10.60.0.0/24"), 20) not in found.fib
    assert found.paths[PathKey("r1", V4, ip_network("10.60.0.0/24"), "local")].attributes.next_hop == "10.0.13.3"


def test_a_route_that_the_kernel_lost_keeps_a_bgp_route_out_if_it_stood_beside_it() -> None:
    """zebra 8.4.4 has kept it beside the BGP route, and believes in it again once the interface is up."""
    network = edge("10.0.1.0/30 via 10.0.12.1", "10.9.0.0/24 via 10.0.12.1")
    r2 = network.devices["r2"]
    routes = tuple(replace(r, lost=r.prefix == ip_network("10.9.0.0/24")) for r in r2.routes)
    lost = replace(network, devices={**network.devices, "r2": replace(r2, routes=routes)})
    before = state(network)
    assert FibKey("r2", V4, ip_network("10.9.0.0/24"), 0) in before.fib
    found = state(lost, before)
    assert learnt(found, "10.9.0.0/24") == (True, True, None)
    assert FibKey("r2", V4, ip_network("10.9.0.0/24"), 0) not in found.fib
    assert learnt(state(lost, found), "10.9.0.0/24") == (True, True, None)
    # Where there was no BGP route beside it, zebra has forgotten it.
    assert learnt(state(lost, None), "10.9.0.0/24") == (True, True, VIA_R1)


def test_a_lost_route_is_not_redistributed() -> None:
    found = state(statics(replace(route("10.61.0.0/24 via 10.0.13.3"), lost=True)))
    assert PathKey("r1", V4, ip_network("10.61.0.0/24"), "local") not in found.paths


def test_a_static_route_with_two_next_hops() -> None:
    """BGP is told the lower one; a next hop without carrier is not installed."""
    network = statics(static("10.60.0.0/24", "10.0.13.3", "10.0.12.2"))
    key = FibKey("r1", V4, ip_network("10.60.0.0/24"), 20)
    both, one = state(network), state(with_down(network, "r3:b"))
    assert both.paths[PathKey("r1", V4, ip_network("10.60.0.0/24"), "local")].attributes.next_hop == "10.0.12.2"
    assert {hop.interface for hop in both.fib[key].next_hops} == {"a", "b"}
    assert {hop.interface for hop in one.fib[key].next_hops} == {"a"}
