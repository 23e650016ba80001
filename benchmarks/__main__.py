"""`make bench`: exit code 0 where every bound is met, 1 where one is not, 2 where something could not be measured."""

from __future__ import annotations

import argparse
import sys

from rich.console import Console

from benchmarks.commands import CommandFailed
from benchmarks.figures import Parts, Row
from benchmarks.rows import ROWS
from benchmarks.table import render


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one run of each: does it work at all?")
    parser.add_argument("only", nargs="*", metavar="ROW", help=f"these rows alone, of {', '.join(ROWS)}")
    arguments = parser.parse_args()
    for name in arguments.only:
        if name not in ROWS:
            parser.error(f"found the row {name!r}, expected one of {', '.join(ROWS)}")
    rows: list[Row] = []
    parts: list[Parts] = []

    def tell(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    for name in arguments.only or ROWS:
        try:
            row, of_row = ROWS[name](arguments.quick, tell)
        except CommandFailed as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            return 130
        rows.append(row)
        parts.extend(of_row)
    # A pipe has no width: what a file gets must not depend on the terminal.
    render(rows, parts, Console(width=None if sys.stdout.isatty() else 160, highlight=False, markup=False))
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
