"""`bgpsim plan`."""

from __future__ import annotations

import click

from bgpsim.cli.completion import ScenarioFile, step_names
from bgpsim.cli.releases import FRR_OPTION


@click.command("plan")
@click.argument("file", metavar="FILE", type=ScenarioFile())
@click.option("--step", metavar="NAME", shell_complete=step_names, help="Up to and including this step.")
@FRR_OPTION
@click.option("--json", "as_json", is_flag=True, help="Print report.json instead.")
@click.option("-q", "--quiet", is_flag=True, help="The verdict alone.")
@click.option("-v", "--verbose", is_flag=True, help="Every table, path and changed route.")
def command(file: str, step: str | None, frr: str | None, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Predict a scenario, step by step, without a lab; exit code 1 if an expectation fails in the prediction."""
    from bgpsim.cli.output import drive, finish, listener, scenario_up_to
    from bgpsim.scenario.playing.planning import plan

    listening = listener(as_json=as_json, verbosity=verbose - quiet)
    report = drive(
        (file,),
        scenario_up_to(step, frr),
        lambda scenario: plan(scenario, listening, with_tables=as_json or verbose),
        listening,
    )
    finish(report, as_json=as_json, folder=None)
