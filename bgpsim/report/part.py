"""The base of all parts of the report."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """No unknown keys, `from` and `in` by their own names in JSON."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Line(Part):
    """A configuration line behind a fact."""

    text: str
    file: str | None
    line: int | None
