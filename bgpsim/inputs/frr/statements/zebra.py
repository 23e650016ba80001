"""Statements of zebra and staticd, and of interfaces, that are not modelled."""

from __future__ import annotations

from bgpsim.inputs.frr.grammar.statement import Statement, listed

_KERNEL = "which routes are installed, and how, may depend on it"
_PROTOCOLS = "any|connected|eigrp|isis|kernel|nhrp|openfabric|ospf|ospf6|rip|ripng|static|system|table|vnc|babel"
_INTERFACE = "addresses of interfaces are read from `ip` lines alone: what zebra sets may move routes"

STATEMENTS: tuple[Statement, ...] = (
    *listed(
        "possible",
        _KERNEL,
        "config",
        (f"[no] ip protocol <{_PROTOCOLS}>$protocol route-map WORD$map", "ip protocol static route-map OUT"),
        (f"[no] ipv6 protocol <{_PROTOCOLS}>$protocol route-map WORD$map", "ipv6 protocol static route-map OUT"),
        ("[no] ip import-table (1-252) [distance (1-255)] [route-map WORD]", "ip import-table 10"),
        daemons=("zebra",),
    ),
    *listed(
        "none",
        "forwarding is on in every node of the lab",
        "config",
        ("ip forwarding", "ip forwarding"),
        ("ipv6 forwarding", "ipv6 forwarding"),
        daemons=("zebra",),
    ),
    *listed(
        "possible",
        "whether the router passes packets on depends on it",
        "config",
        ("no ip forwarding", "no ip forwarding"),
        ("no ipv6 forwarding", "no ipv6 forwarding"),
        daemons=("zebra",),
    ),
    *listed(
        "possible",
        "an instance without a router ID of its own takes this one",
        "config",
        ("ip router-id A.B.C.D", "ip router-id 10.0.0.1"),
        ("router-id A.B.C.D", "router-id 10.0.0.1"),
        ("ipv6 router-id X:X::X:X", "ipv6 router-id 2001:db8::1"),
        daemons=("zebra",),
    ),
    *listed(
        "none",
        "it is about when and how zebra works, and not what it installs",
        "config",
        ("zebra nexthop-group keep (1-3600)", "zebra nexthop-group keep 5"),
        ("zebra route-map delay-timer (0-600)", "zebra route-map delay-timer 1"),
        ("zebra dplane limit (0-10000)", "zebra dplane limit 100"),
        daemons=("zebra",),
    ),
    *listed(
        "none",
        "it opens the block; its lines are listed each",
        "config",
        ("interface WORD [vrf WORD]", "interface net0"),
        enters="interface",
        daemons=("zebra", "other"),
    ),
    *listed(
        "possible",
        _INTERFACE,
        "interface",
        ("[no] ip address A.B.C.D/M$address [label LINE...]", "ip address 10.0.1.1/24"),
        ("[no] ip address A.B.C.D peer A.B.C.D/M", "ip address 10.0.1.1 peer 10.0.1.2/32"),
        ("[no] ipv6 address X:X::X:X/M$address", "ipv6 address 2001:db8::1/64"),
        ("[no] shutdown", "shutdown"),
        ("[no] mpls enable", "mpls enable"),
        ("[no] ipv6 nd LINE...", "no ipv6 nd suppress-ra", "ipv6 nd ra-interval 10"),
    ),
    *listed(
        "none",
        "it describes the interface, and moves no route",
        "interface",
        ("[no] description [LINE...]", "description to the spine"),
        ("bandwidth (1-100000)", "bandwidth 1000"),
        ("no bandwidth [(1-100000)]", "no bandwidth"),
        ("[no] link-detect", "link-detect"),
        ("[no] multicast", "multicast"),
    ),
)
