"""Why a session is down, who dials whom, next hops and what is sent."""

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
from drawing import frr, gobgp, neighbor, net, state, with_down
from seed_lab import announce, seed

from bgpsim.model import predict
from bgpsim.network.description import KernelRoute, RouteNextHop
from bgpsim.network.state import AdvertisedKey, PathKey, SessionKey

V4 = "ipv4-unicast"


def pair(a, b, **more):
    addresses = {"a:net0": "10.0.1.1/24", "b:net0": "10.0.1.2/24", "a:lo": "10.9.0.1/32", "b:lo": "10.9.0.2/32"}
    routers = {"a": frr(65001, a), "b": frr(more.pop("b_asn", 65002), b) if b else None}
    return net(links=["a:net0 -- b:net0"], addresses=addresses, routers=routers, **more)


@pytest.mark.parametrize(
    ("network", "because"),
    [
        (pair("10.0.1.2", None), "no BGP process at 10.0.1.2 (b)"),
        (pair("10.0.1.9", "10.0.1.1"), "nobody has the address 10.0.1.9"),
        (pair("10.0.1.2", "10.0.1.9"), "b has no neighbor with an address of a"),
        (pair(neighbor("10.0.1.2", 65009), "10.0.1.1"), "AS 65002 of b is not the 65009 expected of it"),
        (pair(neighbor("10.0.1.2", "internal"), "10.0.1.1"), "AS 65002 of b is not the internal expected of it"),
        (pair("net0", "net0", b_asn=65001), "AS 65001 of b is not the external expected of it"),
        (pair("net0", "10.0.1.1"), "b has no neighbor on net0"),
        (pair(neighbor("10.0.1.2", shutdown=True), "10.0.1.1"), "shut down here"),
        (pair("10.0.1.2", neighbor("10.0.1.1", shutdown=True)), "shut down at b"),
        (
            pair(neighbor("10.0.1.2", passive=True), neighbor("10.0.1.1", passive=True)),
            "neither a nor b connects: both are passive",
        ),
        (with_down(pair("net0", "net0"), "b:net0"), "no carrier on a:net0"),
        (with_down(pair("net0", "net0"), "a:net0"), "a:net0 is down"),
        (pair("10.9.0.2", "10.9.0.1"), "a has no route to 10.9.0.2"),
    ],
)
def test_a_session_that_is_down_says_why(network, because: str) -> None:
    (key,) = [key for key in state(network).sessions if key.device == "a"]
    session = state(network).sessions[key]
    assert (session.state, session.because) == ("Down", because)


@pytest.mark.parametrize(
    ("length", "more", "next_hop"),
    [(24, {}, "b:net0"), (30, {}, "10.0.1.2"), (31, {}, "10.0.1.2"), (30, {"v6_only": True}, "b:net0")],
)
def test_an_unnumbered_neighbor_prefers_the_other_address_of_a_small_network(
    length: int, more: dict[str, bool], next_hop: str
) -> None:
    """FRR derives it (bgp_peer_conf_if_to_su_update_v4); an IPv4 session has no use for RFC 8950."""
    first, second = ("10.0.1.3", "10.0.1.2") if length == 31 else ("10.0.1.1", "10.0.1.2")
    network = net(
        links=["a:net0 -- b:net0"],
        addresses={"a:net0": f"{first}/{length}", "b:net0": f"{second}/{length}", "b:lo": "10.9.0.2/32"},
        routers={"a": frr(65001, neighbor("net0", **more)), "b": frr(65002, neighbor("net0", **more))},
    )
    found = state(network)
    assert {s.state for s in found.sessions.values()} == {"Established"}
    assert found.paths[PathKey("a", V4, ip_network("10.9.0.2/32"), "net0")].attributes.next_hop == next_hop


def test_an_update_source_without_an_address_keeps_both_ends_down() -> None:
    found = state(pair(neighbor("10.0.1.2", update_source="lo0"), "10.0.1.1")).sessions
    assert [s.because for s in found.values()] == ["update-source lo0 of a has no address"] * 2


@pytest.mark.parametrize(("ours", "theirs"), [("10.0.1.2", "10.0.1.1"), ("net0", "net0")])
def test_a_session_that_is_up(ours: str, theirs: str) -> None:
    found = state(pair(ours, theirs))
    assert {session.state for session in found.sessions.values()} == {"Established"}
    learnt = found.paths[PathKey("a", V4, ip_network("10.9.0.2/32"), ours)]
    assert learnt.attributes.next_hop == ("b:net0" if ours == "net0" else "10.0.1.2")
    assert (learnt.attributes.med, learnt.attributes.local_preference) == (0, None)


def test_loopbacks_over_a_static_route_need_multihop_when_external() -> None:
    routes = {"a": ["10.9.0.2/32 via 10.0.1.2"], "b": ["10.9.0.1/32 via 10.0.1.1"]}

    def between(**more):
        return pair(
            neighbor("10.9.0.2", update_source="lo", **more),
            neighbor("10.9.0.1", update_source="lo", **more),
            routes=routes,
        )

    (down, _) = state(between()).sessions.values()
    assert down.because == "10.9.0.2 is not on a connected network of a (eBGP, TTL 1)"
    assert {s.state for s in state(between(ebgp_ttl=2)).sessions.values()} == {"Established"}


def test_frr_connects_over_no_default_route_and_accepts_all_the_same() -> None:
    """zebra resolves no peer through it (`ip nht resolve-via-default`): one end with a better route is enough."""

    def between(a: str, b: str):
        ends = (neighbor("10.9.0.2", 65001, update_source="lo"), neighbor("10.9.0.1", 65001, update_source="lo"))
        return pair(*ends, b_asn=65001, routes={"a": [f"{a} via 10.0.1.2"], "b": [f"{b} via 10.0.1.1"]})

    found = state(between("default", "default")).sessions.values()
    why = "a has a default route alone to 10.9.0.2, and FRR connects over none"
    assert {(s.state, s.because) for s in found} >= {("Down", why)}
    assert {s.state for s in found} == {"Down"}
    assert {s.state for s in state(between("default", "10.9.0.1/32")).sessions.values()} == {"Established"}


def test_one_way_of_several_is_enough_and_it_is_said() -> None:
    """Two parallel links under a session of loopbacks, one of them cut at a: b still sends into it half the time."""
    network = net(
        links=["a:n0 -- b:n0", "a:n1 -- b:n1"],
        addresses={
            "a:n0": "10.0.1.1/30",
            "b:n0": "10.0.1.2/30",
            "a:n1": "10.0.2.1/30",
            "b:n1": "10.0.2.2/30",
            "a:lo": "10.9.0.1/32",
            "b:lo": "10.9.0.2/32",
        },
        routers={
            "a": frr(65001, neighbor("10.9.0.2", 65001, update_source="lo")),
            "b": frr(65001, neighbor("10.9.0.1", 65001, update_source="lo")),
        },
    )

    def through(*gateways: str, to: str) -> KernelRoute:
        return KernelRoute(ip_network(to), "unicast", tuple(RouteNextHop(ip_address(g)) for g in gateways))

    devices = dict(network.devices)
    devices["a"] = replace(devices["a"], routes=(through("10.0.1.2", "10.0.2.2", to="10.9.0.2/32"),))
    devices["b"] = replace(devices["b"], routes=(through("10.0.1.1", "10.0.2.1", to="10.9.0.1/32"),))
    cut = predict(with_down(replace(network, devices=devices), "a:n0"), None, ())
    assert {s.state for s in cut.state.sessions.values()} == {"Established"}
    assert [(u.device, u.text) for u in cut.unmodelled] == [
        ("b", "packets of the session with 10.9.0.1 are lost on one of several ways")
    ]
    both = predict(with_down(replace(network, devices=devices), "a:n0", "a:n1"), None, ())
    assert {s.state for s in both.state.sessions.values()} == {"Down"}


def cilium(asn: int, peer: str, *, ttl: int = 1):
    """A node that peers with tor's address from another AS; `far` is one router further away."""
    node = gobgp(asn, "10.0.1.2", peer, "10.1.0.0/24")
    return net(
        links=["tor:net0 -- node:net0", "tor:net1 -- far:net0"],
        addresses={
            "tor:net0": "10.0.1.1/24",
            "node:net0": "10.0.1.2/24",
            "tor:lo": "10.0.0.1/32",
            "tor:net1": "10.0.2.1/24",
            "far:net0": "10.0.2.2/24",
        },
        routers={
            "tor": frr(65010, neighbor("10.0.1.2", "external")),
            "far": frr(65010, neighbor("10.0.1.2", "external", ebgp_ttl=8), redistribute=()),
            "node": replace(node, neighbors=(replace(neighbor(peer, 65010), ebgp_ttl=ttl),)),
        },
        routes={"node": ["default via 10.0.1.1"], "far": ["10.0.1.0/24 via 10.0.2.1"]},
        kinds={"node": "node"},
    )


def test_gobgp_reaches_the_loopback_of_the_next_router_with_ttl_one() -> None:
    """It sets the TTL and looks at no route, as FRR would: the packets have to cross one link only."""
    found = state(cilium(65020, "10.0.0.1")).sessions
    assert found[SessionKey("node", "10.0.0.1")].state == found[SessionKey("tor", "10.0.1.2")].state == "Established"
    down = state(cilium(65020, "10.0.2.2")).sessions[SessionKey("node", "10.0.2.2")]
    assert (down.state, down.because) == ("Down", "10.0.2.2 is 2 links away from node (eBGP, TTL 1)")
    assert state(cilium(65020, "10.0.2.2", ttl=2)).sessions[SessionKey("node", "10.0.2.2")].state == "Established"


def test_without_a_policy_an_external_peer_gets_and_gives_nothing() -> None:
    network = pair("10.0.1.2", "10.0.1.1")
    a = network.devices["a"]
    strict = replace(a, bgp=replace(a.bgp, ebgp_requires_policy=True))
    found = state(replace(network, devices=dict(network.devices) | {"a": strict}))
    numbers = found.sessions[SessionKey("a", "10.0.1.2")].families[V4]
    assert (numbers.accepted, numbers.received, numbers.sent) == (0, 2, 0)


def test_adj_rib_out_reads_as_frr_prints_it() -> None:
    """As FRR 8.4.4 prints it: what is stored, not what is in the packet.

    Towards an IPv4 iBGP peer the IPv6 next hop of the unnumbered uplink stays in view; towards an RFC 8950 peer it is
    cleared; the local preference of an iBGP-learnt path is shown even to an eBGP peer.
    """
    sent = state(seed(cilium=True)).advertised
    far = ip_network("10.0.3.0/24")
    to_server = sent[AdvertisedKey("tor0", "10.0.1.2", V4, far)]
    assert (to_server.next_hop, to_server.as_path, to_server.local_preference) == ("router0:net0", (65000, 65011), 100)
    to_router = sent[AdvertisedKey("router0", "net0", V4, far)]
    assert (to_router.next_hop, to_router.as_path, to_router.med) == ("self", (65011,), None)
    to_spine = sent[AdvertisedKey("tor0", "net0", V4, ip_network("10.1.1.0/24"))]
    assert (to_spine.next_hop, to_spine.local_preference) == ("self", 100)
    own = sent[AdvertisedKey("tor1", "net0", V4, far)]
    assert (own.as_path, own.med, own.origin) == ((), 0, "incomplete")


def test_communities_hold_routes_back() -> None:
    found = state(seed(announced=[announce("10.99.0.0/24", "tor0", communities=("no-export",))]))
    holders = {key.device for key in found.paths if str(key.prefix) == "10.99.0.0/24"}
    assert holders == {"tor0"}


def test_a_third_party_next_hop_stays_on_a_shared_network() -> None:
    ends = ("a", "b", "c")
    network = net(
        links=["a:net0 -- b:net0 -- c:net0"],
        addresses={f"{name}:net0": f"10.0.1.{n}/24" for n, name in enumerate(ends, 1)} | {"a:lo": "10.9.0.1/32"},
        routers={
            "a": frr(65001, "10.0.1.2"),
            "b": frr(65002, "10.0.1.1", "10.0.1.3"),
            "c": frr(65003, "10.0.1.2"),
        },
    )
    path = state(network).paths[PathKey("c", V4, ip_network("10.9.0.1/32"), "10.0.1.2")]
    assert (path.attributes.next_hop, path.attributes.as_path) == ("10.0.1.1", (65002, 65001))
