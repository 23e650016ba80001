"""The rows as text."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.figures import Parts, Row, Unit


def render(rows: Sequence[Row], parts: Sequence[Parts], console: Console) -> None:
    console.print(_rows(rows))
    for of_one in parts:
        console.print(_parts(of_one))


def _rows(rows: Sequence[Row]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("what", max_width=44)
    for name in ("median", "min - max", "beside it", "ratio", "bound", "", "its memory"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row.what,
            spelled(row.seconds, row.unit),
            f"{spelled(min(row.runs), row.unit)} - {spelled(max(row.runs), row.unit)}" if len(row.runs) > 1 else "",
            "" if row.beside is None else spelled(row.beside.seconds, row.unit),
            "" if row.ratio is None else f"{row.ratio:.2f}",
            row.rule,
            "ok" if row.met else "NOT MET",
            f"{row.peak_kib / 1024:.0f} MiB",
        )
    return table


def _parts(parts: Parts) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column("part", width=58)
    table.add_column("seconds", justify="right")
    table.add_row(f"\n{parts.what}, where its {'time goes (medians)' if parts.unit == 's' else 'memory goes'}", "")
    for name, value in parts.parts:
        table.add_row(f"  {name}", spelled(value, parts.unit))
    return table


def spelled(value: float, unit: Unit = "s") -> str:
    if unit == "MiB":
        return f"{value:.0f} MiB"
    return f"{value:.2f} s" if abs(value) >= 1 else f"{value * 1000:.0f} ms"
