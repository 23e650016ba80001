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


def test_an_internal_peer_gets_the_ipv6_next_hop_of_an_ipv4_route() -> None:
    """Of sessions with RFC 8950: to an internal peer it stays, to an external one it is the router's own."""
    network = net(
        links=["a:net0 -- b:net0", "b:net1 -- c:net0", "b:net2 -- d:net0"],
        addresses={"a:lo": "10.0.0.1/32", "a:net0": "fd00:1::1/64", "b:net0": "fd00:1::2/64"},
        routers={
            "a": frr(65001, neighbor("fd00:1::2", extended_nexthop=True)),
            "b": frr(65002, neighbor("fd00:1::1", extended_nexthop=True), neighbor("net1", "internal"), "net2"),
            "c": frr(65002, neighbor("net0", "internal")),
            "d": frr(65003, "net0"),
        },
    )
    found = state(network)
    prefix = ip_network("10.0.0.1/32")
    sent = {to: found.wire["b", "sent", to, "ipv4-unicast", prefix, 0].next_hop for to in ("net1", "net2")}
    assert sent == {"net1": "fd00:1::1", "net2": "b:net2"}
    shown = {to: found.advertised["b", to, "ipv4-unicast", prefix, 0].next_hop for to in ("net1", "net2")}
    assert shown == {"net1": "fd00:1::1", "net2": "self"}


def test_a_global_ipv6_next_hop_is_shown_where_no_peer_could_get_it() -> None:
    """b has it from an internal peer without a link-local half; to the external c of RFC 8950 it is cleared."""
    network = net(
        links=["a:net0 -- b:net0", "z:net0 -- a:net1", "b:net1 -- c:net0", "b:net2 -- d:net0"],
        addresses={
            "z:lo": "10.0.0.9/32",
            "a:net0": "fd00:1::1/64",
            "b:net0": "fd00:1::2/64",
            "b:net2": "10.1.0.1/24",
            "d:net0": "10.1.0.2/24",
        },
        routers={
            "z": frr(65009, "net0"),
            "a": frr(65002, "net1", neighbor("net0", "internal", next_hop_self=True)),
            "b": frr(65002, neighbor("net0", "internal"), "net1", neighbor("10.1.0.2")),
            "c": frr(65003, "net0"),
            "d": frr(65004, neighbor("10.1.0.1")),
        },
    )
    found = state(network)
    prefix = ip_network("10.0.0.9/32")
    assert found.paths["b", "ipv4-unicast", prefix, "net0", 0].attributes.next_hop == "fd00:1::1"
    shown = {to: found.advertised["b", to, "ipv4-unicast", prefix, 0].next_hop for to in ("net1", "10.1.0.2")}
    assert shown == {"net1": "self", "10.1.0.2": "fd00:1::1"}


def test_a_static_route_is_as_good_as_a_connected_one_to_track_a_peer_by() -> None:
    """Between loopbacks, TTL 1, by `ip route`: both dial and take the paths, and zebra installs none of them."""

    def static(prefix: str, gateway: str) -> tuple[KernelRoute, ...]:
        hops = (RouteNextHop(ip_network(gateway).network_address, None),)
        return (KernelRoute(ip_network(prefix), next_hops=hops, protocol="static", metric=20),)

    network = net(
        links=["a:net0 -- b:net0"],
        addresses={
            "a:lo": "10.0.0.1/32 10.9.0.1/32",
            "b:lo": "10.0.0.2/32",
            "a:net0": "10.1.0.1/30",
            "b:net0": "10.1.0.2/30",
        },
        routers={
            "a": frr(65001, neighbor("10.0.0.2", update_source="lo")),
            "b": frr(65002, neighbor("10.0.0.1", update_source="lo")),
        },
    )
    ways = {"a": static("10.0.0.2/32", "10.1.0.2"), "b": static("10.0.0.1/32", "10.1.0.1")}
    devices = {name: replace(device, routes=ways[name]) for name, device in network.devices.items()}
    found = state(replace(network, devices=devices))
    assert found.sessions[SessionKey("b", "10.0.0.1")].state == "Established"
    prefix = ip_network("10.9.0.1/32")
    path = found.paths[PathKey("b", "ipv4-unicast", prefix, "10.0.0.1")]
    assert (path.valid, path.best) == (True, True)
    assert FibKey("b", "ipv4-unicast", prefix, 20) not in found.fib


def test_the_kernel_refuses_an_ipv6_route_with_one_mapped_next_hop() -> None:
    """b has the route over a link-local next hop and over ::ffff:10.0.0.1, and uses both."""
    internal = {"remote_as": "internal", "families": BOTH}
    network = net(
        links=["a:net0 -- b:net0", "c:net0 -- b:net1"],
        addresses={
            "a:lo": "10.0.0.1/32",
            "b:lo": "10.0.0.2/32",
            "a:net0": "10.1.0.1/30",
            "b:net0": "10.1.0.2/30",
            "a:net1": "fd00:9::1/64",
            "c:net1": "fd00:9::2/64",
        },
        routes={"a": ["10.0.0.2/32 via 10.1.0.2"], "b": ["10.0.0.1/32 via 10.1.0.1"]},
        routers={
            "a": frr(65001, neighbor("10.0.0.2", update_source="lo", **internal)),
            "b": frr(65001, neighbor("10.0.0.1", update_source="lo", **internal), neighbor("net1", **internal)),
            "c": frr(65001, neighbor("net0", **internal)),
        },
    )
    found = state(network)
    prefix = ip_network("fd00:9::/64")
    used = {key.neighbor for key, path in found.paths.items() if key[:3:2] == ("b", prefix) and path.multipath}
    assert used == {"10.0.0.1", "net1"}
    assert FibKey("b", "ipv6-unicast", prefix, 20) not in found.fib


def test_an_unnumbered_session_needs_one_end_that_dials() -> None:
    def line(passive: bool):
        one, other = (frr(asn, neighbor("net0", passive=passive or asn == 65001)) for asn in (65001, 65002))
        return state(net(links=["a:net0 -- b:net0"], routers={"a": one, "b": other}))

    assert line(False).sessions[SessionKey("a", "net0")].state == "Established"
    assert "both are passive" in (line(True).sessions[SessionKey("a", "net0")].because or "")
