"""A report against a run on the lab, and what is asked of a report afterwards; two labs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytestmark = pytest.mark.lab
SCENARIOS = Path(__file__).parents[2] / "scenarios" / "cilium-bgp"
PODS = "pod:default/netshoot@"


def bgpsim(*words: str | Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("bgpsim")), *map(str, words)],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the shipped lab, whose second rack does not announce its pods."""
    inputs = tmp_path_factory.mktemp("inputs")
    shutil.copytree(SCENARIOS, inputs, dirs_exist_ok=True)
    policies = inputs / "cilium-bgp-peering-policies.yaml"
    first, second = policies.read_text().split("name: rack1")
    policies.write_text(f"{first}name: rack1{second.replace('exportPodCIDR: true', 'exportPodCIDR: false')}")
    folder = tmp_path_factory.mktemp("report")
    done = bgpsim("run", inputs / "baseline.yaml", "--report", folder)
    assert done.returncode == 1, done.stdout + done.stderr
    return folder


def test_a_report_against_a_run(silent: Path) -> None:
    """Both pod CIDRs of rack1 come back everywhere, in the prediction and in the lab alike."""
    done = bgpsim("diff", silent, SCENARIOS / "baseline.yaml", "--json")
    assert done.returncode == 1, done.stderr
    fabric, peers = json.loads(done.stdout)["steps"]
    assert not fabric["differs"]
    assert fabric["observed"] is not None
    for view in ("predicted", "observed"):
        change = peers[view]
        added = {(r["device"], r["prefix"]) for r in change["routes"]["added"] if r["plane"] == "bgp"}
        # worker2 and worker3 hear nothing of each other: what a ToR learns by iBGP it does not pass on by iBGP.
        holders = {("control-plane", "worker", "tor0", "router0", "tor1"): ("10.1.2.0/24", "10.1.3.0/24")}
        told = {(device, prefix) for devices, prefixes in holders.items() for device in devices for prefix in prefixes}
        assert added == told | {("worker2", "10.1.2.0/24"), ("worker3", "10.1.3.0/24")}
        assert [group["prefixes"] for group in change["groups"]]
        gained = {(p["from"]["id"], p["to"]["id"]) for p in change["reachability"]["gained"]}
        assert (f"{PODS}worker", f"{PODS}worker3") in gained
        assert change["reachability"]["lost"] == change["unread"] == []


def test_two_steps_of_a_report(silent: Path) -> None:
    done = bgpsim("diff", f"{silent}#fabric", f"{silent}#cilium peers")
    assert done.returncode == 1
    assert "predicted and observed\n" in done.stdout
    assert "session tor0 10.0.2.2 (worker): Down → Established" in done.stdout


def test_a_report_is_explained_with_what_was_observed(silent: Path) -> None:
    done = bgpsim("explain", silent, "--at", "tor0", "10.1.1.0/24")
    assert done.returncode == 0, done.stderr
    # router0 sends tor0 its own route back.
    assert "best  from 10.0.2.2 (worker), ibgp: the only eligible path" in done.stdout
    assert "not eligible  from net0 (router0), ebgp: denied: own AS 65010 in the path" in done.stdout
    assert "observed: as predicted" in done.stdout


def test_junit_tells_the_same_verdicts(silent: Path) -> None:
    report = json.loads((silent / "report.json").read_text())
    suites = ElementTree.parse(silent / "junit.xml").getroot()
    failed = {case.attrib["name"] for case in suites.iter("testcase") if case.find("failure") is not None}
    (run,) = report["runs"]
    assert failed == {
        f"{step['name']}: {e['text']}" for step in run["steps"] for e in step["expectations"] if e["verdict"] == "fail"
    }
    assert failed
