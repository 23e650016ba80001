"""`bgpsim watch`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from bgpsim.cli.lab import LAB


@click.command("watch")
@LAB
@click.option("--from", "sender", metavar="A", help="Follow packets from A: a pod or host, as scenario files name it.")
@click.option("--to", "target", metavar="B", help="… to B: a pod, host, node or address:ADDRESS.")
@click.option("--json", "as_json", is_flag=True, help="One event a line, until the lab ends or Ctrl-C.")
@click.option(
    "--interval", type=click.FloatRange(0.1, 60), default=0.5, show_default=True, help="Seconds between two looks."
)
def command(name: str | None, sender: str | None, target: str | None, as_json: bool, interval: float) -> None:
    """A running lab, live: sessions, routes that arrive and leave, what speakers hear, and a pair's path walked again
    and again, each beside what is predicted. Keys announce, withdraw, cut and restore a link.

    Exit codes: 0 when you leave or the lab is taken down; 2 bad input; 3 the lab ended by itself.
    """
    from bgpsim.errors import InputError
    from bgpsim.keeper.client import connect

    if (sender is None) != (target is None):
        raise InputError(f"found {'--to' if sender is None else '--from'} alone; expected both, or neither")
    pair = None if sender is None or target is None else (sender, target)
    if not as_json and not sys.stdout.isatty():
        raise InputError("the screen needs a terminal, and this is none; expected --json")
    if not as_json:
        _check_textual()
    with connect(name) as client:
        if as_json:
            sys.exit(_print_events(client.watch(interval, pair)))
    sys.exit(_show(client.name, pair, interval))


def _print_events(events: Iterator[dict[str, Any]]) -> int:
    import json

    code = 3
    try:
        for event in events:
            if event["event"] != "pulse":
                print(json.dumps(event), flush=True)
            if event["event"] == "ended":
                code = 0 if event["down"] else 3
    except KeyboardInterrupt:
        code = 130
    return code


def _check_textual() -> None:
    """The screen is an extra. Raises InputError where it is not there."""
    from importlib.util import find_spec

    from bgpsim.errors import InputError

    if find_spec("textual") is None:
        raise InputError(
            "the screen of `bgpsim watch` needs textual, which is not installed; expected it, or --json",
            hint=f"{sys.executable} -m pip install 'bgpsim[watch]', or: -m pip install textual",
        )


def _show(name: str, pair: tuple[str, str] | None, interval: float) -> int:
    from bgpsim.watch.app import WatchApp
    from bgpsim.watch.feed import KeeperFeed

    app = WatchApp(KeeperFeed(name, interval), pair)
    app.run()
    return app.return_code or 0
