"""bfdd: not modelled."""

from __future__ import annotations

from bgpsim.inputs.frr.grammar.modes import Mode
from bgpsim.inputs.frr.grammar.statement import Statement, listed

_BFD = "BFD is not modelled: how fast a session is given up may depend on it"
_INSIDE: tuple[Mode, ...] = ("bfd-peer", "bfd-profile")

STATEMENTS: tuple[Statement, ...] = (
    *listed("possible", _BFD, "config", ("bfd", "bfd"), enters="bfd", daemons=("bfdd",)),
    *listed(
        "possible",
        _BFD,
        "bfd",
        (
            "peer <A.B.C.D|X:X::X:X>$peer [{multihop|local-address <A.B.C.D|X:X::X:X>|interface WORD|vrf WORD}]",
            "peer 10.0.1.2",
            "peer 10.0.1.2 interface net0",
        ),
        enters="bfd-peer",
    ),
    *listed("possible", _BFD, "bfd", ("profile WORD$profile", "profile fast"), enters="bfd-profile"),
    *listed(
        "possible",
        _BFD,
        _INSIDE,
        ("detect-multiplier (2-255)$times", "detect-multiplier 3"),
        ("receive-interval (10-60000)$milliseconds", "receive-interval 100"),
        ("transmit-interval (10-60000)$milliseconds", "transmit-interval 100"),
        ("[no] shutdown", "no shutdown"),
        ("[no] passive-mode", "passive-mode"),
        ("[no] echo-mode", "no echo-mode"),
    ),
    *listed("possible", _BFD, ("bfd-profile", "bfd-peer"), ("minimum-ttl (1-254)", "minimum-ttl 254")),
    *listed("possible", _BFD, "bfd-peer", ("profile WORD$profile", "profile fast")),
)
