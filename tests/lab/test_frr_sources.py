"""Where FRR's lines come from, on a real FRR: abbreviated, in a here-document, and behind a line that it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from keeping import Bgpsim
from variants import router, topology

pytestmark = pytest.mark.lab

SHORT = (
    "nei 10.0.0.2 remote-as 65002",
    "nei 10.0.0.2 tim 1 3",
    "no bgp ebgp-r",
    "add ipv4 u",
    "net 10.1.0.0 mask 255.255.0.0",
    "bgp bestp comp",
)
"""The last one is of the mode around: it leaves the address family."""
STOPPED = ("neighbor 10.0.0.1 remote-as 65001", "neighbor 10.0.9.9 passive", "redistribute connected")
TYPED = """bash -c 'vtysh <<EOF
          conf t
          ip route 10.2.0.0/16 b
          ip route 10.2.0.0/16 10.0.0.1
          ip route 10.2.1.0/24 r
          router bgp
          no bgp ebgp-requires-policy
          neighbor 10.0.9.9 passive
          redistribute static
          EOF
          '"""


def test_the_prediction_reads_lines_as_frr_does(bgpsim: Bgpsim, open_folder: Path) -> None:
    one = router("r1", 65001, {"lo": "10.1.0.1/16", "net0": "10.0.0.1/24"}, "\n".join(SHORT))
    two = (
        router("r2", 65002, {"lo": "10.255.0.2/32", "net0": "10.0.0.2/24"}, "\n".join(STOPPED))
        + f"        - |-\n          {TYPED}\n"
    )
    for name, text in topology([one, two], ("r1:net0", "r2:net0")).items():
        (open_folder / name).write_text(text)
    scenario = open_folder / "scenario.yaml"
    scenario.write_text("name: lines\nlab: {topology: topo.yml, allow-refused: true}\nsteps:\n  - {name: only}\n")
    bgpsim("run", str(scenario), "--report", str(open_folder / "report"))
    (run,) = json.loads((open_folder / "report" / "report.json").read_text())["runs"]
    (step,) = run["steps"]
    assert step["mismatches"] == []
    sent = {row["device"]: row["families"]["ipv4-unicast"]["sent"]["observed"] for row in step["sessions"]}
    # Not what stands behind the refused line of the call; what stands behind those of the here-document.
    assert sent == {"r1": 3, "r2": 3}
    listed = [row["text"] for row in run["not_modelled"] if row["effect"] == "possible"]
    assert listed == [STOPPED[1], "ip route 10.2.0.0/16 10.0.0.1", "neighbor 10.0.9.9 passive"]
    answers = sorted(row["answer"] for row in run["lab"]["rejected_lines"])
    assert answers == ["% Configuration failed.", *["% Specify remote-as or peer-group commands first"] * 2]
