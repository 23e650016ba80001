"""Labs that stay, as tables and as JSON."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from bgpsim.keeper.client import Listed


def labs_json(labs: Sequence[Listed]) -> list[dict[str, Any]]:
    return [
        {
            "name": lab.name,
            "file": lab.file,
            "state": _state(lab),
            "because": lab.ended,
            "started": lab.started,
            "keeper": lab.keeper,
            "steps": None if lab.status is None else len(lab.status["timeline"]),
            "writer": None if lab.status is None else lab.status["writer"],
        }
        for lab in labs
    ]


def _state(lab: Listed) -> str:
    if lab.ended is not None:
        return "ended"
    return "up" if lab.status is not None else "coming up"


def labs_table(labs: Sequence[Listed]) -> RenderableType:
    if not labs:
        return Text("no lab is up; bgpsim lab up FILE brings one up")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("name", "state", "for", "devices", "steps", "file"):
        table.add_column(heading)
    for lab in labs:
        state = _state(lab)
        if lab.ended is not None:
            state += f": {lab.ended}"
        elif lab.status is not None and lab.status["writer"]:
            state += f", busy: {lab.status['writer']}"
        devices, steps = ("", "") if lab.status is None else (len(lab.status["devices"]), len(lab.status["timeline"]))
        style = "red" if lab.ended is not None else None
        table.add_row(
            lab.name, state, _duration(time.time() - lab.started), str(devices), str(steps), lab.file, style=style
        )
    return table


def inspected(name: str, status: dict[str, Any]) -> Iterator[RenderableType]:
    ended = f", [red]ended: {status['ended']}[/]" if status["ended"] else ""
    yield Text.from_markup(f"[bold]{name}[/]  {status['scenario']}{ended}")
    devices = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("device", "role", "runs"):
        devices.add_column(heading)
    for device in status["devices"]:
        devices.add_row(device["name"], device["role"], device["engine"] or "")
    yield devices
    for speaker in status["speakers"]:
        said = [a for a in status["announced"] if a["speaker"] == speaker["name"]]
        routes = ", ".join(f"{a['prefix']} to {a['to']}" for a in said[:6]) or "nothing"
        more = f" and {len(said) - 6} more" if len(said) > 6 else ""
        peers = ", ".join(speaker["peers"])
        yield Text(f"speaker {speaker['name']} (AS {speaker['asn']}, peers with {peers}) announces {routes}{more}")
    timeline = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("at", "step", "verdict", "what it did"):
        timeline.add_column(heading)
    for step in status["timeline"]:
        at = time.strftime("%H:%M:%S", time.localtime(step["at"]))
        timeline.add_row(at, Text(step["step"]), step["verdict"], Text("\n".join(step["actions"])))
    yield timeline


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"
