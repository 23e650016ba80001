"""`bgpsim run`."""

from __future__ import annotations

from pathlib import Path

import click

from bgpsim.cli.completion import ScenarioFile, step_names


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
@click.option("--json", "as_json", is_flag=True, help="Print report.json instead.")
@click.option("--strict", is_flag=True, help="An exec line that fails makes the verdict inconclusive.")
@click.option("-q", "--quiet", is_flag=True, help="The verdict alone.")
@click.option("-v", "--verbose", is_flag=True, help="Every path and every changed route.")
def command(
    files: tuple[str, ...],
    backend: str,
    folder: Path | None,
    step: str | None,
    as_json: bool,
    strict: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Run scenarios on a lab, and compare with the prediction.

    Exit codes: 0 all is as predicted and expected; 1 a difference; 2 bad input; 3 inconclusive (the lab broke or did
    not settle, a router refused a line); 4 a bug in bgpsim; 130 interrupted.
    """
    from bgpsim.cli.output import drive, finish, listener, usable_folder
    from bgpsim.lab.embedded.lab import EmbeddedLab
    from bgpsim.lab.images import default_store
    from bgpsim.scenario.recording import Outcome
    from bgpsim.scenario.runner import run
    from bgpsim.scenario.timeline import Scenario
    from bgpsim.speakers.control import SpeakerControl

    listening = listener(as_json=as_json, verbosity=verbose - quiet)
    if folder is not None:
        usable_folder(folder)
    store = default_store()
    states = []

    def one(scenario: Scenario) -> Outcome:
        outcome = run(
            scenario, lambda lab_files: EmbeddedLab(lab_files, store, SpeakerControl), listening, strict=strict
        )
        states.append(outcome.states)
        return outcome

    report = drive(files, step, one, listening)
    finish(report, as_json=as_json, folder=folder, states=states)
