"""Prefix lists, access lists and the lists of AS paths and communities: not modelled."""

from __future__ import annotations

from bgpsim.inputs.frr.grammar.statement import Statement, listed

_LIST = "lists are not modelled: which routes pass, and with which attributes, may depend on it"
_SEQ = "[seq (1-4294967295)$seq]"
_SEQ0 = "[seq (0-4294967295)$seq]"
_ACTION = "<deny|permit>$action"
_P4 = "[no] ip prefix-list WORD$list"
_P6 = "[no] ipv6 prefix-list WORD$list"


def _community_list(kind: str, standard: str, expanded: str) -> tuple[tuple[str, ...], ...]:
    """`kind`: community, extcommunity or large-community."""
    begin = f"bgp {kind}-list"
    return (
        (
            f"{begin} <(1-99)|standard WORD>$list {_SEQ0} {_ACTION} AA:NN...$values",
            f"{begin} standard NAMES permit {standard}",
            f"{begin} 5 seq 10 deny {standard}",
        ),
        (
            f"{begin} <(100-500)|expanded WORD>$list {_SEQ0} {_ACTION} LINE...$regex",
            f"{begin} expanded PATTERNS permit {expanded}",
            f"{begin} 105 permit {expanded}",
        ),
    )


_KINDS = (
    *_community_list("community", "65001:1 no-export", "65001:.*"),
    *_community_list("extcommunity", "rt 65001:1", "rt 65001:.*"),
    *_community_list("large-community", "65001:1:2", "65001:1:.*"),
)

STATEMENTS: tuple[Statement, ...] = (
    *listed(
        "possible",
        _LIST,
        "config",
        (
            f"{_P4} {_SEQ} {_ACTION} <any|A.B.C.D/M$prefix [{{ge (0-32)$ge|le (0-32)$le}}]>",
            "ip prefix-list OUT seq 5 permit any",
            "ip prefix-list OUT permit 10.0.0.0/8 ge 16 le 24",
        ),
        (
            f"{_P6} {_SEQ} {_ACTION} <any|X:X::X:X/M$prefix [{{ge (0-128)$ge|le (0-128)$le}}]>",
            "ipv6 prefix-list OUT6 seq 5 permit 2001:db8::/32 le 64",
        ),
        ("[no] ip prefix-list WORD$list description LINE...", "ip prefix-list OUT description what goes out"),
        ("[no] ipv6 prefix-list WORD$list description LINE...", "ipv6 prefix-list OUT6 description what goes out"),
        daemons=("bgpd", "zebra", "other"),
        refused=(),
    ),
    *listed(
        "possible",
        _LIST,
        "config",
        ("no ip prefix-list WORD$list [seq (1-4294967295)$seq]", "no ip prefix-list OUT"),
        before=("ip prefix-list OUT seq 5 permit any",),
        daemons=("bgpd", "zebra", "other"),
    ),
    *listed(
        "possible",
        _LIST,
        "config",
        ("no ipv6 prefix-list WORD$list [seq (1-4294967295)$seq]", "no ipv6 prefix-list OUT6"),
        before=("ipv6 prefix-list OUT6 seq 5 permit any",),
        daemons=("bgpd", "zebra", "other"),
    ),
    *listed(
        "possible",
        _LIST,
        "config",
        (
            f"[no] access-list WORD$list {_SEQ} {_ACTION} <A.B.C.D/M$prefix [exact-match]|any>",
            "access-list ACCESS seq 5 permit 10.0.0.0/8 exact-match",
            "access-list ACCESS permit any",
        ),
        (
            f"[no] access-list WORD$list {_SEQ} {_ACTION} <[host] A.B.C.D$address|A.B.C.D$address A.B.C.D$wildcard>",
            "access-list 5 permit 10.0.0.0 0.255.255.255",
            "access-list 5 deny host 10.0.0.1",
        ),
        ("[no] access-list WORD$list remark LINE...", "access-list ACCESS remark what comes in"),
        (
            f"[no] ipv6 access-list WORD$list {_SEQ} {_ACTION} <X:X::X:X/M$prefix [exact-match]|any>",
            "ipv6 access-list ACCESS6 permit 2001:db8::/32",
        ),
        daemons=("bgpd", "zebra", "other"),
    ),
    *listed(
        "possible",
        _LIST,
        "config",
        ("no access-list WORD$list", "no access-list ACCESS"),
        before=("access-list ACCESS permit any",),
        daemons=("bgpd", "zebra", "other"),
    ),
    *listed(
        "possible",
        _LIST,
        "config",
        ("no ipv6 access-list WORD$list", "no ipv6 access-list ACCESS6"),
        before=("ipv6 access-list ACCESS6 permit any",),
        daemons=("bgpd", "zebra", "other"),
    ),
    *listed(
        "possible",
        _LIST,
        "config",
        (
            f"[no] bgp as-path access-list WORD$list {_SEQ0} {_ACTION} LINE...$regex",
            "bgp as-path access-list PATHS permit ^65001_",
            "bgp as-path access-list PATHS seq 5 deny .*",
        ),
        *((f"[no] {syntax}", *examples) for syntax, *examples in _KINDS),
        daemons=("bgpd",),
    ),
    *listed(
        "possible",
        _LIST,
        "config",
        ("no bgp as-path access-list WORD$list", "no bgp as-path access-list PATHS"),
        ("no bgp community-list <(1-99)|standard WORD>$list", "no bgp community-list standard NAMES"),
        ("no bgp community-list <(100-500)|expanded WORD>$list", "no bgp community-list expanded PATTERNS"),
        ("no bgp extcommunity-list <(1-99)|standard WORD>$list", "no bgp extcommunity-list standard NAMES"),
        ("no bgp extcommunity-list <(100-500)|expanded WORD>$list", "no bgp extcommunity-list expanded PATTERNS"),
        ("no bgp large-community-list <standard|expanded> WORD$list", "no bgp large-community-list standard NAMES"),
        before=(
            "bgp as-path access-list PATHS permit .*",
            "bgp community-list standard NAMES permit 65001:1",
            "bgp community-list expanded PATTERNS permit 65001:.*",
            "bgp extcommunity-list standard NAMES permit rt 65001:1",
            "bgp extcommunity-list expanded PATTERNS permit rt 65001:.*",
            "bgp large-community-list standard NAMES permit 65001:1:2",
        ),
        daemons=("bgpd",),
    ),
    *listed(
        "none",
        "it names a community, and moves no route",
        "config",
        ("[no] bgp community alias WORD WORD", "bgp community alias 65001:1 customer"),
        daemons=("bgpd",),
    ),
)
