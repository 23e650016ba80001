"""Where something is written: the `file:line` that explanations, lint and mismatches point to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """A line of an input file; `file` is as the user named it (relative to the scenario file's folder)."""

    file: str
    line: int
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, order=True)
class Unmodelled:
    """A statement that was read and that the model does not take into account.

    `effect` is "none" where it cannot change any predicted fact (and `why` says so), "possible" where it might:
    then the verdict's confidence is partial. `affects` names the devices that it can touch, sorted.
    """

    source: Source
    device: str | None
    text: str
    effect: Literal["none", "possible"]
    affects: tuple[str, ...] = ()
    why: str = ""
