"""Statements about sessions that are not modelled."""

from __future__ import annotations

from bgpsim.inputs.frr.grammar.statement import Statement, listed
from bgpsim.inputs.frr.statements.neighbor import NEIGHBOR

_SESSION = "whether and when the session stands may depend on it"
_LOCAL_AS = f"{NEIGHBOR} local-as ASNUM$asn [no-prepend [replace-as]]"

STATEMENTS: tuple[Statement, ...] = (
    *listed(
        "possible",
        _SESSION,
        "bgp",
        (f"{NEIGHBOR} remote-as auto", "neighbor 10.0.1.2 remote-as auto"),
        (f"{_LOCAL_AS} dual-as", "neighbor 10.0.1.2 local-as 65009 no-prepend replace-as dual-as"),
        versions=("10.3",),
    ),
    *listed(
        "possible",
        _SESSION,
        "bgp",
        (f"[no] {NEIGHBOR} bfd [check-control-plane-failure]", "neighbor 10.0.1.2 bfd"),
        (f"{NEIGHBOR} bfd (2-255) (50-60000) (50-60000)", "neighbor 10.0.1.2 bfd 3 300 300"),
        (f"{NEIGHBOR} bfd profile WORD", "neighbor 10.0.1.2 bfd profile fast"),
        (f"no {NEIGHBOR} bfd profile [WORD]", "no neighbor 10.0.1.2 bfd profile"),
        (f"[no] {NEIGHBOR} local-role WORD [strict-mode]", "neighbor 10.0.1.2 local-role customer"),
        (f"{NEIGHBOR} shutdown rtt (1-65535) [count (1-255)]", "neighbor 10.0.1.2 shutdown rtt 100 count 3"),
        (f"no {NEIGHBOR} shutdown rtt [(1-65535) [count (1-255)]]", "no neighbor 10.0.1.2 shutdown rtt"),
    ),
    *listed(
        "none",
        "it is about the packets of the session, and changes no route",
        "bgp",
        (f"{NEIGHBOR} tcp-mss (1-65535)", "neighbor 10.0.1.2 tcp-mss 1400"),
        undo=f"{NEIGHBOR} tcp-mss [(1-65535)]",
    ),
    *listed(
        "none",
        "it is about when routes are sent, and not which",
        "bgp",
        ("[no] coalesce-time (0-4294967295)", "coalesce-time 1000"),
        ("[no] read-quanta (1-10)", "read-quanta 5"),
        ("[no] write-quanta (1-64)", "write-quanta 32"),
        ("[no] bgp default subgroup-pkt-queue-max [(20-100)]", "bgp default subgroup-pkt-queue-max 40"),
        ("[no] bgp suppress-duplicates", "bgp suppress-duplicates"),
    ),
    *listed(
        "possible",
        "a session's end, and what is sent and when, may depend on it",
        "bgp",
        ("[no] bgp fast-convergence", "bgp fast-convergence"),
        ("update-delay (0-3600) [(1-3600)]", "update-delay 10"),
        ("no update-delay [(0-3600) [(1-3600)]]", "no update-delay"),
    ),
)
