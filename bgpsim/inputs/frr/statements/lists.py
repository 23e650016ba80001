"""Prefix lists, access lists and the lists of AS paths and communities."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Network
from typing import cast

from bgpsim.inputs.frr import policy_values
from bgpsim.inputs.frr.configuration import Configuration
from bgpsim.inputs.frr.grammar.statement import Apply, Daemon, Said, Statement, listed, modelled
from bgpsim.inputs.frr.policies import PolicyLines
from bgpsim.inputs.frr.policy_lists import PolicyLists, add, checked, remove, remove_there
from bgpsim.network.policies import AccessRule, Action, AsPathRule, CommunityKind, CommunityRule, PrefixRule, Version

_SEQ = "[seq (1-4294967295)$seq]"
_SEQ0 = "[seq (0-4294967295)$seq]"
_ACTION = "<deny|permit>$action"
_P4 = "[no] ip prefix-list WORD$list"
_P6 = "[no] ipv6 prefix-list WORD$list"
_ALL: tuple[Daemon, ...] = ("bgpd", "zebra", "other")
_WHOLE: dict[Version, IPv4Network | IPv6Network] = {4: IPv4Network("0.0.0.0/0"), 6: IPv6Network("::/0")}
_TOP = 2**32 - 1


def lists_of(router: Configuration) -> PolicyLists:
    return router.part(PolicyLines).lists


def _seq(said: Said) -> int | None:
    return said.number("seq") if "seq" in said else None


def _action(said: Said) -> Action:
    return cast("Action", said.text("action"))


def _version(said: Said) -> Version:
    return 6 if said.has("ipv6") else 4


def _prefix_rule(router: Configuration, said: Said) -> None:
    version, lists = _version(said), lists_of(router).prefix
    name = (version, said.text("list"))
    if said.has("any"):
        rule = PrefixRule(0, _action(said), _WHOLE[version], None, _WHOLE[version].max_prefixlen, said.source)
    else:
        ge, le = (said.number(bound) if bound in said else None for bound in ("ge", "le"))
        rule = checked(PrefixRule(0, _action(said), said.prefix("prefix"), ge, le, said.source))
    if said.negated:
        remove(lists, name, rule)
    else:
        add(lists, name, rule, _seq(said))


def _no_prefix_list(router: Configuration, said: Said) -> None:
    remove(lists_of(router).prefix, (_version(said), said.text("list")), seq=_seq(said))


def _access_rule(router: Configuration, said: Said) -> None:
    version = _version(said)
    if "prefix" in said or said.has("any"):
        prefix = _WHOLE[version] if said.has("any") else said.prefix("prefix")
        rule = AccessRule(0, _action(said), prefix, said.has("exact-match"), source=said.source)
    else:
        wildcard = _bits(said, "wildcard", 0)
        rule = AccessRule(0, _action(said), address=_bits(said, "address", 0), wildcard=wildcard, source=said.source)
    _put_access_rule(router, said, version, rule)


def _extended_access_rule(router: Configuration, said: Said) -> None:
    """Of a route it asks for the address by its source half and for the netmask by its destination half; `any` looks at
    nothing (lib/filter.c, filter_match_cisco)."""
    rule = AccessRule(
        0,
        _action(said),
        address=_bits(said, "address", 0),
        wildcard=_bits(said, "wildcard", 0 if "address" in said else _TOP),
        mask=_bits(said, "mask", 0),
        mask_wildcard=_bits(said, "mask_wildcard", 0 if "mask" in said else _TOP),
        source=said.source,
    )
    _put_access_rule(router, said, 4, rule)


def _bits(said: Said, name: str, absent: int) -> int:
    if name not in said:
        return absent
    value = said.value(name)
    assert isinstance(value, IPv4Address)
    return int(value)


def _put_access_rule(router: Configuration, said: Said, version: Version, rule: AccessRule) -> None:
    lists, name = lists_of(router).access, (version, said.text("list"))
    if said.negated:
        remove(lists, name, rule)
    else:
        add(lists, name, rule, _seq(said))


def _no_access_list(router: Configuration, said: Said) -> None:
    remove(lists_of(router).access, (_version(said), said.text("list")), seq=_seq(said))


def _as_path_rule(router: Configuration, said: Said) -> None:
    lists, name = lists_of(router).as_path, said.text("list")
    rule = AsPathRule(0, _action(said), policy_values.as_path_expression(said.text("regex")), said.source)
    if said.negated:
        remove_there(lists, name, rule)
    else:
        add(lists, name, rule, _seq(said), aligned=True)


def _no_as_path_list(router: Configuration, said: Said) -> None:
    remove_there(lists_of(router).as_path, said.text("list"))


def _community_rule(kind: CommunityKind) -> Apply:
    def apply(router: Configuration, said: Said) -> None:
        if "regex" in said:
            rule = CommunityRule(0, _action(said), (), policy_values.expression(said.text("regex")), said.source)
        else:
            words = [str(word) for word in said.several("values")]
            rule = CommunityRule(0, _action(said), policy_values.of_kind(kind, words), None, said.source)
        if said.negated:
            remove_there(lists_of(router).community, (kind, said.text("list")), rule)
        else:
            lists_of(router).add_community(kind, said.text("list"), rule, _seq(said))

    return apply


def _no_community_list(kind: CommunityKind) -> Apply:
    def apply(router: Configuration, said: Said) -> None:
        remove_there(lists_of(router).community, (kind, said.text("list")))

    return apply


def _community_lists(kind: CommunityKind, word: str, standard: str, expanded: str) -> tuple[Statement, ...]:
    """`word`: community, extcommunity or large-community."""
    begin = f"bgp {word}-list"
    made = (f"{begin} standard NAMES permit {standard}", f"{begin} expanded PATTERNS permit {expanded}")
    named = "standard WORD", "expanded WORD"
    return (
        modelled(
            "config",
            f"[no] {begin} <(1-99)|{named[0]}>$list {_SEQ0} {_ACTION} AA:NN...$values",
            _community_rule(kind),
            made[0],
            f"{begin} 5 seq 10 deny {standard}",
            daemons=("bgpd",),
        ),
        modelled(
            "config",
            f"[no] {begin} <(100-500)|{named[1]}>$list {_SEQ0} {_ACTION} LINE...$regex",
            _community_rule(kind),
            made[1],
            f"{begin} 105 permit {expanded}",
            daemons=("bgpd",),
        ),
        modelled(
            "config",
            f"no {begin} <(1-99)|{named[0]}>$list",
            _no_community_list(kind),
            f"no {begin} standard NAMES",
            before=made,
            daemons=("bgpd",),
        ),
        modelled(
            "config",
            f"no {begin} <(100-500)|{named[1]}>$list",
            _no_community_list(kind),
            f"no {begin} expanded PATTERNS",
            before=made,
            daemons=("bgpd",),
        ),
    )


STATEMENTS: tuple[Statement, ...] = (
    modelled(
        "config",
        f"{_P4} {_SEQ} {_ACTION} <any|A.B.C.D/M$prefix [{{ge (0-32)$ge|le (0-32)$le}}]>",
        _prefix_rule,
        "ip prefix-list OUT seq 5 permit any",
        "ip prefix-list OUT permit 10.0.0.0/8 ge 16 le 24",
        refused=("ip prefix-list OUT permit 10.0.0.0/16 le 8", "ip prefix-list OUT permit 10.0.0.0/33"),
        daemons=_ALL,
    ),
    modelled(
        "config",
        f"{_P6} {_SEQ} {_ACTION} <any|X:X::X:X/M$prefix [{{ge (0-128)$ge|le (0-128)$le}}]>",
        _prefix_rule,
        "ipv6 prefix-list OUT6 seq 5 permit 2001:db8::/32 le 64",
        daemons=_ALL,
    ),
    modelled(
        "config",
        "no ip prefix-list WORD$list [seq (1-4294967295)$seq]",
        _no_prefix_list,
        "no ip prefix-list OUT",
        before=("ip prefix-list OUT seq 5 permit any",),
        daemons=_ALL,
    ),
    modelled(
        "config",
        "no ipv6 prefix-list WORD$list [seq (1-4294967295)$seq]",
        _no_prefix_list,
        "no ipv6 prefix-list OUT6",
        before=("ipv6 prefix-list OUT6 seq 5 permit any",),
        daemons=_ALL,
    ),
    modelled(
        "config",
        f"[no] access-list WORD$list {_SEQ} {_ACTION} <A.B.C.D/M$prefix [exact-match]|any>",
        _access_rule,
        "access-list ACCESS seq 5 permit 10.0.0.0/8 exact-match",
        "access-list ACCESS permit any",
        daemons=_ALL,
    ),
    modelled(
        "config",
        f"[no] access-list WORD$list {_SEQ} {_ACTION} <[host] A.B.C.D$address|A.B.C.D$address A.B.C.D$wildcard>",
        _access_rule,
        "access-list 5 permit 10.0.0.0 0.255.255.255",
        "access-list 5 deny host 10.0.0.1",
        daemons=_ALL,
    ),
    modelled(
        "config",
        f"[no] access-list WORD$list {_SEQ} {_ACTION} ip <A.B.C.D$address A.B.C.D$wildcard|host A.B.C.D$address|any>"
        " <A.B.C.D$mask A.B.C.D$mask_wildcard|host A.B.C.D$mask|any>",
        _extended_access_rule,
        "access-list 105 permit ip 10.0.0.0 0.255.255.255 any",
        "access-list 105 permit ip 10.0.0.0 0.255.255.255 host 255.255.0.0",
        daemons=_ALL,
    ),
    modelled(
        "config",
        f"[no] ipv6 access-list WORD$list {_SEQ} {_ACTION} <X:X::X:X/M$prefix [exact-match]|any>",
        _access_rule,
        "ipv6 access-list ACCESS6 permit 2001:db8::/32",
        daemons=_ALL,
    ),
    modelled(
        "config",
        "no access-list WORD$list [seq (1-4294967295)$seq]",
        _no_access_list,
        "no access-list ACCESS",
        before=("access-list ACCESS permit any",),
        daemons=_ALL,
    ),
    modelled(
        "config",
        "no ipv6 access-list WORD$list [seq (1-4294967295)$seq]",
        _no_access_list,
        "no ipv6 access-list ACCESS6",
        before=("ipv6 access-list ACCESS6 permit any",),
        daemons=_ALL,
    ),
    modelled(
        "config",
        f"[no] bgp as-path access-list WORD$list {_SEQ0} {_ACTION} LINE...$regex",
        _as_path_rule,
        "bgp as-path access-list PATHS permit ^65001_",
        "bgp as-path access-list PATHS seq 5 deny .*",
        refused=("bgp as-path access-list PATHS permit 65001_x",),
        daemons=("bgpd",),
    ),
    modelled(
        "config",
        "no bgp as-path access-list WORD$list",
        _no_as_path_list,
        "no bgp as-path access-list PATHS",
        before=("bgp as-path access-list PATHS permit .*",),
        daemons=("bgpd",),
    ),
    *_community_lists("standard", "community", "65001:1 no-export", "65001:.*"),
    *_community_lists("extended", "extcommunity", "rt 65001:1", "RT:65001:.*"),
    *_community_lists("large", "large-community", "65001:1:2", "65001:1:.*"),
    *listed(
        "none",
        "it names or describes, and moves no route",
        "config",
        ("[no] ip prefix-list WORD$list description LINE...", "ip prefix-list OUT description what goes out"),
        ("[no] ipv6 prefix-list WORD$list description LINE...", "ipv6 prefix-list OUT6 description what goes out"),
        ("[no] access-list WORD$list remark LINE...", "access-list ACCESS remark what comes in"),
        ("[no] ipv6 access-list WORD$list remark LINE...", "ipv6 access-list ACCESS6 remark what comes in"),
        ("[no] bgp community alias WORD WORD", "bgp community alias 65001:1 customer"),
        daemons=_ALL,
    ),
)
