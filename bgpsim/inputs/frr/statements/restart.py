"""Graceful restart and graceful shutdown: not modelled."""

from __future__ import annotations

from bgpsim.inputs.frr.grammar.statement import Statement, listed
from bgpsim.inputs.frr.statements.neighbor import NEIGHBOR

_RESTART = "what is kept of a session that ends is not modelled"
_TIMES = (
    ("restart-time", "(0-4095)", "120"),
    ("stalepath-time", "(1-4095)", "360"),
    ("rib-stale-time", "(1-3600)", "500"),
    ("select-defer-time", "(0-3600)", "360"),
)

STATEMENTS: tuple[Statement, ...] = (
    *listed(
        "possible",
        _RESTART,
        "bgp",
        ("[no] bgp graceful-restart", "bgp graceful-restart"),
        ("[no] bgp graceful-restart-disable", "bgp graceful-restart-disable"),
        ("[no] bgp graceful-restart preserve-fw-state", "bgp graceful-restart preserve-fw-state"),
        ("[no] bgp graceful-restart notification", "bgp graceful-restart notification"),
        (f"[no] {NEIGHBOR} graceful-restart", "neighbor 10.0.1.2 graceful-restart"),
        (f"[no] {NEIGHBOR} graceful-restart-helper", "neighbor 10.0.1.2 graceful-restart-helper"),
        (f"[no] {NEIGHBOR} graceful-restart-disable", "neighbor 10.0.1.2 graceful-restart-disable"),
        ("[no] bgp hard-administrative-reset", "bgp hard-administrative-reset"),
    ),
    *(
        statement
        for word, span, given in _TIMES
        for statement in listed(
            "possible",
            _RESTART,
            "bgp",
            (f"bgp graceful-restart {word} {span}", f"bgp graceful-restart {word} {given}"),
            undo=f"bgp graceful-restart {word} [{span}]",
        )
    ),
    *listed(
        "possible",
        _RESTART,
        "bgp",
        ("bgp long-lived-graceful-restart stale-time (1-4294967295)", "bgp long-lived-graceful-restart stale-time 100"),
        undo="bgp long-lived-graceful-restart stale-time [(1-4294967295)]",
    ),
    *listed(
        "possible",
        "in `router bgp` it is modelled",
        "config",
        ("[no] bgp graceful-shutdown", "bgp graceful-shutdown"),
        daemons=("bgpd",),
    ),
)
