"""What soak has done, a JSON object a line: a run in pieces goes on where the last one ended."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """One round."""

    seed: int
    number: int
    kind: str
    fault: str
    injected: bool
    late: bool
    device: str | None
    after: float | None
    """Seconds from the lab's beginning to the fault."""
    steps: int
    codes: tuple[int, ...]
    said: str
    """The line that names the cause."""
    seconds: float
    slowest: float
    """Seconds from the fault to the end of the command that met it last."""
    complaints: tuple[str, ...] = field(default=())


class Record:
    def __init__(self, file: Path) -> None:
        self.file = file

    def add(self, row: Row) -> None:
        with self.file.open("a") as lines:
            lines.write(json.dumps(asdict(row)) + "\n")

    def rows(self) -> tuple[Row, ...]:
        """A line that was cut by the end of its writer is no row."""
        found = []
        for line in self.file.read_text().splitlines() if self.file.exists() else ():
            try:
                value = json.loads(line)
            except ValueError:
                continue
            found.append(Row(**{**value, "codes": tuple(value["codes"]), "complaints": tuple(value["complaints"])}))
        return tuple(found)

    def done(self, seed: int) -> frozenset[int]:
        return frozenset(row.number for row in self.rows() if row.seed == seed)


def table(rows: Iterable[Row]) -> str:
    """Per fault: how often, with which exit codes, what was said, and how long it took at most."""
    of: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        of[row.fault].append(row)
    lines = ["| fault | rounds | injected | exit codes | said | slowest | wrong |", "|---|---|---|---|---|---|---|"]
    lines += [_line(fault, of[fault]) for fault in sorted(of)]
    return "\n".join(lines) + "\n"


def _line(fault: str, rows: Sequence[Row]) -> str:
    injected = [row for row in rows if row.injected]
    met = Counter(next((code for code in row.codes if code), 0) for row in injected or rows)
    codes = ", ".join(f"{code} ({count})" for code, count in sorted(met.items()))
    said = next((row.said for row in injected if row.said), "")
    slowest = max((row.slowest for row in injected), default=0.0)
    wrong = sum(bool(row.complaints) for row in rows)
    late = sum(row.late for row in injected)
    there = f"{len(injected)}" + (f" ({late} as it ended)" if late else "")
    return f"| {fault} | {len(rows)} | {there} | {codes} | {said.replace('|', '/')} | {slowest:.1f} s | {wrong} |"
