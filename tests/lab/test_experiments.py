"""The shipped experiments, by the command: what each says is to be learnt holds, and every plane is as predicted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.lab
EXPERIMENTS = Path(__file__).parents[2] / "scenarios" / "experiments"
ELSEWHERE = {"flap.yaml": "test_probe.py", "lossy-session.yaml": "test_impairments.py"}
"""Run there, where more is asked of them."""
FILES = sorted(path.name for path in EXPERIMENTS.glob("*.yaml") if path.name not in ELSEWHERE)


@pytest.mark.parametrize("name", FILES)
def test_an_experiment_shows_what_it_says(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("bgpsim")), "run", str(EXPERIMENTS / name), "--report", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    (run,) = json.loads((tmp_path / "report.json").read_text())["runs"]
    assert done.returncode == 0, done.stdout + done.stderr
    assert run["confidence"] == "full"
    for step in run["steps"]:
        assert step["expectations"], f"{step['name']} says nothing"
        assert step["mismatches"] == []
        for plane, result in step["planes"].items():
            assert result["status"] == "compared", (step["name"], plane)
            assert result["compared"] == result["equal"] > 0
            assert result["not_observed"] == 0


def test_each_experiment_is_run_somewhere() -> None:
    assert FILES == ["anycast.yaml", "hijack.yaml", "med.yaml", "route-leak.yaml", "sub-prefix.yaml"]
    for name, test in ELSEWHERE.items():
        assert (EXPERIMENTS / name).exists()
        assert name in Path(__file__).with_name(test).read_text()
