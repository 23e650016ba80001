"""Whole tables on real routers: announced, compared in full, a difference told once, withdrawn; MRT as FRR writes it.

b0 net0 ---- net0 b1        AS 65001, AS 65002; the speaker's AS 65099 peers with b0
 |
 +--- injector
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path

import pytest
from sealed import eventually, two_routers

from bgpsim.cli.output import Silent
from bgpsim.lab.embedded.lab import EmbeddedLab
from bgpsim.lab.images import default_store
from bgpsim.report.differences import gathered
from bgpsim.scenario.playing.runner import run
from bgpsim.scenario.reading.loading import load
from bgpsim.scenario.timeline import Scenario
from bgpsim.speakers.control import SpeakerControl

pytestmark = pytest.mark.lab
SPEAKERS = "speakers: {injector: {asn: 65099, peers: [b0]}}\n"
ROUTES = 10_000
ON_B1 = "vtysh -c 'conf t' -c 'router bgp 65002' -c 'address-family ipv4 unicast' -c"
STEPS = [
    "{name: fabric}",
    f"{{name: table, announce: [{{speaker: injector, generate: {{routes: {ROUTES}}}}}]}}",
    "{name: long prefixes refused, exec: {b1: ["
    "\"vtysh -c 'conf t' -c 'ip prefix-list SHORT seq 5 permit 0.0.0.0/0 le 22' -c 'ip prefix-list SHORT seq 6 permit"
    f" 10.0.0.0/8 le 32'\", \"{ON_B1} 'neighbor net0 prefix-list SHORT in'\"]}}}}",
    "{name: withdrawn, withdraw: [{speaker: injector, all: true}], expect: {same-as: fabric}}",
]


def lab_of(scenario: Scenario) -> EmbeddedLab:
    return EmbeddedLab(scenario.files, default_store(), SpeakerControl)


def test_ten_thousand_routes(tmp_path: Path) -> None:
    scenario = load(two_routers(tmp_path, STEPS, top=SPEAKERS), "scenario.yaml")
    outcome = run(scenario, lambda _: lab_of(scenario), Silent())
    assert outcome.run.error is None
    fabric, table, drift, withdrawn = outcome.run.steps
    assert [(s.name, s.verdict, s.settled and s.settled.how) for s in outcome.run.steps] == [
        ("fabric", "pass", "quiet"),
        ("table", "pass", "quiet"),
        ("long prefixes refused", "fail", "quiet"),
        ("withdrawn", "pass", "quiet"),
    ]
    # b0 has it from the speaker and b1 from b0; each sends all it has, b0 to two; in both kernels; on the wire of both
    # sessions, there and back.
    more = {plane: table.planes[plane].compared - fabric.planes[plane].compared for plane in ("bgp", "fib", "wire")}
    assert more == {"bgp": 5 * ROUTES, "fib": 2 * ROUTES, "wire": 4 * ROUTES}
    assert all(part.equal == part.compared for part in table.planes.values())
    assert withdrawn.planes == fabric.planes
    assert table.diff is not None
    assert table.diff.observed is not None
    changed = table.diff.observed.routes
    assert (changed.counts, changed.left_out) == ({"added": 4 * ROUTES, "removed": 0, "changed": 0}, 4 * ROUTES - 12)
    assert [(group.routes, group.count) for group in changed.groups] == [(ROUTES, 4 * ROUTES)]
    assert len(table.volatile["messages"]) <= 2000

    refused = sum(prefix.prefixlen > 22 for prefix in scenario.steps[1].actions[0].table.prefixes)  # type: ignore[union-attr]
    (group,) = drift.mismatch_groups
    # At b1: not in its table, its Adj-RIB-Out, its kernel, nor on the wire back to b0.
    assert (group.routes, group.count) == (refused, 4 * refused)
    assert {(m.plane, m.kind, m.device, m.peer) for m in group.first} == {
        ("bgp", "missing", "b1", "net0"),
        ("bgp", "missing", "b1", "to net0"),
        ("wire", "missing", "b1", "sent net0"),
        ("fib", "missing", "b1", "metric 20"),
    }
    assert drift.mismatches_left_out == 4 * refused - 12
    titles = [d.title for d in gathered(drift.mismatches, drift.mismatch_groups)]
    assert titles == [
        f"route {group.examples[0]} and {refused - 1} more: bgp missing at b1, net0",
        "prefix counters: bgp differs (ipv4-unicast accepted) at b1, net0",
    ]


@contextmanager
def running(folder: Path, steps: list[str]) -> Iterator[tuple[EmbeddedLab, Scenario]]:
    scenario = load(two_routers(folder, steps, top=SPEAKERS), "scenario.yaml")
    lab = lab_of(scenario)
    try:
        lab.bring_up(lambda _: None)
        yield lab, scenario
    finally:
        lab.close()


FILE = """\
# A route file, in ExaBGP's words
route 198.51.100.0/24 as-path [ 65099 3356 ] ( 64512 64513 ) med 50 community [ 65099:1 no-export ]
announce route 198.51.101.0/24 origin egp large-community [ 65099:1:2 ] aggregator ( 65099:192.0.2.9 ) atomic-aggregate;
attributes as-path [ 65099 400000 ] nlri 198.51.102.0/25 198.51.102.128/25
"""


def test_a_table_that_frr_wrote_is_announced_again(tmp_path: Path) -> None:
    """A route file to FRR, FRR's own MRT dump of it, and that read and announced: the same routes again."""
    (tmp_path / "routes.txt").write_text(FILE)
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    (first / "routes.txt").write_text(FILE)
    step = "{name: file, announce: [{speaker: injector, file: %s}]}"
    with running(first, [step % "routes.txt"]) as (lab, scenario):
        (action,) = scenario.steps[0].actions
        lab.announce_table(action.table)  # type: ignore[union-attr]
        typed = lab.execute("b0", "vtysh -c 'conf t' -c 'dump bgp routes-mrt /tmp/table.mrt'")
        assert typed.exit_code == 0, typed.output
        eventually(lambda: int(lab.execute("b0", "stat -c %s /tmp/table.mrt").output or 0) > 200, "FRR has written")
        written = base64.b64decode(lab.execute("b0", "base64 -w0 /tmp/table.mrt").output)
        (second / "frr.mrt").write_bytes(written)
        (second / "scenario.yaml").write_text("")
        again = load(two_routers(second, [step.replace("%s", "frr.mrt, peer: 'fe80::2'")], top=SPEAKERS), "again.yaml")
        (copied,) = again.steps[0].actions
        original = {p: g.like for g in action.table.groups for p in g.prefixes}  # type: ignore[union-attr]
        copy = {p: g.like for g in copied.table.groups for p in g.prefixes}  # type: ignore[union-attr]
        assert copy.keys() == original.keys()
        for prefix, route in original.items():
            # The speaker's AS stands in the file where ExaBGP put it.
            path = (65099,) if route.as_path is None else route.as_path
            found = copy[prefix]
            assert (found.as_path, found.origin, found.med) == (path, route.origin, route.med)
            assert (found.communities, found.large_communities) == (route.communities, route.large_communities)
            assert (found.aggregator, found.atomic_aggregate) == (route.aggregator, route.atomic_aggregate)
        lab.announce_table(copied.table)  # type: ignore[union-attr]
        one = ip_network("198.51.100.0/24")
        lab.withdraw(copied.table.at(one))  # type: ignore[union-attr]
        (shown,) = lab.agent.call("frr.show", devices=["b0"], commands=["show bgp ipv4 unicast json"])["b0"]
        assert str(one) not in shown
        assert "198.51.102.128/25" in shown
        lab.withdraw_table(copied.table)  # type: ignore[union-attr]
        (shown,) = lab.agent.call("frr.show", devices=["b0"], commands=["show bgp ipv4 unicast json"])["b0"]
        assert "198.51" not in shown
