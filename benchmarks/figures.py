"""What a row of the table says: a figure, what stands beside it, and whether it is within its bound. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

Unit = Literal["s", "MiB"]


@dataclass(frozen=True, slots=True)
class Beside:
    """What was measured in the same run, alternating with the figure."""

    what: str
    seconds: float
    """Or MiB, where the row's unit says so."""


@dataclass(frozen=True, slots=True)
class Row:
    what: str
    runs: tuple[float, ...]
    """Seconds (or `unit`), in the order they were measured."""
    beside: Beside | None
    bound: float
    """Times what stands beside it; where nothing does, seconds."""
    peak_kib: int
    """Resident memory of the largest process, over all runs."""
    unit: Unit = "s"

    @property
    def seconds(self) -> float:
        return median(self.runs)

    @property
    def ratio(self) -> float | None:
        return None if self.beside is None else self.seconds / self.beside.seconds

    @property
    def met(self) -> bool:
        return (self.seconds if self.ratio is None else self.ratio) <= self.bound

    @property
    def rule(self) -> str:
        return f"{self.bound:g} s" if self.beside is None else f"{self.bound:g} x {self.beside.what}"


@dataclass(frozen=True, slots=True)
class Parts:
    """Where a measured time (or memory) went, in order: name and seconds (or `unit`)."""

    what: str
    parts: tuple[tuple[str, float], ...]
    unit: Unit = "s"


def medians(what: str, runs: Sequence[Parts]) -> Parts:
    """Part by part; all runs have the same ones."""
    names = [name for name, _ in runs[0].parts]
    columns = zip(*([seconds for _, seconds in run.parts] for run in runs), strict=True)
    return Parts(what, tuple(zip(names, (median(column) for column in columns), strict=True)))
