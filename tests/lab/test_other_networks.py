"""Other people's labs on real routers, as they are: bound configurations and no exec line, a bridge, client hosts; and
a folder as FRR's topotests have it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sealed import this_user

pytestmark = pytest.mark.lab
FOLDER = Path(__file__).parent / "other-networks"


def played(what: Path, report: Path) -> dict[str, Any]:
    """The run's part of the report, after all of it was as predicted and nothing was left open."""
    command = this_user().start("run", str(what), "--report", str(report))
    try:
        out, err = command.communicate(timeout=120)
    except BaseException:
        command.kill()
        raise
    assert (err, command.returncode) == ("", 0), out
    (run,) = json.loads((report / "report.json").read_text())["runs"]
    assert [note for note in run["not_modelled"] if note["effect"] == "possible"] == []
    assert (run["lab"]["exec_failures"], run["lab"]["rejected_lines"], run["confidence"]) == ([], [], "full")
    for step in run["steps"]:
        assert (step["settled"]["how"], step["mismatches"]) == ("quiet", [])
        for plane in step["planes"].values():
            assert plane["status"] == "empty" or plane["compared"] == plane["equal"] > 0
    assert isinstance(run, dict)
    return run


def established(step: dict[str, Any]) -> set[tuple[str, str]]:
    return {(s["device"], s["neighbor"]) for s in step["sessions"] if s["observed"]["state"] == "Established"}


def test_bound_configurations_on_a_bridge(tmp_path: Path) -> None:
    before = {file: file.read_bytes() for file in FOLDER.rglob("*") if file.is_file()}
    up, back = played(FOLDER / "lan.yaml", tmp_path)["steps"]
    every = {("r1", "10.0.12.2"), ("r1", "10.0.12.3"), ("r2", "10.0.12.1"), ("r3", "10.0.12.1")}
    assert established(up) == established(back) == every
    # r1 tells r2 of r3, and packets go past it, over the bridge; it names itself to r3.
    ways = {
        row["from"]["id"]: [[hop["device"] for hop in path["hops"]] for path in row["observed"]["paths"]]
        for row in up["reachability"]
    }
    assert ways == {"host:h1": [["h1", "r3", "r1", "r2", "h2"]], "host:h2": [["h2", "r2", "r3", "h1"]]}
    assert before == {file: file.read_bytes() for file in FOLDER.rglob("*") if file.is_file()}


def test_a_topotest_by_its_folder(tmp_path: Path) -> None:
    (up,) = played(FOLDER / "topotest", tmp_path)["steps"]
    assert established(up) == {("r1", "10.0.0.3"), ("r1", "10.0.12.2"), ("r2", "10.0.12.1"), ("r3", "10.0.0.1")}
