"""Durations, rates and percentages as people write them: `20ms`, `10mbit`, `1%`; each is a number with its unit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

_NUMBER = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)\s*([A-Za-z%µ]*)", re.ASCII)
_MICROSECONDS: Mapping[str, int] = MappingProxyType({"us": 1, "ms": 1000, "s": 1_000_000})
_BITS: Mapping[str, int] = MappingProxyType({"bit": 1, "kbit": 10**3, "mbit": 10**6, "gbit": 10**9})
"""tc(8)'s: a `kbit` is 1000 bits per second, and `bps` would be bytes, so it is not taken."""


def microseconds(text: str) -> int:
    """`20ms`, `1.5s`, `300us`, `0`. Raises ValueError, with what was found and expected."""
    return _whole(text, _MICROSECONDS, "a duration", "20ms, 1.5s or 300us, say")


def bits_per_second(text: str) -> int:
    """`10mbit`, `64kbit`, `1gbit`, `0`. Raises ValueError."""
    return _whole(text, _BITS, "a rate", "10mbit, 64kbit or 1gbit, say")


def per_cent(text: str) -> float:
    """`1%`, `0.5%`, `0`; from 0 to 100. Raises ValueError."""
    number, unit = _parts(text, "a percentage", "1% or 0.5%, say")
    if number > 100 or (number and unit != "%"):
        raise ValueError(f"'{text}' is not a percentage; expected 1% or 0.5%, say, at most 100%")
    return float(number)


def _whole(text: str, units: Mapping[str, int], what: str, examples: str) -> int:
    number, unit = _parts(text, what, examples)
    if not number and not unit:
        return 0
    factor = units.get(unit.lower())
    if factor is None:
        raise ValueError(f"'{text}' is not {what}; expected {examples} (a number and one of {', '.join(units)})")
    value = number * factor
    if value != int(value):
        raise ValueError(f"'{text}' is finer than 1 {next(iter(units))}; expected {what} in whole ones")
    return int(value)


def _parts(text: str, what: str, examples: str) -> tuple[Decimal, str]:
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"'{text}' is not {what}; expected {examples}")
    return Decimal(found[1]), found[2]


def duration_text(value: int) -> str:
    """The shortest spelling of so many microseconds: `20ms`."""
    return _text(value, _MICROSECONDS)


def rate_text(value: int) -> str:
    """The shortest spelling of so many bits per second: `10mbit`."""
    return _text(value, _BITS)


def _text(value: int, units: Mapping[str, int]) -> str:
    unit, factor = next((u, f) for u, f in reversed(list(units.items())) if value % f == 0 or f == 1)
    return f"{Decimal(value) / factor:f}{unit}"
