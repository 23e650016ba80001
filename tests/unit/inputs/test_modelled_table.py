"""docs/modelled.md says of every FRR statement what becomes of it; the code is held to it, line by line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bgpsim.errors import InputError
from bgpsim.inputs.commands import VtyLine
from bgpsim.inputs.frr.reader import FrrReader
from bgpsim.source import Source

TABLE = Path(__file__).parents[3] / "docs" / "modelled.md"
ROWS = re.findall(r"^\| `([^`]+)` \| (modelled|listed, none|listed, possible|refused) \|$", TABLE.read_text(), re.M)
# What each statement stands in: a router that has the neighbor and the group already.
BEFORE = (
    "conf t",
    "router bgp 65000",
    "neighbor FABRIC peer-group",
    "neighbor FABRIC remote-as external",
    "neighbor 10.0.1.2 remote-as 65001",
)
IN_FAMILY = ("activate", "next-hop-self", "default-originate", "redistribute", "network", "maximum-paths")
TOP = ("frr defaults", "router", "ip route", "ip prefix-list", "route-map", "hostname", "log")


def read(statement: str) -> FrrReader:
    reader = FrrReader("r1")
    before = [*BEFORE]
    if statement.startswith(TOP):
        before.append("exit")
    if statement.startswith("router bgp"):
        before = ["conf t"]
    if any(word in statement.split() for word in IN_FAMILY) or statement == "exit-address-family":
        before.append("address-family ipv4 unicast")
    lines = [*before, statement]
    reader.read([VtyLine(text, Source("frr", number, text)) for number, text in enumerate(lines, 1)])
    return reader


def test_the_table_is_there() -> None:
    assert len(ROWS) >= 60
    assert {answer for _, answer in ROWS} == {"modelled", "listed, none", "listed, possible", "refused"}


@pytest.mark.parametrize(("statement", "answer"), ROWS)
def test_a_statement_is_taken_as_the_table_says(statement: str, answer: str) -> None:
    if answer == "refused":
        with pytest.raises(InputError):
            read(statement)
        return
    listed = [(note.text, note.effect) for note in read(statement).unmodelled]
    assert listed == ([] if answer == "modelled" else [(statement, answer.removeprefix("listed, "))])
