"""`bgpsim diff`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bgpsim.cli.completion import Comparand

if TYPE_CHECKING:
    from bgpsim.check.step_diff import Differences
    from bgpsim.report.states import RunStates
    from bgpsim.scenario.recording import Outcome
    from bgpsim.scenario.timeline import Scenario


@click.command("diff")
@click.argument("a", metavar="A", type=Comparand())
@click.argument("b", metavar="B", type=Comparand())
@click.option("--plan", "as_plan", is_flag=True, help="Compare predictions; nothing is run.")
@click.option("--json", "as_json", is_flag=True, help="Print the difference as JSON.")
@click.option("--markdown", is_flag=True, help="Print it as Markdown that fits in a pull request comment.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing; the exit code tells.")
@click.option("-v", "--verbose", is_flag=True, help="Shorten nothing.")
def command(a: str, b: str, as_plan: bool, as_json: bool, markdown: bool, quiet: bool, verbose: bool) -> None:
    """What is different between two reports, two steps, or two sets of input files.

    A and B are each a report (the folder of `--report`, or report.json), a scenario file, a folder of scenario files,
    or a file or folder in a git revision (HEAD~1:scenarios/x/scenario.yaml); with #STEP or #SCENARIO/STEP one step of
    it. Or a running lab, as it is now: lab:NAME. Files are run on a lab one after the other, or with --plan predicted.

    Exit codes: 0 no difference; 1 they differ; 2 bad input; 3 what could be read is equal, and not all could be.
    """
    from bgpsim.scenario.comparands import compared
    from bgpsim.scenario.revisions import opened
    from bgpsim.scenario.verdicts import FAIL, INCONCLUSIVE, PASS

    with opened(Path.cwd()) as revisions:
        found = compared(a, b, revisions, _planned if as_plan else _run, _lab_now, plan=as_plan)
    if not quiet:
        _print(found, as_json=as_json, markdown=markdown, verbose=verbose)
    raise SystemExit(FAIL if found.differ else INCONCLUSIVE if found.unread else PASS)


def _print(found: Differences, *, as_json: bool, markdown: bool, verbose: bool) -> None:
    if as_json:
        from bgpsim.report.canonical import to_json
        from bgpsim.report.diff_document import document

        click.echo(to_json(document(found)), nl=False)
    elif markdown:
        from bgpsim.report.diff_markdown import render

        click.echo(render(found), nl=False)
    else:
        from bgpsim.cli.output import terminal
        from bgpsim.report.diff_text import DiffText

        DiffText(terminal(), verbose).show(found)


def _lab_now(name: str, now: bool) -> RunStates:
    """With `now` it looks at the lab first, as a step of its own."""
    from bgpsim.cli.output import Silent
    from bgpsim.keeper.client import connect

    with connect(name or None) as client:
        if now:
            client.play([{}], "diff", Silent())
        return client.states()


def _planned(scenario: Scenario) -> RunStates:
    from bgpsim.cli.output import Silent
    from bgpsim.scenario.planning import plan

    return _states(plan(scenario, Silent()))


def _run(scenario: Scenario) -> RunStates:
    from bgpsim.cli.output import listener
    from bgpsim.lab.embedded.lab import EmbeddedLab
    from bgpsim.lab.images import default_store
    from bgpsim.scenario.runner import run
    from bgpsim.speakers.control import SpeakerControl

    store = default_store()
    click.echo(f"running {scenario.file}", err=True)
    return _states(
        run(
            scenario,
            lambda files: EmbeddedLab(files, store, SpeakerControl),
            listener(as_json=True, verbosity=-1),
        )
    )


def _states(outcome: Outcome) -> RunStates:
    """Ends the command where the run proved nothing."""
    error = outcome.run.error
    if error is not None:
        where = f"{error.file}:{error.line}: " if error.file else ""
        click.echo(f"error: {outcome.run.scenario}: {where}{error.message}", err=True)
        raise SystemExit(outcome.exit_code)
    assert outcome.states is not None
    return outcome.states
