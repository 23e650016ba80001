"""What random networks have shown of FRR 8.4.4, one case each."""

from dataclasses import replace
from ipaddress import ip_network

from drawing import LINE, frr, neighbor, net, state

from bgpsim.model.outcomes import outcomes
from bgpsim.network.description import KernelRoute, Origination, Redistribution, RouteNextHop
from bgpsim.network.state import FibKey, FibNextHop, PathKey, SessionKey, WireKey

BOTH = ("ipv4-unicast", "ipv6-unicast")


def test_what_is_named_and_redistributed_is_two_paths() -> None:
    named = Origination(ip_network("10.0.0.1/32"), source=LINE)
    found = state(
        net(
            links=["a:net0 -- b:net0"],
            addresses={"a:lo": "10.0.0.1/32"},
            routers={"a": frr(65001, "net0", originated=(named,)), "b": frr(65002, "net0")},
        )
    )
    first, second = (found.paths["a", "ipv4-unicast", named.prefix, "local", number] for number in (0, 1))
    assert (first.attributes.origin, first.best, first.reason) == ("igp", True, "Origin")
    assert (second.attributes.origin, second.best, second.lost) == ("incomplete", False, "Origin")
    assert found.paths["b", "ipv4-unicast", named.prefix, "net0", 0].attributes.origin == "igp"


def test_who_may_not_dial_accepts() -> None:
    """Between loopbacks, one end without ebgp-multihop."""

    def line(ttl: int):
        return state(
            net(
                links=["a:net0 -- b:net0"],
                addresses={
                    "a:lo": "10.0.0.1/32",
                    "b:lo": "10.0.0.2/32",
                    "a:net0": "10.1.0.1/30",
                    "b:net0": "10.1.0.2/30",
                },
                routes={"a": ["10.0.0.2/32 via 10.1.0.2"], "b": ["10.0.0.1/32 via 10.1.0.1"]},
                routers={
                    "a": frr(65001, neighbor("10.0.0.2", update_source="lo", ebgp_ttl=ttl)),
                    "b": frr(65002, neighbor("10.0.0.1", update_source="lo")),
                },
            )
        )

    assert line(2).sessions[SessionKey("b", "10.0.0.1")].state == "Established"
    down = line(1).sessions[SessionKey("b", "10.0.0.1")]
    assert (down.state, "is not on a connected network" in (down.because or "")) == ("Down", True)


def test_of_two_unnumbered_neighbors_a_mac_address_decides() -> None:
    network = net(
        links=["a:net0 -- b:net0", "a:net1 -- b:net1"],
        addresses={"b:lo": "10.0.0.2/32"},
        routers={
            "a": frr(65001, "net0", "net1", compare_router_id=True),
            "b": frr(65002, "net0", "net1", compare_router_id=True),
        },
    )
    found = outcomes(network, None, ())
    best = {
        key.neighbor
        for one in found
        for key, path in one.state.paths.items()
        if key.device == "a" and str(key.prefix) == "10.0.0.2/32" and path.best
    }
    assert best == {"net0", "net1"}


def test_an_ipv6_address_is_below_a_link_local_one() -> None:
    found = state(
        net(
            links=["a:net0 -- b:net0", "a:net1 -- b:net1"],
            addresses={"b:lo": "10.0.0.2/32", "a:net1": "fd00:1::1/64", "b:net1": "fd00:1::2/64"},
            routers={
                "a": frr(65001, "net0", neighbor("fd00:1::2", extended_nexthop=True), compare_router_id=True),
                "b": frr(65002, "net0", neighbor("fd00:1::1", extended_nexthop=True)),
            },
        )
    )
    path = found.paths[PathKey("a", "ipv4-unicast", ip_network("10.0.0.2/32"), "fd00:1::2")]
    assert (path.best, path.reason) == (True, "Neighbor IP")


def test_the_best_path_decides_whether_next_hops_are_resolved() -> None:
    """b is heard on a link (TTL 1) and, in a second session, from its loopback: used together, one is installed."""
    multihop = {"update_source": "lo", "ebgp_ttl": 2}
    network = net(
        links=["a:net0 -- b:net0", "a:net1 -- c:net0", "b:net1 -- d:net0", "c:net1 -- d:net1"],
        addresses={
            "a:lo": "10.0.0.1/32",
            "c:lo": "10.0.0.3/32",
            "d:lo": "10.0.0.4/32",
            "a:net0": "10.1.0.1/30",
            "b:net0": "10.1.0.2/30",
            "a:net1": "10.1.1.1/30",
            "c:net0": "10.1.1.2/30",
        },
        routes={"a": ["10.0.0.3/32 via 10.1.1.2"], "c": ["10.0.0.1/32 via 10.1.1.1"]},
        routers={
            "a": frr(
                65001,
                neighbor("10.1.0.2"),
                neighbor("10.0.0.3", **multihop),
                multipath_relax=True,
                compare_router_id=True,
            ),
            "b": frr(65002, neighbor("10.1.0.1"), "net1", router_id="10.0.0.2"),
            "c": frr(65003, neighbor("10.0.0.1", **multihop), "net1"),
            "d": frr(65004, "net0", "net1"),
        },
    )
    key = FibKey("a", "ipv4-unicast", ip_network("10.0.0.4/32"), 20)
    assert state(network).fib[key].next_hops == {FibNextHop("10.1.0.2", "net0")}
    higher = replace(
        network.devices["b"], bgp=replace(network.devices["b"].bgp, router_id=ip_network("10.0.0.9").network_address)
    )
    other = replace(network, devices={**network.devices, "b": higher})
    assert state(other).fib[key].next_hops == {FibNextHop("10.1.0.2", "net0"), FibNextHop("10.1.1.2", "net1")}


def test_an_own_ipv6_route_with_a_gateway_goes_with_the_link_local_address() -> None:
    gateway = KernelRoute(
        ip_network("fd00:9::/48"),
        next_hops=(RouteNextHop(ip_network("fd00:2::2").network_address, None),),
        protocol="static",
        metric=20,
    )
    network = net(
        links=["a:net0 -- b:net0", "a:net1 -- c:net0"],
        addresses={
            "a:net0": "fd00:1::1/64",
            "b:net0": "fd00:1::2/64",
            "a:net1": "fd00:2::1/64",
            "c:net0": "fd00:2::2/64",
        },
        routers={
            "a": frr(
                65001,
                neighbor("fd00:1::2", "internal", families=BOTH),
                redistribute=(),
            ),
            "b": frr(65001, neighbor("fd00:1::1", "internal", families=BOTH)),
        },
    )
    a = network.devices["a"]
    static = (Redistribution("ipv6-unicast", "static", LINE),)
    a = replace(a, routes=(gateway,), bgp=replace(a.bgp, redistribute=static))
    found = state(replace(network, devices={**network.devices, "a": a}))
    sent = found.wire[WireKey("a", "sent", "fd00:1::2", "ipv6-unicast", gateway.prefix)]
    assert sent.next_hop == "a:net0"


def test_of_paths_with_one_next_hop_one_is_used() -> None:
    """b is heard three times, twice by one link: over IPv4 and over IPv6, with the same IPv4 next hop."""
    internal = {"remote_as": "internal"}
    network = net(
        links=["a:net0 -- b:net0", "a:net1 -- b:net1"],
        addresses={
            "b:lo": "10.0.0.2/32",
            "a:net0": "10.1.0.1/30",
            "b:net0": "10.1.0.2/30",
            "a:net1": "10.1.1.1/30 fd00:1::1/64",
            "b:net1": "10.1.1.2/30 fd00:1::2/64",
        },
        routers={
            "a": frr(65001, *(neighbor(to, **internal) for to in ("10.1.0.2", "10.1.1.2", "fd00:1::2"))),
            "b": frr(65001, *(neighbor(to, **internal) for to in ("10.1.0.1", "10.1.1.1", "fd00:1::1"))),
        },
    )
    found = state(network)
    used = {
        key.neighbor
        for key, path in found.paths.items()
        if key.device == "a" and str(key.prefix) == "10.0.0.2/32" and path.multipath
    }
    assert used == {"10.1.0.2", "10.1.1.2"}
