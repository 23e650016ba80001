"""Small networks: a router with the statements, a speaker that feeds it, routers that hear it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from variants import router

Build = Callable[[], tuple[list[str], list[tuple[str, str]]]]
"""The nodes and links of one network."""


def listener(name: str, asn: int, address: str, peer: str, peer_as: int, more: str = "", six: str = "") -> str:
    lines = f"no bgp ebgp-requires-policy\nneighbor {peer} remote-as {peer_as}\n{more}\nbgp bestpath compare-routerid"
    if six:
        far = six.replace("::2/", "::1/").split("/")[0]
        lines += f"\nneighbor {far} remote-as {peer_as}\naddress-family ipv6 unicast\nneighbor {far} activate"
    first = f"ip addr add {six} dev u nodad" if six else ""
    return router(name, asn, {"u": address}, lines, first=first)


def external(pairs: Mapping[str, tuple[str, int]]) -> str:
    return "no bgp ebgp-requires-policy\n" + "\n".join(f"neighbor {a} remote-as {n}" for a, n in pairs.values())


# --- aggregates: s1 → a1 → a2 (external), a3 (internal), a4 (external, unsuppress-map) ---

A1 = """
aggregate-address 10.10.0.0/16 summary-only as-set
aggregate-address 10.11.0.0/16
aggregate-address 10.12.0.0/16 suppress-map SOME route-map MARK
aggregate-address 10.13.0.0/16 matching-MED-only summary-only
aggregate-address 10.14.0.0/16 matching-MED-only summary-only
aggregate-address 10.15.0.0/16 as-set origin egp
aggregate-address 10.16.0.0/16 route-map NOTHING
aggregate-address 10.8.0.0/13 as-set
aggregate-address 10.99.0.0/16 summary-only
neighbor 10.0.2.2 remote-as 65001
neighbor 10.0.3.2 unsuppress-map ONE
neighbor 2001:db8:0:1::2 remote-as 65002
network 10.11.0.0/16
redistribute static
address-family ipv6 unicast
neighbor 2001:db8:0:1::2 activate
aggregate-address 2001:db8:a::/48 summary-only as-set
"""
A1_CONFIG = """
ip prefix-list SOME permit 10.12.1.0/24
ip prefix-list ONE permit 10.10.1.0/24
route-map SOME permit 10
match ip address prefix-list SOME
route-map MARK permit 10
set community 65001:12
set metric 12
route-map NOTHING deny 10
route-map ONE permit 10
match ip address prefix-list ONE
set community 65001:1 additive
exit
ip route 10.11.0.0/16 blackhole
ip route 10.11.7.0/24 blackhole
"""


def aggregates() -> tuple[list[str], list[tuple[str, str]]]:
    a1 = external({"a2": ("10.0.1.2", 65002), "a4": ("10.0.3.2", 65004)}) + A1
    nodes = [
        router(
            "a1",
            65001,
            {"lo": "10.255.1.1/32", "x": "10.0.1.1/24", "i": "10.0.2.1/24", "y": "10.0.3.1/24"},
            a1,
            first="ip addr add 2001:db8:0:1::1/64 dev x nodad",
            config=A1_CONFIG,
        ),
        listener("a2", 65002, "10.0.1.2/24", "10.0.1.1", 65001, six="2001:db8:0:1::2/64"),
        listener("a3", 65001, "10.0.2.2/24", "10.0.2.1", 65001),
        listener("a4", 65004, "10.0.3.2/24", "10.0.3.1", 65001),
    ]
    return nodes, [("a1:x", "a2:u"), ("a1:i", "a3:u"), ("a1:y", "a4:u")]


def said(speaker: str, prefix: str, **words: object) -> str:
    more = "".join(f", {key.replace('_', '-')}: {value}" for key, value in words.items())
    return f'{{speaker: {speaker}, prefix: "{prefix}"{more}}}'


A_ROUTES = [
    said("s1", "10.10.1.0/24", as_path=[65100, 65200, 65201], communities='["65100:1"]', med=5),
    said("s1", "10.10.2.0/24", as_path=[65100, 65200, 65202], communities='["65100:2", "graceful-shutdown"]'),
    said("s1", "10.10.3.0/24", as_path=[65100, 65200], origin="incomplete", large_communities='["65100:0:1"]'),
    said("s1", "10.11.1.0/24", as_path=[65100]),
    said("s1", "10.12.1.0/24", as_path=[65100]),
    said("s1", "10.12.2.0/24", as_path=[65100], atomic_aggregate="true"),
    said("s1", "10.13.1.0/24", as_path=[65100], med=7),
    said("s1", "10.13.2.0/24", as_path=[65100], med=7),
    said("s1", "10.14.1.0/24", as_path=[65100], med=7),
    said("s1", "10.14.2.0/24", as_path=[65100], med=8),
    said("s1", "10.15.1.0/24", as_path=[65100, 65203], aggregator='"65203:192.0.2.1"'),
    said("s1", "10.15.2.0/24", as_path=[65100, 65203]),
    said("s1", "10.16.1.0/24", as_path=[65100]),
    said("s1", "2001:db8:a:1::/64", as_path=[65100, 65200]),
    said("s1", "2001:db8:a:2::/64", as_path=[65100, 65201]),
]

# --- AS paths and attributes: s2 (64600) → b1 (AS 3000) → a listener for each form ---

FORMS: Mapping[str, tuple[int, str, str]] = {
    "c0": (64512, "neighbor {} remove-private-AS", "neighbor {} allowas-in 1"),
    "c1": (3001, "neighbor {} remove-private-AS all", ""),
    "c2": (3002, "neighbor {} remove-private-AS replace-AS", ""),
    "c3": (64513, "neighbor {} remove-private-AS all replace-AS", "neighbor {} allowas-in"),
    "c4": (64700, "neighbor {} as-override", ""),
    "c5": (64700, "neighbor {} attribute-unchanged", "neighbor {} allowas-in origin"),
    "c6": (3006, "neighbor {} attribute-unchanged med", ""),
    "c7": (3007, "neighbor {} attribute-unchanged as-path next-hop", ""),
}


def as_paths() -> tuple[list[str], list[tuple[str, str]]]:
    addresses = {f"p{n}": f"10.1.{n}.1/24" for n in range(len(FORMS))}
    lines = ["no bgp ebgp-requires-policy", "redistribute connected metric 9"]
    nodes, links = [], []
    for n, (name, (asn, at_b1, at_peer)) in enumerate(FORMS.items()):
        far, near = f"10.1.{n}.2", f"10.1.{n}.1"
        lines += [f"neighbor {far} remote-as {asn}", at_b1.format(far)]
        nodes.append(listener(name, asn, f"{far}/24", near, 3000, at_peer.format(near)))
        links.append((f"b1:p{n}", f"{name}:u"))
    return [router("b1", 3000, {"lo": "10.255.2.1/32", **addresses}, "\n".join(lines)), *nodes], links


B_ROUTES = [
    said("s2", "10.20.1.0/24", as_path=[64600], med=3),
    said("s2", "10.20.2.0/24", as_path=[64600, 3001, 64512, 64513], med=4),
    said("s2", "10.20.3.0/24", as_path=[64600, 64512, 64512]),
    said("s2", "10.20.4.0/24", as_path=[64600, 64700]),
    said("s2", "10.20.5.0/24", as_path=[64600, 64700, 64601]),
    said("s2", "10.20.6.0/24", as_path="[64600, 3005, [64513, 3009]]"),
    said("s2", "10.20.8.0/24", as_path=[64600, 4200000001, 65535]),
    said("s2", "10.20.9.0/24", as_path=[64600, 64513, 64513, 64513, 64513]),
]

# --- instances: d1 with a shutdown under way, d2 without import check, and what hears them ---


def instances() -> tuple[list[str], list[tuple[str, str]]]:
    d1 = """
    no bgp ebgp-requires-policy
    bgp graceful-shutdown
    neighbor 10.2.1.2 remote-as 65302
    neighbor 10.2.2.2 remote-as 65301
    neighbor 10.2.1.2 default-originate
    neighbor 10.2.2.2 default-originate
    network 10.31.0.0/16
    network 10.32.0.0/16
    network 10.2.1.0/24
    redistribute connected
    aggregate-address 10.33.0.0/16 as-set
    """
    d2 = """
    no bgp ebgp-requires-policy
    no bgp network import-check
    neighbor 10.2.1.1 remote-as 65301
    network 10.34.0.0/16
    """
    nodes = [
        router("d1", 65301, {"x": "10.2.1.1/24", "i": "10.2.2.1/24"}, d1, config="ip route 10.31.0.0/16 blackhole"),
        router("d2", 65302, {"u": "10.2.1.2/24"}, d2),
        listener("d3", 65301, "10.2.2.2/24", "10.2.2.1", 65301),
    ]
    return nodes, [("d1:x", "d2:u"), ("d1:i", "d3:u")]


# --- static routes of every kind, and a default route that next hops may resolve through (e2 alone) ---

E1_CONFIG = """
ip route 10.40.1.0/24 10.3.1.9
ip route 10.40.2.0/24 10.3.1.9 x
ip route 10.40.3.0/24 x
ip route 10.40.4.0/24 Null0
ip route 10.40.5.0/24 reject
ip route 10.40.6.0/24 10.3.1.9
ip route 10.40.6.0/24 10.3.1.8
ip route 10.40.6.0/24 10.3.2.8 5
ip route 10.40.7.0/24 10.40.1.7
ip route 10.40.8.0/24 192.0.2.1 x onlink
ip route 10.40.9.0/24 198.51.100.1
ip route 10.40.10.0/24 10.3.1.9 tag 7
ip route 10.40.11.0/24 10.3.1.9 tag 8
ip route 10.40.12.0/24 10.40.12.5
ip route 10.40.13.0/24 10.3.9.1
ip route 10.41.1.0/24 10.3.1.9 250
ip route 10.41.2.0/24 10.3.1.9 15
ip route 10.41.3.0/24 10.3.1.9 100
ipv6 route 2001:db8:40:1::/64 2001:db8:3:1::9
ipv6 route 2001:db8:40:3::/64 Null0
ipv6 route 2001:db8:40:4::/64 2001:db8:40:1::4
ipv6 route 2001:db8:40:5::/64 2001:db8:3:1::9 30
ipv6 route 2001:db8:40:5::/64 blackhole 40
ip prefix-list FLOATING permit 10.41.0.0/16 le 24
route-map TAGGED deny 5
match ip address prefix-list FLOATING
route-map TAGGED permit 10
match tag 7
set metric 70
route-map TAGGED permit 20
exit
"""
E1 = """
redistribute static route-map TAGGED
redistribute kernel metric 44
network 10.41.3.0/24 backdoor
neighbor 2001:db8:3:1::2 remote-as 65402
no neighbor 2001:db8:3:1::2 activate
address-family ipv6 unicast
redistribute static
neighbor 2001:db8:3:1::2 activate
"""
E2_CONFIG = """
ip nht resolve-via-default
ip route 0.0.0.0/0 10.3.1.1
ip route 10.42.1.0/24 203.0.113.9
"""


def statics() -> tuple[list[str], list[tuple[str, str]]]:
    e1 = external({"e2": ("10.3.1.2", 65402)}) + E1
    e2 = "no bgp ebgp-requires-policy\nbgp bestpath compare-routerid\nneighbor 10.3.1.1 remote-as 65401\n"
    e2 += "neighbor 10.255.4.3 remote-as 65402\n"
    e2 += "neighbor 2001:db8:3:1::1 remote-as 65401\nno neighbor 2001:db8:3:1::1 activate\n"
    e2 += "address-family ipv6 unicast\nneighbor 2001:db8:3:1::1 activate\nexit-address-family\nnetwork 10.42.1.0/24"
    e3 = "neighbor 10.3.1.2 remote-as 65402\nneighbor 10.3.1.2 update-source lo\nneighbor 10.3.1.2 passive\n"
    e3 += "network 10.43.0.0/16\nbgp bestpath compare-routerid"
    nodes = [
        router(
            "e1",
            65401,
            {"lo": "10.255.4.1/32", "x": "10.3.1.1/24", "y": "10.3.2.1/24"},
            e1,
            first="ip addr add 2001:db8:3:1::1/64 dev x nodad\nip route add 10.3.9.0/24 via 10.3.2.2\n"
            "ip route add 10.255.4.3/32 via 10.3.2.2",
            config=E1_CONFIG,
        ),
        router(
            "e2",
            65402,
            {"u": "10.3.1.2/24"},
            e2,
            first="ip addr add 2001:db8:3:1::2/64 dev u nodad",
            config=E2_CONFIG,
        ),
        router(
            "e3",
            65402,
            {"lo": "10.255.4.3/32", "u": "10.3.2.2/24"},
            e3,
            first="ip route add 10.3.1.0/24 via 10.3.2.1",
            config="ip route 10.43.0.0/16 blackhole",
        ),
    ]
    return nodes, [("e1:x", "e2:u"), ("e1:y", "e3:u")]


E_ROUTES = [
    said("s4", "10.41.1.0/24", as_path=[65400]),
    said("s4", "10.41.2.0/24", as_path=[65400]),
    said("s4", "10.41.3.0/24", as_path=[65400]),
    said("s4", "10.44.0.0/16", as_path=[65400]),
]

# --- several paths of a prefix: s5 → f1 → f2 (internal), f3, f4 (the best of each AS), f5 (takes one) ---


def several() -> tuple[list[str], list[tuple[str, str]]]:
    peers = {"f2": (65500, "all-paths", ""), "f3": (65503, "all-paths", ""), "f4": (65504, "bestpath-per-AS", "")}
    one = "address-family ipv4 unicast\nneighbor {} disable-addpath-rx\nexit-address-family"
    peers["f5"] = (65505, "all-paths", one)
    lines, nodes, links = ["no bgp ebgp-requires-policy", "bgp bestpath compare-routerid"], [], []
    addresses = {"lo": "10.255.5.1/32"}
    for n, (name, (asn, sent, at_peer)) in enumerate(peers.items()):
        far, near = f"10.4.{n}.2", f"10.4.{n}.1"
        addresses[f"p{n}"] = f"{near}/24"
        lines += [f"neighbor {far} remote-as {asn}", f"neighbor {far} addpath-tx-{sent}"]
        lines += [f"neighbor {far} next-hop-self"] if asn == 65500 else []
        nodes.append(listener(name, asn, f"{far}/24", near, 65500, at_peer.format(near)))
        links.append((f"f1:p{n}", f"{name}:u"))
    lines.append("network 10.51.0.0/16")
    f1 = router("f1", 65500, addresses, "\n".join(lines), config="ip route 10.51.0.0/16 blackhole")
    return [f1, *nodes], links


F_ROUTES = [
    said("s5", "10.50.1.0/24", as_path=[65501, 65510], path_id=1, med=5),
    said("s5", "10.50.1.0/24", as_path=[65501, 65511], path_id=2, med=6),
    said("s5", "10.50.1.0/24", as_path=[65501, 65512, 65513], path_id=3),
    said("s5", "10.50.2.0/24", as_path=[65501, 65510], path_id=1),
    said("s5", "10.51.0.0/16", as_path=[65501, 65512], path_id=4, communities='["65501:4"]'),
]

# --- what of BGP's routes reaches the kernel: s6 → g1 → g2 ---

G1_CONFIG = """
ip prefix-list NOT1 permit 10.60.1.0/24
ip prefix-list NOT2 permit 10.60.2.0/24
route-map TABLE deny 10
match ip address prefix-list NOT1
route-map TABLE permit 20
route-map KERNEL deny 10
match ip address prefix-list NOT2
route-map KERNEL permit 20
match as-path NOWHERE
exit
ip protocol bgp route-map KERNEL
ip route 10.60.3.0/24 10.5.1.9
ip route 10.60.4.0/24 10.5.1.9 10
"""
G1 = """
bgp suppress-fib-pending
neighbor 10.5.1.2 remote-as 65602
table-map TABLE
distance bgp 5 200 200
"""


def installed() -> tuple[list[str], list[tuple[str, str]]]:
    nodes = [
        router("g1", 65601, {"x": "10.5.1.1/24"}, "no bgp ebgp-requires-policy\n" + G1, config=G1_CONFIG),
        listener("g2", 65602, "10.5.1.2/24", "10.5.1.1", 65601),
    ]
    return nodes, [("g1:x", "g2:u")]


G_ROUTES = [said("s6", f"10.60.{n}.0/24", as_path=[65600], med=n) for n in range(1, 6)]

D_ROUTES = [
    said("s3", "10.33.1.0/24", as_path=[65300], communities='["65300:1"]'),
    said("s3", "10.33.2.0/24", as_path=[65300], communities='["no-advertise"]'),
    said("s3", "10.36.1.0/24", as_path=[65300], communities='["no-peer"]'),
    said("s3", "10.36.2.0/24", as_path=[65300], communities='["local-AS"]'),
    said("s3", "10.36.3.0/24", as_path=[65300], communities='["no-export"]'),
]
