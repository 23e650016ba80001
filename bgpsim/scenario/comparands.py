"""The two sides of `bgpsim diff` as they are typed -> the states of their steps, and which belong together.

A side is a report (a folder with report.json, or the file), a scenario file, a folder of them, or either of the last
two in a git revision (`REV:PATH`); with `#STEP` or `#SCENARIO/STEP` one step of it. Or a running lab (`lab:NAME`):
without a step, as it is now.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from bgpsim.check.step_diff import Differences, StatePair, StepDiff, state_pair
from bgpsim.errors import InputError
from bgpsim.network.state import NetworkState
from bgpsim.report.reading import states_of_report
from bgpsim.report.states import RunStates, StepStates
from bgpsim.scenario.loading import load, up_to
from bgpsim.scenario.names import hint
from bgpsim.scenario.revisions import Revisions
from bgpsim.scenario.timeline import Scenario

REPORT = "report.json"
_LAB = "lab:"
_SCENARIO = re.compile(r"^(steps|lab):", re.MULTILINE)

LabNow: TypeAlias = Callable[[str, bool], RunStates]
"""The states of a running lab's steps; if so asked, the last of them as it is now."""
StatesOf: TypeAlias = Callable[[Scenario], RunStates]
"""Predicts a scenario, or runs it on a lab."""
Place: TypeAlias = tuple[RunStates, StepStates]


@dataclass(frozen=True, slots=True)
class Named:
    """A side as typed: `name`, where it is, and the step that was picked."""

    name: str
    path: Path
    pick: str | None
    lab: str | None = None
    """A running lab's name; then there is no path."""

    @property
    def is_report(self) -> bool:
        return self.path.suffix == ".json" or (self.path / REPORT).exists()


@dataclass(frozen=True, slots=True)
class Side:
    name: str
    runs: tuple[RunStates, ...]
    pick: str | None
    whole: bool = True
    """False: what report.json holds of the states alone."""
    live: bool = False
    """A running lab."""


def compared(a: str, b: str, revisions: Revisions, states_of: StatesOf, lab_now: LabNow, *, plan: bool) -> Differences:
    """Read, predict or run both sides, and compare. Raises InputError before anything is run."""
    named = _named(a, b, revisions)
    read = [
        _read_lab(side, lab_now) if side.lab is not None else _read_report(side) if side.is_report else _scenarios(side)
        for side in named
    ]
    same_files = named[0].path == named[1].path and all(side.lab is None for side in named)
    done: dict[tuple[int, str], RunStates] = {}
    sides = []
    for number, (side, found) in enumerate(zip(named, read, strict=True)):
        if isinstance(found, Side):
            sides.append(found)
            continue
        for scenario in found:
            # One run serves both sides, up to the later of the two steps.
            twins = (
                [s for other in read if not isinstance(other, Side) for s in other if s.name == scenario.name]
                if same_files
                else [scenario]
            )
            key = (0 if same_files else number, scenario.name)
            if key not in done:
                done[key] = states_of(max(twins, key=lambda s: len(s.steps)))
        sides.append(Side(side.name, tuple(done[0 if same_files else number, s.name] for s in found), side.pick))
    if plan:
        sides = [s if s.live else replace(s, runs=tuple(map(_predicted_alone, s.runs))) for s in sides]
    return differences(*sides)


def _predicted_alone(run: RunStates) -> RunStates:
    return replace(run, steps=tuple(replace(step, observed=None) for step in run.steps))


def _named(a: str, b: str, revisions: Revisions) -> tuple[Named, Named]:
    """A bare `#STEP` is a step of the other side's file."""
    if a.startswith("#") and b.startswith("#"):
        raise InputError(f"found '{a}' and '{b}'; expected a report or a scenario file before one of them")
    if a.startswith("#"):
        a = b.partition("#")[0] + a
    if b.startswith("#"):
        b = a.partition("#")[0] + b
    return _place(a, revisions), _place(b, revisions)


def _place(text: str, revisions: Revisions) -> Named:
    if text.startswith(_LAB) and not Path(text).exists():
        name, _, pick = text.removeprefix(_LAB).partition("#")
        return Named(f"{_LAB}{name}", Path(), pick or None, name)
    name, _, pick = (text, "", "") if Path(text).exists() else text.partition("#")
    path = Path(name)
    if not path.exists():
        if ":" not in name:
            near = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
            raise InputError(
                f"there is no '{name}'; expected a report, a scenario file, a folder of them, or REV:PATH",
                hint=hint(path.name, near, "files there"),
            )
        path = revisions.path(name)
    return Named(name, path, pick or None)


def _read_lab(side: Named, lab_now: LabNow) -> Side:
    assert side.lab is not None
    run = lab_now(side.lab, side.pick is None)
    return Side(side.name, (run,), side.pick or run.steps[-1].name, live=True)


def _read_report(side: Named) -> Side:
    runs, whole = states_of_report(side.path / REPORT if side.path.is_dir() else side.path, side.name)
    read = Side(side.name, runs, side.pick, whole)
    if side.pick is not None:
        _picked(read, side.pick)
    return read


def _scenarios(side: Named) -> tuple[Scenario, ...]:
    """Read, and cut after the picked step."""
    if not side.path.is_dir():
        scenario = load(side.path, side.name)
        step = None if side.pick is None else side.pick.removeprefix(f"{scenario.name}/")
        return (scenario if step is None else up_to(scenario, step),)
    files = sorted(p for p in side.path.iterdir() if p.suffix in (".yaml", ".yml") and _is_scenario(p))
    if not files:
        raise InputError(
            f"'{side.name}' holds neither {REPORT} nor a scenario file; expected a folder with one of them",
            hint="a scenario file has `lab:` and `steps:`",
        )
    return tuple(load(file, f"{side.name.rstrip('/')}/{file.name}") for file in files)


def _is_scenario(path: Path) -> bool:
    try:
        return len(set(_SCENARIO.findall(path.read_text(encoding="utf-8")))) == 2
    except (OSError, UnicodeDecodeError):
        return False


def differences(a: Side, b: Side) -> Differences:
    """Step by step. Raises InputError where a picked step is not there, or nothing belongs together."""
    pairs, only_a, only_b = _matched(a, b)
    whole = a.whole and b.whole
    notes = tuple(
        f"{side.name}: no whole states are beside it, so sessions and reachability are compared, and routes are not"
        for side in (a, b)
        if not side.whole
    )
    steps = [_step_diff(a, one, b, other, whole) for one, other in pairs]
    if not any(step.predicted or step.observed for step in steps):
        raise InputError(f"{a.name} and {b.name} have no state of the same kind; expected two that were run or planned")
    return Differences(a.name, b.name, tuple(steps), only_a, only_b, notes)


def _matched(a: Side, b: Side) -> tuple[list[tuple[Place, Place]], tuple[str, ...], tuple[str, ...]]:
    if a.pick is None and b.pick is None:
        return _step_by_step(a, b)
    one = _picked(a, a.pick) if a.pick is not None else None
    other = _picked(b, b.pick) if b.pick is not None else None
    if one is None:
        assert other is not None
        one = _counterpart(a, other, b.live)
    if other is None:
        other = _counterpart(b, one, a.live)
    return [(one, other)], (), ()


def _counterpart(side: Side, of: Place, live: bool) -> Place:
    """The step of that name, in the scenario of that name where there are several; of a lab's, else the last one."""
    run, step = of
    if live and len(side.runs) == 1 and step.name not in [s.name for s in side.runs[0].steps]:
        return side.runs[0], side.runs[0].steps[-1]
    named = f"{run.scenario}/{step.name}"
    return _picked(side, step.name if len(side.runs) == 1 else named)


def _picked(side: Side, pick: str) -> Place:
    places = [(run, step) for run in side.runs for step in run.steps]
    found = [p for p in places if pick in (p[1].name, f"{p[0].scenario}/{p[1].name}")]
    if len(found) == 1:
        return found[0]
    known = [step.name if len(side.runs) == 1 else f"{run.scenario}/{step.name}" for run, step in places]
    if found:
        listed = ", ".join(f"{run.scenario}/{step.name}" for run, step in found)
        raise InputError(f"{side.name}: '{pick}' is not unique; expected one of {listed}")
    raise InputError(
        f"{side.name}: no step is called '{pick}'; expected one of {', '.join(known)}", hint=hint(pick, known, "steps")
    )


def picked_step(name: str, path: Path, pick: str | None) -> Place:
    """A report's step, the last one where none is picked. Raises InputError where it has no whole states."""
    side = _read_report(Named(name, path, None))
    if not side.whole:
        raise InputError(
            f"{name}: no whole states are beside it; expected states.json.gz, which `run --report DIR` writes there"
        )
    return _picked(side, pick) if pick is not None else (side.runs[-1], side.runs[-1].steps[-1])


def _step_by_step(a: Side, b: Side) -> tuple[list[tuple[Place, Place]], tuple[str, ...], tuple[str, ...]]:
    """By name; with one scenario on either side their names do not matter."""
    alone = len(a.runs) == len(b.runs) == 1

    def places(side: Side) -> dict[tuple[str, str], Place]:
        return {("" if alone else run.scenario, step.name): (run, step) for run in side.runs for step in run.steps}

    mine, others = places(a), places(b)
    common = [key for key in mine if key in others]
    if not common:
        raise InputError(
            f"no step of {a.name} ({_listed(mine.values())}) is called as one of {b.name} ({_listed(others.values())});"
            " expected steps of the same names",
            hint="name the two steps: A#STEP B#STEP",
        )
    only_a, only_b = (tuple("/".join(filter(None, key)) for key in own if key not in common) for own in (mine, others))
    return [(mine[key], others[key]) for key in common], only_a, only_b


def _listed(places: Iterable[Place]) -> str:
    return ", ".join(step.name for _, step in places) or "none"


def _step_diff(a: Side, one: Place, b: Side, other: Place, whole: bool) -> StepDiff:
    def pair(was: NetworkState | None, now: NetworkState | None) -> StatePair | None:
        if was is None or now is None:
            return None
        return state_pair(was, now) if whole else state_pair(_reported(was), _reported(now))

    return StepDiff(
        _name(a, one),
        _name(b, other),
        pair(one[1].predicted, other[1].predicted),
        pair(_seen(one[1], a, b), _seen(other[1], b, a)),
        other[1].topology or one[1].topology,
    )


def _seen(step: StepStates, side: Side, other: Side) -> NetworkState | None:
    """What was observed; of files that were not run, the prediction is held against what a lab shows."""
    return step.predicted if step.observed is None and other.live and not side.live else step.observed


def _reported(state: NetworkState) -> NetworkState:
    """What report.json holds of it."""
    return NetworkState(sessions=state.sessions, forwarding=state.forwarding)


def _name(side: Side, place: Place) -> str:
    run, step = place
    return f"{side.name}#{step.name}" if len(side.runs) == 1 else f"{side.name}#{run.scenario}/{step.name}"
