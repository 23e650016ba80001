"""Numbers with their units."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from bgpsim.inputs.quantities import bits_per_second, microseconds, per_cent


def _quantity(read: Callable[[str], object], example: str) -> Any:
    def with_unit(value: Any) -> Any:
        """`0` needs no unit, and YAML has made a number of it."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            if value:
                raise ValueError(f"found {value}; expected a number with its unit, {example} say")
            return "0"
        return value

    def check(text: str) -> str:
        read(text)
        return text

    shape = {"anyOf": [{"type": "string"}, {"const": 0}], "examples": [example]}
    return Annotated[str, AfterValidator(check), BeforeValidator(with_unit), WithJsonSchema(shape)]


if TYPE_CHECKING:
    Duration: TypeAlias = str
    Rate: TypeAlias = str
    PerCent: TypeAlias = str
else:
    Duration = _quantity(microseconds, "20ms")
    Rate = _quantity(bits_per_second, "10mbit")
    PerCent = _quantity(per_cent, "1%")
