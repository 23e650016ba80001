"""What is done to routes of one neighbor and is not modelled."""

from __future__ import annotations

from bgpsim.inputs.frr.grammar.statement import Statement, listed
from bgpsim.inputs.frr.statements.neighbor import NEIGHBOR, OF_A_FAMILY

_FILTER = "which routes pass, and with which attributes, may depend on it"
_LOOP = "which routes are taken or sent may depend on it"
_PATHS = "several paths of one prefix between FRR routers are not modelled"

STATEMENTS: tuple[Statement, ...] = (
    *listed(
        "possible",
        _FILTER,
        OF_A_FAMILY,
        (f"[no] {NEIGHBOR} unsuppress-map WORD$map", "neighbor 10.0.1.2 unsuppress-map OUT"),
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
        (
            f"[no] {NEIGHBOR} attribute-unchanged [{{as-path|next-hop|med}}]",
            "neighbor 10.0.1.2 attribute-unchanged med as-path",
        ),
        (f"[no] {NEIGHBOR} as-override", "neighbor 10.0.1.2 as-override"),
        (
            f"[no] {NEIGHBOR} remove-private-AS [all] [replace-AS]",
            "neighbor 10.0.1.2 remove-private-AS",
            "neighbor 10.0.1.2 remove-private-AS all",
            "neighbor 10.0.1.2 remove-private-AS replace-AS",
            "neighbor 10.0.1.2 remove-private-AS all replace-AS",
        ),
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
        "reflection is not modelled",
        OF_A_FAMILY,
        (f"[no] {NEIGHBOR} route-reflector-client", "neighbor 10.0.1.9 route-reflector-client"),
        before=("neighbor 10.0.1.9 remote-as 65000",),
    ),
    *listed(
        "possible",
        _LOOP,
        OF_A_FAMILY,
        (
            f"[no] {NEIGHBOR} allowas-in [<(1-10)$times|origin>]",
            "neighbor 10.0.1.2 allowas-in",
            "neighbor 10.0.1.2 allowas-in 2",
            "neighbor 10.0.1.2 allowas-in origin",
        ),
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
        (f"[no] {NEIGHBOR} addpath-tx-all-paths", "neighbor 10.0.1.2 addpath-tx-all-paths"),
        (f"[no] {NEIGHBOR} addpath-tx-bestpath-per-AS", "neighbor 10.0.1.2 addpath-tx-bestpath-per-AS"),
        (f"[no] {NEIGHBOR} disable-addpath-rx", "neighbor 10.0.1.2 disable-addpath-rx"),
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
