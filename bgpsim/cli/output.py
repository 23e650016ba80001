"""Where commands write: the terminal step by step, the report's files, the error line of what went wrong."""

from __future__ import annotations

import json
import os
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console, RenderableType
from rich.markup import escape

from bgpsim.errors import InputError
from bgpsim.report import junit
from bgpsim.report.canonical import to_json
from bgpsim.report.document import LabPart, Report, RunPart, StepPart
from bgpsim.report.markdown import render
from bgpsim.report.states import FILE_NAME, RunStates, to_bytes
from bgpsim.report.terminal import Terminal
from bgpsim.scenario.playing.recording import Outcome
from bgpsim.scenario.playing.verdicts import INCONCLUSIVE, INTERRUPTED, failed_load, highest, verdict_of
from bgpsim.scenario.reading.loading import load, up_to
from bgpsim.scenario.timeline import Scenario

Read = TypeVar("Read")


class Live(Terminal):
    """The terminal, with a line that says what is being done while it is."""

    @contextmanager
    def working(self, text: str) -> Iterator[Callable[[str], None]]:
        if self.verbosity < 0 or not self.console.is_terminal:
            yield lambda _: None
            return
        with self.console.status(escape(text)) as status:
            yield lambda now: status.update(escape(now))


class Silent:
    """For `--json`: the report alone is printed, at the end."""

    def scenario(self, name: str, file: str) -> None: ...
    def before(self, step: StepPart) -> None: ...
    @contextmanager
    def working(self, text: str) -> Iterator[Callable[[str], None]]:
        yield lambda _: None

    def lab(self, lab: LabPart, seconds: float) -> None: ...
    def step(self, step: StepPart) -> None: ...
    def verdict(self, run: RunPart) -> None: ...


class Starting:
    """For a lab that is brought up to be played on: the play tells of the rest."""

    def __init__(self, listening: Live | Silent) -> None:
        self._listening = listening

    def scenario(self, name: str, file: str) -> None: ...
    def before(self, step: StepPart) -> None: ...
    def working(self, text: str) -> AbstractContextManager[Callable[[str], None]]:
        return self._listening.working(text)

    def step(self, step: StepPart) -> None: ...
    def lab(self, lab: LabPart, seconds: float) -> None:
        self._listening.lab(lab, seconds)

    def verdict(self, run: RunPart) -> None:
        if run.error is not None:
            self._listening.verdict(run)


PIPED_WIDTH = 120
"""Columns where the output is no terminal; rich would take 80 and fold the tables."""


def listener(*, as_json: bool, verbosity: int) -> Live | Silent:
    if as_json:
        return Silent()
    return Live(terminal(), verbosity)


def scenario_up_to(step: str | None, frr: str | None = None) -> Callable[[str], Scenario]:
    """Reads a scenario file, up to and including that step, on that release of FRR."""

    def read(file: str) -> Scenario:
        scenario = load(Path(file), file, frr)
        return scenario if step is None else up_to(scenario, step)

    return read


def drive(
    files: tuple[str, ...], read: Callable[[str], Read], one: Callable[[Read], Outcome], listening: Live | Silent
) -> Report:
    """Read all files, then do `one` with each. Where one file is bad, none is started."""
    there: list[Read] = []
    runs: list[RunPart] = []
    codes: list[int] = []
    for file in files:
        try:
            there.append(read(file))
        except (Exception, KeyboardInterrupt) as error:
            part, code = failed_load(Path(file).stem, file, error)
            runs.append(part)
            codes.append(code)
            listening.verdict(part)
    if not codes:
        for scenario in there:
            outcome = one(scenario)
            runs.append(outcome.run)
            codes.append(outcome.exit_code)
            if outcome.exit_code == INTERRUPTED:
                break
    code = highest(codes)
    return Report(verdict=verdict_of(code), exit_code=code, runs=runs)


def report_of(outcome: Outcome) -> Report:
    """The report of one run."""
    return Report(verdict=verdict_of(outcome.exit_code), exit_code=outcome.exit_code, runs=[outcome.run])


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False))


def print_text(*parts: RenderableType) -> None:
    console = terminal()
    for number, part in enumerate(parts):
        if number:
            console.print()
        console.print(part)


def terminal() -> Console:
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        return Console(width=PIPED_WIDTH)
    return console


def finish(report: Report, *, as_json: bool, folder: Path | None, states: Sequence[RunStates] = ()) -> None:
    """Write the report, print it as JSON where that is asked for, and end with its exit code."""
    states = states if len(states) == len(report.runs) else ()
    if folder is not None and states:
        report = report.model_copy(update={"states": FILE_NAME})
    # Of a large lab it is many megabytes.
    text = to_json(report) if as_json or folder is not None else ""
    lost: OSError | None = None
    if folder is not None:
        # A second Ctrl-C must not cut the report in half.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            files = [("report.json", text), ("report.md", render(report)), ("junit.xml", junit.render(report))]
            for name, content in files:
                _replace(folder / name, content.encode())
            if states:
                _replace(folder / FILE_NAME, to_bytes(states))
        except OSError as error:
            lost = error
        finally:
            signal.signal(signal.SIGINT, before)
    if as_json:
        click.echo(text, nl=False)
    if lost is not None:
        click.echo(f"error: --report {folder}: {lost.strerror}; the report is not whole", err=True)
    raise SystemExit(report.exit_code if lost is None else highest((report.exit_code, INCONCLUSIVE)))


def usable_folder(folder: Path) -> None:
    """Make the report's folder before anything starts. Raises InputError where that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise InputError(f"--report {folder}: {error.strerror}; expected a folder that can be written") from None


def _replace(path: Path, content: bytes) -> None:
    """Written whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
