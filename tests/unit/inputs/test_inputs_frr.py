"""FRR statements as `vtysh -c` lines -> BgpInstance, against FRR 8.4's own rules."""

from ipaddress import IPv4Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgpsim.errors import InputError
from bgpsim.inputs.commands import VtyLine
from bgpsim.inputs.frr.reader import FrrReader
from bgpsim.network.description import BgpInstance, Neighbor
from bgpsim.source import Source


def read(*lines: str, start: str | None = "router bgp 65001", allow_refused: bool = False) -> FrrReader:
    reader = FrrReader("r1", allow_refused=allow_refused)
    texts = ("conf t", *((start,) if start else ()), *lines)
    reader.read([VtyLine(text, Source("topo.yml", n, text.strip())) for n, text in enumerate(texts, 1)])
    return reader


def instance(*lines: str, start: str | None = "router bgp 65001") -> BgpInstance:
    reader = read(*lines, start=start)
    found = reader.instance()
    assert found is not None
    assert [u.text for u in reader.unmodelled if u.effect == "possible"] == []
    return found


def neighbor(*lines: str) -> Neighbor:
    (found,) = instance(*lines).neighbors
    return found


PEER = "neighbor 10.0.0.2 remote-as 65002"


@pytest.mark.parametrize(
    ("profile", "times", "policy", "deterministic"),
    [
        ("datacenter", (3, 9, 10), False, True),
        ("traditional", (60, 180, 120), True, False),
        (None, (60, 180, 120), True, False),
    ],
)
def test_defaults(profile: str | None, times: tuple[int, int, int], policy: bool, deterministic: bool) -> None:
    lines = () if profile is None else (f"frr defaults {profile}",)
    bgp = instance(*lines, "router bgp 65001", PEER, start=None)
    (peer,) = bgp.neighbors
    assert (peer.keepalive, peer.hold_time, peer.connect_retry) == times
    assert (bgp.ebgp_requires_policy, bgp.deterministic_med) == (policy, deterministic)


def test_defaults_after_router_bgp_come_too_late() -> None:
    bgp = instance("exit", "frr defaults datacenter", "router bgp 65001", PEER)
    assert (bgp.neighbors[0].hold_time, bgp.ebgp_requires_policy) == (180, True)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("bgp bestpath as-path multipath-relax", "multipath_relax"),
        ("bgp bestpath compare-routerid", "compare_router_id"),
        ("bgp always-compare-med", "always_compare_med"),
        ("bgp deterministic-med", "deterministic_med"),
        ("bgp ebgp-requires-policy", "ebgp_requires_policy"),
    ],
)
def test_options(line: str, field: str) -> None:
    assert getattr(instance(line), field) is True
    bgp = instance(line, f"no {line}")
    assert getattr(bgp, field) is False
    assert bgp.sources[field] == Source("topo.yml", 4, f"no {line}")


def test_router_id() -> None:
    assert instance("bgp router-id 1.2.3.4").router_id == IPv4Address("1.2.3.4")
    assert instance("bgp router-id 1.2.3.4", "no bgp router-id").router_id is None


@pytest.mark.parametrize(
    ("lines", "field", "value"),
    [
        ([PEER], "remote_as", 65002),
        (["neighbor 10.0.0.2 remote-as internal"], "remote_as", "internal"),
        ([PEER, "neighbor 10.0.0.2 remote-as external"], "remote_as", "external"),
        ([PEER, "neighbor 10.0.0.2 timers 5 15"], "hold_time", 15),
        ([PEER, "neighbor 10.0.0.2 timers 5 15"], "keepalive", 5),
        ([PEER, "neighbor 10.0.0.2 timers 5 15", "no neighbor 10.0.0.2 timers"], "hold_time", 180),
        ([PEER, "timers bgp 7 21"], "hold_time", 21),
        ([PEER, "neighbor 10.0.0.2 timers connect 1"], "connect_retry", 1),
        ([PEER, "neighbor 10.0.0.2 ebgp-multihop"], "ebgp_ttl", 255),
        ([PEER, "neighbor 10.0.0.2 ebgp-multihop 3"], "ebgp_ttl", 3),
        ([PEER, "neighbor 10.0.0.2 update-source lo"], "update_source", "lo"),
        ([PEER, "neighbor 10.0.0.2 update-source 10.0.0.1"], "update_source", ip_address("10.0.0.1")),
        ([PEER, "neighbor 10.0.0.2 passive"], "passive", True),
        ([PEER, "neighbor 10.0.0.2 shutdown"], "shutdown", True),
        ([PEER, "neighbor 10.0.0.2 shutdown", "no neighbor 10.0.0.2 shutdown"], "shutdown", False),
        ([PEER, "neighbor 10.0.0.2 capability extended-nexthop"], "extended_nexthop", True),
        (["neighbor net0 interface remote-as external"], "interface", "net0"),
        (["neighbor net0 interface v6only remote-as external"], "remote_as", "external"),
        (["neighbor net0 interface", "neighbor net0 remote-as external"], "remote_as", "external"),
        (["neighbor net0 interface remote-as external"], "extended_nexthop", True),
        (["neighbor net0 interface remote-as external"], "address", None),
        (["neighbor FE80::2 remote-as 65099", "neighbor fe80::2 interface x-s"], "interface", "x-s"),
        (["neighbor FE80::2 remote-as 65099"], "name", "fe80::2"),
    ],
)
def test_neighbors(lines: list[str], field: str, value: object) -> None:
    assert getattr(neighbor(*lines), field) == value


GROUP = ["neighbor G peer-group", "neighbor G remote-as external", "neighbor 10.0.0.2 peer-group G"]


def test_a_group_gives_what_the_neighbor_does_not_say() -> None:
    peer = neighbor(*GROUP, "neighbor G timers 5 15", "neighbor G default-originate", "neighbor 10.0.0.2 timers 6 18")
    assert (peer.peer_group, peer.remote_as, peer.hold_time) == ("G", "external", 18)
    assert peer.families["ipv4-unicast"].default_originate
    # What a group originates is behind that route alone, not behind all that its sessions carry.
    assert [s.line for s in peer.sources] == [5, 8, 3, 4, 6]
    assert peer.families["ipv4-unicast"].source == Source("topo.yml", 7, "neighbor G default-originate")


def test_a_group_that_goes_takes_its_members() -> None:
    assert instance(*GROUP, PEER.replace(".2 ", ".3 "), "no neighbor G peer-group").neighbors[0].name == "10.0.0.3"


def test_a_neighbor_without_an_as_number_is_none() -> None:
    assert instance("neighbor G peer-group", "neighbor 10.0.0.2 peer-group G").neighbors == ()


def test_removing() -> None:
    assert instance(PEER, "no neighbor 10.0.0.2").neighbors == ()
    assert instance(PEER, "no neighbor 10.0.0.2 remote-as 65002").neighbors == ()


@pytest.mark.parametrize(
    ("lines", "families"),
    [
        ([PEER], ["ipv4-unicast"]),
        ([PEER, "no neighbor 10.0.0.2 activate"], []),
        ([PEER, "address-family ipv6 unicast", "neighbor 10.0.0.2 activate"], ["ipv4-unicast", "ipv6-unicast"]),
        (["no bgp default ipv4-unicast", PEER], []),
        # It is for neighbors still to come (bgpd/bgpd.c, peer_create).
        ([PEER, "no bgp default ipv4-unicast"], ["ipv4-unicast"]),
        (["bgp default ipv6-unicast", PEER], ["ipv4-unicast", "ipv6-unicast"]),
        ([*GROUP, "no neighbor G activate"], []),
        ([*GROUP, "address-family ipv6", "neighbor G activate"], ["ipv4-unicast", "ipv6-unicast"]),
        ([*GROUP, "neighbor G activate", "no neighbor 10.0.0.2 activate"], []),
    ],
)
def test_families(lines: list[str], families: list[str]) -> None:
    assert list(neighbor(*lines).families) == families


def test_a_line_outside_a_family_is_of_ipv4() -> None:
    lines = [PEER, "address-family ipv6 unicast", "neighbor 10.0.0.2 activate", "exit-address-family"]
    peer = neighbor(*lines, "neighbor 10.0.0.2 next-hop-self")
    assert {f: s.next_hop_self for f, s in peer.families.items()} == {"ipv4-unicast": True, "ipv6-unicast": False}


def test_originating() -> None:
    bgp = instance(
        "network 10.9.0.1/16",
        "address-family ipv6 unicast",
        "network 2001:db8::/32",
        "redistribute static",
        "redistribute kernel",
        "no redistribute kernel",
    )
    assert [o.prefix for o in bgp.originated] == [ip_network("10.9.0.0/16"), ip_network("2001:db8::/32")]
    assert [(r.family, r.protocol) for r in bgp.redistribute] == [("ipv6-unicast", "static")]


def test_static_routes() -> None:
    reader = read(
        "ip route 10.9.0.0/16 blackhole",
        "ip route 10.8.0.0/16 10.0.0.2",
        "ip route 10.8.0.0/16 10.0.0.3 net0",
        "ipv6 route 2001:db8::/32 net0",
        "ip route 10.7.0.0/16 b",
        "ip route 10.6.0.0/16 b0",
        start=None,
    )
    found = [
        (str(r.prefix), r.kind, [(str(h.address), h.interface) for h in r.next_hops]) for r in reader.static_routes
    ]
    assert found == [
        ("10.9.0.0/16", "blackhole", []),
        ("10.8.0.0/16", "unicast", [("10.0.0.2", None), ("10.0.0.3", "net0")]),
        ("2001:db8::/32", "unicast", [("None", "net0")]),
        ("10.7.0.0/16", "blackhole", []),  # vtysh takes `b` for blackhole, whatever interfaces there are
        ("10.6.0.0/16", "unicast", [("None", "b0")]),
    ]
    assert all((r.protocol, r.metric) == ("static", 20) for r in reader.static_routes)


def test_a_route_is_dropped_or_has_next_hops() -> None:
    """FRR 8.4.4: `Route cannot have blackhole and non-blackhole nexthops simultaneously`; of ways to drop, the last."""
    reader = read("ip route 10.9.0.0/16 blackhole", "ip route 10.9.0.0/16 reject", start=None)
    assert [(str(r.prefix), r.kind) for r in reader.static_routes] == [("10.9.0.0/16", "unreachable")]
    reader = read("ip route 10.9.0.0/16 10.0.0.2", "ip route 10.9.0.0/16 blackhole", start=None)
    assert [r.kind for r in reader.static_routes] == ["unicast"]
    assert [r.source.line for r in reader.refusals] == [3]


@pytest.mark.parametrize(
    "lines",
    [
        ["maximum-paths 4"],
        [PEER, "neighbor 10.0.0.2 unsuppress-map X"],
        ["neighbor 10.0.0.2 activate"],
        ["neighbor net0 remote-as external"],
        ["neighbor 10.0.0.2 peer-group NONE"],
        ["redistribute isis route-map X"],
        ["redistribute ospf"],
        ["exit-address-family"],
        ["frr defaults other"],
        ["hostnames r1"],
        ["router bgp 65009"],
        ["router bgp 65001 vrf red"],
        ["neighbor 10.0.0.2 remote-as auto"],
        ["timers bgp 1"],
    ],
)
def test_what_is_not_modelled_is_listed(lines: list[str]) -> None:
    reader = read(*lines)
    (listed,) = reader.unmodelled
    assert (listed.text, listed.source.line) == (lines[-1], 2 + len(lines))
    assert (listed.device, listed.effect, listed.affects) == ("r1", "possible", ("r1",))


@pytest.mark.parametrize("line", ["hostname r1", "log syslog", "service integrated-vtysh-config"])
def test_what_moves_no_route_says_so(line: str) -> None:
    (listed,) = read(line, start=None).unmodelled
    assert (listed.effect, listed.text) == ("none", line)
    assert listed.why


def test_comments_and_shows_are_nothing() -> None:
    assert read("!", "# x", "", "end", "show bgp summary", "write memory").unmodelled == []


@pytest.mark.parametrize(
    "block",
    [
        ["exit", "pbr-map X seq 10", "match src-ip 10.0.0.0/8", "set nexthop 10.0.0.1", "exit"],
        ["exit", "interface net0", "ip address 10.0.0.1/24"],
        ["router bgp 65001 vrf red", "neighbor 10.9.9.9 remote-as 1", "exit"],
        ["address-family l2vpn evpn", "neighbor 10.0.0.2 shutdown", "advertise-all-vni", "exit-address-family"],
    ],
)
def test_the_lines_of_an_unknown_block_are_none_of_bgps(block: list[str]) -> None:
    reader = read(PEER, *block, "router bgp 65001", "neighbor 10.0.0.3 remote-as 65003")
    bgp = reader.instance()
    assert bgp is not None
    assert [(n.name, n.shutdown) for n in bgp.neighbors] == [("10.0.0.2", False), ("10.0.0.3", False)]
    left = [line for line in block if line not in ("exit", "exit-address-family")]
    assert [u.text for u in reader.unmodelled] == left


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("router bgp 4294967296", "expected an AS number from 1 to 4294967295"),
        ("neighbor 10.0.0.2 remote-as 0", "found '0', expected an AS number"),
        ("neighbor 10.0.0 remote-as 1", "found '10.0.0', expected an IP address"),
        ("neighbor 2001:db8::g remote-as 1", "expected an IP address"),
        ("network 10.0.0.0/40", "expected a prefix"),
        ("network 2001:db8::/32", "expected a prefix of IPv4"),
        ("bgp router-id 1", "expected a router ID"),
        ("ip route 10.0.0.0/33 blackhole", "expected a prefix"),
        ("timers bgp 1 2", "expected 0 or at least 3 seconds"),
        ("timers bgp 1 70000", "expected a whole number from 0 to 65535"),
    ],
)
def test_what_no_router_accepts(line: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read(line)
    assert (caught.value.file, caught.value.line) == ("topo.yml", 3)
    (listed,) = read(line, allow_refused=True).unmodelled
    assert (listed.text, listed.effect) == (line, "none")


def test_two_calls_each_begin_in_view_mode() -> None:
    reader = read(PEER)
    reader.read([VtyLine("neighbor 10.0.0.3 remote-as 1", Source("topo.yml", 9, "neighbor 10.0.0.3 remote-as 1"))])
    assert [u.why for u in reader.unmodelled] == ["not in configuration mode"]


words = st.sampled_from(
    "no neighbor 10.0.0.2 fe80::2 net0 G peer-group remote-as internal external 65001 0 interface v6only activate"
    " address-family ipv4 ipv6 unicast exit-address-family exit end conf t router bgp redistribute connected network"
    " 10.0.0.0/8 timers connect 3 9 default-originate next-hop-self frr defaults datacenter ip route blackhole bgp"
    " default ipv4-unicast router-id 1.1.1.1 bestpath as-path multipath-relax shutdown description update-source"
    " passive".split()
)


@given(st.lists(st.lists(words | st.text(max_size=5), min_size=1, max_size=7), max_size=12))
def test_any_line_is_read_listed_or_an_input_error(lines: list[list[str]]) -> None:
    try:
        reader = read(*(" ".join(line) for line in lines))
    except InputError:
        reader = read(*(" ".join(line) for line in lines), allow_refused=True)
    bgp = reader.instance()
    assert bgp is not None
    assert bgp.asn == 65001
    assert len({n.name for n in bgp.neighbors}) == len(bgp.neighbors)


asns = st.integers(1, 4294967295)
peers = st.dictionaries(st.ip_addresses(v=4).map(str), st.tuples(asns, st.booleans(), st.booleans()), max_size=5)


@given(asns, peers)
def test_what_is_written_is_what_is_read(asn: int, wanted: dict[str, tuple[int, bool, bool]]) -> None:
    lines = [f"neighbor {name} remote-as {remote}" for name, (remote, _, _) in wanted.items()]
    lines += [f"neighbor {name} next-hop-self" for name, (_, own, _) in wanted.items() if own]
    lines += [f"neighbor {name} shutdown" for name, (_, _, shut) in wanted.items() if shut]
    bgp = instance(*lines, start=f"router bgp {asn}")
    assert bgp.asn == asn
    found = {n.name: (n.remote_as, n.families["ipv4-unicast"].next_hop_self, n.shutdown) for n in bgp.neighbors}
    assert found == wanted
