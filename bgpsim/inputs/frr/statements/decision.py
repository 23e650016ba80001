"""Statements about which path is chosen that are not modelled."""

from __future__ import annotations

from bgpsim.inputs.frr.grammar.statement import Statement, listed

_CHOICE = "which path is best may depend on it"
_SETS = "AS paths that a router makes or looks into may depend on it"

STATEMENTS: tuple[Statement, ...] = (
    *listed(
        "possible",
        _CHOICE,
        "bgp",
        ("[no] bgp bestpath as-path multipath-relax as-set", "bgp bestpath as-path multipath-relax as-set"),
        (
            "bgp bestpath bandwidth <ignore|skip-missing|default-weight-for-missing>",
            "bgp bestpath bandwidth ignore",
        ),
        ("no bgp bestpath bandwidth [<ignore|skip-missing|default-weight-for-missing>]", "no bgp bestpath bandwidth"),
    ),
    *listed(
        "possible",
        _CHOICE,
        "bgp",
        ("bgp max-med administrative [(0-4294967295)]", "bgp max-med administrative"),
        ("bgp max-med on-startup (5-86400) [(0-4294967295)]", "bgp max-med on-startup 60"),
        ("no bgp max-med administrative [(0-4294967295)]", "no bgp max-med administrative"),
        ("no bgp max-med on-startup [(5-86400) [(0-4294967295)]]", "no bgp max-med on-startup"),
    ),
    *listed(
        "possible",
        _SETS,
        "bgp",
        ("[no] bgp reject-as-sets", "bgp reject-as-sets"),
        ("[no] bgp allow-martian-nexthop", "bgp allow-martian-nexthop"),
    ),
)
