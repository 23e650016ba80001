"""Lines typed on a running router: what they undo, and which of them close sessions (as measured on FRR 8.4.4)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgpsim.errors import InputError
from bgpsim.inputs.commands import VtyLine
from bgpsim.inputs.frr.edits import chooses_anew, sessions_reset
from bgpsim.inputs.frr.reader import FrrReader
from bgpsim.network.description import BgpInstance, Neighbor
from bgpsim.source import Source

BOOT = (
    "conf t",
    "frr defaults datacenter",
    "router bgp 65000",
    "no bgp ebgp-requires-policy",
    "neighbor G peer-group",
    "neighbor G remote-as 65009",
    "neighbor 10.0.1.2 remote-as 65001",
    "neighbor 10.0.2.2 remote-as 65000",
    "neighbor 10.0.3.2 peer-group G",
    "neighbor net0 interface remote-as external",
    "address-family ipv4 unicast",
    "redistribute connected",
)
A, B, M, N = "10.0.1.2", "10.0.2.2", "10.0.3.2", "net0"


def running(*lines: str) -> FrrReader:
    reader = FrrReader("r0")
    reader.read([VtyLine(text, Source("topo.yml", n, text)) for n, text in enumerate((*BOOT, *lines), 1)])
    reader.starts()
    return reader


def typed(reader: FrrReader, *lines: str) -> BgpInstance | None:
    reader.type([Source("s.yaml", number, line) for number, line in enumerate(lines, 1)])
    return reader.instance()


def bare(bgp: BgpInstance | None) -> BgpInstance | None:
    """Without the lines that made it."""
    if bgp is None:
        return None

    def neighbor(n: Neighbor) -> Neighbor:
        families = {name: replace(of, source=None) for name, of in n.families.items()}
        return replace(n, families=families, source=None, sources=())

    return replace(
        bgp,
        neighbors=tuple(sorted(map(neighbor, bgp.neighbors), key=lambda n: n.name)),
        redistribute=tuple(replace(r, source=None) for r in bgp.redistribute),
        originated=tuple(replace(o, source=None) for o in bgp.originated),
        source=None,
        sources={},
    )


@pytest.mark.parametrize(
    ("line", "closed"),
    [
        (f"neighbor {A} timers 2 6", ()),
        (f"neighbor {A} timers connect 1", ()),
        ("timers bgp 2 6", ()),
        (f"neighbor {A} next-hop-self", ()),
        (f"neighbor {A} default-originate", ()),
        ("no redistribute connected", ()),
        ("network 10.9.0.0/24", ()),
        (f"neighbor {A} ebgp-multihop 2", (A,)),
        # Of an internal neighbor the TTL is 255 whatever is said.
        (f"neighbor {B} ebgp-multihop 2", ()),
        (f"neighbor {A} update-source 10.0.1.1", (A,)),
        (f"neighbor {A} passive", (A,)),
        (f"neighbor {A} capability extended-nexthop", (A,)),
        (f"neighbor {A} shutdown", (A,)),
        (f"no neighbor {A} activate", (A,)),
        (f"neighbor {A} remote-as 65077", (A,)),
        (f"no neighbor {A}", (A,)),
        (f"no neighbor {N} remote-as external", (N,)),
        (f"neighbor {N} interface v6only", (N,)),
        ("neighbor G passive", (M,)),
        ("no neighbor G remote-as 65009", (M,)),
        ("no neighbor G peer-group", (M,)),
        ("bgp router-id 10.255.0.9", (A, B, M, N)),
        ("no router bgp 65000", (A, B, M, N)),
    ],
)
def test_what_closes_a_session(line: str, closed: tuple[str, ...]) -> None:
    reader = running()
    before = reader.instance()
    assert sessions_reset(before, typed(reader, "router bgp", line)) == frozenset(closed)
    assert [u.text for u in reader.unmodelled if u.effect == "possible"] == []


@pytest.mark.parametrize(
    "option",
    [
        "bestpath as-path multipath-relax",
        "bestpath compare-routerid",
        "always-compare-med",
    ],
)
def test_rules_of_choice_make_it_choose_anew(option: str) -> None:
    reader = running()
    before = reader.instance()
    after = typed(reader, "router bgp", f"bgp {option}")
    assert chooses_anew(before, after)
    assert not sessions_reset(before, after)
    assert chooses_anew(after, typed(reader, "router bgp", f"no bgp {option}"))


PEER = st.sampled_from((A, B, M, N))
OF_PEER = st.sampled_from(
    (
        *("timers 2 6", "timers connect 5", "update-source 10.0.9.1", "passive", "shutdown", "next-hop-self"),
        "default-originate",
    )
)
UNDONE = st.one_of(
    st.tuples(PEER, OF_PEER).map(lambda both: f"neighbor {both[0]} {both[1]}"),
    st.sampled_from(
        (
            *("timers bgp 2 6", "bgp router-id 10.255.0.9", "bgp bestpath compare-routerid", "bgp always-compare-med"),
            *("bgp bestpath as-path multipath-relax", "network 10.9.0.0/24", "redistribute static"),
            *("neighbor 10.0.7.2 remote-as 65007", "neighbor net7 interface remote-as internal"),
            "neighbor 10.0.7.2 peer-group G",
        )
    ),
)


@given(st.lists(UNDONE, min_size=1, max_size=6, unique_by=lambda line: tuple(line.split()[:3])))
def test_no_undoes_what_was_typed(lines: list[str]) -> None:
    """In the opposite order, the router is configured as before."""
    reader = running()
    before = bare(reader.instance())
    typed(reader, "router bgp", *lines)
    assert bare(typed(reader, "router bgp", *(f"no {line}" for line in reversed(lines)))) == before


WORD = st.sampled_from(
    (
        *("no", "router", "bgp", "65000", "neighbor", A, N, "G", "interface", "v6only", "remote-as", "external"),
        *("peer-group", "address-family", "ipv4", "ipv6", "unicast", "activate", "exit", "end", "ip", "route"),
        *("10.9.0.0/24", "blackhole", "shutdown", "network", "redistribute", "static", "timers", "3", "9", "0"),
    )
)


@given(st.lists(st.lists(WORD, min_size=1, max_size=6).map(" ".join), max_size=8))
def test_any_line_is_read_listed_or_bad_input(lines: list[str]) -> None:
    reader = running()
    with suppress(InputError):
        sessions_reset(running().instance(), typed(reader, *lines))
    assert all(u.source.file == "s.yaml" for u in reader.unmodelled if u.effect == "possible")


def test_a_static_route_loses_one_next_hop_and_then_itself() -> None:
    reader = running("exit", "exit", "ip route 10.9.0.0/24 10.0.1.2", "ip route 10.9.0.0/24 10.0.2.2")
    typed(reader, "no ip route 10.9.0.0/24 10.0.1.2")
    (route,) = reader.static_routes
    assert [str(hop.address) for hop in route.next_hops] == ["10.0.2.2"]
    typed(reader, "no ip route 10.9.0.0/24 10.0.2.2")
    assert reader.static_routes == ()
    typed(reader, "no ip route 10.9.0.0/24 10.0.2.2")
    assert [u.why for u in reader.unmodelled] == ["there is no such route at this line"]


def test_an_instance_that_was_removed_takes_all_with_it() -> None:
    reader = running()
    assert not reader.removed
    assert typed(reader, "no router bgp") is None
    assert (reader.removed, reader.booted) == (True, 65000)
    other = typed(reader, "router bgp 65055")
    assert other is not None
    assert (other.asn, other.neighbors, other.redistribute) == (65055, (), ())


def test_a_running_bgpd_does_not_ask_for_policies_again() -> None:
    reader = running()
    after = typed(reader, "router bgp", "bgp ebgp-requires-policy")
    assert after is not None
    assert not after.ebgp_requires_policy
    assert [(u.text, u.effect) for u in reader.unmodelled] == [("bgp ebgp-requires-policy", "possible")]


def test_a_router_id_goes_by_its_own_line_alone() -> None:
    """FRR 8.4.4: `BGP router-id doesn't match`."""
    reader = running("exit", "bgp router-id 10.255.0.1")
    after = typed(reader, "router bgp", "no bgp router-id 10.255.0.2")
    assert after is not None
    assert str(after.router_id) == "10.255.0.1"
