"""The rows of the table: what is run, how often, and what it must keep to."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from statistics import median

from benchmarks import bulk_lab, large_labs, memory, munet_ring, seed_lab
from benchmarks.commands import run
from benchmarks.figures import Beside, Parts, Row, medians

SCENARIO = "scenarios/cilium-bgp/scenario.yaml"
Tell = Callable[[str], None]
Measure = Callable[[bool, Tell], tuple[Row, tuple[Parts, ...]]]

MOST_RUNS = 10
LUCK = 0.5
"""Seconds; gathering updates once more takes FRR about 1 s."""


def unlike(floors: Sequence[seed_lab.Measured], labs: Sequence[seed_lab.Measured]) -> bool:
    """One side has had luck with its dials, and the other has not."""
    least = [min(measured.after_dial for measured in side) for side in (floors, labs)]
    return abs(least[0] - least[1]) > LUCK


def without_luck(runs: Sequence[seed_lab.Measured]) -> tuple[float, ...]:
    """Seconds of each run, with the least that FRR took after the last dial in any of them."""
    least = min(measured.after_dial for measured in runs)
    return tuple(measured.seconds - measured.after_dial + least for measured in runs)


def lab(quick: bool, tell: Tell) -> tuple[Row, tuple[Parts, ...]]:
    floors: list[seed_lab.Measured] = []
    labs: list[seed_lab.Measured] = []
    number = 0
    while number < (1 if quick else 5) or (not quick and number < MOST_RUNS and unlike(floors, labs)):
        number += 1
        # One after the other, so that a machine that slows down slows both.
        floors.append(seed_lab.floor())
        labs.append(seed_lab.lab())
        tell(f"seed lab {number}: floor {floors[-1].seconds:.2f} s, lab {labs[-1].seconds:.2f} s")
    row = Row(
        "seed lab, command to settled, less dial and quiet windows",
        without_luck(labs),
        Beside("floor", median(without_luck(floors))),
        bound=1.5,
        peak_kib=max(measured.peak_kib for measured in labs),
    )
    return row, (
        medians("floor", [measured.parts for measured in floors]),
        medians("lab", [measured.parts for measured in labs]),
    )


def scenario(quick: bool, tell: Tell) -> tuple[Row, tuple[Parts, ...]]:
    finished, _ = seed_lab.run_scenario(SCENARIO)
    row = Row("scenario.yaml, all steps", (finished.seconds,), None, bound=60.0, peak_kib=finished.peak_kib)
    return row, ()


def plan(quick: bool, tell: Tell) -> tuple[Row, tuple[Parts, ...]]:
    done = [run([seed_lab.bgpsim(), "plan", SCENARIO, "--json"]) for _ in range(1 if quick else 5)]
    peak = max(finished.peak_kib for finished in done)
    return Row("plan of it", tuple(finished.seconds for finished in done), None, bound=1.0, peak_kib=peak), ()


def command_line(quick: bool, tell: Tell) -> tuple[Row, tuple[Parts, ...]]:
    bare, helps = [], []
    for _ in range(1 if quick else 15):
        bare.append(run([sys.executable, "-c", "import click"]))
        helps.append(run([seed_lab.bgpsim(), "--help"]))
    row = Row(
        "bgpsim --help",
        tuple(finished.seconds for finished in helps),
        Beside("a bare `import click`", median(finished.seconds for finished in bare)),
        bound=3.0,
        peak_kib=max(finished.peak_kib for finished in helps),
    )
    return row, ()


def fabric(name: str) -> Measure:
    """A generated fabric beside its floor."""

    def measure(quick: bool, tell: Tell) -> tuple[Row, tuple[Parts, ...]]:
        floors: list[large_labs.Measured] = []
        labs: list[large_labs.Measured] = []
        with large_labs.written(large_labs.FABRICS[name]()) as files:
            for number in range(1, (1 if quick else 3) + 1):
                floors.append(large_labs.floor(files))
                labs.append(large_labs.lab(files))
                tell(f"{name} {number}: floor {floors[-1].seconds:.2f} s, lab {labs[-1].seconds:.2f} s")
        row = Row(
            f"{name}, command to settled, less the quiet window",
            tuple(measured.seconds for measured in labs),
            Beside("floor", median(measured.seconds for measured in floors)),
            bound=1.3,
            peak_kib=max(measured.peak_kib for measured in labs),
        )
        shown = (("floor", floors), ("lab", labs))
        return row, tuple(medians(f"{name}, {what}", [m.parts for m in measured]) for what, measured in shown)

    return measure


def memory_of(name: str) -> Measure:
    """All memory of a generated fabric beside that of its daemons."""

    def measure(quick: bool, tell: Tell) -> tuple[Row, tuple[Parts, ...]]:
        drawn = large_labs.FABRICS[name]()
        with large_labs.written(drawn) as files:
            most = memory.measure(files, len(drawn.routers))
        what = f"{name}, all memory of the lab"
        row = Row(
            what,
            (most.total / 1024,),
            Beside("its daemons' own", most.daemons / 1024),
            bound=1.3,
            peak_kib=most.of["bgpsim"],
            unit="MiB",
        )
        return row, (memory.parts(most, what),)

    return measure


def beside_munet(quick: bool, tell: Tell) -> tuple[Row, tuple[Parts, ...]]:
    """One run of munet, a run of bgpsim on either side of it."""
    drawn = large_labs.FABRICS[MUNET]()
    with large_labs.written(drawn) as files:
        labs = [large_labs.lab(files)]
        other = munet_ring.measure(drawn, files)
        tell(f"{MUNET} by munet: {other.seconds:.2f} s")
        if not quick:
            labs.append(large_labs.lab(files))
    row = Row(
        f"{MUNET}, command to settled, less the quiet window",
        tuple(measured.seconds for measured in labs),
        Beside("munet", other.seconds),
        bound=round(1 / 3, 3),
        peak_kib=max(measured.peak_kib for measured in labs),
    )
    return row, (other.parts,)


def injection(quick: bool, tell: Tell) -> tuple[Row, tuple[Parts, ...]]:
    runs, peak = _bulk(quick, tell)
    beside = Beside("a bare script on the same injector", median(run.bare for run in runs))
    row = Row("10,000 routes injected", tuple(run.injected for run in runs), beside, bound=1.2, peak_kib=peak)
    return row, ()


def reading(quick: bool, tell: Tell) -> tuple[Row, tuple[Parts, ...]]:
    runs, peak = _bulk(quick, tell)
    beside = Beside("the router's own JSON", median(run.dumped for run in runs))
    what = "all tables of a router with 10,000 routes read and compared"
    return Row(what, tuple(run.read for run in runs), beside, bound=3.0, peak_kib=peak), ()


@cache
def _bulk(quick: bool, tell: Tell) -> tuple[list[bulk_lab.Run], int]:
    """One lab for both rows."""
    turns, peak = bulk_lab.measured(1 if quick else 5)
    for number, turn in enumerate(turns, start=1):
        tell(
            f"table {number}: bare script {turn.bare:.2f} s, injected {turn.injected:.2f} s;"
            f" router's JSON {turn.dumped:.2f} s, read and compared {turn.read:.2f} s"
        )
    return turns, peak


MUNET = "ring-20"
ROWS: Mapping[str, Measure] = {
    "lab": lab,
    "scenario": scenario,
    "plan": plan,
    "help": command_line,
    **{name: fabric(name) for name in large_labs.FABRICS},
    "memory-20": memory_of("ring-20"),
    "memory-60": memory_of("ring-60"),
    "munet": beside_munet,
    "injection": injection,
    "reading": reading,
}
