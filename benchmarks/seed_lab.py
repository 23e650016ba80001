"""The seed's lab by bgpsim, and its floor, one after the other.

Both go the same way: nodes, links, routers; the fabric's tables are there; then four GoBGP join; the cluster's tables
are there. What is compared is the time from the start of the command to that, less what neither can do anything about:

    floor   start of floor.sh .. `done`, less the dial
    lab     start of `bgpsim run baseline.yaml` .. the last step has settled, less the dial, less the quiet windows

The dial is measured alike for both (`benchmarks.dialling`). How far apart the four dials fall also decides whether FRR
has to gather updates once more for the last one (1 s or nothing, on either side): so of that last part each side counts
its least over all runs, and runs go on until both sides have had that luck, ten at most.

The quiet windows are what each step's report says that it waited after the last event, to know that it was the last.
What bgpsim does between its two steps (it reads all tables and follows packets) and the floor does not stays in.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.commands import ROOT, CommandFailed, Finished, run
from benchmarks.dialling import Dial, DialWatch
from benchmarks.figures import Parts
from bgpsim.lab.images import default_store, ensure

BASELINE = "scenarios/cilium-bgp/baseline.yaml"
_FLOOR = ROOT / "benchmarks" / "floor.sh"
_NODES = 4


@dataclass(frozen=True, slots=True)
class Measured:
    seconds: float
    after_dial: float
    """Of these, from the last dial until the cluster's tables are there."""
    peak_kib: int
    parts: Parts


def bgpsim() -> Path:
    """The command as it is installed beside this Python."""
    return Path(sys.executable).with_name("bgpsim")


def run_scenario(
    file: str, running: Callable[[int], None] | None = None, arguments: Sequence[str] = ()
) -> tuple[Finished, Mapping[str, Any]]:
    """Also its report. Raises CommandFailed where its verdict is not `pass`: then the time means nothing."""
    with tempfile.TemporaryDirectory(prefix="bgpsim-bench-") as folder:
        command: list[str | Path] = [bgpsim(), "run", file, "--report", folder, *arguments]
        finished = run(command, running=running, check=False)
        try:
            report: Mapping[str, Any] = json.loads(Path(folder, "report.json").read_text())
        except (OSError, ValueError):
            raise CommandFailed(f"{file}: exit code {finished.exit_code}: {finished.errors}") from None
    if finished.exit_code != 0:
        errors = [of_run["error"]["message"] for of_run in report["runs"] if of_run["error"] is not None]
        raise CommandFailed(f"{file}: {report['verdict']}: {'; '.join(errors) or 'not as predicted or expected'}")
    return finished, report


def lab_up(finished: Finished) -> float:
    """Seconds from the command's start until it said that the lab is up, which it does at once."""
    for seconds, line in finished.lines:
        if line.strip().startswith("lab up in "):
            return seconds
    raise CommandFailed("the command did not say that the lab is up")


def floor() -> Measured:
    images = ensure({"frr", "node"}, default_store(), lambda _: None)
    with _dialling() as watch:
        finished = run(["bash", _FLOOR, images["frr"].rootfs, images["node"].rootfs], running=watch.watch)
        dial = _seen(watch)
    return floor_measured(finished, dial.seconds)


def floor_measured(finished: Finished, dial: float) -> Measured:
    at = milestones(finished)
    parts = (
        ("wired", at["wired"]),
        ("routers and nodes forked", at["started"] - at["wired"]),
        ("fabric's tables", at["fabric"] - at["started"]),
        ("cluster's tables, less the dial", at["done"] - at["fabric"] - dial),
    )
    return Measured(at["done"] - dial, parts[-1][1], finished.peak_kib, Parts("floor", parts))


def milestones(finished: Finished) -> dict[str, float]:
    """Milestone -> seconds from the command's start until its line was there."""
    return {line.split()[0]: seconds for seconds, line in finished.lines if line}


def lab() -> Measured:
    with _dialling() as watch:
        finished, report = run_scenario(BASELINE, watch.watch)
        dial = _seen(watch)
    return lab_measured(lab_up(finished), report, dial.seconds, finished.peak_kib)


def lab_measured(up: float, report: Mapping[str, Any], dial: float, peak_kib: int) -> Measured:
    """`up`: seconds from the command's start until the lab was up."""
    (of_run,) = report["runs"]
    bring_up = of_run["volatile"]["seconds"]["bring_up"]
    first, last = (step["volatile"] for step in of_run["steps"])
    quiet = [step["settling"]["quiet"] for step in (first, last)]
    settled = up - bring_up + last["settling"]["at"]
    parts = (
        ("Python, imports, reading files", up - bring_up),
        ("nodes, links, exec lines", bring_up),
        ("fabric settled, less the quiet window", first["settling"]["seconds"] - quiet[0]),
        ("fabric read, packets followed", first["seconds"] - first["settling"]["seconds"]),
        ("cluster settled, less the quiet window and the dial", last["settling"]["seconds"] - quiet[1] - dial),
    )
    known = sum(part for _, part in parts)
    rest = settled - sum(quiet) - dial
    return Measured(rest, parts[-1][1], peak_kib, Parts("lab", (*parts, ("the rest", rest - known))))


@contextmanager
def _dialling() -> Iterator[DialWatch]:
    watch = DialWatch(_NODES)
    try:
        yield watch
    finally:
        watch.result()


def _seen(watch: DialWatch) -> Dial:
    dial = watch.result()
    if dial is None:
        raise CommandFailed(f"not all {_NODES} GoBGP were seen to connect")
    return dial
