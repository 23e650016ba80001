"""A measurement as it stands under a step's `volatile.probe`, and as lines of the terminal and tables of report.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bgpsim.check.spelling import hops_text
from bgpsim.network.loss import Measured, Measurement, Stretch
from bgpsim.network.state import FlowKey
from bgpsim.report.document import StepPart
from bgpsim.report.probe_parts import SizeFatePart, SizePart

SHOWN = 50
"""Outages, loops and ways listed per pair."""


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 1)


def measured_part(measured: Measurement, flows: Sequence[FlowKey]) -> dict[str, Any]:
    """All times in milliseconds, `at_ms` from the step's first action on."""
    return {
        "interval_ms": _ms(measured.interval),
        "seconds": round(measured.seconds, 3),
        "sender": {
            "longest_gap_ms": _ms(measured.gap),
            "skipped_slots": measured.skipped,
            "late_slots": dict(zip(("under_a_tenth", "under_half", "more"), measured.late, strict=True)),
        },
        "captures_without_room": list(measured.overrun),
        "control": _pair(measured.control, measured.pairs[measured.control]),
        "pairs": [_pair(flow, measured.pairs[flow]) for flow in flows],
    }


def _pair(flow: FlowKey, measured: Measured) -> dict[str, Any]:
    ways = measured.stretches[:SHOWN]
    return {
        "from": flow.source,
        "to": flow.target,
        "address": flow.target_address,
        "sent": measured.sent,
        "received": measured.received,
        "lost": measured.lost,
        "lost_ms": {"total": _ms(measured.lost_seconds), "longest": _ms(measured.longest)},
        "recovered": measured.recovered,
        "duplicates": measured.duplicates,
        "late": measured.late,
        "outages": [
            {
                "at_ms": _ms(outage.begin),
                "ms": _ms(outage.seconds),
                "packets": outage.packets,
                "ended": outage.ended,
                "where": list(outage.at),
            }
            for outage in measured.outages[:SHOWN]
        ],
        "loops": [_stretch(stretch) for stretch in measured.stretches if stretch.looped][:SHOWN],
        "paths": [_stretch(stretch) for stretch in ways],
        "more_paths": len(measured.stretches) - len(ways),
    }


def _short(endpoint: str) -> str:
    """`netshoot@worker` of `pod:default/netshoot@worker`."""
    return endpoint.rpartition("/")[2].removeprefix("pod:")


def _pair_text(sender: str, target: str, address: str) -> str:
    return f"{_short(sender)} → {_short(target)}" + (" (v6)" if ":" in address else "")


def _stretch(stretch: Stretch) -> dict[str, Any]:
    return {
        "at_ms": _ms(stretch.begin),
        "ms": _ms(stretch.seconds),
        "packets": stretch.packets,
        "fate": stretch.fate,
        "path": hops_text(stretch.hops) or stretch.at,
    }


HEADER = ("pair", "predicted", "lost", "ms", "outages", "ways", "")


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The header and the rows, as lines with columns under one another."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    for row in (header, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def rows(step: StepPart) -> Iterator[tuple[str, ...]]:
    """One per pair of the stream, under `HEADER`: predicted beside measured, if it was."""
    part = None if step.probe is None else step.probe.continuous
    if part is None:
        return
    measured = step.volatile.get("probe", {}).get("pairs", [None] * len(part.pairs))
    for row, figures in zip(part.pairs, measured, strict=True):
        recovers = {True: ", recovers", False: ", stays lost", None: ""}[row.predicted.recovers]
        loss = {"must": "loses some", "may": "may lose", "none": "loses none"}[row.predicted.loss]
        told = loss + (recovers if row.predicted.loss != "none" else "") + (" ≠" if row.agrees is False else "")
        pair = _pair_text(row.sender, row.target, row.address)
        yield (pair, told, *_figures(figures)) if figures is not None else (pair, told, "", "", "", "", "")


def _figures(of: Mapping[str, Any]) -> tuple[str, ...]:
    """A pair's measured part of a row; what is seldom there is told in the last column."""
    seldom = [f"{of[what]} {what}" for what in ("duplicates", "late") if of[what]]
    if of["loops"]:
        seldom.append(f"looped for {sum(loop['ms'] for loop in of['loops']):.0f} ms")
    return (
        f"{of['lost']} of {of['sent']}",
        f"{of['lost_ms']['total']:.0f}" + ("" if of["recovered"] else " and on"),
        str(len(of["outages"])),
        str(len({way["path"] for way in of["paths"] if way["fate"] == "delivered"})),
        ", ".join(seldom),
    )


def footnotes(step: StepPart) -> Iterator[str]:
    """What the figures rest on."""
    part = None if step.probe is None else step.probe.continuous
    if part is None:
        return
    measured = step.volatile.get("probe")
    which = "" if len(part.pairs) == part.of else f"; {len(part.pairs)} of {part.of} pairs, those that may lose first"
    control = f"control: {_short(part.control.sender)} → {_short(part.control.target)} ({part.control.because})"
    if measured is None:
        yield f"a packet every {part.interval_ms:g} ms{which}; {control}"
        return
    yield (
        f"a packet every {part.interval_ms:g} ms for {measured['seconds']:.1f} s{which};"
        f" longest gap of the sender {measured['sender']['longest_gap_ms']:.0f} ms"
    )
    yield f"{control} lost {measured['control']['lost']} of {measured['control']['sent']}"


def size_rows(step: StepPart) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """A header with the sizes, and a row per pair: what became of each size."""
    found = [] if step.probe is None else step.probe.sizes
    sizes = sorted({row.size for row in found})
    by_pair: dict[tuple[str, str, str], dict[int, str]] = {}
    for row in found:
        by_pair.setdefault((row.sender, row.target, row.address), {})[row.size] = _size(row)
    rows = [(_pair_text(*pair), *(cells.get(size, "") for size in sizes)) for pair, cells in by_pair.items()]
    return ("pair", *(f"{size} bytes" for size in sizes)), rows


def _size(row: SizePart) -> str:
    predicted = " or ".join(map(_fate, row.predicted))
    seen = row.observed or row.volatile.observed
    if seen is None:
        return predicted
    return _fate(seen) + (f" ≠ {predicted}" if row.agrees is False else "")


def _fate(fate: SizeFatePart) -> str:
    return fate.outcome if fate.outcome == "arrived" else f"{fate.outcome} at {_short(fate.at)}"
