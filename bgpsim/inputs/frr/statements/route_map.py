"""Route-maps, their `match` and `set` lines, and where they go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias, cast

from bgpsim.inputs.frr import policy_values
from bgpsim.inputs.frr.configuration import Configuration
from bgpsim.inputs.frr.grammar.statement import Daemon, Said, Statement, listed, modelled
from bgpsim.inputs.frr.policies import PolicyLines
from bgpsim.inputs.frr.route_maps import EntryLines, RouteMaps
from bgpsim.inputs.frr.values import NotTaken, Refused
from bgpsim.network.policies import Action, Match, MatchKind, Set, SetKind, Version

_MAP = "which routes pass, and with which attributes, may depend on it"
_OTHER = "it is about something other than unicast routes of BGP"
_ZEBRA = "zebra's route-maps have it, and BGP's take no notice of the line"
_PROTOCOL = "<kernel|connected|static|rip|ripng|ospf|ospf6|isis|bgp|eigrp|nhrp|table|vnc|babel|openfabric>$protocol"
_BOTH: tuple[Daemon, ...] = ("bgpd", "zebra")
_TOP = 2**32 - 1
_Read: TypeAlias = Callable[[Said], Match]
_Change: TypeAlias = Callable[[Said], Set]


def maps_of(router: Configuration) -> RouteMaps:
    return router.part(PolicyLines).maps


def _enter(router: Configuration, said: Said) -> None:
    maps_of(router).enter(said.text("map"), cast("Action", said.text("action")), said.number("sequence"), said.source)


def _remove(router: Configuration, said: Said) -> None:
    maps_of(router).remove(said.text("map"), said.number("sequence") if "sequence" in said else None)


def _call(router: Configuration, said: Said) -> None:
    maps_of(router).here.call = None if said.negated else said.text("map")


def _next(router: Configuration, said: Said) -> None:
    _permits(router).on_match = "next"


def _permits(router: Configuration) -> EntryLines:
    """A route that is denied goes nowhere else (lib/routemap_northbound.c, lib_route_map_entry_exit_policy_modify)."""
    here = maps_of(router).here
    if here.action == "deny":
        raise NotTaken("an entry that denies cannot go on")
    return here


def _goto(router: Configuration, said: Said) -> None:
    if said.negated:
        maps_of(router).here.on_match = None
        return
    here = _permits(router)
    if said.number("sequence") <= here.seq:
        raise NotTaken("a route-map goes forwards only")
    here.on_match = said.number("sequence")


def _no_exit(router: Configuration, said: Said) -> None:
    maps_of(router).here.on_match = None


def _undo_of(syntax: str) -> str:
    """`match|set WORDS VALUE`, whose `no` may leave the value out."""
    words = syntax.split()
    keywords = " ".join(words[: next(i for i, word in enumerate(words) if not word[0].islower())])
    return f"{keywords} [{syntax.removeprefix(keywords).strip()}]"


def _value(syntax: str, *examples: str) -> tuple[Statement, ...]:
    return listed("possible", _MAP, "route-map", (syntax, *examples), undo=_undo_of(syntax))


def _match(kind: MatchKind, syntax: str, *examples: str, read: Literal["name", "number"] = "name") -> Statement:
    """A `match` line whose value is called `value`."""

    def apply(router: Configuration, said: Said) -> None:
        here = maps_of(router).here
        version: Version | None = 4 if said.has("ip") else 6 if said.has("ipv6") else None
        if said.negated:
            here.unmatch(kind, version)
            return
        name = said.text("value") if read == "name" and "value" in said else ""
        number = said.number("value") if read == "number" else 0
        here.match(Match(kind, name, number, version, said.has("exact-match"), said.source))

    simple = all(word[0].islower() for word in syntax.split() if not word.startswith("<"))
    if simple and "$value" not in syntax:
        return modelled("route-map", f"[no] {syntax}", apply, *examples)
    return modelled("route-map", syntax, apply, *examples, undo=_undo_of(syntax))


def _set(
    kind: SetKind, syntax: str, read: _Change, *examples: str, undo: str = "", refused: tuple[str, ...] = ()
) -> Statement:
    def apply(router: Configuration, said: Said) -> None:
        here = maps_of(router).here
        if said.negated:
            here.unset(kind)
        else:
            here.set(read(said))

    return modelled("route-map", syntax, apply, *examples, undo=undo or _undo_of(syntax), refused=refused)


def _word(kind: SetKind) -> _Change:
    return lambda said: Set(kind, (said.text("value"),), source=said.source)


def _bare(kind: SetKind) -> _Change:
    return lambda said: Set(kind, source=said.source)


def _number(kind: SetKind) -> _Change:
    return lambda said: Set(kind, number=said.number("value"), source=said.source)


def _address(kind: SetKind) -> _Change:
    return lambda said: Set(kind, address=said.address("value"), source=said.source)


def _numbers(kind: SetKind) -> _Change:
    return lambda said: Set(kind, tuple(str(word) for word in said.several("value")), source=said.source)


def _communities(kind: Literal["community", "large-community"]) -> _Change:
    """`none` alone; else communities, and `additive` among them."""

    def read(said: Said) -> Set:
        words = [str(word) for word in said.several("value")]
        if words == ["none"]:
            return Set(kind, source=said.source)
        listed_ones = [word for word in words if word != "additive"]
        if not listed_ones:
            raise Refused(f"found {said.text('value')!r}, expected a community")
        of = policy_values.communities if kind == "community" else policy_values.large_communities
        return Set(kind, of(listed_ones), additive="additive" in words, source=said.source)

    return read


def _extended(router: Configuration, said: Said) -> None:
    kind: SetKind = "extcommunity rt" if said.has("rt") else "extcommunity soo"
    if said.negated:
        maps_of(router).here.unset(kind)
        return
    words = [str(word) for word in said.several("value")]
    found = policy_values.extended_communities(words, "rt" if said.has("rt") else "soo")
    maps_of(router).here.set(Set(kind, found, source=said.source))


def _adjusted(kind: Literal["local-preference", "metric"]) -> _Change:
    def read(said: Said) -> Set:
        # The sign is the line's own: a number that was read has lost its plus.
        text = said.source.text.split()[-1]
        sign: Literal["", "+", "-"] = "+" if text[:1] == "+" else "-" if text[:1] == "-" else ""
        number = policy_values.number(text.removeprefix(sign), 0, _TOP)
        if kind == "metric" and sign and not number:
            raise NotTaken("nothing is added to a metric or taken from it by 0")
        return Set(kind, number=number, sign=sign, source=said.source)

    return read


def _aggregator(said: Said) -> Set:
    return Set("aggregator", (f"{said.number('asn')}:{said.address('address')}",), source=said.source)


_LIST = "<(1-99)|(100-500)|WORD>$value"

STATEMENTS: tuple[Statement, ...] = (
    modelled(
        "config",
        "route-map WORD$map <deny|permit>$action (1-65535)$sequence",
        _enter,
        "route-map OUT permit 10",
        enters="route-map",
        daemons=_BOTH,
    ),
    modelled(
        "config",
        "no route-map WORD$map [<deny|permit>$action (1-65535)$sequence]",
        _remove,
        "no route-map OUT permit 10",
        "no route-map OUT",
        before=("route-map OUT permit 10", "exit"),
        daemons=_BOTH,
    ),
    *listed(
        "none",
        "it is about how fast a route-map is worked through, or when, and not what it does",
        "config",
        ("[no] route-map WORD optimization", "route-map OUT optimization"),
        daemons=_BOTH,
    ),
    modelled("route-map", "call WORD$map", _call, "call OTHER", undo="call [WORD]"),
    modelled("route-map", "continue (1-65535)$sequence", _goto, "continue 20", undo="continue [(1-65535)]"),
    modelled("route-map", "on-match next", _next, "on-match next"),
    modelled("route-map", "on-match goto (1-65535)$sequence", _goto, "on-match goto 30"),
    modelled("route-map", "no on-match <next|goto>", _no_exit, "no on-match next"),
    *listed(
        "none",
        "it describes, and moves no route",
        "route-map",
        ("description LINE...", "description what goes out"),
        ("no description", "no description"),
        daemons=_BOTH,
    ),
    _match("as-path", "match as-path WORD$value", "match as-path PATHS"),
    _match(
        "community",
        f"match community {_LIST} [exact-match]",
        "match community NAMES",
        "match community 5 exact-match",
    ),
    _match("extcommunity", f"match extcommunity {_LIST}", "match extcommunity NAMES"),
    _match(
        "large-community",
        f"match large-community {_LIST} [exact-match]",
        "match large-community NAMES",
        "match large-community NAMES exact-match",
    ),
    *listed(
        "possible",
        "it is not modelled",
        "route-map",
        ("match alias WORD$alias", "match alias customer"),
        undo="match alias [WORD]",
        before=("bgp community alias 65001:1 customer", "route-map OUT permit 10"),
    ),
    _match("interface", "match interface WORD$value", "match interface net0"),
    _match("address", "match ip address WORD$value", "match ip address ACCESS"),
    _match("address prefix-list", "match ip address prefix-list WORD$value", "match ip address prefix-list OUT"),
    _match("address", "match ipv6 address WORD$value", "match ipv6 address ACCESS6"),
    _match("address prefix-list", "match ipv6 address prefix-list WORD$value", "match ipv6 address prefix-list OUT6"),
    _match("next-hop", "match ip next-hop WORD$value", "match ip next-hop ACCESS"),
    _match("next-hop address", "match ip next-hop address A.B.C.D$value", "match ip next-hop address 10.0.1.2"),
    _match("next-hop prefix-list", "match ip next-hop prefix-list WORD$value", "match ip next-hop prefix-list OUT"),
    _match("next-hop type blackhole", "match ip next-hop type blackhole", "match ip next-hop type blackhole"),
    _match("next-hop type blackhole", "match ipv6 next-hop type blackhole", "match ipv6 next-hop type blackhole"),
    _match("next-hop", "match ipv6 next-hop WORD$value", "match ipv6 next-hop ACCESS6"),
    _match("next-hop address", "match ipv6 next-hop address X:X::X:X$value", "match ipv6 next-hop address 2001:db8::2"),
    _match(
        "next-hop prefix-list", "match ipv6 next-hop prefix-list WORD$value", "match ipv6 next-hop prefix-list OUT6"
    ),
    _match("route-source", "match ip route-source WORD$value", "match ip route-source ACCESS"),
    _match(
        "route-source prefix-list",
        "match ip route-source prefix-list WORD$value",
        "match ip route-source prefix-list OUT",
    ),
    _match(
        "local-preference", "match local-preference (0-4294967295)$value", "match local-preference 100", read="number"
    ),
    _match("metric", "match metric (1-4294967295)$value", "match metric 50", read="number"),
    _match("origin", "match origin <egp|igp|incomplete>$value", "match origin igp"),
    _match(
        "peer",
        "match peer <A.B.C.D|X:X::X:X|local|WORD>$value",
        "match peer 10.0.1.2",
        "match peer net0",
        "match peer local",
    ),
    *_value("match probability (0-100)$percent", "match probability 50"),
    _match("tag", "match tag (1-4294967295)$value", "match tag 5", read="number"),
    *listed(
        "none",
        _ZEBRA,
        "route-map",
        ("[no] match ip address prefix-len (0-32)", "match ip address prefix-len 24"),
        ("[no] match ipv6 address prefix-len (0-128)", "match ipv6 address prefix-len 64"),
        ("[no] match ip next-hop prefix-len (0-32)", "match ip next-hop prefix-len 24"),
        (f"match source-protocol {_PROTOCOL}", "match source-protocol static"),
        (f"no match source-protocol [{_PROTOCOL}]", "no match source-protocol"),
        ("match source-instance (0-255)", "match source-instance 1"),
        ("no match source-instance [(0-255)]", "no match source-instance"),
        daemons=("zebra",),
    ),
    *listed(
        "possible",
        _OTHER,
        "route-map",
        ("[no] match evpn LINE...", "match evpn vni 5"),
        ("[no] match rpki <valid|invalid|notfound>", "match rpki valid"),
        ("[no] match source-vrf WORD", "match source-vrf red"),
        ("[no] match mac address WORD", "match mac address ACCESS"),
        ("[no] match rpki-extcommunity <valid|invalid|notfound>", "match rpki-extcommunity valid"),
        ("[no] set l3vpn next-hop encapsulation gre", "set l3vpn next-hop encapsulation gre"),
    ),
    _set("aggregator", "set aggregator as ASNUM$asn A.B.C.D$address", _aggregator, "set aggregator as 65001 10.0.0.1"),
    _set(
        "as-path exclude",
        "set as-path exclude ASNUM...$value",
        _numbers("as-path exclude"),
        "set as-path exclude 65001 65002",
        undo="set as-path exclude [ASNUM...]",
    ),
    _set(
        "as-path prepend",
        "set as-path prepend ASNUM...$value",
        _numbers("as-path prepend"),
        "set as-path prepend 65000 65000",
        undo="set as-path prepend [ASNUM...]",
    ),
    _set(
        "as-path prepend last-as",
        "set as-path prepend last-as (1-10)$value",
        _number("as-path prepend last-as"),
        "set as-path prepend last-as 3",
    ),
    _set(
        "as-path replace",
        "set as-path replace <any|ASNUM>$value",
        _word("as-path replace"),
        "set as-path replace any",
        "set as-path replace 65001",
    ),
    _set(
        "atomic-aggregate",
        "set atomic-aggregate",
        _bare("atomic-aggregate"),
        "set atomic-aggregate",
        undo="set atomic-aggregate",
    ),
    _set(
        "community",
        "set community AA:NN...$value",
        _communities("community"),
        "set community 65000:1 65000:2 additive",
        "set community none",
        undo="set community [AA:NN...]",
        refused=("set community 65536:1",),
    ),
    _set(
        "large-community",
        "set large-community AA:BB:CC...$value",
        _communities("large-community"),
        "set large-community 65000:1:2 additive",
        undo="set large-community [AA:BB:CC...]",
    ),
    modelled(
        "route-map",
        "set extcommunity <rt|soo> ASN:NN_OR_IP-ADDRESS:NN...$value",
        _extended,
        "set extcommunity rt 65000:1",
        "set extcommunity soo 65000:1",
        undo="set extcommunity <rt|soo> [ASN:NN_OR_IP-ADDRESS:NN...]",
    ),
    _set(
        "extcommunity none",
        "set extcommunity none",
        _bare("extcommunity none"),
        "set extcommunity none",
        undo="set extcommunity none",
    ),
    *listed(
        "possible",
        "link bandwidths are not modelled",
        "route-map",
        (
            "[no] set extcommunity bandwidth <(1-25600)|cumulative|num-multipaths> [non-transitive]",
            "set extcommunity bandwidth 100",
            "set extcommunity bandwidth num-multipaths non-transitive",
        ),
        ("no set extcommunity bandwidth", "no set extcommunity bandwidth"),
    ),
    *(
        statement
        for words, value, given in (
            ("set label-index", "(0-1048560)", "5"),
            ("set sr-te color", "(1-4294967295)", "5"),
            ("set forwarding-address", "X:X::X:X", "2001:db8::1"),
        )
        for statement in listed(
            "possible", _OTHER, "route-map", (f"{words} {value}", f"{words} {given}"), undo=f"{words} [{value}]"
        )
    ),
    _set("comm-list delete", f"set comm-list {_LIST} delete", _word("comm-list delete"), "set comm-list NAMES delete"),
    _set(
        "large-comm-list delete",
        f"set large-comm-list {_LIST} delete",
        _word("large-comm-list delete"),
        "set large-comm-list NAMES delete",
        undo=f"set large-comm-list [{_LIST} [delete]]",
    ),
    *(
        _set(kind, f"set {kind}", _bare(kind), f"set {kind}", undo=f"set {kind}")
        for kind in cast(
            "tuple[SetKind, ...]",
            (
                "ip next-hop peer-address",
                "ip next-hop unchanged",
                "ipv6 next-hop peer-address",
                "ipv6 next-hop prefer-global",
            ),
        )
    ),
    _set("ip next-hop", "set ip next-hop A.B.C.D$value", _address("ip next-hop"), "set ip next-hop 10.0.1.1"),
    _set(
        "ipv6 next-hop global",
        "set ipv6 next-hop global X:X::X:X$value",
        _address("ipv6 next-hop global"),
        "set ipv6 next-hop global 2001:db8::1",
    ),
    *_value("set ipv6 next-hop local X:X::X:X$address", "set ipv6 next-hop local fe80::1"),
    _set(
        "local-preference",
        "set local-preference WORD$value",
        _adjusted("local-preference"),
        "set local-preference 200",
        "set local-preference +10",
        refused=("set local-preference high",),
    ),
    _set(
        "metric",
        "set metric (-4294967295-4294967295)$value",
        _adjusted("metric"),
        "set metric 50",
        "set metric +10",
        undo="set metric [OPTVAL]",
    ),
    *listed(
        "possible",
        "round-trip times are not modelled",
        "route-map",
        # `set metric rtt` itself is taken by bgpd, and complained about in other daemons' names.
        ("[no] set metric <rtt|+rtt|-rtt>", "no set metric rtt"),
    ),
    _set("origin", "set origin <egp|igp|incomplete>$value", _word("origin"), "set origin igp"),
    _set("originator-id", "set originator-id A.B.C.D$value", _word("originator-id"), "set originator-id 10.0.0.1"),
    _set("weight", "set weight (0-4294967295)$value", _number("weight"), "set weight 100"),
    _set("tag", "set tag (1-4294967295)$value", _number("tag"), "set tag 5"),
    *_value("set distance (0-255)$distance", "set distance 30"),
    *_value("set metric-type <type-1|type-2>", "set metric-type type-1"),
    *listed(
        "none",
        _ZEBRA,
        "route-map",
        ("set src <A.B.C.D|X:X::X:X>$source", "set src 10.0.0.1"),
        ("no set src [<A.B.C.D|X:X::X:X>]", "no set src"),
        daemons=("zebra",),
    ),
    *listed(
        "possible",
        _MAP,
        "route-map",
        ("set table (1-4294967295)", "set table 10"),
        ("no set table", "no set table"),
    ),
    *listed(
        "possible",
        _OTHER,
        "route-map",
        ("[no] set evpn LINE...", "set evpn gateway-ip ipv4 10.0.0.1"),
        ("set <ipv4|ipv6> vpn next-hop <A.B.C.D|X:X::X:X>", "set ipv4 vpn next-hop 10.0.0.1"),
        ("no set <ipv4|ipv6> vpn next-hop [<A.B.C.D|X:X::X:X>]", "no set ipv4 vpn next-hop"),
    ),
)
