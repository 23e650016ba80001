"""`make soak`: labs up and down, with random steps and a fault in each; what comes of it is judged and recorded."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import click

from tests.soak import growth, processes
from tests.soak.faults import BY_NAME, FAULTS, Fault
from tests.soak.record import Record, table
from tests.soak.rounds import Place, play


def drawn(seed: int, number: int, among: tuple[Fault, ...] = FAULTS) -> tuple[Fault, str]:
    """The fault and the kind of lab of a round: every fault comes once in each `len(among)` rounds."""
    block, place = divmod(number, len(among))
    shuffled = list(among)
    random.Random(f"{seed} {block} faults").shuffle(shuffled)
    fault = shuffled[place]
    return fault, random.Random(f"{seed} {number} kind").choice(fault.kinds)


@click.command()
@click.option("--labs", default=200, show_default=True, help="Rounds in all, those of earlier pieces counted.")
@click.option("--minutes", default=30.0, show_default=True, help="No new round begins after so long.")
@click.option("--seed", default=1, show_default=True)
@click.option("--only", multiple=True, metavar="FAULT", help="One of: " + ", ".join(BY_NAME) + ".")
@click.option("--folder", type=click.Path(path_type=Path), default=Path("soak"), show_default=True)
@click.option("--steps", default=0, help="Instead: a kept lab takes so many steps, and what it holds is measured.")
def main(labs: int, minutes: float, seed: int, only: tuple[str, ...], folder: Path, steps: int) -> None:
    """Rounds go on where an earlier run of the same seed and folder ended. Exit code 1 when any round went wrong."""
    # A shell's background job has it ignored, and so would every command that is to be interrupted.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = folder.resolve()
    processes.adopt()
    place = Place(folder)
    if steps:
        raise SystemExit(growth.measure(place, steps))
    unknown = [name for name in only if name not in BY_NAME]
    if unknown:
        raise click.UsageError(f"found --only {unknown[0]!r}; expected one of {', '.join(BY_NAME)}")
    among = tuple(BY_NAME[name] for name in only) or FAULTS
    record = Record(folder / "record.jsonl")
    until = time.monotonic() + 60 * minutes
    for number in range(labs):
        if number in record.done(seed) or time.monotonic() > until:
            continue
        fault, kind = drawn(seed, number, among)
        row = play(place, fault, kind, seed, number)
        record.add(row)
        state = "wrong" if row.complaints else "ok" if row.injected or fault.how in ("none", "client") else "missed"
        click.echo(f"{number:4} {state:6} {kind:4} {fault.name:22} {row.codes} {row.seconds:5.1f} s  {row.said[:90]}")
        for complaint in row.complaints:
            click.echo(f"            {complaint}")
    rows = [row for row in record.rows() if row.seed == seed]
    click.echo(table(rows))
    wrong = sum(bool(row.complaints) for row in rows)
    click.echo(f"{len(rows)} of {labs} rounds, seed {seed}; {wrong} wrong; record: {record.file}")
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
