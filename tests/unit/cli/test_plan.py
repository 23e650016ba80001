"""`bgpsim plan` of the shipped scenarios; expected figures by hand.

Counters, router0's view (prefixes accepted from each ToR / sent to it). The fabric alone: a ToR redistributes its
loopback and two server networks: 3. router0 has those 6, its own loopback, 172.20.20.0/24 of eth0 and the default it
originates: 9; FRR sends back what a peer itself announced. With Cilium, each ToR hears the pod CIDRs of its two
servers: 5, and router0 has 4 more: 13.
"""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from bgpsim.cli.main import main
from bgpsim.report.document import report_schema

SHIPPED = Path(__file__).parents[3] / "scenarios" / "cilium-bgp"


def planned(name: str, *options: str) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(main, ["plan", str(SHIPPED / name), "--json", *options])
    report = json.loads(done.output)
    jsonschema.validate(report, report_schema())
    assert done.exit_code == report["exit_code"]
    return done.exit_code, report["runs"][0]


def counters(step: dict[str, Any], device: str, peer: str) -> tuple[int, int]:
    (row,) = [s for s in step["sessions"] if (s["device"], s["peer"]) == (device, peer)]
    family = row["families"]["ipv4-unicast"]
    return family["accepted"]["predicted"], family["sent"]["predicted"]


@pytest.mark.parametrize("name", ["baseline.yaml", "scenario.yaml", "drift.yaml"])
def test_every_expectation_holds_in_the_prediction(name: str) -> None:
    code, run = planned(name)
    failed = [e for step in run["steps"] for e in step["expectations"] if e["verdict"] != "pass"]
    assert (code, run["verdict"], failed) == (0, "pass", [])


def test_baseline_has_the_counters_of_the_write_ups() -> None:
    _, run = planned("baseline.yaml")
    fabric, peers = run["steps"]
    assert [counters(fabric, "router0", tor) for tor in ("tor0", "tor1")] == [(3, 9), (3, 9)]
    assert [counters(peers, "router0", tor) for tor in ("tor0", "tor1")] == [(5, 13), (5, 13)]


def test_the_hijack_cuts_only_the_way_to_worker3() -> None:
    _, run = planned("scenario.yaml", "--step", "hijack")
    hijack = run["steps"][-1]
    assert hijack["name"] == "hijack"
    lost = [(p["from"], p["to"]) for p in hijack["diff"]["predicted"]["reachability"]["lost"]]
    pods = "pod:default/netshoot@"
    assert lost == [(f"{pods}worker", f"{pods}worker3"), (f"{pods}worker2", f"{pods}worker3")]


def test_the_tables_are_in_json_and_with_v_alone() -> None:
    """Of router0's two paths to worker3's pods the one by tor0 has its own AS (65000) in it: it comes back."""
    tables = planned("baseline.yaml")[1]["steps"][1]["tables"]
    assert [
        (row["neighbor"], row["attributes"]["as_path"], row["best"], row["lost"])
        for row in tables["paths"]
        if (row["device"], row["prefix"]) == ("router0", "10.1.3.0/24")
    ] == [
        ("net0", "65010 65000 65011", False, "denied: own AS 65000 in the path"),
        ("net1", "65011", True, None),
    ]
    for options, there in (((), False), (("-v",), True)):
        said = CliRunner().invoke(main, ["plan", str(SHIPPED / "baseline.yaml"), *options]).output
        assert ("router0: BGP table" in said) is there
        assert ("10.1.3.0/24 via tor1:net0 dev net1 proto bgp metric 20" in said) is there


def test_a_plan_is_the_same_each_time_outside_volatile() -> None:
    def stable(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: stable(v) for k, v in value.items() if k != "volatile"}
        return [stable(v) for v in value] if isinstance(value, list) else value

    assert stable(planned("scenario.yaml")[1]) == stable(planned("scenario.yaml")[1])
