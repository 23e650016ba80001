"""`bgpsim run`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bgpsim.cli.completion import ScenarioFile, step_names
from bgpsim.cli.releases import FRR_OPTION

if TYPE_CHECKING:
    from bgpsim.cli.output import Live, Read, Silent
    from bgpsim.report.states import RunStates
    from bgpsim.scenario.playing.recording import Outcome
    from bgpsim.scenario.timeline import Scenario


@click.command("run")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=ScenarioFile())
@click.option("--backend", type=click.Choice(["embedded"]), default="embedded", show_default=True, help="The lab.")
@click.option(
    "--report",
    "folder",
    type=click.Path(path_type=Path),
    help="Write report.json, report.md, junit.xml and the states there.",
)
@click.option("--step", metavar="NAME", shell_complete=step_names, help="Up to and including this step.")
@FRR_OPTION
@click.option("--lab", "name", metavar="NAME", help="Play the steps on that running lab.")
@click.option("--keep", is_flag=True, help="Leave the lab running, under the scenario's name.")
@click.option("--bundle", is_flag=True, help="Leave a failure bundle whatever comes out; on exit code 3 there is one.")
@click.option("--json", "as_json", is_flag=True, help="Print report.json instead.")
@click.option("--strict", is_flag=True, help="An exec line that fails makes the verdict inconclusive.")
@click.option("-q", "--quiet", is_flag=True, help="The verdict alone.")
@click.option("-v", "--verbose", is_flag=True, help="Every path and every changed route.")
def command(
    files: tuple[str, ...],
    backend: str,
    folder: Path | None,
    step: str | None,
    frr: str | None,
    name: str | None,
    keep: bool,
    bundle: bool,
    as_json: bool,
    strict: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Run scenarios on a lab, and compare with the prediction.

    Exit codes: 0 all is as predicted and expected; 1 a difference; 2 bad input; 3 inconclusive (the lab broke or did
    not settle, a router refused a line); 4 a bug in bgpsim; 130 interrupted.
    """
    from bgpsim.cli.output import drive, finish, listener, scenario_up_to, usable_folder
    from bgpsim.errors import InputError

    states: list[RunStates] = []
    listening = listener(as_json=as_json, verbosity=verbose - quiet)
    if folder is not None:
        usable_folder(folder)
    if name is not None and keep:
        raise InputError("found --lab and --keep; expected one of them: a running lab stays as it is")
    if frr is not None and (name is not None or keep):
        other = "--keep" if keep else "--lab"
        hint = "a lab that stays has the release that its scenario file names: lab: {images: {frr: ...}}"
        raise InputError(f"found --frr and {other}; expected one of them", hint=hint)
    if name is not None:
        one_file = _on_a_running_lab(listening, name, step, strict, folder is not None)
        report = drive(files, _shaped, _keeping(states, one_file), listening)
    elif keep:
        one = _on_a_lab_that_stays(listening, step, strict, folder is not None)
        report = drive(files, scenario_up_to(step), _keeping(states, one), listening)
    else:
        one = _on_its_own_lab(listening, strict, folder, bundle)
        report = drive(files, scenario_up_to(step, frr), _keeping(states, one), listening)
    finish(report, as_json=as_json, folder=folder, states=states)


def _keeping(states: list[RunStates], one: Callable[[Read], Outcome]) -> Callable[[Read], Outcome]:
    """As `one`, and what states a run has are kept for the report."""

    def play(what: Read) -> Outcome:
        outcome = one(what)
        if outcome.states is not None:
            states.append(outcome.states)
        return outcome

    return play


def _shaped(file: str) -> str:
    """What the steps name is of the running lab, which alone can tell whether it is there."""
    from bgpsim.scenario.reading.document import read

    read(Path(file), file)
    return file


def _on_its_own_lab(
    listening: Live | Silent, strict: bool, folder: Path | None, bundled: bool
) -> Callable[[Scenario], Outcome]:
    from bgpsim.lab.embedded.lab import EmbeddedLab
    from bgpsim.lab.images import default_store
    from bgpsim.scenario.playing.runner import run
    from bgpsim.speakers.control import SpeakerControl

    store = default_store()
    return lambda scenario: run(
        scenario,
        lambda lab_files: EmbeddedLab(lab_files, store, SpeakerControl),
        listening,
        strict=strict,
        bundle=None if folder is None else folder / f"bundle-{scenario.name}",
        bundled=bundled,
    )


def _on_a_running_lab(
    listening: Live | Silent, name: str, step: str | None, strict: bool, states: bool
) -> Callable[[str], Outcome]:
    from bgpsim.keeper.client import connect
    from bgpsim.scenario.playing.recording import Outcome
    from bgpsim.scenario.playing.verdicts import failed_load

    def play(file: str) -> Outcome:
        try:
            with connect(name) as client:
                return client.play_file(Path(file), file, step, listening, strict=strict, states=states)
        except (Exception, KeyboardInterrupt) as error:
            run, code = failed_load(Path(file).stem, file, error)
            listening.verdict(run)
            return Outcome(run, code)

    return play


def _on_a_lab_that_stays(
    listening: Live | Silent, step: str | None, strict: bool, states: bool
) -> Callable[[Scenario], Outcome]:
    """On a new lab that is called as the scenario is, and left running."""
    from bgpsim.cli.output import Starting
    from bgpsim.keeper.client import start
    from bgpsim.keeper.naming import name_for
    from bgpsim.scenario.playing.recording import Outcome
    from bgpsim.scenario.playing.verdicts import failed_load

    def play(scenario: Scenario) -> Outcome:
        path = Path(scenario.file)
        try:
            name = name_for(path, scenario.file)
            begun = start(name, path, scenario.file, Starting(listening), first_step=False)
        except (Exception, KeyboardInterrupt) as error:
            run, code = failed_load(scenario.name, scenario.file, error)
            listening.verdict(run)
            return Outcome(run, code)
        if begun.run.error is not None:
            return begun
        return _on_a_running_lab(listening, name, step, strict, states)(scenario.file)

    return play
