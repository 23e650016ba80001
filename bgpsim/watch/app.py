"""The screen of `bgpsim watch`."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.widgets import DataTable, Footer, Static

from bgpsim.errors import BgpsimError
from bgpsim.watch import lines, panels
from bgpsim.watch.board import Board
from bgpsim.watch.feed import Feed
from bgpsim.watch.prompt import Prompt

_REFRESH = 0.2
"""Seconds between two looks at what was told."""
_PASSED_SHOWN, _WRONG_SHOWN = 3.0, 15.0
"""Seconds that the end of a step is told of; the head has its verdict for longer."""
_WIDE = 120
"""Columns from which on panels stand side by side."""


class LiveTable(DataTable[Any]):
    """Rows that come and go; where somebody has scrolled to stays."""

    can_focus = True

    def __init__(self, columns: Sequence[str], **options: Any) -> None:
        super().__init__(cursor_type="none", zebra_stripes=True, cell_padding=1, **options)
        self._names = columns
        self._shown: list[tuple[panels.Cells, ...]] = []

    def on_mount(self) -> None:
        for name in self._names:
            self.add_column(name)

    def show(self, rows: Sequence[tuple[Any, panels.Cells]]) -> None:
        now = [cells for _, cells in rows]
        if now == self._shown:
            return
        self._shown = list(now)  # type: ignore[arg-type]
        at = self.scroll_y
        self.clear()
        for cells in now:
            self.add_row(*cells)
        self.scroll_to(y=at, animate=False)


class WatchApp(App[None]):
    """A lab, live. `return_code` is 3 where it ended by itself, 2 where it could not be watched."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "ask('announce')", "announce"),
        Binding("w", "ask('withdraw')", "withdraw"),
        Binding("c", "ask('cut')", "cut a link"),
        Binding("r", "ask('restore')", "restore"),
        Binding("p", "ask('pair')", "pair"),
        Binding("tab", "app.focus_next", "next panel", show=False),
        Binding("q", "quit", "quit"),
    ]
    CSS = """
    #head { height: 2; background: $panel; text-wrap: nowrap; text-overflow: ellipsis; }
    #panels { layout: vertical; height: 1fr; }
    .panel { border-top: solid $primary; border-title-color: $text; border-title-style: bold; height: 1fr; }
    .panel:focus, .panel:focus-within { border-top: heavy $accent; }
    .ascii .panel { border-top: ascii $primary; }
    LiveTable { scrollbar-size-vertical: 1; scrollbar-size-horizontal: 0; }
    LiveTable > .datatable--header { background: $background; text-style: dim; }
    #sessions { height: 4fr; }
    #routes { height: 5fr; }
    #heard { height: 3fr; }
    #prediction { height: 4fr; scrollbar-size-vertical: 1; }
    Toast { width: auto; max-width: 70%; padding: 0 1; }
    .-wide #panels { layout: grid; grid-size: 2 2; grid-columns: 5fr 6fr; grid-rows: 1fr 1fr; grid-gutter: 0 1; }
    .-wide .panel { height: 100%; }
    """

    def __init__(self, feed: Feed, pair: tuple[str, str] | None, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_WIDE, "-wide")]
        self.board = Board()
        self._feed = feed
        self._pair = pair
        self._clock = clock
        self._signs = panels.signs_for(getattr(sys.stdout, "encoding", None))
        self._told: deque[Callable[[], None]] = deque()
        """What other threads have to say, done in this one."""
        self._doing: str | None = None
        self._refused: str | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="head")
        with Container(id="panels", classes="ascii" if self._signs is panels.ASCII else ""):
            yield LiveTable(panels.SESSION_COLUMNS, id="sessions", classes="panel")
            yield LiveTable(panels.ROUTE_COLUMNS, id="routes", classes="panel")
            with VerticalScroll(id="prediction", classes="panel"):
                yield Static(id="ways")
            yield LiveTable(panels.HEARD_COLUMNS, id="heard", classes="panel")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.title = f"bgpsim watch {self._feed.name}"
        threading.Thread(target=self._listen, name="events", daemon=True).start()
        self.set_interval(_REFRESH, self._refresh_panels)
        self._refresh_panels()

    def on_unmount(self) -> None:
        self._feed.close()

    def _listen(self) -> None:
        try:
            for event in self._feed.events(self._pair):
                self._told.append(partial(self._take, event))
        except BgpsimError as error:
            self._told.append(partial(self._cannot_watch, error))

    def _take(self, event: dict[str, Any]) -> None:
        if event["event"] == "refused":
            self._refused = event["message"] + (f"; {event['hint']}" if event["hint"] else "")
            return
        if event["event"] == "path":
            self._refused = None
        self.board.take(event)

    def _cannot_watch(self, error: BgpsimError) -> None:
        if self.is_running:
            self.exit(
                return_code=error.exit_code, message=f"error: {error}" + (f"; {error.hint}" if error.hint else "")
            )

    def _refresh_panels(self) -> None:
        while self._told:
            self._told.popleft()()
        if not self.query("#head"):
            return  # on its way out the screen is emptied before the timer ends
        now = self._clock()
        board, signs = self.board, self._signs
        board.forget(now)
        self.query_one("#head", Static).update(panels.head_lines(board, self._feed.name, self._doing, signs))
        for name, rows in (
            ("sessions", panels.session_rows(board, signs, now)),
            ("routes", panels.route_rows(board, signs, now)),
            ("heard", panels.heard_rows(board, signs, now)),
        ):
            self.query_one(f"#{name}", LiveTable).show(rows)
        self.query_one("#ways", Static).update(panels.prediction(board, self._pair, self._refused, signs))
        for name, title in panels.titles(board).items():
            self.query_one(f"#{name}").border_title = title

    def action_ask(self, verb: lines.Verb) -> None:
        if self.board.ended is not None:
            self.notify("the lab has ended", severity="error")
            return
        lab = self.board.lab
        if verb == "pair":
            self.push_screen(Prompt(verb, lab, lines.read_pair), self._choose)
            return
        down = lab.get("down", [])
        text = f"{down[0]} " if verb == "restore" and len(down) == 1 else ""
        check = partial(lines.read, verb, lab=lab)
        self.push_screen(Prompt(verb, lab, check, text), partial(self._play, verb))

    def _choose(self, line: str | None) -> None:
        if line is None:
            return
        self._pair, self._refused = lines.read_pair(line), None
        self.board.paths.clear()
        self.board.walks = 0
        self._feed.choose(self._pair)

    def _play(self, verb: lines.Verb, text: str | None) -> None:
        if text is None:
            return
        line = lines.read(verb, text, self.board.lab)
        self._doing = line.said
        threading.Thread(target=self._run, args=(line,), name="play", daemon=True).start()

    def _run(self, line: lines.Line) -> None:
        try:
            run = self._feed.play(line, lambda doing: self._told.append(partial(self._now_doing, doing)))
        except BgpsimError as error:
            said = "; ".join(part for part in (str(error), error.hint) if part)
            self._told.append(partial(self._done, line, said, "error"))
            return
        why = "" if run.error is None else f": {run.error.message}"
        severity = {"pass": "information", "fail": "warning"}.get(run.verdict, "error")
        self._told.append(partial(self._done, line, f"{run.verdict}{why}", severity))

    def _now_doing(self, doing: str) -> None:
        self._doing = doing

    def _done(self, line: lines.Line, said: str, severity: Any) -> None:
        self._doing = None
        seconds = _PASSED_SHOWN if severity == "information" else _WRONG_SHOWN
        self.notify(self._signs.text(f"{line.said}: {said}"), severity=severity, timeout=seconds, markup=False)
