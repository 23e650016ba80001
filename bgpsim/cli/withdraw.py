"""`bgpsim withdraw`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bgpsim.cli.announce import prefix_entry, the_speaker
from bgpsim.cli.lab import JSON, LAB, QUIET, VERBOSE, play_by_hand


@click.command("withdraw")
@LAB
@click.argument("prefixes", nargs=-1, metavar="[PREFIX]...")
@click.option("--all", "everything", is_flag=True, help="All that the speaker has announced.")
@click.option("--speaker", metavar="NAME", help="Who withdraws; not needed where there is only one speaker.")
@click.option("--to", multiple=True, metavar="ROUTER", help="From this peer alone; may be repeated. Default: all.")
@click.option("--half", type=click.Choice(["low", "high"]), help="That half of PREFIX.")
@click.option("--path-id", type=int, help="That path alone (RFC 7911).")
@click.option("--file", type=click.Path(), help="The prefixes of a route file or MRT table.")
@JSON
@QUIET
@VERBOSE
def command(
    name: str | None, prefixes: tuple[str, ...], everything: bool, speaker: str | None, to: tuple[str, ...],
    half: str | None, path_id: int | None, file: str | None, as_json: bool, quiet: bool, verbose: bool,
) -> None:  # fmt: skip
    """Withdraw routes that a speaker of a running lab has announced."""
    from bgpsim.errors import InputError

    if bool(prefixes) + everything + (file is not None) != 1:
        raise InputError("expected one of PREFIX…, --all and --file")
    what: list[dict[str, Any]] = [{"prefix": prefix_entry(text, half)} for text in prefixes]
    what += [{"all": True}] if everything else []
    what += [] if file is None else [{"file": str(Path(file).resolve())}]
    who: dict[str, Any] = {"speaker": the_speaker(name, speaker), **({"to": list(to)} if to else {})}
    who |= {} if path_id is None else {"path-id": path_id}
    said = f"withdraw {' '.join(prefixes) or file or 'everything'}" + (f" from {' '.join(to)}" if to else "")
    step = {"withdraw": [{**who, **entry} for entry in what]}
    play_by_hand(name, step, said, as_json=as_json, verbosity=verbose - quiet)
