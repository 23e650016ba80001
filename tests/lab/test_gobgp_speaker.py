"""A speaker that runs GoBGP beside real FRR routers: single routes with their attributes, a table, and its end.

b0 net0 ---- net0 b1        AS 65001, AS 65002; the speaker's AS 65099 peers with both
 |                |
 +--- injector ---+
                  +--- inner, of b1's own AS
"""

from __future__ import annotations

from pathlib import Path

import pytest
from sealed import eventually, two_routers

from bgpsim.cli.output import Silent
from bgpsim.errors import DeviceDied
from bgpsim.lab.embedded.lab import EmbeddedLab
from bgpsim.lab.images import default_store
from bgpsim.scenario.playing.runner import run
from bgpsim.scenario.reading.loading import load
from bgpsim.scenario.timeline import Announce, Scenario
from bgpsim.speakers.control import SpeakerControl

pytestmark = pytest.mark.lab
SPEAKERS = """\
speakers:
  injector: {asn: 65099, peers: [b0, b1], engine: gobgp}
  inner: {asn: 65002, peers: [b1], engine: gobgp}
"""
ROUTES = 2000
EVERY_ATTRIBUTE = (
    "as-path: [65099, 65099, 3356, [64512, 64513], 400000], origin: incomplete, med: 50,"
    ' communities: ["65099:1", graceful-shutdown], large-communities: ["65099:1:2"],'
    ' extended-communities: ["target:65099:7", "origin:192.0.2.1:5", "target:400000:9"],'
    ' aggregator: "65099:192.0.2.9", atomic-aggregate: true,'
    ' attributes: [{code: 99, value: "0x0102"}, {code: 130, flags: 0xE0, value: "0xff"}]'
)
# b1's own loopback is announced too: GoBGP hears it from both, and must say its own all the same.
STEPS = [
    "{name: fabric}",
    "{name: single, announce: ["
    f"{{speaker: injector, to: [b0], prefix: 198.51.100.0/24, {EVERY_ATTRIBUTE}}},"
    " {speaker: injector, prefix: 198.51.101.0/24, communities: [no-export]},"
    ' {speaker: injector, prefix: "2001:db8:9::/48"},'
    " {speaker: injector, to: [b0], prefix: 10.0.0.1/32, med: 9, local-preference: 300},"
    " {speaker: inner, prefix: 198.51.102.0/24, as-path: [64999], local-preference: 300},"
    " {speaker: inner, prefix: 198.51.103.0/24}]}",
    "{name: table, replace: [{speaker: injector, to: [b0], prefix: 198.51.100.0/24, med: 7}],"
    f" announce: [{{speaker: injector, to: [b0], generate: {{routes: {ROUTES}}}}}]}}",
    "{name: power gone, node-down: [b0]}",
    "{name: back, node-up: [b0]}",
    "{name: withdrawn, withdraw: [{speaker: injector, all: true}, {speaker: inner, all: true}],"
    " expect: {same-as: fabric}}",
]


def lab_of(scenario: Scenario) -> EmbeddedLab:
    return EmbeddedLab(scenario.files, default_store(), SpeakerControl)


def test_what_it_announces_is_as_predicted_on_every_plane(tmp_path: Path) -> None:
    scenario = load(two_routers(tmp_path, STEPS, top=SPEAKERS), "scenario.yaml")
    outcome = run(scenario, lambda _: lab_of(scenario), Silent())
    assert outcome.run.error is None
    assert [(s.name, s.verdict, s.settled and s.settled.how) for s in outcome.run.steps] == [
        (name, "pass", "quiet") for name in ("fabric", "single", "table", "power gone", "back", "withdrawn")
    ]
    fabric, single, table, _, back, withdrawn = outcome.run.steps
    assert all(part.equal == part.compared for step in outcome.run.steps for part in step.planes.values())
    assert not any(part.not_observed for step in outcome.run.steps for part in step.planes.values())
    # At both routers, sent by each to what is at its other ends; in both kernels; on the wire of five sessions.
    more = {plane: table.planes[plane].compared - single.planes[plane].compared for plane in ("fib", "wire")}
    assert more == {"fib": 2 * ROUTES, "wire": 6 * ROUTES}
    assert back.planes == table.planes
    assert withdrawn.planes == fabric.planes
    assert outcome.run.lab is not None
    assert [(s.stands_for, s.by) for s in outcome.run.lab.stand_ins] == [
        (f"ExaBGP (speaker {name})", "gobgpd 3.10.0") for name in ("injector", "inner")
    ]


def test_when_it_dies_it_is_missed(tmp_path: Path) -> None:
    steps = ["{name: one, announce: [{speaker: injector, prefix: 198.51.101.0/24}]}"]
    scenario = load(two_routers(tmp_path, steps, top=SPEAKERS), "scenario.yaml")
    at_b0, at_b1 = (a.announcement for a in scenario.steps[0].actions if isinstance(a, Announce))
    lab = lab_of(scenario)
    try:
        lab.bring_up(lambda _: None)
        lab.check_alive()
        listed = lab.execute("injector", "ps -eo pid,args").output
        (pid,) = (line.split()[0] for line in listed.splitlines() if "gobgpd" in line and "/b1.sock" in line)
        lab.execute("injector", f"kill -9 {pid}")
        eventually(lambda: not all(s["alive"] for s in lab.agent.call("speaker.alive")), "gobgpd has ended")
        with pytest.raises(DeviceDied, match="speaker injector: gobgpd at b1 ended by itself"):
            lab.check_alive()
        with pytest.raises(DeviceDied):
            lab.announce(at_b1)
        # The other attachment is a process of its own.
        lab.announce(at_b0)
        (shown,) = lab.agent.call("frr.show", devices=["b0"], commands=["show bgp ipv4 unicast json"])["b0"]
        assert "198.51.101.0/24" in shown
        lab.agent.call("speaker.stop", speaker="injector", router="b0")
        assert "gobgpd" not in lab.execute("injector", "ps -eo args").output
    finally:
        lab.close()
