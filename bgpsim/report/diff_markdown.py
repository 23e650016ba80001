"""`bgpsim diff --markdown`: what changed, as a comment on a pull request takes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bgpsim.check.diff import PairChange, SessionChange, StateDiff
from bgpsim.check.gathering import Group, gathered
from bgpsim.check.step_diff import Differences, StatePair, StepDiff
from bgpsim.network.state import FlowKey, NetworkState
from bgpsim.report.diff_text import beginning, counted, values
from bgpsim.report.mermaid import LEGEND, drawing

MOST_CHARACTERS = 65_000
"""GitHub takes 65,536 in a comment."""
_LIMITS = (200, 60, 25, 10, 4, 1)
"""How many rows of a kind are shown: the first that fits."""
_MATRIX_LEGEND = (
    "✓ delivered, ✗ not; **✓→✗** lost, **✗→✓** gained, ↷ moved, + new, − gone; · no such pair. "  # noqa: RUF001
    "From the row to the column."
)


def render(found: Differences) -> str:
    """At most `MOST_CHARACTERS`; ends in one newline."""
    for limit in _LIMITS:
        text = "\n\n".join(_blocks(found, limit)) + "\n"
        if len(text) <= MOST_CHARACTERS:
            return text
    cut = text[: MOST_CHARACTERS - 200].rpartition("\n\n")[0]
    opened = cut.count("<details>") - cut.count("</details>")
    fence = "\n```" if cut.count("```") % 2 else ""
    return f"{cut}{fence}{'</details>' * opened}\n\n… cut here: `bgpsim diff --json` has it all\n"


def _blocks(found: Differences, limit: int) -> Iterator[str]:
    yield f"## bgpsim diff: {_code(found.a)} → {_code(found.b)}"
    yield "**They differ.**" if found.differ else "**No difference.**"
    for note in (*found.notes, *(f"not compared: {what}" for what in found.unread)):
        yield f"> {note}"
    for side, names in ((found.a, found.only_a), (found.b, found.only_b)):
        if names:
            yield f"Only in {_code(side)}: {', '.join(map(_code, names))}"
    equal = [step for step in found.steps if not step.differs]
    if equal:
        yield (
            f"No difference in {len(equal)} of {len(found.steps)} steps: "
            + ", ".join(_code(_name(s)) for s in equal[:limit])
            + (" …" if len(equal) > limit else "")
        )
    different = [step for step in found.steps if step.differs]
    for step in different[:limit]:
        yield from _step(step, limit)
    if len(different) > limit:
        yield f"… and {len(different) - limit} more steps differ"


def _step(step: StepDiff, limit: int) -> Iterator[str]:
    yield f"### {_code(step.before)} → {_code(step.after)}"
    for title, pair in step.views():
        change = pair.change
        yield f"**{title}**: {summary(change)}"
        if change.empty:
            continue
        if change.sessions:
            yield _list(_session(session) for session in change.sessions[:limit]) + _more(change.sessions, limit)
        yield from _reachability(pair, limit)
        picture = drawing(pair, step.topology) if change.pairs else None
        if picture is not None:
            yield f"```mermaid\n{picture}```"
            yield f"<sub>{LEGEND}</sub>"
        groups = gathered(change)
        if groups:
            yield _details(f"Routes: {counted(change)}", _routes(groups, limit))
        apart = (*change.advertised, *change.wire)
        if apart and not groups and not change.sessions:
            rows = [(r.kind, r.plane, r.device, r.peer or "", f"`{r.prefix}`", "; ".join(values(r))) for r in apart]
            yield _details(
                f"Announcements: {len(rows)}",
                _table(("change", "plane", "device", "session", "prefix", "value"), rows[:limit]) + _more(rows, limit),
            )
        if change.counters and not groups and not change.sessions:
            counters = [(c.key.device, c.key.neighbor, c.family, c.counter, c.before, c.after) for c in change.counters]
            yield _details(
                f"Prefix counters: {len(counters)}",
                _table(("device", "neighbor", "family", "counter", "before", "after"), counters[:limit])
                + _more(counters, limit),
            )


def summary(change: StateDiff) -> str:
    """One line: `2 pairs lost; routes 10 added; 2 session ends changed`."""
    if change.empty:
        return "no difference"
    pairs = ", ".join(f"{len(found)} {word}" for word, found in pair_changes(change))
    parts = [f"pairs {pairs}" if pairs else "no pair changed"]
    if change.routes:
        parts.append(f"routes {counted(change)}")
    if change.sessions:
        parts.append(f"{len(change.sessions)} session ends changed")
    for what, found in (("Adj-RIB-Out entries", change.advertised), ("routes on the wire", change.wire)):
        if found:
            parts.append(f"{len(found)} {what} changed")
    return "; ".join(parts)


def pair_changes(change: StateDiff) -> list[tuple[str, Sequence[PairChange]]]:
    """What became of pairs, in one word, and which; without those words that are none's."""
    words = (
        ("lost", change.lost),
        ("gained", change.gained),
        ("moved", change.moved),
        ("gone", change.gone),
        ("new", change.new),
    )
    return [(word, found) for word, found in words if found]


def _session(session: SessionChange) -> str:
    peer = f" ({session.peer})" if session.peer else ""
    because = f": {session.because}" if session.because and not session.came else ""
    ends = f"{session.before or 'not configured'} → {session.after or 'not configured'}"
    return f"session `{session.key.device}` `{session.key.neighbor}`{peer} {ends}{because}"


def _reachability(pair: StatePair, limit: int) -> Iterator[str]:
    change = pair.change
    if not pair.after.forwarding and not pair.before.forwarding:
        return
    yield _matrix(pair, min(limit, 40))
    yield f"<sub>{_MATRIX_LEGEND}</sub>"
    for word, found in pair_changes(change):
        rows = [(f"`{p.flow.source}`", f"`{p.flow.target}`", _way(p.before), _way(p.after)) for p in found[:limit]]
        table = _table(("from", "to", "before", "after"), rows)
        yield _details(f"Pairs {word}: {len(found)}", table + _more(found, limit))


def _way(text: str) -> str:
    return f"`{text}`" if text else ""


def _matrix(pair: StatePair, most: int) -> str:
    """Endpoints of changed pairs first, where there are too many."""
    marks = {p.flow: mark for found, mark in _marked(pair.change) for p in found}
    flows = {**dict.fromkeys(marks), **dict.fromkeys(sorted(pair.after.forwarding))}
    cells: dict[tuple[str, str], set[str]] = {}
    for flow in flows:
        cells.setdefault((flow.source, flow.target), set()).add(marks.get(flow) or _unchanged(flow, pair.after))
    changed = {(p.flow.source, p.flow.target) for p in pair.change.pairs}
    senders = _few({s for s, _ in cells}, {s for s, _ in changed}, most)
    targets = _few({t for _, t in cells}, {t for _, t in changed}, most)
    rows = [(f"`{s}`", *(" ".join(sorted(cells.get((s, t), {"·"}))) for t in targets)) for s in senders]
    return _table(("from \\ to", *(f"`{t}`" for t in targets)), rows)


def _few(names: set[str], changed: set[str], most: int) -> list[str]:
    if len(names) <= most:
        return sorted(names)
    return sorted(sorted(names, key=lambda name: (name not in changed, name))[:most])


def _marked(change: StateDiff) -> Iterable[tuple[Sequence[PairChange], str]]:
    return (
        (change.lost, "**✓→✗**"),
        (change.gained, "**✗→✓**"),
        (change.moved, "↷"),
        (change.gone, "−"),  # noqa: RUF001
        (change.new, "+"),
    )


def _unchanged(flow: FlowKey, state: NetworkState) -> str:
    return "✓" if state.forwarding[flow].disposition.startswith("delivered") else "✗"


def _routes(groups: Sequence[Group], limit: int) -> str:
    rows = [
        (
            f"`{group.title}`",
            beginning(group),
            "; ".join(values(group.begins)),
            group.places_text() if len(group.changes) > 1 else "",
        )
        for group in groups[:limit]
    ]
    return _table(("prefix", "begins", "value there", "everywhere"), rows) + _more(groups, limit)


def _more(found: Sequence[object], limit: int) -> str:
    return f"\n\n… and {len(found) - limit} more" if len(found) > limit else ""


def _details(title: str, body: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def _code(text: str) -> str:
    return f"`{text}`"


def _name(step: StepDiff) -> str:
    return step.after.rpartition("#")[2]
