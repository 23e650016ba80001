"""`--frr`: the release of FRR that a scenario is predicted for and run on."""

from __future__ import annotations

import click

from bgpsim.frr_series import SERIES, spelled

FRR_OPTION = click.option(
    "--frr",
    type=click.Choice([spelled(series) for series in SERIES]),
    help="FRR's release of all routers, whatever their images' tags say.",
)
