"""Reflection (RFC 4456), confederations (RFC 5065), the decision process with all its options, networks with two ends.

Whole tables of real FRR beside the prediction.
"""

from __future__ import annotations

from pathlib import Path

import decisions
import pytest
from classics import Network, Router
from variants import Step, Variant, all_agree, topology

pytestmark = pytest.mark.lab

# --- RFC 4456: who is told what ---

# 1 reflects; 2 and 3 are its clients, 4 and 5 are not. 6 is an external neighbor of 2, without next-hop-self there:
# the others have a route of their own to the network between 2 and 6.
REFLECTOR = Network(
    1,
    "a",
    {
        1: Router(65000, config="ip route 10.1.26.0/24 10.1.12.2"),
        **{
            number: Router(
                65000,
                own=(f"10.1.200.{number}/32",),
                config=f"ip route 10.1.0.0/16 10.1.1{number}.1",
            )
            for number in (2, 3, 4, 5)
        },
        6: Router(65006, own=("10.1.200.6/32",)),
    },
    ((1, 2), (1, 3), (1, 4), (1, 5), (2, 6)),
    {(1, 2): "route-reflector-client", (1, 3): "route-reflector-client"},
)

# --- RFC 4456 section 7: two reflectors for the same clients, of one cluster and of two ---


def _two_reflectors(number: int, prefix: str, cluster: str) -> Network:
    """1 and 2 reflect, and are neighbors; 3 and 4 are clients of both."""
    return Network(
        number,
        prefix,
        {
            1: Router(65000, cluster, config=f"ip route 10.{number}.24.0/24 10.{number}.14.4"),
            2: Router(65000, cluster),
            3: Router(65000, own=(f"10.{number}.200.3/32",), config=f"ip route 10.{number}.0.0/16 10.{number}.13.1"),
            4: Router(65000, own=(f"10.{number}.200.4/32",), config=f"ip route 10.{number}.0.0/16 10.{number}.14.1"),
        },
        ((1, 2), (1, 3), (1, 4), (2, 3), (2, 4)),
        {(r, c): "route-reflector-client" for r in (1, 2) for c in (3, 4)},
    )


ONE_CLUSTER = _two_reflectors(2, "b", "bgp cluster-id 10.2.255.9")
TWO_CLUSTERS = _two_reflectors(3, "c", "")

# --- RFC 4456 section 6: a client that reflects itself; clients that are fully meshed; what a route-map may change ---

LEVELS = Network(
    4,
    "d",
    {
        1: Router(
            65000,
            "no bgp client-to-client reflection\nbgp cluster-id 77",
            own=("10.4.200.1/32",),
        ),
        2: Router(65000, config="ip route 10.4.0.0/16 10.4.12.1"),
        3: Router(65000, own=("10.4.200.3/32",), config="ip route 10.4.0.0/16 10.4.13.1"),
        4: Router(65000, own=("10.4.200.4/32",), config="ip route 10.4.0.0/16 10.4.24.2"),
        5: Router(65000, own=("10.4.200.5/32",), config="ip route 10.4.0.0/16 10.4.15.1"),
    },
    ((1, 2), (1, 3), (2, 4), (1, 5)),
    {
        (1, 2): "route-reflector-client",
        (1, 3): "route-reflector-client",
        (2, 4): "route-reflector-client",
        (2, 1): "next-hop-self",
        (1, 5): "next-hop-self force",
    },
)

_POLICY = """
route-map OUT permit 10
set metric 50
set local-preference 150
set ip next-hop 10.{0}.14.1
exit
"""


def _policy(number: int, prefix: str, line: str) -> Network:
    """1 reflects what 2 tells, through a route-map, to 3 (a client) and 4 (not one)."""
    return Network(
        number,
        prefix,
        {
            1: Router(65000, line, config=_POLICY.format(number)),
            2: Router(65000, "bgp default local-preference 300", own=(f"10.{number}.200.2/32",)),
            3: Router(65000, own=(f"10.{number}.200.3/32",), config=f"ip route 10.{number}.0.0/16 10.{number}.13.1"),
            4: Router(65000, config=f"ip route 10.{number}.0.0/16 10.{number}.14.1"),
        },
        ((1, 2), (1, 3), (1, 4)),
        {
            (1, 2): "route-reflector-client",
            (1, 3): "route-reflector-client\nroute-map OUT out",
            (1, 4): "route-map OUT out",
        },
    )


UNCHANGED = _policy(5, "e", "")
CHANGED = _policy(6, "f", "bgp route-reflector allow-outbound-policy")

# --- RFC 5065 section 4: one AS of three members ---

_MEMBER = "bgp confederation identifier 100\nbgp confederation peers {}"
CONFEDERATION = Network(
    7,
    "g",
    {
        1: Router(65001, _MEMBER.format("65002 65003"), ("10.7.200.1/32",), "ip route 10.7.0.0/16 10.7.12.2"),
        2: Router(65001, _MEMBER.format("65002 65003"), ("10.7.200.2/32",), "ip route 10.7.0.0/16 10.7.23.3"),
        3: Router(65002, _MEMBER.format("65001 65003"), ("10.7.200.3/32",), "ip route 10.7.12.0/24 10.7.23.2"),
        4: Router(65003, _MEMBER.format("65001 65002"), ("10.7.200.4/32",), "ip route 10.7.0.0/16 10.7.34.3"),
        5: Router(200, own=("10.7.200.5/32",)),
        6: Router(300, own=("10.7.200.6/32",)),
    },
    ((1, 2), (2, 3), (3, 4), (1, 5), (4, 6), (2, 4)),
    speaks=dict.fromkeys((1, 2, 3, 4), 100),
)

# --- DISAGREE: 2 and 3 each prefer what the other tells of 1's network ---

_PREFER = "route-map OTHER permit 10\nset local-preference 200\nexit"
DISAGREE = Network(
    8,
    "h",
    {1: Router(65081), 2: Router(65082, config=_PREFER), 3: Router(65083, config=_PREFER)},
    ((1, 2), (1, 3), (2, 3)),
    {(2, 3): "route-map OTHER in", (3, 2): "route-map OTHER in"},
)

# --- RFC 4264 section 3: 1 has a link to 4, and a backup by 2, which 2 knows by its community ---

_RANKS = {
    1: "route-map BACKUP permit 10\nset community 65092:50\nexit",
    2: "bgp community-list standard BACKUP permit 65092:50\nroute-map CUSTOMER permit 10\nmatch community BACKUP\n"
    "set local-preference 50\nexit\nroute-map PROVIDER permit 10\nset local-preference 80\nexit",
    3: "route-map CUSTOMER permit 10\nset local-preference 120\nexit",
    4: "",
}
WEDGIE = Network(
    9,
    "i",
    {n: Router(65090 + n, own=("10.9.200.1/32",) if n == 1 else (), config=_RANKS[n]) for n in (1, 2, 3, 4)},
    ((1, 2), (2, 3), (3, 4), (1, 4)),
    {
        (1, 2): "route-map BACKUP out",
        (2, 1): "route-map CUSTOMER in",
        (2, 3): "route-map PROVIDER in",
        (3, 2): "route-map CUSTOMER in",
    },
)

# --- Next hops of internal paths: 1 has no route to 3's address but a default one, or one that BGP brings ---


def _behind(number: int, prefix: str, first: str, second: str) -> Network:
    return Network(
        number,
        prefix,
        {
            1: Router(65000, config=first),
            2: Router(65000, second),
            3: Router(65000 + number, own=(f"10.{number}.200.3/32",)),
        },
        ((1, 2), (2, 3)),
    )


BY_DEFAULT = _behind(10, "k", "ip nht resolve-via-default\nip route 0.0.0.0/0 10.10.12.2", "")
BY_BGP = _behind(11, "l", "ip route 0.0.0.0/0 10.11.12.2", "network 10.11.23.0/24")

# --- A confederation and a reflector, with aggregates, AS-path forms, distances and several paths of one prefix ---

MEMBERS = Network(
    12,
    "m",
    {
        1: Router(65001, _MEMBER.format("65002 65003"), ("10.12.200.1/32",), "ip route 10.12.0.0/16 10.12.12.2"),
        2: Router(
            65002,
            f"{_MEMBER.format('65001 65003')}\naggregate-address 10.12.200.0/24 as-set\n"
            "distance bgp 5 6 7\nbgp default local-preference 130",
            ("10.12.201.2/32",),
            "ip route 10.12.15.0/24 10.12.12.1\nip route 10.12.36.0/24 10.12.23.3",
        ),
        3: Router(65003, _MEMBER.format("65001 65002"), ("10.12.200.3/32",), "ip route 10.12.0.0/16 10.12.23.2"),
        5: Router(65200, own=("10.12.200.5/32",)),
        6: Router(65300, own=("10.12.200.6/32",)),
    },
    ((1, 2), (2, 3), (1, 5), (3, 6)),
    {
        (1, 5): "remove-private-AS all replace-AS",
        (3, 6): "as-override\nallowas-in 2",
        (2, 3): "allowas-in 1\naddpath-tx-all-paths",
        (6, 3): "allowas-in 2",
    },
    speaks=dict.fromkeys((1, 2, 3), 100),
)
_BOTH = Router(65005, "network 10.13.210.0/24", config="ip route 10.13.210.0/24 blackhole")
SEVERAL = Network(
    13,
    "n",
    {
        1: Router(65000, "bgp graceful-shutdown", config="ip route 10.13.0.0/16 10.13.12.2"),
        2: Router(65000, own=("10.13.200.2/32",), config="ip route 10.13.0.0/16 10.13.12.1"),
        3: Router(65000, config="ip route 10.13.0.0/16 10.13.13.1"),
        4: Router(65000, own=("10.13.201.2/32",), config="ip route 10.13.0.0/16 10.13.14.1"),
        5: _BOTH,
        6: _BOTH,
    },
    ((1, 2), (1, 3), (1, 4), (2, 5), (4, 6)),
    {
        (1, 2): "route-reflector-client",
        (1, 3): "route-reflector-client\naddpath-tx-all-paths",
        (1, 4): "route-reflector-client\naddpath-tx-bestpath-per-AS",
    },
)

NETWORKS = (
    *(REFLECTOR, ONE_CLUSTER, TWO_CLUSTERS, LEVELS, UNCHANGED, CHANGED, CONFEDERATION),
    *(DISAGREE, WEDGIE, BY_DEFAULT, BY_BGP, MEMBERS, SEVERAL),
)


def _configured(router: str, *lines: str) -> str:
    return f"{router}: [router bgp, {', '.join(lines)}]"


_WITHOUT = (
    _configured("a1", "no neighbor 10.1.12.2 route-reflector-client"),
    _configured("b1", "no bgp cluster-id"),
    _configured("d1", "bgp client-to-client reflection"),
    _configured("f1", "no bgp route-reflector allow-outbound-policy"),
    "k1: [no ip nht resolve-via-default]",
    _configured("l2", "no network 10.11.23.0/24"),
    _configured("e2", "neighbor 10.5.12.1 weight 5"),
)
STEPS = (
    "name: up",
    # 3 hears of it from 2 alone at first, then 2 from 3 alone; i1's first link is cut, and comes back.
    'name: first 2, session-down: ["h1:10.8.13.3", "i1:10.9.14.4"], '
    "configure: {h1: [router bgp, network 10.8.200.1/32, exit, ip route 10.8.200.1/32 blackhole]}",
    'name: both, session-up: ["h1:10.8.13.3", "i1:10.9.14.4"]',
    'name: first 3, session-down: ["h1:10.8.12.2", "i1:10.9.12.2"]',
    'name: both again, session-up: ["h1:10.8.12.2", "i1:10.9.12.2"]',
    f"name: without, configure: {{{', '.join(_WITHOUT)}}}",
)


def _changed(step: Step, *kinds: str) -> set[str]:
    """The devices with routes that the step has changed, added or removed, as observed."""
    routes = step["diff"]["observed"]["routes"]
    return {route["device"] for kind in kinds for route in routes[kind]}


def inside(steps: list[Step]) -> None:
    """The planes have told already that every table is as predicted.

    DISAGREE: who hears it first stays with its own link, and the other one with what that tells. The wedgie: i1's link
    back, i4 alone returns to it, and i3 stays with the backup; once the backup has been away, all stays as intended.
    """
    up, _, both, first_3, both_again, without = steps
    assert [outcome["id"] for outcome in up["outcomes"]] == ["1", "2"]
    assert _changed(both, "changed") == {"i4"}
    assert _changed(first_3, "changed") >= {"h2", "h3", "i2", "i3"}
    assert _changed(both_again, "changed", "removed") == set()
    # Without its statement each network changes.
    assert {name[0] for name in _changed(without, "changed", "added", "removed")} == {"a", "b", "d", "e", "f", "k", "l"}
    assert all(step["outcomes"] == [] for step in (both, first_3, both_again, without))


def choosing(steps: list[Step]) -> None:
    """Most orders of arrival are known by the steps; every router chooses something else once lines are typed."""
    first, second, _, typed = steps
    assert first["outcomes"] == second["outcomes"] == []
    assert _changed(typed, "changed") >= {"d1", "d2", "d3", "d7", "d8", "d9"}


_TYPED = (
    _configured("d1", "no bgp deterministic-med", "bgp bestpath med missing-as-worst"),
    _configured("d2", "bgp bestpath as-path ignore"),
    _configured("d3", "bgp bestpath compare-routerid", "no bgp always-compare-med"),
    _configured("d7", "maximum-paths 3", "maximum-paths ibgp 1"),
    _configured("d8", "no bgp bestpath peer-type multipath-relax", "bgp deterministic-med"),
    _configured("d9", "no maximum-paths ibgp", "no maximum-paths", "no bgp bestpath med missing-as-worst confed"),
)
_SEED = 4
VARIANTS = {
    "inside of an AS": Variant(
        topology([node for of in NETWORKS for node in of.nodes()], *[link for of in NETWORKS for link in of.links()]),
        STEPS,
        inside,
        open=("order of arrival decides",),
    ),
    "choosing": Variant(
        decisions.files(),
        [
            f"name: first, {decisions.announced(decisions.routes(_SEED, 's1', 'i1'))}",
            f"name: second, {decisions.announced(decisions.routes(_SEED, 's2'))}",
            f"name: third, {decisions.announced(decisions.routes(_SEED, 's3', 'i2'))}",
            f"name: typed, configure: {{{', '.join(_TYPED)}}}",
        ],
        choosing,
        top=decisions.speakers(),
        open=("order of arrival decides",),
    ),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_prediction_and_routers_agree(name: str, tmp_path: Path) -> None:
    """One after the other: each is a lab of many routers."""
    all_agree({name: VARIANTS[name]}, tmp_path)
