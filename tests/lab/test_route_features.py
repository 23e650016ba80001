"""Aggregates, AS paths, add-path, graceful shutdown and static routes: whole tables as real routers have them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
import route_features as features
from variants import Step, Variant, all_agree, topology

from bgpsim.model import predict
from bgpsim.network.state import NetworkState
from bgpsim.scenario.reading.loading import load

pytestmark = pytest.mark.lab
NETWORKS = (
    (features.aggregates, features.A_ROUTES, "s1: {asn: 65100, peers: [a1]}"),
    (features.as_paths, features.B_ROUTES, "s2: {asn: 64600, peers: [b1]}"),
    (features.instances, features.D_ROUTES, "s3: {asn: 65300, peers: [d1]}"),
    (features.statics, features.E_ROUTES, "s4: {asn: 65400, peers: [e2]}"),
    (features.installed, features.G_ROUTES, "s6: {asn: 65600, peers: [g1]}"),
    (features.several, features.F_ROUTES, "s5: {asn: 65501, peers: [f1], add-path: true}"),
)
SPEAKERS = "speakers: {" + ", ".join(speaker for *_, speaker in NETWORKS) + "}\n"
ROUTES = [route for _, routes, _ in NETWORKS for route in routes]
GONE = (
    "{speaker: s1, to: [a1], prefix: 10.14.2.0/24}",
    "{speaker: s1, to: [a1], prefix: 10.15.1.0/24}",
    "{speaker: s1, to: [a1], prefix: 10.15.2.0/24}",
    "{speaker: s3, to: [d1], prefix: 10.33.1.0/24}",
)
TYPED = (
    "{a1: [router bgp, no aggregate-address 10.12.0.0/16 suppress-map SOME route-map MARK,"
    " aggregate-address 10.10.0.0/16 as-set, aggregate-address 10.9.0.0/16],"
    " b1: [router bgp, no neighbor 10.1.1.2 remove-private-AS all, neighbor 10.1.4.2 remove-private-AS all,"
    " no neighbor 10.1.5.2 attribute-unchanged],"
    " c3: [router bgp, no neighbor 10.1.3.1 allowas-in],"
    " d1: [router bgp, no bgp graceful-shutdown], d2: [router bgp, bgp network import-check],"
    " e1: [no ip route 10.40.3.0/24 x, ip route 10.40.4.0/24 Null0 9],"
    " f1: [router bgp, no neighbor 10.4.1.2 addpath-tx-all-paths]}"
)
STEPS = [
    f"name: told, announce: [{', '.join(ROUTES)}]",
    f"name: fewer, withdraw: [{', '.join(GONE)}]",
    "name: one more, announce: [" + features.said("s1", "10.14.3.0/24", as_path=[65100], med=7) + "]",
    f"name: typed, configure: {TYPED}",
    'name: cut, link-down: ["e1:x"]',
]
SHOWN = (
    *("aggregate-address", "unsuppress-map", "remove-private-AS", "as-override", "allowas-in", "attribute-unchanged"),
    *("graceful-shutdown", "import-check", "backdoor", "addpath-tx", "disable-addpath-rx", "nht resolve-via-default"),
    *("table-map", "distance bgp", "suppress-fib-pending", "ip protocol"),
    *("ip route", "ipv6 route", "redistribute", "network", "default-originate"),
)
"""Statements that this lab is about: each of its lines that has one of them decides something, but for these."""
IDLE = (
    # What is asked is that they change nothing: a path of the prefix that is taken for the aggregate's, MEDs that
    # differ, a route-map that denies, no contributor.
    "aggregate-address 10.11.0.0/16",
    "aggregate-address 10.14.0.0/16 matching-MED-only summary-only",
    "aggregate-address 10.16.0.0/16 route-map NOTHING",
    "aggregate-address 10.99.0.0/16 summary-only",
    # A better route is there; or the gateway does not resolve, or through the route alone.
    "ip route 10.40.6.0/24 10.3.2.8 5",
    "ip route 10.41.1.0/24 10.3.1.9 250",
    "ip route 10.60.4.0/24 10.5.1.9 10",
    "ipv6 route 2001:db8:40:5::/64 blackhole 40",
    "ip route 10.40.9.0/24 198.51.100.1",
    "ip route 10.40.12.0/24 10.40.12.5",
)


def files() -> dict[str, str]:
    made = [build() for build, *_ in NETWORKS]
    return topology([node for nodes, _ in made for node in nodes], *(link for _, links in made for link in links))


def nothing_more(steps: Sequence[Step]) -> None:
    """That everything is equal is all that is asked; what it has to be is the model's unit tests."""
    assert [step["name"] for step in steps] == ["told", "fewer", "one more", "typed", "cut"]


def test_whole_tables_are_as_predicted(tmp_path: Path) -> None:
    ties = ("order of arrival decides between the paths of 10.50.1.0/24",)
    variant = Variant(files(), STEPS, nothing_more, top=SPEAKERS, open=ties)
    all_agree({"route features": variant}, tmp_path)


def predicted(folder: Path, topo: str, routes: Sequence[str], speaker: str) -> NetworkState:
    (folder / "topo.yml").write_text(topo)
    top = f"name: variant\nlab: {{topology: topo.yml}}\nspeakers: {{{speaker}}}\n"
    (folder / "scenario.yaml").write_text(f"{top}steps:\n  - {{name: told, announce: [{', '.join(routes)}]}}\n")
    (step,) = load(folder / "scenario.yaml", "scenario.yaml").steps
    return predict(step.network, None, step.flows).state


@pytest.mark.parametrize(("build", "routes", "speaker"), NETWORKS, ids=lambda x: getattr(x, "__name__", ""))
def test_every_line_decides_something(build: features.Build, routes: list[str], speaker: str, tmp_path: Path) -> None:
    """Without it, what was compared with the routers would be something else."""
    nodes, links = build()
    topo = topology(nodes, *links)["topo.yml"]
    whole = predicted(tmp_path, topo, routes, speaker)
    lines = [found for found in re.finditer(r" -c '([^']*)'", topo) if any(word in found[1] for word in SHOWN)]
    assert lines
    idle = []
    for found in lines:
        less = predicted(tmp_path, topo[: found.start()] + topo[found.end() :], routes, speaker)
        if (less.paths, less.advertised, less.wire, less.fib) == (whole.paths, whole.advertised, whole.wire, whole.fib):
            idle.append(found[1])
    assert idle == [line for found in lines if (line := found[1]) in IDLE]
