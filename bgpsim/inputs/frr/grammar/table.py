"""The table of FRR statements in docs/modelled.md, made of the registry.

python -m bgpsim.inputs.frr.grammar.table docs/modelled.md
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bgpsim.inputs.frr.grammar.modes import CALLED, Mode
from bgpsim.inputs.frr.grammar.statement import VERSIONS, Answer, Statement
from bgpsim.inputs.frr.statements import STATEMENTS

BEGIN = "<!-- made of the registry of statements: python -m bgpsim.inputs.frr.grammar.table docs/modelled.md -->"
END = "<!-- end of the registry of statements -->"
_ANSWERS: dict[Answer, str] = {"modelled": "modelled", "none": "listed, none", "possible": "listed, possible"}
_NAME = re.compile(r"\$\w+")


def tables(statements: Sequence[Statement] = STATEMENTS) -> str:
    """One for each mode, in Markdown; a statement stands in the first mode that knows it."""
    modes = dict.fromkeys(s.modes[0] for s in statements)
    return "\n".join(_table(mode, [s for s in statements if s.modes[0] == mode]) for mode in CALLED if mode in modes)


def _table(mode: Mode, statements: Sequence[Statement]) -> str:
    rows = "".join(f"| `{_shown(s)}` | {_ANSWERS[s.answer]} | {'; '.join(_notes(s))} |\n" for s in statements)
    return f"### In {CALLED[mode]}\n\n| statement | answer | |\n|---|---|---|\n{rows}"


def _shown(statement: Statement) -> str:
    """The syntax for people: without the names of its values."""
    no = "" if statement.undo is None else "[no] "
    return (no + _NAME.sub("", statement.syntax)).replace("|", r"\|")


def _notes(statement: Statement) -> Iterator[str]:
    if statement.versions != VERSIONS:
        yield f"FRR {', '.join(statement.versions)}"
    if statement.why:
        yield statement.why
    others = [CALLED[mode] for mode in statement.modes[1:]]
    if others:
        yield f"in {', '.join(others)} too"
    if statement.refused:
        yield "refused: " + ", ".join(f"`{line}`" for line in statement.refused)


def written_into(text: str) -> str:
    """A document with what stands between its two marks made anew. Raises ValueError where they are not there."""
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"found no {BEGIN!r} with {END!r} after it")
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{after}"


if __name__ == "__main__":
    document = Path(sys.argv[1])
    document.write_text(written_into(document.read_text()))
