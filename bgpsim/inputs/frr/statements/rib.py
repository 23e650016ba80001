"""What goes into BGP's table and out to the kernel beside plain routes: not modelled."""

from __future__ import annotations

from bgpsim.inputs.frr.grammar.modes import Mode
from bgpsim.inputs.frr.grammar.statement import Statement, listed
from bgpsim.inputs.frr.statements.neighbor import OF_A_FAMILY

_ORIGIN = "which routes are originated, and with which attributes, may depend on it"
_KERNEL = "which routes are installed, and how, may depend on it"
_V4: tuple[Mode, ...] = ("ipv4-unicast", "bgp")
_WITH = "{metric (0-4294967295)$metric|route-map WORD$map}"
_AGGREGATE = (
    "[{as-set|summary-only|route-map WORD$map|origin <egp|igp|incomplete>$origin|matching-MED-only"
    "|suppress-map WORD$suppress}]"
)

STATEMENTS: tuple[Statement, ...] = (
    *listed(
        "possible",
        "routes of other protocols are not modelled",
        OF_A_FAMILY,
        (
            "[no] redistribute <rip|ripng|ospf|ospf6|isis|eigrp|nhrp|vnc|vnc-direct|babel|openfabric>$protocol"
            f" [{_WITH}]",
            "redistribute isis",
        ),
        (
            f"[no] redistribute <ospf|table>$protocol (1-65535) [{_WITH}]",
            "redistribute table 10",
            "redistribute ospf 1",
        ),
    ),
    *listed(
        "possible",
        _ORIGIN,
        _V4,
        (
            "[no] network <A.B.C.D/M$prefix|A.B.C.D$address [mask A.B.C.D$mask]>"
            " {label-index (0-1048560)|backdoor} [route-map WORD$map]",
            "network 10.9.0.0/16 backdoor",
        ),
        (
            f"[no] aggregate-address <A.B.C.D/M$prefix|A.B.C.D$address A.B.C.D$mask> {_AGGREGATE}",
            "aggregate-address 10.0.0.0/8",
            "aggregate-address 10.0.0.0/8 summary-only as-set",
            "aggregate-address 10.0.0.0/8 suppress-map OUT",
        ),
    ),
    *listed(
        "possible",
        _ORIGIN,
        "ipv6-unicast",
        (
            "[no] network X:X::X:X/M$prefix label-index (0-1048560) [route-map WORD$map]",
            "network 2001:db8::/32 label-index 5",
        ),
        (f"[no] aggregate-address X:X::X:X/M$prefix {_AGGREGATE}", "aggregate-address 2001:db8::/32 summary-only"),
    ),
    *listed(
        "possible",
        "which networks are originated may depend on it",
        "bgp",
        ("[no] bgp network import-check", "no bgp network import-check"),
    ),
    *listed(
        "possible",
        _KERNEL,
        OF_A_FAMILY,
        ("maximum-paths (1-256)$paths", "maximum-paths 4"),
        ("no maximum-paths [(1-256)]", "no maximum-paths"),
        (
            "maximum-paths ibgp (1-256)$paths [equal-cluster-length]",
            "maximum-paths ibgp 4",
            "maximum-paths ibgp 4 equal-cluster-length",
        ),
        ("no maximum-paths ibgp [(1-256) [equal-cluster-length]]", "no maximum-paths ibgp"),
        ("[no] table-map WORD$map", "table-map OUT"),
        ("distance bgp (1-255)$external (1-255)$internal (1-255)$local", "distance bgp 20 200 200"),
        ("no distance bgp [(1-255) (1-255) (1-255)]", "no distance bgp"),
        (
            "bgp dampening [(1-45) [(1-20000) (1-50000) (1-255)]]",
            "bgp dampening",
        ),
        ("no bgp dampening [(1-45) [(1-20000) (1-50000) (1-255)]]", "no bgp dampening"),
    ),
    *listed(
        "possible",
        _KERNEL,
        _V4,
        ("[no] distance (1-255)$distance A.B.C.D/M$prefix [WORD$list]", "distance 90 10.0.0.0/8"),
    ),
    *listed(
        "possible",
        _KERNEL,
        "ipv6-unicast",
        ("[no] distance (1-255)$distance X:X::X:X/M$prefix [WORD$list]", "distance 90 2001:db8::/32"),
    ),
    *listed(
        "possible",
        _KERNEL,
        ("bgp", "config"),
        ("[no] bgp suppress-fib-pending", "bgp suppress-fib-pending"),
        daemons=("bgpd",),
    ),
    *listed(
        "none",
        "it is about when a changed policy takes effect, and not what it does",
        ("bgp", "config"),
        ("bgp route-map delay-timer (0-600)", "bgp route-map delay-timer 1"),
        ("no bgp route-map delay-timer [(0-600)]", "no bgp route-map delay-timer"),
        daemons=("bgpd",),
    ),
    *listed(
        "none",
        "it is about how often conditions are looked at, and not what they are",
        "bgp",
        ("[no] bgp conditional-advertisement timer (5-240)", "bgp conditional-advertisement timer 5"),
    ),
    *listed(
        "possible",
        _KERNEL,
        "config",
        ("[no] bgp no-rib", "bgp no-rib"),
        ("bgp update-delay (0-3600) [(1-3600)]", "bgp update-delay 10"),
        ("no bgp update-delay [(0-3600) [(1-3600)]]", "no bgp update-delay"),
        daemons=("bgpd",),
    ),
)
