"""`bgpsim explain`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from bgpsim.cli.completion import Comparand, at_names, endpoint_names, step_names

if TYPE_CHECKING:
    from bgpsim.check.explain import RouteReason
    from bgpsim.check.explain_way import PairReason
    from bgpsim.report.explain_text import ExplainText
    from bgpsim.scenario.asking.explaining import Subject


@click.command("explain")
@click.argument("file", metavar="FILE", type=Comparand())
@click.option("--at", nargs=2, metavar="DEVICE PREFIX", shell_complete=at_names, help="Why its route is as it is.")
@click.option("--from", "sender", metavar="ENDPOINT", shell_complete=endpoint_names, help="Where packets start.")
@click.option("--to", "target", metavar="ENDPOINT", shell_complete=endpoint_names, help="Where packets should go.")
@click.option("--step", metavar="NAME", shell_complete=step_names, help="At the end of this step.  [default: the last]")
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as JSON.")
def command(
    file: str, at: tuple[str, str] | None, sender: str | None, target: str | None, step: str | None, as_json: bool
) -> None:
    """Say why a path is best and each other one lost, or where packets go and why; with the configuration lines.

    FILE is a scenario file, which is predicted, or a report with its states (DIR, report.json#SCENARIO/STEP): then what
    was observed is told beside the prediction. PREFIX is a prefix of some table, an address, or a name
    (worker3.pod-cidr).
    """
    if (at is None) == (sender is None and target is None):
        raise click.UsageError("expected either --at DEVICE PREFIX, or --from ENDPOINT --to ENDPOINT")
    if at is None and (sender is None or target is None):
        raise click.UsageError("--from and --to belong together; expected both")
    from bgpsim.scenario.asking.explaining import subject

    asked = subject(file, step, sender, target)
    if at is not None:
        _routes(asked, asked.route(*at), as_json)
    elif sender is not None and target is not None:
        _pairs(asked, asked.pairs(sender, target), as_json)


def _routes(asked: Subject, found: RouteReason, as_json: bool) -> None:
    if as_json:
        from bgpsim.report.explain_document import routes_json

        click.echo(routes_json(asked.scenario, asked.step, [found]), nl=False)
    else:
        _text(asked).route(found)


def _pairs(asked: Subject, found: Sequence[PairReason], as_json: bool) -> None:
    if as_json:
        from bgpsim.report.explain_document import pairs_json

        click.echo(pairs_json(asked.scenario, asked.step, found), nl=False)
        return
    text = _text(asked)
    for pair in found:
        text.pair(pair)


def _text(asked: Subject) -> ExplainText:
    from bgpsim.cli.output import terminal
    from bgpsim.report.explain_text import ExplainText

    text = ExplainText(terminal())
    text.heading(asked.scenario, asked.step)
    return text
