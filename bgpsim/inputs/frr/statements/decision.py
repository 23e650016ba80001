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
        ("[no] bgp bestpath as-path confed", "bgp bestpath as-path confed"),
        ("[no] bgp bestpath as-path ignore", "bgp bestpath as-path ignore"),
        (
            "[no] bgp bestpath as-path multipath-relax <as-set|no-as-set>",
            "bgp bestpath as-path multipath-relax as-set",
            "bgp bestpath as-path multipath-relax no-as-set",
        ),
        (
            "[no] bgp bestpath med <confed [missing-as-worst]|missing-as-worst [confed]>",
            "bgp bestpath med confed",
            "bgp bestpath med missing-as-worst",
        ),
        ("[no] bgp bestpath peer-type multipath-relax", "bgp bestpath peer-type multipath-relax"),
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
        ("bgp default local-preference (0-4294967295)$preference", "bgp default local-preference 200"),
        undo="bgp default local-preference [(0-4294967295)]",
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
        "loop checks and what a reflector tells may depend on it",
        "bgp",
        ("[no] bgp client-to-client reflection", "no bgp client-to-client reflection"),
        ("bgp cluster-id <A.B.C.D|(1-4294967295)>$cluster", "bgp cluster-id 10.0.0.9", "bgp cluster-id 9"),
        ("no bgp cluster-id [<A.B.C.D|(1-4294967295)>]", "no bgp cluster-id"),
        ("[no] bgp route-reflector allow-outbound-policy", "bgp route-reflector allow-outbound-policy"),
    ),
    *listed(
        "possible",
        "confederations are not modelled",
        "bgp",
        ("bgp confederation identifier ASNUM$asn", "bgp confederation identifier 65500"),
        ("no bgp confederation identifier [ASNUM]", "no bgp confederation identifier"),
        ("[no] bgp confederation peers ASNUM...$peers", "bgp confederation peers 65001 65002"),
    ),
    *listed(
        "possible",
        _SETS,
        "bgp",
        ("[no] bgp reject-as-sets", "bgp reject-as-sets"),
        ("[no] bgp allow-martian-nexthop", "bgp allow-martian-nexthop"),
    ),
)
