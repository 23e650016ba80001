"""Where something is written: the `file:line` that explanations, lint and mismatches point to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema


class Source(NamedTuple):
    """A line of an input file; `file` is as the user named it (relative to the scenario file's folder).

    A tuple, for it is hashed a million times: a route across thirty routers rests on a hundred lines.
    """

    file: str
    line: int
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """In JSON an object with its fields' names, not a list."""
        from pydantic_core import core_schema

        told = core_schema.plain_serializer_function_ser_schema(lambda line: line._asdict())
        return core_schema.is_instance_schema(cls, serialization=told)


def merged(*groups: tuple[Source, ...]) -> tuple[Source, ...]:
    """All lines once, in order."""
    return tuple(dict.fromkeys(source for group in groups for source in group))


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
