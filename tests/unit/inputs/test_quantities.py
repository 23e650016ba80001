"""Durations, rates and percentages: units are asked for, and what is none is told."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgpsim.inputs.quantities import bits_per_second, duration_text, microseconds, per_cent, rate_text


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (microseconds, "20ms", 20_000),
        (microseconds, "1.5s", 1_500_000),
        (microseconds, "0.25 ms", 250),
        (microseconds, "7us", 7),
        (microseconds, "0", 0),
        (microseconds, "10MS", 10_000),
        (bits_per_second, "10mbit", 10_000_000),
        (bits_per_second, "64kbit", 64_000),
        (bits_per_second, "2.5Gbit", 2_500_000_000),
        (bits_per_second, "0", 0),
        (per_cent, "1%", 1.0),
        (per_cent, "0.05 %", 0.05),
        (per_cent, "100%", 100.0),
        (per_cent, "0", 0.0),
    ],
)
def test_a_number_and_its_unit(read: Callable[[str], float], text: str, value: float) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (microseconds, "20", "'20' is not a duration; expected 20ms, 1.5s or 300us, say"),
        (microseconds, "20m", "one of us, ms, s"),
        (microseconds, "-1ms", "'-1ms' is not a duration"),
        (microseconds, "1e3ms", "'1e3ms' is not a duration"),
        (microseconds, "", "'' is not a duration"),
        (microseconds, "0.5us", "finer than 1 us"),
        (microseconds, "٣ms", "is not a duration"),
        (bits_per_second, "10mbps", "'10mbps' is not a rate; expected 10mbit"),
        (bits_per_second, "10", "'10' is not a rate"),
        (per_cent, "1", "'1' is not a percentage; expected 1%"),
        (per_cent, "101%", "at most 100%"),
        (per_cent, "1 percent", "is not a percentage"),
    ],
)
def test_what_is_none_is_refused(read: Callable[[str], float], text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        read(text)
    assert message in str(caught.value)


@given(st.integers(min_value=0, max_value=10**11))
def test_what_is_written_is_read_again(value: int) -> None:
    assert microseconds(duration_text(value)) == value
    assert bits_per_second(rate_text(value)) == value


@given(st.text(max_size=12))
def test_any_text_is_a_value_or_a_value_error(text: str) -> None:
    for read in (microseconds, bits_per_second, per_cent):
        with contextlib.suppress(ValueError):
            assert read(text) >= 0


def test_spelled_shortly() -> None:
    assert [duration_text(v) for v in (20_000, 1_500_000, 2_000_000, 7)] == ["20ms", "1500ms", "2s", "7us"]
    assert [rate_text(v) for v in (10_000_000, 64_000, 1_500_000, 5)] == ["10mbit", "64kbit", "1500kbit", "5bit"]
