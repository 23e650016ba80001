"""What is wrong with a scenario file, gathered, so that one reading tells of all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bgpsim.errors import InputError


@dataclass(slots=True)
class Problems:
    """Collects InputErrors, so that one reading tells of all."""

    found: list[InputError] = field(default_factory=list)

    @contextmanager
    def collected(self) -> Iterator[None]:
        try:
            yield
        except InputError as error:
            self.found.append(error)
