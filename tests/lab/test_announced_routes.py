"""Every unicast attribute, by internal and external speakers of several routers, with add-path: one lab, four planes.

    core 65000 --net0-- leaf1 65001      speakers: inside 65001 and several 65099 (add-path) at leaf1,
         |                               middle 65000 and listener 65098 (add-path) at core
         +------net1--- leaf2 65002

What must show is derived by hand from RFC 4271, 4456, 7911 and bgpd. That prediction and lab agree the command tells.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.lab
TOPOLOGY = Path(__file__).parents[2] / "scenarios" / "experiments" / "topo.yml"
SCENARIO = """\
name: announcements
lab: {topology: topo.yml}
speakers:
  inside: {asn: 65001, peers: [leaf1]}
  several: {asn: 65099, peers: [leaf1], add-path: true}
  middle: {asn: 65000, peers: [core]}
  listener: {asn: 65098, peers: [core], add-path: true}
steps:
  - name: fabric
  - name: everything
    announce:
      - &all
        speaker: inside
        prefix: 10.91.0.0/16
        as-path: [65050, [65061, 65060]]
        origin: egp
        med: 5
        local-preference: 300
        originator-id: 9.9.9.9
        cluster-list: [8.8.8.8, 7.7.7.7]
        aggregator: "70000:192.0.2.9"
        atomic-aggregate: true
        communities: ["65000:1"]
        large-communities: ["4294967295:0:1"]
        extended-communities: ["target:65000:1", "target:70000:2", "origin:192.0.2.9:3"]
        attributes: [{code: 99, value: "0x0102"}, {code: 100, flags: 0x80, value: "0x03"}]
      - {<<: *all, speaker: several, prefix: 10.92.0.0/16, path-id: 7}
      - {<<: *all, speaker: middle, prefix: "2001:db8:93::/48"}
  - name: replaced
    replace:
      - {speaker: inside, prefix: 10.91.0.0/16, originator-id: 10.255.0.2}     # leaf1's own: a loop
      - {speaker: several, prefix: 10.92.0.0/16, path-id: 7, as-path: []}
      - {speaker: middle, prefix: "2001:db8:93::/48", cluster-list: [10.255.0.1]}
  - name: several paths
    announce:
      - {speaker: several, prefix: 10.92.0.0/16, path-id: 8, as-path: [65099, 65050], med: 1}
      - {speaker: several, prefix: 10.92.0.0/16, path-id: 9, as-path: [65099], med: 9}
      - {speaker: middle, prefix: 10.92.0.0/16, local-preference: 50, as-path: [65090, 65091]}
      - {speaker: inside, prefix: 10.94.0.0/16, next-hop: 10.255.0.3}
  - name: the shortest withdrawn
    withdraw: [{speaker: several, prefix: 10.92.0.0/16, path-id: 7}]
  - name: over
    withdraw: [{speaker: inside, all: true}, {speaker: several, all: true}, {speaker: middle, all: true}]
    expect: {same-as: fabric}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("announcements")
    (made / "topo.yml").write_text(TOPOLOGY.read_text())
    (made / "scenario.yaml").write_text(SCENARIO)
    return made


@pytest.fixture(scope="module")
def steps(folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("bgpsim")), "run", str(folder / "scenario.yaml"), "--report", str(folder)],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    (run,) = json.loads((folder / "report.json").read_text())["runs"]
    assert done.returncode == 0, done.stdout + done.stderr
    assert run["confidence"] == "full"
    assert [line for line in run["lab"]["induced"] if "addpath-tx-all-paths" in line] == [
        "core has the neighbor fe80::3 on x-listener, for speaker listener, with addpath-tx-all-paths",
        "leaf1 has the neighbor fe80::3 on x-several, for speaker several, with addpath-tx-all-paths",
    ]
    return {step["name"]: step for step in run["steps"]}


def test_all_is_as_predicted(steps: dict[str, Any]) -> None:
    for step in steps.values():
        assert step["mismatches"] == []
        for plane in ("bgp", "fib", "path", "wire"):
            assert step["planes"][plane]["status"] == "compared"
            assert step["planes"][plane]["equal"] == step["planes"][plane]["compared"] > 0


def routes(step: dict[str, Any], change: str, plane: str = "bgp") -> dict[tuple[str, str, str], str]:
    """(device, prefix, peer) -> what is observed now, of the routes that came or changed."""
    found = step["diff"]["observed"]["routes"][change]
    return {(r["device"], r["prefix"], r["peer"]): r["after"] for r in found if r["plane"] == plane}


def test_an_internal_peer_is_believed_and_an_external_one_in_part(steps: dict[str, Any]) -> None:
    added = routes(steps["everything"], "added")
    inner, outer = added["leaf1", "10.91.0.0/16", "fe80::2"], added["leaf1", "10.92.0.0/16 path-id 7", "fe80::3"]
    for text in (inner, outer):
        for part in (
            "as-path 65050 {65060,65061}", "origin egp", "med 5", "originator-id 9.9.9.9",
            "cluster-list 8.8.8.8 7.7.7.7",
            "aggregator 70000:192.0.2.9", "atomic-aggregate yes", "communities 65000:1",
            "large-communities 4294967295:0:1", "extended-communities RT:65000:1 RT:70000:2 SoO:192.0.2.9:3",
        ):  # fmt: skip
            assert part in text, (part, text)
    assert "local-preference 300" in inner
    assert "local-preference" not in outer
    # On to the core, an external peer: without MED, originator and cluster list, with the AS in front.
    for prefix in ("10.91.0.0/16", "10.92.0.0/16"):
        there = added["core", prefix, "net0"]
        assert "as-path 65001 65050 {65060,65061}" in there
        assert "aggregator 70000:192.0.2.9" in there
        assert not any(word in there for word in ("med ", "originator-id", "cluster-list", "local-preference"))
    # No fabric session of this lab carries IPv6, and an internal speaker's route goes to external peers alone.
    six = {place for place in added if place[1] == "2001:db8:93::/48"}
    assert six == {("core", "2001:db8:93::/48", "fe80::2")}


def test_replaced_attributes_take_the_place_of_all(steps: dict[str, Any]) -> None:
    changed = routes(steps["replaced"], "changed")
    assert "as-path ," in changed["leaf1", "10.92.0.0/16 path-id 7", "fe80::3"]
    assert "aggregator" not in changed["leaf1", "10.92.0.0/16 path-id 7", "fe80::3"]
    removed = {(r["device"], r["prefix"]) for r in steps["replaced"]["diff"]["observed"]["routes"]["removed"]}
    # Its own router ID as originator, or in the cluster list: refused, and gone everywhere (RFC 4456 section 8).
    assert {("leaf1", "10.91.0.0/16"), ("core", "10.91.0.0/16"), ("leaf2", "10.91.0.0/16")} <= removed
    assert ("core", "2001:db8:93::/48") in removed


def test_of_several_paths_of_one_speaker_the_best_goes_on(steps: dict[str, Any]) -> None:
    added = routes(steps["several paths"], "added")
    # The empty path is the shortest; with it gone, one AS number against two.
    assert "(best)" not in added["leaf1", "10.92.0.0/16 path-id 8", "fe80::3"]
    assert "(best)" not in added["leaf1", "10.92.0.0/16 path-id 9", "fe80::3"]
    after = routes(steps["the shortest withdrawn"], "changed")
    assert "(best)" in after["leaf1", "10.92.0.0/16 path-id 9", "fe80::3"]
    assert "as-path 65001 65099," in after["core", "10.92.0.0/16", "net0"]
    # An internal peer's next hop may resolve through a BGP route: leaf2's loopback, by the core.
    assert "(best)" in added["leaf1", "10.94.0.0/16", "fe80::2"]
