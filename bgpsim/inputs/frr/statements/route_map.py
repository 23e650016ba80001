"""Route-maps: not modelled."""

from __future__ import annotations

from bgpsim.inputs.frr.grammar.statement import Daemon, Statement, listed

_MAP = "route-maps are not modelled: which routes pass, and with which attributes, may depend on it"
_OTHER = "it is about something other than unicast routes of BGP"
_PROTOCOL = "<kernel|connected|static|rip|ripng|ospf|ospf6|isis|bgp|eigrp|nhrp|table|vnc|babel|openfabric>$protocol"
_BOTH: tuple[Daemon, ...] = ("bgpd", "zebra")


def _value(syntax: str, *examples: str) -> tuple[Statement, ...]:
    """`match|set WORDS VALUE`, whose `no` may leave the value out."""
    words = syntax.split()
    keywords = " ".join(words[: next(i for i, word in enumerate(words) if not word[0].islower())])
    rest = syntax.removeprefix(keywords).strip()
    return listed("possible", _MAP, "route-map", (syntax, *examples), undo=f"{keywords} [{rest}]")


STATEMENTS: tuple[Statement, ...] = (
    *listed(
        "possible",
        _MAP,
        "config",
        ("route-map WORD$map <deny|permit>$action (1-65535)$sequence", "route-map OUT permit 10"),
        enters="route-map",
        daemons=_BOTH,
    ),
    *listed(
        "possible",
        _MAP,
        "config",
        (
            "no route-map WORD$map [<deny|permit>$action (1-65535)$sequence]",
            "no route-map OUT permit 10",
            "no route-map OUT",
        ),
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
    *_value("call WORD$map", "call OTHER"),
    *_value("continue (1-65535)$sequence", "continue 20"),
    *listed(
        "possible",
        _MAP,
        "route-map",
        ("on-match next", "on-match next"),
        ("on-match goto (1-65535)$sequence", "on-match goto 30"),
        ("no on-match <next|goto>", "no on-match next"),
    ),
    *listed(
        "none",
        "it describes, and moves no route",
        "route-map",
        ("description LINE...", "description what goes out"),
        ("no description", "no description"),
        daemons=_BOTH,
    ),
    *_value("match as-path WORD$list", "match as-path PATHS"),
    *_value(
        "match community <(1-99)|(100-500)|WORD>$list [exact-match]",
        "match community NAMES",
        "match community 5 exact-match",
    ),
    *_value("match extcommunity <(1-99)|(100-500)|WORD>$list", "match extcommunity NAMES"),
    *_value(
        "match large-community <(1-99)|(100-500)|WORD>$list [exact-match]",
        "match large-community NAMES",
        "match large-community NAMES exact-match",
    ),
    *listed(
        "possible",
        _MAP,
        "route-map",
        ("match alias WORD$alias", "match alias customer"),
        undo="match alias [WORD]",
        before=("bgp community alias 65001:1 customer", "route-map OUT permit 10"),
    ),
    *_value("match interface WORD$interface", "match interface net0"),
    *_value("match ip address WORD$list", "match ip address ACCESS"),
    *_value("match ip address prefix-list WORD$list", "match ip address prefix-list OUT"),
    *_value("match ip address prefix-len (0-32)$length", "match ip address prefix-len 24"),
    *_value("match ipv6 address WORD$list", "match ipv6 address ACCESS6"),
    *_value("match ipv6 address prefix-list WORD$list", "match ipv6 address prefix-list OUT6"),
    *_value("match ipv6 address prefix-len (0-128)$length", "match ipv6 address prefix-len 64"),
    *_value("match ip next-hop WORD$list", "match ip next-hop ACCESS"),
    *_value("match ip next-hop address A.B.C.D$address", "match ip next-hop address 10.0.1.2"),
    *_value("match ip next-hop prefix-list WORD$list", "match ip next-hop prefix-list OUT"),
    *_value("match ip next-hop prefix-len (0-32)$length", "match ip next-hop prefix-len 24"),
    *listed(
        "possible",
        _MAP,
        "route-map",
        ("[no] match ip next-hop type <blackhole>", "match ip next-hop type blackhole"),
        ("[no] match ipv6 next-hop type <blackhole>", "match ipv6 next-hop type blackhole"),
    ),
    *_value("match ipv6 next-hop WORD$list", "match ipv6 next-hop ACCESS6"),
    *_value("match ipv6 next-hop address X:X::X:X$address", "match ipv6 next-hop address 2001:db8::2"),
    *_value("match ipv6 next-hop prefix-list WORD$list", "match ipv6 next-hop prefix-list OUT6"),
    *_value("match ip route-source WORD$list", "match ip route-source ACCESS"),
    *_value("match ip route-source prefix-list WORD$list", "match ip route-source prefix-list OUT"),
    *_value("match local-preference (0-4294967295)$preference", "match local-preference 100"),
    *_value("match metric (0-4294967295)$metric", "match metric 50"),
    *_value("match origin <egp|igp|incomplete>$origin", "match origin igp"),
    *_value(
        "match peer <A.B.C.D|X:X::X:X|local|WORD>$peer",
        "match peer 10.0.1.2",
        "match peer net0",
        "match peer local",
    ),
    *_value("match probability (0-100)$percent", "match probability 50"),
    *_value(f"match source-protocol {_PROTOCOL}", "match source-protocol static"),
    *_value("match tag (1-4294967295)$tag", "match tag 5"),
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
    *_value("set aggregator as ASNUM$asn A.B.C.D$address", "set aggregator as 65001 10.0.0.1"),
    *listed(
        "possible",
        _MAP,
        "route-map",
        ("[no] set as-path exclude [ASNUM...$asns]", "set as-path exclude 65001 65002"),
        (
            "[no] set as-path prepend ASNUM...$asns",
            "set as-path prepend 65000 65000",
        ),
        ("set as-path prepend last-as (1-10)$times", "set as-path prepend last-as 3"),
        ("no set as-path prepend last-as [(1-10)]", "no set as-path prepend last-as"),
        ("no set as-path prepend", "no set as-path prepend"),
        ("set as-path replace <any|ASNUM>$asn", "set as-path replace any", "set as-path replace 65001"),
        ("no set as-path replace [<any|ASNUM>]", "no set as-path replace"),
        ("[no] set atomic-aggregate", "set atomic-aggregate"),
        ("[no] set community AA:NN...$communities", "set community 65000:1 65000:2 additive", "set community none"),
        ("[no] set large-community AA:BB:CC...$communities", "set large-community 65000:1:2 additive"),
        (
            "[no] set extcommunity <rt|soo>$kind ASN:NN_OR_IP-ADDRESS:NN...$communities",
            "set extcommunity rt 65000:1",
            "set extcommunity soo 65000:1",
        ),
        ("[no] set extcommunity none", "set extcommunity none"),
        (
            "[no] set extcommunity bandwidth <(1-25600)|cumulative|num-multipaths> [non-transitive]",
            "set extcommunity bandwidth 100",
            "set extcommunity bandwidth num-multipaths non-transitive",
        ),
        ("set comm-list <(1-99)|(100-500)|WORD>$list delete", "set comm-list NAMES delete"),
        ("no set comm-list [<(1-99)|(100-500)|WORD> delete]", "no set comm-list"),
        ("set large-comm-list <(1-99)|(100-500)|WORD>$list delete", "set large-comm-list NAMES delete"),
        ("no set large-comm-list [<(1-99)|(100-500)|WORD> [delete]]", "no set large-comm-list"),
        ("[no] set ip next-hop peer-address", "set ip next-hop peer-address"),
        ("[no] set ip next-hop unchanged", "set ip next-hop unchanged"),
        ("[no] set ipv6 next-hop peer-address", "set ipv6 next-hop peer-address"),
        ("[no] set ipv6 next-hop prefer-global", "set ipv6 next-hop prefer-global"),
    ),
    *listed(
        "possible",
        _MAP,
        "route-map",
        ("no set community", "no set community"),
        ("no set large-community", "no set large-community"),
        ("no set extcommunity <rt|soo|bandwidth>", "no set extcommunity rt"),
        before=("set community 65000:1", "set large-community 65000:1:2", "set extcommunity rt 65000:1"),
    ),
    *_value("set ip next-hop A.B.C.D$address", "set ip next-hop 10.0.1.1"),
    *_value("set ipv6 next-hop global X:X::X:X$address", "set ipv6 next-hop global 2001:db8::1"),
    *_value("set ipv6 next-hop local X:X::X:X$address", "set ipv6 next-hop local fe80::1"),
    *_value("set local-preference WORD$preference", "set local-preference 200", "set local-preference +10"),
    *(
        statement
        for words, value, given in (
            ("set label-index", "(0-1048560)", "5"),
            ("set sr-te color", "(1-4294967295)", "5"),
            ("set forwarding-address", "X:X::X:X", "2001:db8::1"),
            ("match source-instance", "(0-255)", "5"),
        )
        for statement in listed(
            "possible", _OTHER, "route-map", (f"{words} {value}", f"{words} {given}"), undo=f"{words} [{value}]"
        )
    ),
    *listed(
        "possible",
        _MAP,
        "route-map",
        ("set metric <(-4294967295-4294967295)|rtt|+rtt|-rtt>$metric", "set metric 50", "set metric +10"),
        undo="set metric [OPTVAL]",
    ),
    *_value("set origin <egp|igp|incomplete>$origin", "set origin igp"),
    *_value("set originator-id A.B.C.D$originator", "set originator-id 10.0.0.1"),
    *_value("set weight (0-4294967295)$weight", "set weight 100"),
    *_value("set distance (0-255)$distance", "set distance 30"),
    *_value("set tag (1-4294967295)$tag", "set tag 5"),
    *_value("set metric-type <type-1|type-2>", "set metric-type type-1"),
    *listed(
        "possible",
        _MAP,
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
