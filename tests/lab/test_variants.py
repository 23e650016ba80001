"""Labs that a user would make of the shipped one, and small fabrics, by the command: prediction and routers agree.

Each is a case in which the two once differed. What they must show is derived by hand from what FRR, GoBGP and the
kernel do; the unit tests of the model hold the same facts one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from variants import (
    CILIUM,
    POLICIES,
    SEED,
    Step,
    Variant,
    all_agree,
    host,
    of_seed,
    router,
    session,
    topology,
    way,
    why_down,
)

pytestmark = pytest.mark.lab


def external_nodes(steps: list[Step]) -> None:
    """TTL 1 crosses the one link to the ToR's loopback, and GoBGP asks for no more (FRR would).

    Of a ToR's 13 prefixes a node refuses the two with its own AS in the path: its rack's pod CIDRs.
    """
    peers, one_rack = steps
    for node, tor in (("control-plane", "10.0.0.1"), ("worker", "10.0.0.1"), ("worker2", "10.0.0.2")):
        assert session(peers, node, tor) == ("Established", (11, 1))
    # To its AS: to another one, a router sends what it learnt from any; the pod CIDRs of the own rack too.
    assert session(peers, "tor0", "10.0.1.2") == ("Established", (1, 13))
    # The policy of rack1 is deleted by its name, from another file than it was applied from.
    assert session(one_rack, "tor0", "10.0.1.2") == ("Established", (1, 11))
    assert why_down(one_rack, "tor1", "10.0.3.2") == "no BGP process at 10.0.3.2 (worker2)"


def goes_and_comes_back(steps: list[Step]) -> None:
    """router0 stays with the older of two equal paths; while one is away, for a moment only, the other becomes it."""
    ways = [way(step, "pod:default/netshoot@worker", "address:10.99.0.1")[1] for step in steps[1:]]
    # Seen from rack0 it is always tor0's own; router0's choice shows in what it tells tor0 and tor1: 8 + 1 or 8.
    assert all(one == {("worker", "tor0", "injector")} for one in ways)
    accepted = [(session(s, "tor0", "net0")[1], session(s, "tor1", "net0")[1]) for s in steps[1:]]
    by_tor0, by_tor1 = ((8, 14), (9, 14)), ((9, 14), (8, 14))
    assert accepted == [by_tor0, by_tor1, by_tor0]


def clos(steps: list[Step]) -> None:
    """The kernel takes a cut interface out of the nexthop groups, and zebra 8.4.4 does not put it back.

    cut, back: the group {up1, up2} is {up2}. The other cut: it is empty, and gone; back: the kernel refuses a route
    over it, and the one by up1 stays. Both cut at once: zebra knows that the group is gone, and makes it anew.
    """
    by_s1, by_s2 = ("h1", "l1", "s1", "l2", "h2"), ("h1", "l1", "s2", "l2", "h2")
    expected = [{by_s1, by_s2}, {by_s2}, {by_s2}, {by_s1}, {by_s1}, set(), {by_s1, by_s2}]
    for step, ways in zip(steps, expected, strict=True):
        disposition, seen = way(step, "host:h1", "host:h2")
        assert (disposition, seen if ways else set()) == ("delivered" if ways else "no-route", ways), step["name"]


def mesh(steps: list[Step]) -> None:
    """r3 redistributes kernel and static routes; r1's own way to r2's loopback goes with its interface, for good.

    The kernel has lost that route and zebra has not noticed: once the interface is up again, zebra takes it for the
    best, and leaves out the one that r3 tells of. So r1 and r2 stay apart.
    """
    up, cut, back = steps
    assert session(up, "r1", "10.255.0.2")[0] == "Established"
    assert why_down(cut, "r2", "10.255.0.1").endswith("no carrier on r2:a")
    assert session(back, "r1", "10.255.0.2")[0] == "Down"
    assert why_down(back, "r1", "10.255.0.2").endswith("r1 has no route to 10.255.0.2")
    # r3 tells of six: two loopbacks, two more of the kernel's, two static ones. r1 refuses a next hop of its own: that
    # of its loopback, and 10.0.13.1, the lower one of 10.67.0.0/24.
    assert session(up, "r1", "10.255.0.3") == session(back, "r1", "10.255.0.3") == ("Established", (4, 3))
    assert session(up, "r3", "10.255.0.1") == ("Established", (3, 6))


def resolution(steps: list[Step]) -> None:
    """Next hops and peers resolve through any route but the default, and a route not through itself."""
    (only,) = steps
    # e1's networks have the next hop 10.255.9.1. Its loopback would loop through itself, at r1 too; 10.255.8.0/23 holds
    # its own next hop, and r2 does not install it, but has 10.255.8.0/22 of its own.
    assert way(only, "host:h2", "host:h9") == ("delivered", {("h2", "r2", "r1", "e1", "h9")})
    # x1 and x2 derive each other's addresses from the /30 between them: the fib plane shows IPv4 next hops. Each tells
    # of its loopback, of the network between them and of what it has heard, and refuses its own.
    assert session(only, "x1", "net0") == session(only, "x2", "net0") == ("Established", (2, 3))
    # d1 has a default route alone to r2's loopback, and r2 a route of its own to d1's: one that dials is enough.
    assert session(only, "d1", "10.255.0.2")[0] == "Established"
    assert session(only, "d1", "10.255.0.1")[0] == "Down"
    assert why_down(only, "r1", "10.255.0.4").endswith(
        "has a default route alone to 10.255.0.4, and FRR connects over none"
    )


def spine(name: str, number: int) -> str:
    return router(name, 65100 + number, {"lo": f"10.255.0.{number}/32"}, FABRIC.format("net1", "net2"))


def leaf(name: str, number: int) -> str:
    addresses = {"lo": f"10.255.1.{number}/32", "h0": f"10.{number}.0.1/24"}
    return router(name, 65200 + number, addresses, FABRIC.format("up1", "up2"))


# With compare-routerid no order of arrival decides.
FABRIC = """
    bgp bestpath as-path multipath-relax
    bgp bestpath compare-routerid
    no bgp ebgp-requires-policy
    neighbor F peer-group
    neighbor F remote-as external
    neighbor {} interface peer-group F
    neighbor {} interface peer-group F
    address-family ipv4 unicast
    redistribute connected
"""


UNNUMBERED = "no bgp ebgp-requires-policy\nneighbor net0 interface remote-as external\nredistribute connected"


def internal(*peers: str, own: str = "") -> str:
    sessions = "".join(f"neighbor {p} remote-as 65000\nneighbor {p} update-source lo\n" for p in peers)
    return "no bgp ebgp-requires-policy\n" + sessions + own


VARIANTS: Mapping[str, Variant] = {
    "external nodes": Variant(
        of_seed(
            ("cilium-bgp-peering-policies.yaml", "localASN: 65010", "localASN: 65020"),
            ("cilium-bgp-peering-policies.yaml", "localASN: 65011", "localASN: 65021"),
            ("topo.yml", "neighbor SERVERS remote-as internal", "neighbor SERVERS remote-as external"),
        )
        | {"rack1.yaml": (SEED / "cilium-bgp-peering-policies.yaml").read_text().split("---\n")[2]},
        [f"name: peers, {POLICIES}", "name: one rack, delete: [rack1.yaml]"],
        external_nodes,
        lab=CILIUM,
    ),
    "goes and comes back": Variant(
        of_seed(),
        [
            f"name: one, {POLICIES}, announce: [{{speaker: injector, to: [tor0], prefix: 10.99.0.1/32}}]",
            "name: both, announce: [{speaker: injector, to: [tor1], prefix: 10.99.0.1/32}], "
            'expect: {disposition: [{from: "*", to: "address:10.99.0.1", is: dropped-by-speaker}]}',
            'name: uplink, link-down: ["tor0:net0"], link-up: ["tor0:net0"], '
            'expect: {disposition: [{from: "*", to: "address:10.99.0.1", is: dropped-by-speaker}]}',
            "name: announced again, withdraw: [{speaker: injector, to: [tor1], prefix: 10.99.0.1/32}],"
            " announce: [{speaker: injector, to: [tor1], prefix: 10.99.0.1/32}], "
            'expect: {disposition: [{from: "*", to: "address:10.99.0.1", is: dropped-by-speaker}]}',
        ],
        goes_and_comes_back,
        lab=CILIUM,
        top="speakers: {injector: {asn: 65099, peers: [tor0, tor1]}}\n",
    ),
    "clos": Variant(
        topology(
            [
                *(spine("s1", 1), spine("s2", 2), leaf("l1", 1), leaf("l2", 2)),
                *(host("h1", "10.1.0.2/24", "10.1.0.1"), host("h2", "10.2.0.2/24", "10.2.0.1")),
            ],
            *(("l1:up1", "s1:net1"), ("l1:up2", "s2:net1"), ("l2:up1", "s1:net2"), ("l2:up2", "s2:net2")),
            *(("l1:h0", "h1:net0"), ("l2:h0", "h2:net0")),
        ),
        [
            "name: whole",
            'name: cut, link-down: ["s1:net1"]',
            'name: back, link-up: ["s1:net1"]',
            'name: the other cut, link-down: ["s2:net1"]',
            'name: the other back, link-up: ["s2:net1"]',
            'name: both cut, link-down: ["s1:net1", "s2:net1"]',
            'name: both back, link-up: ["s1:net1", "s2:net1"]',
        ],
        clos,
        lab="{topology: topo.yml, ecmp: forced}",
        open=("the kernel's nexthop group of",),
    ),
    "mesh": Variant(
        topology(
            [
                router(
                    "r1",
                    65000,
                    {"lo": "10.255.0.1/32", "a": "10.0.12.1/24", "b": "10.0.13.1/24"},
                    internal(
                        "10.255.0.2",
                        "10.255.0.3",
                        own="network 10.0.12.0/24\nnetwork 10.0.13.0/24\nnetwork 10.255.0.1/32",
                    ),
                    first="ip route add 10.255.0.2/32 via 10.0.12.2\nip route add 10.255.0.3/32 via 10.0.13.3",
                ),
                router(
                    "r2",
                    65000,
                    {"lo": "10.255.0.2/32", "a": "10.0.12.2/24", "b": "10.0.23.2/24"},
                    internal("10.255.0.1", "10.255.0.3"),
                    first="ip route add 10.255.0.1/32 via 10.0.12.1\nip route add 10.255.0.3/32 via 10.0.23.3",
                ),
                router(
                    "r3",
                    65000,
                    {"lo": "10.255.0.3/32", "a": "10.0.13.3/24", "b": "10.0.23.3/24"},
                    internal("10.255.0.1", "10.255.0.2", own="redistribute static\nredistribute kernel"),
                    first="ip route add 10.255.0.1/32 via 10.0.13.1\nip route add 10.255.0.2/32 via 10.0.23.2\n"
                    "ip route add 10.88.0.0/24 via 10.0.23.2 metric 7\nip route add blackhole 10.89.0.0/24",
                    config="ip route 10.66.0.0/24 blackhole\nip route 10.67.0.0/24 10.0.23.2\n"
                    "ip route 10.67.0.0/24 10.0.13.1",
                ),
            ],
            *(("r1:a", "r2:a"), ("r1:b", "r3:a"), ("r2:b", "r3:b")),
        ),
        ["name: up", 'name: cut, link-down: ["r1:a"]', 'name: back, link-up: ["r1:a"]'],
        mesh,
    ),
    "resolution": Variant(
        topology(
            [
                router(
                    "r1",
                    65000,
                    {"lo": "10.255.0.1/32", "a": "10.0.12.1/24", "e": "10.0.1.1/30", "d": "10.0.14.1/24"},
                    internal(
                        "10.255.0.4",
                        own="neighbor 10.0.12.2 remote-as 65000\nneighbor 10.255.9.1 remote-as 65001\n"
                        "neighbor 10.255.9.1 ebgp-multihop 2\nneighbor 10.255.9.1 update-source lo",
                    ),
                    first="ip route add default via 10.0.14.4\nip route add 10.255.0.2/32 via 10.0.12.2\n"
                    "ip route add 10.255.9.1/32 via 10.0.1.2",
                ),
                router(
                    "r2",
                    65000,
                    {"lo": "10.255.0.2/32", "a": "10.0.12.2/24", "h": "10.2.0.1/24"},
                    internal("10.255.0.4", own="neighbor 10.0.12.1 remote-as 65000\nnetwork 10.2.0.0/24"),
                    first="ip route add 10.255.8.0/22 via 10.0.12.1\nip route add 10.255.0.4/32 via 10.0.12.1",
                ),
                router(
                    "e1",
                    65001,
                    {"lo": "10.255.9.1/32", "u": "10.0.1.2/30", "h": "10.255.8.1/23"},
                    "no bgp ebgp-requires-policy\nneighbor 10.255.0.1 remote-as 65000\n"
                    "neighbor 10.255.0.1 ebgp-multihop 2\nneighbor 10.255.0.1 update-source lo\n"
                    "redistribute connected",
                    first="ip route add 10.255.0.1/32 via 10.0.1.1",
                ),
                router(
                    "d1",
                    65000,
                    {"lo": "10.255.0.4/32", "u": "10.0.14.4/24"},
                    internal("10.255.0.1", "10.255.0.2"),
                    first="ip route add default via 10.0.14.1",
                ),
                router("x1", 65101, {"lo": "10.255.7.1/32", "net0": "10.0.7.1/30"}, UNNUMBERED),
                router("x2", 65102, {"lo": "10.255.7.2/32", "net0": "10.0.7.2/30"}, UNNUMBERED),
                *(host("h2", "10.2.0.2/24", "10.2.0.1"), host("h9", "10.255.8.2/23", "10.255.8.1")),
            ],
            *(
                ("r1:a", "r2:a"),
                ("r1:e", "e1:u"),
                ("r1:d", "d1:u"),
                ("x1:net0", "x2:net0"),
                ("r2:h", "h2:net0"),
                ("e1:h", "h9:net0"),
            ),
        ),
        ["name: only"],
        resolution,
    ),
}


def test_prediction_and_routers_agree(tmp_path: Path) -> None:
    all_agree(VARIANTS, tmp_path)
