"""`make repeat`: each shipped scenario three times. All that changes from run to run stands under `volatile`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCENARIOS = Path(__file__).parents[2] / "scenarios" / "cilium-bgp"
RUNS = 3


@pytest.mark.parametrize(("name", "exit_code"), [("baseline", 0), ("scenario", 0), ("drift", 1)])
def test_the_reports_are_byte_equal(name: str, exit_code: int, tmp_path: Path) -> None:
    texts, states = [], []
    for number in range(RUNS):
        folder = tmp_path / str(number)
        done = subprocess.run(
            [Path(sys.executable).with_name("bgpsim"), "run", SCENARIOS / f"{name}.yaml", "--report", folder, "-q"],
            check=False,
            timeout=300,
        )
        assert done.returncode == exit_code
        report = json.loads((folder / "report.json").read_text())
        texts.append(json.dumps(without_volatile(report), indent=1))
        states.append((folder / "states.json.gz").read_bytes())
    assert texts[1:] == texts[:-1]
    assert states[1:] == states[:-1]


def without_volatile(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: without_volatile(value) for key, value in part.items() if key != "volatile"}
    return [without_volatile(value) for value in part] if isinstance(part, list) else part
