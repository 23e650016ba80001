"""What vtysh prints of typed lines, in FRR 8.4.4's own words (captured from it)."""

from __future__ import annotations

import pytest

from bgpsim.errors import LabError
from bgpsim.inputs.files.lab_files import TypedLines
from bgpsim.lab.embedded.vtysh import refused
from bgpsim.source import Source

OUTPUT = """
Hello, this is FRRouting (version 8.4.4).
Copyright 1996-2005 Kunihiro Ishiguro, et al.

tor0# configure terminal
tor0(config)# router bgp
tor0(config-router)# no neighbor 10.0.1.2
tor0(config-router)# neighbor 10.0.9.9 activate
% Specify remote-as or peer-group commands first
tor0(config-router)# neighbor bogus foo
% Unknown command: neighbor bogus foo
tor0(config-router)# neighbor 10.0.2.2 timers 3 10
tor0(config-router)# \n"""
LINES = (
    "router bgp",
    "no neighbor 10.0.1.2",
    "neighbor 10.0.9.9 activate",
    "neighbor bogus foo",
    "neighbor 10.0.2.2 timers 3 10",
)


def typed(*lines: str) -> TypedLines:
    return TypedLines("tor0", tuple(Source("s.yaml", number, line) for number, line in enumerate(lines, 10)))


def test_each_refused_line_is_named_with_its_place() -> None:
    found = [(line.line, line.answer, str(line.source)) for line in refused(typed(*LINES), OUTPUT)]
    assert found == [
        ("neighbor 10.0.9.9 activate", "% Specify remote-as or peer-group commands first", "s.yaml:12"),
        ("neighbor bogus foo", "% Unknown command: neighbor bogus foo", "s.yaml:13"),
    ]


def test_a_line_that_vtysh_never_read_is_no_success() -> None:
    with pytest.raises(LabError, match="did not take `neighbor 10"):
        refused(typed(*LINES, "neighbor 10.0.2.2 shutdown"), OUTPUT)
