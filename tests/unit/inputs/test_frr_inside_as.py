"""Statements of the decision process, of reflectors and of confederations -> the description."""

from ipaddress import IPv4Address

import pytest

from bgpsim.inputs.commands import VtyLine
from bgpsim.inputs.frr.edits import chooses_anew, sessions_reset
from bgpsim.inputs.frr.reader import FrrReader
from bgpsim.network.description import BgpInstance
from bgpsim.network.internal_bgp import Choice, Confederation, Reflection, Together
from bgpsim.source import Source

BASE = ("conf t", "router bgp 65001", "neighbor 10.0.0.2 remote-as 65001", "neighbor 10.0.0.3 remote-as 65002")


def read(*lines: str) -> FrrReader:
    reader = FrrReader("r1")
    reader.read([VtyLine(line, Source("f", n, line)) for n, line in enumerate((*BASE, *lines), start=1)])
    return reader


def instance(*lines: str) -> BgpInstance:
    reader = read(*lines)
    assert reader.unmodelled == []
    found = reader.instance()
    assert found is not None
    return found


def test_the_decision_process() -> None:
    found = instance(
        "bgp bestpath as-path ignore",
        "bgp bestpath as-path multipath-relax no-as-set",
        "bgp bestpath med confed missing-as-worst",
        "bgp bestpath peer-type multipath-relax",
        "bgp default local-preference 70",
        "address-family ipv6 unicast",
        "maximum-paths 4",
        "maximum-paths ibgp 2 equal-cluster-length",
    )
    assert found.multipath_relax
    assert found.choice == Choice(
        as_path_ignore=True,
        med_missing_as_worst=True,
        peer_type_relax=True,
        default_local_preference=70,
        together={"ipv6-unicast": Together(4, 2, equal_cluster_length=True)},
    )
    assert instance("maximum-paths 4", "no maximum-paths").choice == Choice()


def test_reflection_and_confederation() -> None:
    found = instance(
        "bgp cluster-id 9",
        "no bgp client-to-client reflection",
        "bgp route-reflector allow-outbound-policy",
        "bgp confederation identifier 100",
        "bgp confederation peers 65001 65002 65003",
        "neighbor 10.0.0.2 route-reflector-client",
    )
    assert found.reflection == Reflection(IPv4Address("0.0.0.9"), between_clients=False, outbound_policy=True)
    assert found.confederation == Confederation(100, frozenset({65002, 65003}))
    assert [n.families["ipv4-unicast"].reflector_client for n in found.neighbors] == [True, False]


def test_an_external_neighbor_is_nobodys_client() -> None:
    (refusal,) = read("neighbor 10.0.0.3 route-reflector-client").refusals
    assert refusal.why == "it is not an internal neighbor at this line"


def test_next_hops_over_a_default_route() -> None:
    reader = FrrReader("r1")
    lines = ("conf t", "ip nht resolve-via-default", "ipv6 nht resolve-via-default", "no ip nht resolve-via-default")
    reader.read([VtyLine(line, Source("f", n, line)) for n, line in enumerate(lines, start=1)])
    assert reader.resolve_via_default == {6}


@pytest.mark.parametrize(
    ("line", "reset", "anew"),
    [
        ("neighbor 10.0.0.2 route-reflector-client", {"10.0.0.2"}, False),
        ("bgp cluster-id 9", {"10.0.0.2"}, False),
        ("bgp confederation identifier 100", {"10.0.0.3"}, False),
        ("bgp bestpath med missing-as-worst", set(), True),
        ("maximum-paths 1", set(), True),
        ("distance bgp 5 6 7", set(), False),
    ],
)
def test_what_a_line_does_on_a_running_router(line: str, reset: set[str], anew: bool) -> None:
    before, after = instance(), instance(line)
    assert (sessions_reset(before, after), chooses_anew(before, after)) == (reset, anew)
