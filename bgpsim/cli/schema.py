"""`bgpsim schema`."""

from __future__ import annotations

import json

import click


@click.command("schema")
@click.argument("what", type=click.Choice(["scenario", "report"]), default="scenario")
def command(what: str) -> None:
    """Print the JSON Schema of the scenario file, or of report.json."""
    from bgpsim.report.document import report_schema
    from bgpsim.scenario.schema import scenario_schema

    schema = report_schema() if what == "report" else scenario_schema()
    click.echo(json.dumps(schema, indent=2, ensure_ascii=False))
