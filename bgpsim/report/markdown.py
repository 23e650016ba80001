"""report.md: each step's reachability diff as a matrix, and the routes behind it."""

from __future__ import annotations

from collections.abc import Sequence

from bgpsim.network.state import DELIVERED
from bgpsim.report import probes
from bgpsim.report.change_parts import RouteChangePart, StateDiffPart
from bgpsim.report.document import LabPart, ReachabilityPart, Report, RunPart, StepPart

SHOWN_ROUTES = 40


def render(report: Report) -> str:
    """The whole report; ends in one newline."""
    blocks = [f"# bgpsim report: {report.verdict}"]
    for run in report.runs:
        blocks += _run(run)
    return "\n\n".join(blocks) + "\n"


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def _table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _run(run: RunPart) -> list[str]:
    blocks = [f"## {run.scenario}: {run.verdict}", f"`{run.file}`, confidence {run.confidence}"]
    if run.error is not None:
        where = f"{run.error.file}:{run.error.line}: " if run.error.file else ""
        hint = f" ({run.error.hint})" if run.error.hint else ""
        blocks.append(f"**Error:** {where}{run.error.message}{hint}")
        if run.error.volatile.log:
            blocks.append("```\n" + "\n".join(run.error.volatile.log) + "\n```")
    if run.lab is not None and run.lab.stand_ins:
        blocks.append("Stand-ins: " + "; ".join(f"{s.by} for {s.stands_for}" for s in run.lab.stand_ins))
    if run.lab is not None:
        blocks += _lines_that_failed(run.lab)
    for step in run.steps:
        blocks += _step(step)
    if run.not_modelled:
        blocks.append("### Not modelled")
        blocks.append(
            _table(
                ("where", "statement", "effect"), [(f"{u.file}:{u.line}", u.text, u.effect) for u in run.not_modelled]
            )
        )
    return blocks


def _lines_that_failed(lab: LabPart) -> list[str]:
    rows = [
        (f"{f.file}:{f.line}" if f.file else "", f.device, f"`{f.command}`", f"failed, rc {f.exit_code}: {f.output}")
        for f in lab.exec_failures
    ]
    rows += [
        (f"{r.file}:{r.line}" if r.file else "", r.device, f"`{r.text}`", f"refused: {r.answer}")
        for r in lab.rejected_lines
    ]
    return ["### Lines that failed", _table(("where", "device", "line", "outcome"), rows)] if rows else []


def _step(step: StepPart) -> list[str]:
    blocks = [f"### {step.name}: {step.verdict}"]
    if step.actions:
        blocks.append("\n".join(f"- {action}" for action in step.actions))
    if step.planes:
        rows = [
            (plane, part.status, part.compared, part.equal, part.missing, part.unexpected, part.differs)
            for plane, part in sorted(step.planes.items())
        ]
        blocks.append(_table(("plane", "status", "compared", "equal", "missing", "unexpected", "differs"), rows))
    if step.mismatches:
        blocks.append("**Differences from the prediction**")
        rows_ = [
            (
                m.plane,
                m.kind,
                m.device,
                " ".join(part for part in (m.prefix, m.peer, m.field) if part),
                m.predicted,
                m.observed,
                "; ".join(f"{line.file}:{line.line}" for line in m.because),
            )
            for m in step.mismatches
        ]
        blocks.append(_table(("plane", "kind", "device", "fact", "predicted", "observed", "because"), rows_))
        if step.mismatches_left_out:
            blocks.append(f"… and {step.mismatches_left_out} more, of the kinds below")
    blocks += [
        f"{group.routes} routes ({', '.join(f'`{prefix}`' for prefix in group.examples)} …): "
        + "; ".join(f"{m.plane} {m.kind} at {m.device}" + (f", {m.peer}" if m.peer else "") for m in group.first)
        for group in step.mismatch_groups
    ]
    if step.reachability:
        blocks.append("**Reachability** (from the row to the column)")
        blocks.append(_matrix(step.reachability, step))
    if step.diff is not None:
        change = step.diff.observed or step.diff.predicted
        if change is not None:
            blocks += _routes(step.diff.against, change)
    if step.probe is not None:
        found = [(probes.HEADER, list(probes.rows(step))), probes.size_rows(step)]
        blocks += [_table(header, rows) for header, rows in found if rows]
        blocks += [f"- {line}" for line in probes.footnotes(step)]
    if step.expectations:
        seen = [(e.text, e.verdict, "; ".join(t for t in (e.seen, e.volatile.seen) if t)) for e in step.expectations]
        blocks.append(_table(("expected", "verdict", "seen"), seen))
    return blocks


def _matrix(rows: Sequence[ReachabilityPart], step: StepPart) -> str:
    change = None if step.diff is None else (step.diff.observed or step.diff.predicted)
    marks: dict[tuple[str, str], str] = {}
    if change is not None:
        for word, pairs in (
            ("lost", change.reachability.lost),
            ("gained", change.reachability.gained),
            ("moved", change.reachability.moved),
        ):
            marks |= {(pair.sender, pair.target): word for pair in pairs}
    cells: dict[tuple[str, str], str] = {}
    for row in rows:
        forwarding = row.observed or row.predicted
        word = "" if forwarding is None else forwarding.disposition
        mark = marks.get((row.sender.id, row.target.id))
        text = ("✓" if word in DELIVERED else f"✗ {word}") + (f" (**{mark}**)" if mark else "")
        cells[(row.sender.id, row.target.id)] = text if row.agrees is not False else text + " ≠ predicted"
    senders = sorted({sender for sender, _ in cells})
    targets = sorted({target for _, target in cells})
    return _table(
        ("from \\ to", *(f"`{t}`" for t in targets)),
        [(f"`{s}`", *(cells.get((s, t), "·") for t in targets)) for s in senders],
    )


def _routes(against: str, change: StateDiffPart) -> list[str]:
    rows: list[tuple[str, ...]] = []
    total = sum(change.routes.counts.values())
    for word, found in (
        ("added", change.routes.added),
        ("removed", change.routes.removed),
        ("changed", change.routes.changed),
    ):
        rows += [_route(word, route) for route in found]
    if not rows:
        return [f"No route changed against “{against}”."]
    blocks = [
        f"**Routes changed against “{against}”** ({total})",
        _table(("change", "plane", "device", "prefix", "from", "before", "after"), rows[:SHOWN_ROUTES]),
    ]
    if total > SHOWN_ROUTES:
        blocks.append(f"… and {total - SHOWN_ROUTES} more" + (" in report.json" if not change.routes.left_out else ""))
    return blocks


def _route(word: str, route: RouteChangePart) -> tuple[str, ...]:
    return (
        word,
        route.plane,
        route.device,
        f"`{route.prefix}`",
        route.peer or "",
        route.before or "",
        route.after or "",
    )
