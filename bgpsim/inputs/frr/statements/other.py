"""What stands in the table by name, and belongs to none of the protocols that are modelled."""

from __future__ import annotations

from bgpsim.inputs.frr.grammar.modes import Mode
from bgpsim.inputs.frr.grammar.statement import Statement, listed

_UNICAST: tuple[Mode, ...] = ("bgp",)
_NONE = "it is none of the protocols that are modelled"
_WORDS = {
    "evpn": "mh startup-delay 5",
    "pbr": "table range 10000 20000",
    "fpm": "use-next-hop-groups",
    "mac": "access-list ACCESS permit any",
    "dump": "bgp all /tmp/dump",
}
"""Words that lines of `configure terminal` begin with, each with the rest of an example."""


def _protocol(name: str, syntax: str, example: str) -> tuple[Statement, ...]:
    why = f"{name} is not modelled"
    return listed("possible", why, "config", (syntax, example), enters="other", daemons=("other",))


def _families(name: str, *statements: tuple[str, ...]) -> tuple[Statement, ...]:
    return listed("possible", f"{name} is not modelled", _UNICAST, *statements, enters="other-family")


STATEMENTS: tuple[Statement, ...] = (
    *_protocol("OSPF", "router ospf [(1-65535)] [vrf WORD]", "router ospf"),
    *_protocol("OSPFv3", "router ospf6 [vrf WORD]", "router ospf6"),
    *_protocol("IS-IS", "router isis WORD [vrf WORD]", "router isis CORE"),
    *_protocol("RIP", "router rip [vrf WORD]", "router rip"),
    *_protocol("RIPng", "router ripng [vrf WORD]", "router ripng"),
    *_protocol("EIGRP", "router eigrp (1-65535) [vrf WORD]", "router eigrp 1"),
    *_protocol("Babel", "router babel", "router babel"),
    *_protocol("OpenFabric", "router openfabric WORD", "router openfabric CORE"),
    *listed(
        "possible",
        "VRFs are not modelled",
        "config",
        ("vrf WORD", "vrf red"),
        enters="vrf",
        daemons=("zebra", "staticd", "other"),
    ),
    *_families("EVPN", ("address-family l2vpn evpn", "address-family l2vpn evpn")),
    *_families(
        "flowspec",
        ("address-family <ipv4|ipv6> flowspec", "address-family ipv4 flowspec", "address-family ipv6 flowspec"),
    ),
    *_families("a VPN's family", ("address-family <ipv4|ipv6> vpn", "address-family ipv4 vpn")),
    *_families("multicast", ("address-family <ipv4|ipv6> multicast", "address-family ipv4 multicast")),
    *_families(
        "labelled unicast", ("address-family <ipv4|ipv6> labeled-unicast", "address-family ipv4 labeled-unicast")
    ),
    *listed(
        "possible",
        "routes between VRFs are not modelled",
        ("ipv4-unicast", "ipv6-unicast"),
        ("[no] <import|export> vpn", "import vpn"),
        ("[no] <rt|route-target> vpn LINE...", "rt vpn both 65000:1"),
        ("no <rt|route-target> vpn <import|export|both>", "no rt vpn both"),
        ("[no] <rt|route-target|route-target6|rt6> redirect import LINE...", "rt redirect import 65000:1"),
        ("[no] rd vpn export WORD", "rd vpn export 65000:1"),
        ("no rd vpn export", "no rd vpn export"),
        ("[no] label vpn export <(0-1048575)|auto>", "label vpn export auto"),
        ("no label vpn export", "no label vpn export"),
        ("[no] nexthop vpn export [<A.B.C.D|X:X::X:X>]", "nexthop vpn export 10.0.0.1"),
        ("[no] route-map vpn <import|export> [WORD]", "route-map vpn import OUT"),
        ("[no] sid vpn export <(1-255)|auto>", "sid vpn export auto"),
        ("[no] import vrf route-map [WORD]", "import vrf route-map OUT"),
        ("[no] import vrf WORD", "import vrf red"),
    ),
    *listed(
        "none",
        "families other than unicast are not modelled, and no session carries them",
        "bgp",
        (
            "[no] bgp default"
            " <ipv4-multicast|ipv4-vpn|ipv4-labeled-unicast|ipv4-flowspec"
            "|ipv6-multicast|ipv6-vpn|ipv6-labeled-unicast|ipv6-flowspec|l2vpn-evpn>",
            "no bgp default l2vpn-evpn",
        ),
    ),
    *listed(
        "possible",
        _NONE,
        "config",
        ("key chain WORD", "key chain KEYS"),
        ("nexthop-group WORD", "nexthop-group GROUP"),
        ("segment-routing", "segment-routing"),
        ("pseudowire WORD", "pseudowire mpw0"),
        enters="other",
        daemons=("zebra", "other"),
    ),
    *listed(
        "possible",
        _NONE,
        "config",
        *((f"[no] {word} LINE...", f"{word} {rest}") for word, rest in _WORDS.items()),
        daemons=("zebra", "other"),
    ),
    *listed(
        "possible",
        _NONE,
        "bgp",
        ("[no] vnc LINE...", "vnc redistribute mode plain"),
        ("[no] bmp mirror buffer-limit [(0-4294967294)]", "no bmp mirror buffer-limit"),
        ("no bmp targets WORD", "no bmp targets STATION"),
        ("no segment-routing srv6", "no segment-routing srv6"),
    ),
    *listed(
        "possible",
        _NONE,
        "bgp",
        ("bmp targets WORD", "bmp targets STATION"),
        ("vrf-policy WORD", "vrf-policy POLICY"),
        ("segment-routing srv6", "segment-routing srv6"),
        enters="other-family",
    ),
    *listed(
        "possible", _NONE, "bgp", ("no vrf-policy WORD", "no vrf-policy POLICY"), before=("vrf-policy POLICY", "exit")
    ),
    *listed(
        "none",
        "it is from before FRR, and says nothing any more",
        "bgp",
        ("no auto-summary", "no auto-summary"),
        ("no synchronization", "no synchronization"),
    ),
    *listed(
        "none",
        "it shows something, and changes nothing",
        ("config", "bgp", "ipv4-unicast", "ipv6-unicast", "route-map", "interface"),
        ("list [permutations]", "list"),
        ("find LINE...", "find maximum-paths"),
        ("[no] output file [WORD]", "no output file"),
    ),
)
