"""A `Board` -> the rows and lines of the screen, as rich text. No sign is colour alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bgpsim.watch.board import Board, Event, Key, Row

MOST_ROWS = 200
_SHORT = 30
"""Letters of two values that stand beside each other."""
Cells: TypeAlias = tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Signs:
    """What a terminal can show."""

    right: str
    wrong: str
    unknown: str
    arrow: str
    best: str
    between: str

    def text(self, told: str) -> str:
        """A keeper's words, in letters of this terminal."""
        return told.replace("→", self.arrow).replace("“", '"').replace("”", '"') if self is ASCII else told

    def judged(self, predicted: bool | None) -> Text:
        if predicted is None:
            return Text(self.unknown, "dim")
        return Text(self.right, "green") if predicted else Text(self.wrong, "bold red")


UNICODE = Signs("✓", "✗", "?", "→", "●", "·")
ASCII = Signs("=", "!", "?", "->", ">", "|")


def signs_for(encoding: str | None) -> Signs:
    try:
        "".join((UNICODE.right, UNICODE.wrong, UNICODE.arrow, UNICODE.best)).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE


SESSION_COLUMNS = ("", "", "age", "device", "state", "in/out", "neighbor")
ROUTE_COLUMNS = ("", "", "age", "device", "", "prefix", "from", "as-path", "next-hop")
HEARD_COLUMNS = ("", "", "age", "speaker", "router", "prefix", "as-path")
"""The first is what happened (+ arrived, - left, ~ changed), the second whether it is as predicted."""


def session_rows(board: Board, signs: Signs, now: float) -> list[tuple[Key, Cells]]:
    """What is not as predicted first, then what is down, then by name."""

    def order(item: tuple[Key, Row]) -> tuple[object, ...]:
        key, row = item
        return (row.fact["predicted"] is not False, row.fact["state"] == "Established", key)

    return [(key, _session(row, signs, now)) for key, row in sorted(board.sessions.items(), key=order)]


def _session(row: Row, signs: Signs, now: float) -> Cells:
    fact = row.fact
    peer = fact["peer"]
    neighbor = fact["neighbor"] if peer in (None, fact["neighbor"]) else f"{peer} {fact['neighbor']}"
    up = fact["state"] == "Established"
    word = "" if up or fact["word"] in (None, "down") else f" {fact['word']}"
    counts = [of for of in fact["families"].values() if of["accepted"] is not None or of["sent"] is not None]
    total = f"{sum(of['accepted'] or 0 for of in counts)}/{sum(of['sent'] or 0 for of in counts)}" if counts else ""
    state = Text(fact["state"] + word, "" if up else "bold yellow")
    return _cells(row, signs, now, [fact["device"], state, total, neighbor])


def route_rows(board: Board, signs: Signs, now: float) -> list[tuple[Key, Cells]]:
    """The newest first."""
    return [(key, _route(row, signs, now)) for key, row in _newest(board.routes)]


def _route(row: Row, signs: Signs, now: float) -> Cells:
    fact = row.fact
    attributes = fact["attributes"]
    flag = signs.best if fact["best"] else "m" if fact["multipath"] else " " if fact["valid"] else "x"
    path = attributes.get("as-path", "")
    return _cells(
        row,
        signs,
        now,
        [fact["device"], flag, _prefix(fact), fact["neighbor"], path or "-", attributes["next-hop"]],
    )


def heard_rows(board: Board, signs: Signs, now: float) -> list[tuple[Key, Cells]]:
    """The newest first; what a speaker itself sent is `to` its router."""
    return [(key, _heard(row, signs, now)) for key, row in _newest(board.heard)]


def _heard(row: Row, signs: Signs, now: float) -> Cells:
    fact = row.fact
    router = ("from " if fact["direction"] == "received" else "to ") + fact["router"]
    return _cells(
        row, signs, now, [fact["speaker"], router, _prefix(fact), fact["attributes"].get("as-path", "") or "-"]
    )


def _prefix(fact: Event) -> str:
    return str(fact["prefix"]) + (f" #{fact['path_id']}" if fact["path_id"] else "")


def _newest(rows: dict[Key, Row]) -> Sequence[tuple[Key, Row]]:
    return sorted(rows.items(), key=lambda item: (-(item[1].changed or item[1].since or 0.0), item[0]))[:MOST_ROWS]


def _cells(row: Row, signs: Signs, now: float, middle: Iterable[str | Text]) -> Cells:
    left = row.change == "left"
    mark = row.mark(now)
    colour = {"+": "green", "-": "dim", "~": "yellow"}.get(mark, "")
    cells = [text if isinstance(text, Text) else Text(signs.text(text)) for text in middle]
    if left or mark == "+":
        for cell in cells:
            cell.stylize("dim strike" if left else colour)
    begin = (Text(mark, f"bold {colour}" if colour else ""), Text(age(row.since, now), "dim", justify="right"))
    return (begin[0], signs.judged(row.fact["predicted"]), begin[1], *cells)


def age(since: float | None, now: float) -> str:
    """At most five letters."""
    if since is None:
        return "-"
    seconds = max(0, int(now - since))
    for limit, size, letter in ((60, 1, "s"), (3600, 60, "m"), (86400, 3600, "h")):
        if seconds < limit:
            return f"{seconds // size}{letter}"
    return f"{seconds // 86400}d"


def head_lines(board: Board, name: str, doing: str | None, signs: Signs) -> Text:
    """Two lines: the lab, its step and what is being done; and how far observation is as predicted."""
    step = board.step
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f" {name} ", "reverse bold")
    if step.get("name"):
        verdict = step["verdict"]
        state = step["state"] if step["state"] != "ended" else verdict
        style = {"pass": "green", "fail": "bold red"}.get(state or "", "yellow")
        text.append(f" step {step['name']}")
        text.append(f" {signs.between} {state}", style)
    if board.ended is not None:
        text.append(f" {signs.between} the lab has ended: {board.ended['why']}", "bold red")
    elif board.trouble is not None:
        text.append(f" {signs.between} {board.trouble}", "bold red")
    elif doing is not None:
        # Of a step that is named already, what it is at.
        text.append(f" {signs.between} {signs.text(doing.rpartition('”: ')[2])}", "cyan")
    text.append("\n ")
    agrees = board.agrees
    if agrees is None:
        text.append("nothing is predicted yet" if board.last else "connecting")
        return text
    playing = step.get("state") == "playing"
    if agrees:
        text.append(f"{signs.right} as predicted", "green")
    else:
        text.append(
            f"{signs.wrong} not {'yet ' if playing else ''}as predicted", "bold yellow" if playing else "bold red"
        )
    for plane, (equal, compared) in board.planes().items():
        text.append(f"  {plane} {equal}/{compared}", "" if equal == compared else "bold red")
    return text


def titles(board: Board) -> dict[str, str]:
    """What stands over each panel, by its id."""
    down = sum(row.fact["state"] != "Established" for row in board.sessions.values())
    there = sum(row.change != "left" for row in board.routes.values())
    heard = sum(row.change != "left" and row.fact["direction"] == "received" for row in board.heard.values())
    left = board.agreement.get("open_count", 0)
    return {
        "sessions": f"session ends {len(board.sessions)}" + (f", {down} down" if down else ""),
        "routes": f"routes {there}",
        "heard": f"speakers hear {heard}",
        "prediction": "path" + (f", and {left} facts not as predicted" if left else ""),
    }


def prediction(board: Board, pair: tuple[str, str] | None, refused: str | None, signs: Signs) -> Group:
    """The pair's path, seen beside predicted; then the facts that are not as predicted."""
    parts: list[RenderableType] = []
    if refused is not None:
        parts.append(Text(refused, "bold red"))
    if pair is None:
        parts.append(Text("no pair is followed; p chooses one", "dim"))
    elif not board.paths and refused is None:
        parts.append(Text(signs.text(f"{pair[0]} → {pair[1]}: not walked yet"), "dim"))
    for path in board.paths.values():
        parts += [_path_title(path, board.walks, signs), _ways(path, signs)]
    differences = board.agreement.get("open", ())
    parts += [_difference(difference, signs) for difference in differences]
    more = board.agreement.get("open_count", 0) - len(differences)
    if more > 0:
        parts.append(Text(f"and {more} more"))
    return Group(*parts)


def _path_title(path: Event, walks: int, signs: Signs) -> Text:
    text = Text()
    text.append(signs.text(f"{_short(path['from'])} → {_short(path['to'])} "), "bold")
    text.append_text(signs.judged(path["predicted"]))
    text.append(f" walk {walks}", "dim")
    return text


def _ways(path: Event, signs: Signs) -> Table:
    table = _beside()
    if path["because"] is not None:
        table.add_row("not seen", Text(signs.text(path["because"]), "bold yellow"))
    wrong = path["predicted"] is False
    for way in path["hops"]:
        table.add_row("seen", Text(signs.text(way), "bold red" if wrong else ""))
    expected = path["expected"]
    for way in ["nothing"] if expected is None else expected["hops"]:
        table.add_row("predicted", Text(signs.text(way)))
    return table


def _beside() -> Table:
    """Two columns: what it is, and the text, which is folded beside it."""
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(style="dim", width=11, justify="right")
    table.add_column(ratio=1)
    return table


def _short(endpoint: str) -> str:
    """`pod:default/netshoot@worker` -> netshoot@worker, as scenario files may call it."""
    return endpoint.partition(":")[2].rpartition("/")[2] or endpoint


def _difference(of: Event, signs: Signs) -> RenderableType:
    text = Text()
    where = " ".join(part for part in (of["device"], of["prefix"], of["peer"], of["field"]) if part)
    text.append(f"{signs.wrong} {of['plane']} {of['kind']} ", "bold red")
    text.append(where)
    predicted, seen = signs.text(of["predicted"] or "-"), signs.text(of["observed"] or "-")
    if len(predicted) + len(seen) <= _SHORT:
        text.append(": ").append("predicted ", "dim").append(predicted).append(" seen ", "dim").append(seen)
        return text
    table = _beside()
    table.add_row("seen", seen)
    table.add_row("predicted", predicted)
    return Group(text, table)
