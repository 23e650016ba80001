"""A line to type in, with completion: Tab takes a name, Enter sends the line, Escape leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Input, Label, OptionList

from bgpsim.errors import InputError
from bgpsim.watch.lines import FORMS, Lab, Verb, completed, completions

_MOST_OFFERED = 50


class Prompt(ModalScreen[str]):
    """Dismissed with the line, or with None. `check` raises InputError for a line that cannot be meant."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss_empty", "leave")]
    DEFAULT_CSS = """
    Prompt { align: center bottom; background: $background 30%; }
    Prompt > Vertical { height: auto; width: 100%; max-height: 16; background: $surface; border-top: solid $primary; }
    Prompt Input, Prompt Input:focus { border: none; height: 1; padding: 0 1; background: $boost; }
    Prompt Label { padding: 0 1; width: 100%; }
    Prompt #form { color: $text-muted; }
    Prompt #problem { color: $text-error; text-style: bold; }
    Prompt OptionList { height: auto; max-height: 6; border: none; padding: 0 1; }
    """

    def __init__(self, verb: Verb, lab: Lab, check: Callable[[str], object], text: str = "") -> None:
        super().__init__()
        self._verb: Verb = verb
        self._lab = lab
        self._check = check
        self._text = text

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Label(f"{self._verb} {FORMS[self._verb]}", id="form", markup=False)
            yield Input(self._text)
            yield Label("", id="problem", markup=False)
            yield OptionList()

    def on_mount(self) -> None:
        self.query_one("#problem").display = False
        field = self.query_one(Input)
        field.focus()
        field.cursor_position = len(self._text)
        self._offer(self._text)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        self.query_one("#problem").display = False
        self._offer(event.value)

    def _offer(self, line: str) -> None:
        offered = self.query_one(OptionList)
        offered.clear_options()
        words = completions(self._verb, line, self._lab)
        offered.add_options(words[:_MOST_OFFERED])
        offered.display = bool(words)
        if words:
            offered.highlighted = 0

    def on_key(self, event: Key) -> None:
        offered = self.query_one(OptionList)
        if event.key in ("up", "down") and offered.option_count:
            offered.action_cursor_up() if event.key == "up" else offered.action_cursor_down()
        elif event.key == "tab":
            self._take(offered.highlighted)
        else:
            return
        event.prevent_default()
        event.stop()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self._take(event.option_index)

    def _take(self, index: int | None) -> None:
        offered, field = self.query_one(OptionList), self.query_one(Input)
        if index is None or index >= offered.option_count:
            return
        field.value = completed(field.value, str(offered.get_option_at_index(index).prompt))
        field.cursor_position = len(field.value)
        field.focus()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        try:
            self._check(event.value)
        except InputError as error:
            problem = self.query_one("#problem", Label)
            problem.update(error.message + (f"; {error.hint}" if error.hint else ""))
            problem.display = True
            return
        self.dismiss(event.value)

    def action_dismiss_empty(self) -> None:
        self.dismiss(None)
