"""The shipped scenarios, by the command, on real routers: what they show is derived by hand from BGP's rules.

Prefixes of the seed's lab, counted for the tables below. router0 originates its loopback, its management network and
the default route (3). Each ToR redistributes its loopback and two server networks (3). Each of the four nodes sends
its pod CIDR to its ToR (1). So a ToR sends router0 3 before and 5 after Cilium peers; router0 sends each ToR
everything but what it would refuse anyway: all of the table (FRR holds nothing back from the peer that it came from):
3 + 3 + 3 = 9 before, 9 + 4 = 13 after, of which the ToR refuses its own (own AS in the path): 9 - 3 = 6, 13 - 5 = 8. A
ToR sends a node what it has less what it learnt by iBGP: 13 - 2 = 11. The public write-ups of this lab show these very
numbers.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bgpsim.report.document import report_schema

pytestmark = pytest.mark.lab
SCENARIOS = Path(__file__).parents[2] / "scenarios" / "cilium-bgp"
PODS = {node: f"pod:default/netshoot@{node}" for node in ("worker", "worker2", "worker3")}


def run(scenario: Path, folder: Path) -> tuple[int, dict[str, Any], str]:
    """Exit code, report.json and what the terminal said."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("bgpsim")), "run", str(scenario), "--report", str(folder)],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr
    report = json.loads((folder / "report.json").read_text())
    jsonschema.validate(report, report_schema())
    return done.returncode, report, done.stdout


def counters(step: dict[str, Any]) -> dict[tuple[str, str], tuple[int, int]]:
    """(device, neighbor) -> accepted and sent IPv4 prefixes, as observed; prediction and lab must agree on them."""
    found = {}
    for row in step["sessions"]:
        if row["observed"]["state"] == "Established" and row["families"]:
            family = row["families"]["ipv4-unicast"]
            for count in family.values():
                assert count["predicted"] is None or count["observed"] in (None, count["predicted"]), row
            found[row["device"], row["neighbor"]] = (family["accepted"]["observed"], family["sent"]["observed"])
    return found


def delivered(step: dict[str, Any]) -> set[tuple[str, str]]:
    """The ordered pairs of pods, by node, whose packets arrived."""
    return {
        (row["from"]["id"].split("@")[1], row["to"]["id"].split("@")[1])
        for row in step["reachability"]
        if row["observed"]["disposition"] == "delivered"
    }


def all_compared(step: dict[str, Any]) -> None:
    """Every plane was read in full, and nothing differs."""
    for plane, result in step["planes"].items():
        assert result["status"] == "compared", (step["name"], plane)
        assert result["compared"] == result["equal"] > 0
        assert result["not_observed"] == 0
    assert step["mismatches"] == []
    assert step["settled"]["how"] == "quiet"


def hops(step: dict[str, Any], source: str, target: str) -> list[tuple[str, str | None, str | None]]:
    (row,) = (r for r in step["reachability"] if (r["from"]["id"], r["to"]["id"]) == (PODS[source], PODS[target]))
    (path,) = row["observed"]["paths"]
    return [(hop["device"], hop["in"], hop["out"]) for hop in path["hops"]]


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, Any], str]:
    return run(SCENARIOS / "baseline.yaml", tmp_path_factory.mktemp("baseline"))


EVERYWHERE = {(a, b) for a in PODS for b in PODS if a != b}


def test_baseline_is_what_people_saw(baseline: tuple[int, dict[str, Any], str]) -> None:
    code, report, _ = baseline
    assert (code, report["verdict"]) == (0, "pass")
    (run,) = report["runs"]
    assert run["confidence"] == "full"
    fabric, peers = run["steps"]
    for step in (fabric, peers):
        all_compared(step)
    assert counters(fabric) == {
        ("router0", "net0"): (3, 9),
        ("router0", "net1"): (3, 9),
        ("tor0", "net0"): (6, 9),
        ("tor1", "net0"): (6, 9),
    }
    # A node accepts all 11 that its ToR sends (Cilium before 1.16), and sends its pod CIDR.
    nodes = {(node, tor): (11, 1) for tor, of in TORS.items() for node in of}
    assert counters(peers) == nodes | {
        ("router0", "net0"): (5, 13),
        ("router0", "net1"): (5, 13),
        ("tor0", "net0"): (8, 13),
        ("tor1", "net0"): (8, 13),
        ("tor0", "10.0.1.2"): (1, 11),
        ("tor0", "10.0.2.2"): (1, 11),
        ("tor1", "10.0.3.2"): (1, 11),
        ("tor1", "10.0.4.2"): (1, 11),
    }
    assert delivered(fabric) == set()
    assert delivered(peers) == EVERYWHERE


TORS = {"10.0.0.1": ("control-plane", "worker"), "10.0.0.2": ("worker2", "worker3")}
"""The address that Cilium's policies give for each ToR, and its rack's nodes."""


def test_pods_reach_the_other_rack_over_router0_hop_by_hop(baseline: tuple[int, dict[str, Any], str]) -> None:
    """tor0's net2 leads to worker, tor1's net2 to worker3, router0's net0 and net1 to the ToRs (topo.yml, links).

    A pod's packet starts with TTL 64 and each of the five devices on its way takes one: 59 at the other pod.
    """
    step = baseline[1]["runs"][0]["steps"][1]
    assert hops(step, "worker", "worker3") == [
        ("worker", None, "net0"),
        ("tor0", "net2", "net0"),
        ("router0", "net0", "net1"),
        ("tor1", "net0", "net2"),
        ("worker3", "net0", None),
    ]
    assert hops(step, "worker3", "worker") == [
        ("worker3", None, "net0"),
        ("tor1", "net2", "net0"),
        ("router0", "net1", "net0"),
        ("tor0", "net0", "net2"),
        ("worker", "net0", None),
    ]
    (row,) = (r for r in step["reachability"] if (r["from"]["id"], r["to"]["id"]) == (PODS["worker"], PODS["worker3"]))
    assert [path["ttl"] for path in row["observed"]["paths"]] == [59]
    assert row["observed"]["evidence"] == "capture"


def test_the_main_scenario(tmp_path: Path) -> None:
    code, report, said = run(SCENARIOS / "scenario.yaml", tmp_path)
    assert (code, report["verdict"]) == (0, "pass"), said
    assert report["runs"][0]["lab"]["induced"] == [
        f"{tor} has the neighbor fe80::2 on x-injector, for speaker injector" for tor in ("tor0", "tor1")
    ]
    steps = {step["name"]: step for step in report["runs"][0]["steps"]}
    assert list(steps) == [
        "fabric",
        "cilium peers",
        "anycast at tor0",
        "anycast at tor1",
        "hijack",
        "withdrawn",
        "uplink lost",
        "restored",
    ]
    for step in steps.values():
        all_compared(step)
        # What the speaker attracts it drops: every probe of the pairs that end there, and in the hijack the answers
        # to worker3's traceroute too.
        ending = [r for r in step["reachability"] if r["observed"]["disposition"] == "dropped-by-speaker"]
        probes = sum(row["observed"]["flows"] for row in ending)
        assert step["volatile"]["dropped"]["injector"] >= probes
        assert (step["volatile"]["dropped"]["injector"] > 0) is (probes > 0)
        checked = step["volatile"]["cross_check"]
        assert checked["pairs"] == checked["agree"] + checked["silent"] > 0

    def uplinks(name: str) -> list[tuple[int, int] | None]:
        """router0 with tor0 and tor1, tor0 and tor1 with router0."""
        seen = counters(steps[name])
        ends = (("router0", "net0"), ("router0", "net1"), ("tor0", "net0"), ("tor1", "net0"))
        return [seen.get(end) for end in ends]

    # An idle speaker is in no table: these are baseline's numbers.
    assert uplinks("fabric") == [(3, 9), (3, 9), (6, 9), (6, 9)]
    assert uplinks("cilium peers") == [(5, 13), (5, 13), (8, 13), (8, 13)]
    # One prefix more, known to tor0 from the speaker alone: router0 has 14 to send, tor1 learns one more of it.
    assert uplinks("anycast at tor0") == [(6, 14), (5, 14), (8, 14), (9, 14)]
    # tor1 announces it too. router0 keeps the path by tor0, which it had first, and tor1 still gets it from there.
    assert uplinks("anycast at tor1") == [(6, 14), (6, 14), (8, 14), (9, 14)]
    # Another prefix more, by tor1.
    assert uplinks("hijack") == [(6, 15), (7, 15), (9, 15), (9, 15)]
    assert uplinks("withdrawn") == [(6, 14), (6, 14), (8, 14), (9, 14)]
    # tor0's 6 and router0's own 3 are left; tor0 refuses its own 6.
    assert uplinks("uplink lost") == [(6, 9), None, (3, 9), None]
    assert uplinks("restored") == [(6, 14), (6, 14), (8, 14), (9, 14)]

    within_racks = {("worker2", "worker3"), ("worker3", "worker2")}
    for name in ("cilium peers", "anycast at tor0", "anycast at tor1", "withdrawn", "restored"):
        assert delivered(steps[name]) == EVERYWHERE, name
    (heard,) = (
        m for m in steps["hijack"]["volatile"]["messages"] if m["router"] == "tor1" and m["direction"] == "sent"
    )
    assert (heard["announced"], heard["as_path"]) == (["10.1.3.0/25"], [65099])
    # The hijacked half holds worker3's pod: only the way there is cut.
    assert delivered(steps["hijack"]) == {pair for pair in EVERYWHERE if pair[1] != "worker3"}
    assert delivered(steps["uplink lost"]) == within_racks
    to_worker3 = [row for row in steps["hijack"]["reachability"] if row["to"]["id"] == PODS["worker3"]]
    assert {row["observed"]["disposition"] for row in to_worker3} == {"dropped-by-speaker"}
    assert {row["observed"]["paths"][0]["at"] for row in to_worker3} == {"injector"}


def test_drift_is_found_and_named(tmp_path: Path) -> None:
    code, report, said = run(SCENARIOS / "drift.yaml", tmp_path)
    assert (code, report["verdict"]) == (1, "fail")
    (drifted,) = report["runs"]
    assert drifted["confidence"] == "partial"
    steps = {step["name"]: step for step in drifted["steps"]}
    assert [step["verdict"] for step in drifted["steps"]] == ["pass", "pass", "fail", "fail", "fail"]

    edited = steps["the route-map edited"]
    missing = {
        (m["plane"], m["device"], m["peer"])
        for m in edited["mismatches"]
        if m["prefix"] == "10.1.3.0/24" and m["kind"] == "missing"
    }
    # tor1 has the route and does not send it; so router0 and everybody behind it lack it, and their kernels too.
    assert missing >= {
        ("bgp", "tor1", "to net0"),
        ("bgp", "router0", "net1"),
        ("bgp", "tor0", "net0"),
        ("bgp", "worker", "10.0.0.1"),
        ("fib", "tor0", "metric 20"),
        ("fib", "router0", "metric 20"),
    }
    # The line that makes tor1 send to router0, and the one that makes worker3 announce its pods.
    (at_tor1,) = (
        m for m in edited["mismatches"] if (m["device"], m["peer"], m["kind"]) == ("tor1", "to net0", "missing")
    )
    behind = {line["text"] for line in at_tor1["because"]}
    assert {"neighbor net0 interface peer-group ROUTERS", "exportPodCIDR: true"} <= behind
    assert not any(device in ("tor1", "worker3") and plane == "fib" for plane, device, _ in missing)
    # One way is enough for a pair to be lost: worker has no route to worker3 any more, worker3 has one to worker.
    assert EVERYWHERE - delivered(edited) == {("worker", "worker3")}
    lost = [(pair["from"], pair["to"]) for pair in edited["diff"]["observed"]["reachability"]["lost"]]
    assert lost == [(PODS["worker"], PODS["worker3"])]
    assert edited["diff"]["predicted"]["reachability"]["lost"] == []

    static = steps["a static route"]
    blackhole = [m for m in static["mismatches"] if m["plane"] == "fib" and m["prefix"] == "10.1.2.0/24"]
    assert {(m["device"], m["kind"]) for m in blackhole} == {("tor0", "differs")}
    assert [(m["predicted"], m["observed"]) for m in blackhole if m["field"] == "kind"] == [("unicast", "blackhole")]
    assert EVERYWHERE - delivered(static) == {("worker", "worker3"), ("worker", "worker2")}

    down = steps["an interface down"]
    states = {
        (m["device"], m["peer"]): m["observed"]
        for m in down["mismatches"]
        if m["plane"] == "bgp" and m["field"] == "state"
    }
    # The ToR's end and the node's, which waited for its hold time.
    assert states == {("tor1", "10.0.3.2"): "Down", ("worker2", "10.0.0.2"): "Down"}
    # worker2 is cut off in both directions; the others are as before.
    assert delivered(down) == {("worker3", "worker")}
    for name in ("tor1", "10.1.3.0/24", "10.1.2.0/24", PODS["worker3"]):
        assert name in said


CUTS = """\
name: attributes and cuts
lab: {topology: topo.yml, cluster: cluster.yml, manifests: [netshoot-ds.yaml]}
speakers:
  injector: {asn: 65099, peers: [tor0, tor1], traffic: drop}
  inside: {asn: 65010, peers: [tor0], traffic: drop}
steps:
  - name: peers
    apply: [cilium-bgp-peering-policies.yaml]
    announce:
      - {speaker: injector, to: [tor0], prefix: 10.99.0.1/32, as-path: [65099, 64999], med: 50, origin: egp,
         communities: ["65000:1", no-export], large-communities: ["65000:1:2"]}
      - {speaker: injector, to: [tor0], prefix: 10.99.0.3/32, as-path: [65099, 65010]}
      - {speaker: injector, to: [tor0], prefix: 10.99.0.4/32, as-path: []}
      - {speaker: injector, to: [tor0], prefix: 10.99.0.5/32, next-hop: 10.0.1.2}
      - {speaker: injector, to: [tor0], prefix: 10.99.0.6/32, next-hop: 192.0.2.77}
      - {speaker: injector, to: [tor0], prefix: 10.99.0.8/32, communities: [blackhole]}
      - {speaker: injector, to: [tor0], prefix: 10.99.0.9/32, communities: [graceful-shutdown]}
      - {speaker: injector, to: [tor0], prefix: "2001:db8:99::/48", med: 0}
      - {speaker: inside, to: [tor0], prefix: 10.97.0.0/24, communities: ["65010:7"]}
      - {speaker: inside, to: [tor0], prefix: 10.97.1.0/24, as-path: [65055], med: 4}
  - {name: ToR end cut, link-down: ["tor1:net1"]}
  - {name: ToR end back, link-up: ["tor1:net1"], expect: {same-as: peers}}
  - {name: node end cut, link-down: ["worker:net0"]}
  - {name: node end back, link-up: ["worker:net0"]}
"""


def test_attributes_and_cuts_are_as_predicted(tmp_path: Path) -> None:
    """A loop, an unresolvable next hop, a third-party one, well-known communities, an internal speaker; links cut at
    either end, where a far end waits for its hold time and the kernel forgets the near end's routes for good."""
    for file in ("topo.yml", "cluster.yml", "cilium-bgp-peering-policies.yaml", "netshoot-ds.yaml"):
        (tmp_path / file).write_bytes((SCENARIOS / file).read_bytes())
    (tmp_path / "cuts.yaml").write_text(CUTS)
    code, report, said = run(tmp_path / "cuts.yaml", tmp_path / "report")
    assert code == 0, said
    steps = {step["name"]: step for step in report["runs"][0]["steps"]}
    for step in steps.values():
        all_compared(step)
    # Of seven tor0 refuses the loop (its own AS in the path); a next hop that nobody has is accepted and not used.
    assert counters(steps["peers"])["tor0", "fe80::2"][0] == 6
    assert delivered(steps["ToR end cut"]) == {("worker", "worker3"), ("worker3", "worker")}
    assert delivered(steps["ToR end back"]) == EVERYWHERE
    within_rack1 = {("worker2", "worker3"), ("worker3", "worker2")}
    assert delivered(steps["node end cut"]) == within_rack1
    # worker's default route went with its interface, and nobody has put it back.
    assert delivered(steps["node end back"]) == within_rack1


def test_dual_stack_is_as_predicted(tmp_path: Path) -> None:
    """IPv6 routes on IPv4 sessions have IPv4-mapped next hops (RFC 4291 section 2.5.5.2). FRR calls such a path valid
    and tells others; zebra does not install it. So between racks IPv6 packets end at the ToR of the target's rack."""
    code, report, said = run(Path(__file__).with_name("dual-stack") / "scenario.yaml", tmp_path)
    assert code == 0, said
    steps = {step["name"]: step for step in report["runs"][0]["steps"]}
    for step in steps.values():
        all_compared(step)
    ends = {
        (row["from"]["id"].split("@")[1], row["to"]["id"].split("@")[1]): row["observed"]["paths"]
        for row in steps["peers"]["reachability"]
        if ":" in row["to"]["address"]
    }
    assert set(ends) == EVERYWHERE
    assert {(pair, path["disposition"], path["at"]) for pair, paths in ends.items() for path in paths} == {
        (("worker", "worker2"), "no-route", "tor1"),
        (("worker", "worker3"), "no-route", "tor1"),
        (("worker2", "worker"), "no-route", "tor0"),
        (("worker3", "worker"), "no-route", "tor0"),
        (("worker2", "worker3"), "no-route", "tor1"),
        (("worker3", "worker2"), "no-route", "tor1"),
    }
    # worker's IPv6 addresses went with its interface, its IPv4 address did not.
    (row,) = (r for r in steps["node back"]["sessions"] if (r["device"], r["neighbor"]) == ("worker", "10.0.0.1"))
    assert row["observed"]["state"] == "Down"


def test_two_runs_give_the_same_report(baseline: tuple[int, dict[str, Any], str], tmp_path: Path) -> None:
    """All that changes from run to run stands under `volatile`."""
    _, again, _ = run(SCENARIOS / "baseline.yaml", tmp_path)
    assert json.dumps(still(again)) == json.dumps(still(baseline[1]))


def still(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: still(value) for key, value in part.items() if key != "volatile"}
    return [still(value) for value in part] if isinstance(part, list) else part
