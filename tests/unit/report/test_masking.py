"""Passwords are not in what leaves the lab; all else is as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgpsim.report.masking import masked, masked_part
from bgpsim.report.part import Line

WORDS = st.text(st.characters(codec="ascii", exclude_characters="\"';,}\n\r", categories=("L", "N", "P")), min_size=8)


@given(WORDS)
def test_frrs_line_is_masked_whatever_the_password_is(word: str) -> None:
    assert masked(f" neighbor 10.0.1.2 password {word}") == " neighbor 10.0.1.2 password ***"
    assert masked(f"vtysh -c 'router bgp 1' -c 'neighbor net0 password {word}'").endswith("neighbor net0 password ***'")


@pytest.mark.parametrize(
    "text",
    [
        "md5-password 's3cret';",
        'auth-password = "s3cret"',
        "  password: s3cret",
        '"password": "s3cret"',
        "neighbor SERVERS password 8 s3cret",
        "enable password s3cret",
    ],
)
def test_each_form_is_masked(text: str) -> None:
    assert "s3cret" not in masked(text)
    assert "***" in masked(text)


@pytest.mark.parametrize("text", ["the MD5 password differs at both ends", "neighbor 10.0.1.2 remote-as 65000", ""])
def test_prose_and_other_lines_stay(text: str) -> None:
    assert masked(text) == text


def test_a_part_of_a_report() -> None:
    part = Line(text="neighbor net0 password s3cret", file="topo.yml", line=3)
    assert masked_part(part) == Line(text="neighbor net0 password ***", file="topo.yml", line=3)
