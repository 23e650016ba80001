"""Statements about sessions that are not modelled."""

from __future__ import annotations

from bgpsim.inputs.frr.grammar.statement import Statement, listed
from bgpsim.inputs.frr.statements.neighbor import NEIGHBOR

_SESSION = "whether and when the session stands may depend on it"
_RANGE = "bgp listen range <A.B.C.D/M|X:X::X:X/M>$range peer-group WORD$group"
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
        (_LOCAL_AS, "neighbor 10.0.1.2 local-as 65009", "neighbor 10.0.1.2 local-as 65009 no-prepend replace-as"),
        undo=f"{NEIGHBOR} local-as [ASNUM [no-prepend [replace-as]]]",
    ),
    *listed(
        "possible",
        _SESSION,
        "bgp",
        (f"{NEIGHBOR} password LINE...$password", "neighbor 10.0.1.2 password secret"),
        undo=f"{NEIGHBOR} password [LINE...]",
    ),
    *listed(
        "possible",
        _SESSION,
        "bgp",
        (f"[no] {NEIGHBOR} ttl-security hops (1-254)$hops", "neighbor 10.0.1.2 ttl-security hops 2"),
        (f"[no] {NEIGHBOR} <disable-connected-check|enforce-multihop>", "neighbor 10.0.1.2 disable-connected-check"),
        (f"[no] {NEIGHBOR} bfd [check-control-plane-failure]", "neighbor 10.0.1.2 bfd"),
        (f"{NEIGHBOR} bfd (2-255) (50-60000) (50-60000)", "neighbor 10.0.1.2 bfd 3 300 300"),
        (f"{NEIGHBOR} bfd profile WORD", "neighbor 10.0.1.2 bfd profile fast"),
        (f"no {NEIGHBOR} bfd profile [WORD]", "no neighbor 10.0.1.2 bfd profile"),
        (f"[no] {NEIGHBOR} capability dynamic", "neighbor 10.0.1.2 capability dynamic"),
        (f"[no] {NEIGHBOR} dont-capability-negotiate", "neighbor 10.0.1.2 dont-capability-negotiate"),
        (f"[no] {NEIGHBOR} override-capability", "neighbor 10.0.1.2 override-capability"),
        (f"[no] {NEIGHBOR} strict-capability-match", "neighbor 10.0.1.2 strict-capability-match"),
        (f"[no] {NEIGHBOR} extended-optional-parameters", "neighbor 10.0.1.2 extended-optional-parameters"),
        (f"[no] {NEIGHBOR} local-role WORD [strict-mode]", "neighbor 10.0.1.2 local-role customer"),
        (f"{NEIGHBOR} shutdown rtt (1-65535) [count (1-255)]", "neighbor 10.0.1.2 shutdown rtt 100 count 3"),
        (f"no {NEIGHBOR} shutdown rtt [(1-65535) [count (1-255)]]", "no neighbor 10.0.1.2 shutdown rtt"),
        (f"[no] {_RANGE}", "bgp listen range 10.0.0.0/8 peer-group FABRIC"),
        ("[no] bgp default shutdown", "bgp default shutdown"),
        ("[no] bgp shutdown [message LINE...]", "bgp shutdown"),
        ("[no] bgp disable-ebgp-connected-route-check", "bgp disable-ebgp-connected-route-check"),
    ),
    *listed(
        "possible",
        _SESSION,
        "bgp",
        (f"{NEIGHBOR} port (0-65535)", "neighbor 10.0.1.2 port 1790"),
        undo=f"{NEIGHBOR} port [(0-65535)]",
    ),
    *listed(
        "possible",
        _SESSION,
        "bgp",
        ("bgp listen limit (1-65535)", "bgp listen limit 10"),
        undo="bgp listen limit [(1-65535)]",
    ),
    *listed(
        "possible",
        _SESSION,
        "bgp",
        ("bgp minimum-holdtime (1-65535)", "bgp minimum-holdtime 6"),
        undo="bgp minimum-holdtime [(1-65535)]",
    ),
    *listed(
        "none",
        "it changes when the session comes up, and not whether",
        "bgp",
        (f"{NEIGHBOR} timers delayopen (1-240)", "neighbor 10.0.1.2 timers delayopen 5"),
        undo=f"{NEIGHBOR} timers delayopen [(0-65535)]",
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
        (f"{NEIGHBOR} advertisement-interval (0-600)", "neighbor 10.0.1.2 advertisement-interval 5"),
        undo=f"{NEIGHBOR} advertisement-interval [(0-600)]",
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
        ("[no] bgp fast-external-failover", "no bgp fast-external-failover"),
        ("[no] bgp fast-convergence", "bgp fast-convergence"),
        ("update-delay (0-3600) [(1-3600)]", "update-delay 10"),
        ("no update-delay [(0-3600) [(1-3600)]]", "no update-delay"),
        (f"[no] {NEIGHBOR} sender-as-path-loop-detection", "neighbor 10.0.1.2 sender-as-path-loop-detection"),
        (f"[no] {NEIGHBOR} solo", "neighbor 10.0.1.2 solo"),
    ),
)
