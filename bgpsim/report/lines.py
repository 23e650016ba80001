"""One line on a console: what a terminal folds keeps its indentation."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.text import Text


def say(console: Console, markup: str = "", indent: int = 0) -> None:
    """`markup`: rich's. `indent`: columns."""
    line = Text.from_markup(markup)
    if console.is_terminal:
        console.print(Padding(line, (0, 0, 0, indent), expand=False), highlight=False)
    else:
        line.pad_left(indent)
        console.print(line, soft_wrap=True, highlight=False)
