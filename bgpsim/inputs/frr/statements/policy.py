"""What is done to routes of one neighbor and is not modelled."""

from __future__ import annotations

from bgpsim.inputs.frr.grammar.statement import Statement, listed
from bgpsim.inputs.frr.statements.neighbor import NEIGHBOR, OF_A_FAMILY

_FILTER = "which routes pass, and with which attributes, may depend on it"
_LOOP = "which routes are taken or sent may depend on it"
_PATHS = "which of several paths of one prefix are sent may depend on it"

STATEMENTS: tuple[Statement, ...] = (
    *listed(
        "possible",
        "bgpd looks at the condition every `bgp conditional-advertisement timer` seconds (60) alone, and a lab may be"
        " quiet before that",
        OF_A_FAMILY,
        (
            f"[no] {NEIGHBOR} advertise-map WORD$map <exist-map|non-exist-map>$when WORD$condition",
            "neighbor 10.0.1.2 advertise-map OUT exist-map CONDITION",
            "neighbor 10.0.1.2 advertise-map OUT non-exist-map CONDITION",
        ),
    ),
    *listed(
        "possible",
        _FILTER,
        OF_A_FAMILY,
        (f"[no] {NEIGHBOR} route-server-client", "neighbor 10.0.1.2 route-server-client"),
    ),
    *listed(
        "possible",
        _FILTER,
        OF_A_FAMILY,
        (f"{NEIGHBOR} soo ASN:NN_OR_IP-ADDRESS:NN$site", "neighbor 10.0.1.2 soo 65001:9"),
        undo=f"{NEIGHBOR} soo [ASN:NN_OR_IP-ADDRESS:NN]",
    ),
    *listed(
        "possible",
        _LOOP,
        OF_A_FAMILY,
        (f"{NEIGHBOR} maximum-prefix-out (1-4294967295)$limit", "neighbor 10.0.1.2 maximum-prefix-out 10"),
        (f"no {NEIGHBOR} maximum-prefix-out [(1-4294967295)]", "no neighbor 10.0.1.2 maximum-prefix-out"),
        (
            f"[no] {NEIGHBOR} capability orf prefix-list <both|send|receive>",
            "neighbor 10.0.1.2 capability orf prefix-list both",
        ),
    ),
    *listed(
        "possible",
        _LOOP,
        "bgp",
        (f"[no] {NEIGHBOR} disable-link-bw-encoding-ieee", "neighbor 10.0.1.2 disable-link-bw-encoding-ieee"),
    ),
    *listed(
        "possible",
        _PATHS,
        OF_A_FAMILY,
        (f"{NEIGHBOR} addpath-tx-best-selected (1-6)", "neighbor 10.0.1.2 addpath-tx-best-selected 2"),
        (f"{NEIGHBOR} addpath-rx-paths-limit (1-65535)", "neighbor 10.0.1.2 addpath-rx-paths-limit 2"),
        versions=("10.3",),
    ),
    *listed(
        "possible",
        _FILTER,
        "ipv6-unicast",
        (f"[no] {NEIGHBOR} nexthop-local unchanged", "neighbor 10.0.1.2 nexthop-local unchanged"),
    ),
)
