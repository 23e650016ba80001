"""Values of path attributes: one spelling of what is good, a word on what is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgpsim.scenario.schema.attribute_values import (
    aggregator,
    extended_community,
    octets,
    optional_flags,
    router_id,
    unknown_code,
)

CHECKS = (aggregator, router_id, extended_community, octets)


@given(st.text(max_size=30))
def test_any_text_is_taken_in_one_spelling_or_refused_with_what_was_expected(text: str) -> None:
    for check in CHECKS:
        try:
            spelled = check(text)
        except ValueError as error:
            spelled, said = None, str(error)
        assert "expected" in said if spelled is None else check(spelled) == spelled


@given(st.integers(-(2**40), 2**40))
def test_any_number_is_a_code_or_flags_or_refused(number: int) -> None:
    for check in (unknown_code, optional_flags):
        try:
            taken = check(number)
        except ValueError as error:
            taken, said = None, str(error)
        assert taken == number or "expected" in said


@given(st.binary(min_size=1, max_size=40))
def test_octets_are_hexadecimal(value: bytes) -> None:
    assert octets("0x" + value.hex().upper()) == "0x" + value.hex()


@pytest.mark.parametrize(
    ("check", "value", "message"),
    [
        (extended_community, "target:65000", "is not an extended community; expected target:ADMINISTRATOR:NUMBER"),
        (extended_community, "bandwidth:1:1", "'bandwidth:1:1' is not an extended community"),
        (extended_community, "target:65000:4294967296", "expected a number from 0 to 4294967295 at its end"),
        (extended_community, "target:70000:65536", "expected a number from 0 to 65535 at its end"),
        (extended_community, "target:1.2.3.4:65536", "expected a number from 0 to 65535 at its end"),
        (extended_community, "target:4294967296:1", "is not an extended community"),
        (aggregator, "0:1.2.3.4", "is not an aggregator; expected ASN:ADDRESS"),
        (aggregator, "65000", "is not an aggregator"),
        (aggregator, "65000:1.2.3", "is not an aggregator"),
        (router_id, "0.0.0.0", "expected another than 0.0.0.0 (RFC 6286)"),
        (router_id, "9", "expected one written like 192.0.2.1"),
        (octets, "0x", "is no value; expected '0x' and an even number of hexadecimal digits"),
        (octets, "0x123", "is no value"),
        (octets, "12", "is no value"),
        (octets, "0x12 34", "is no value"),
        (octets, "0x" + "00" * 2049, "4096 at most"),
        (unknown_code, 4, "found 4; expected the key `med` instead"),
        (unknown_code, 32, "found 32; expected the key `large-communities` instead"),
        (unknown_code, 40, "found 40, which routers take apart; expected a code that they do not know, 99, say"),
        (unknown_code, 0, "expected a code from 11 to 254"),
        (unknown_code, 256, "expected a code from 11 to 254"),
        (optional_flags, 0x40, "found 0x40; expected 0x80 (optional), 0xC0 (and transitive) or 0xE0"),
        (optional_flags, 0xD0, "over any other a router ends the session"),
    ],
)
def test_what_is_none_is_told(check: Callable[[object], object], value: object, message: str) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        check(value)
    assert message in str(caught.value)
