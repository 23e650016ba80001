"""What stands in the table by name, and belongs to none of the protocols that are modelled."""

from __future__ import annotations

from bgpsim.inputs.frr.grammar.modes import Mode
from bgpsim.inputs.frr.grammar.statement import Statement, listed

_UNICAST: tuple[Mode, ...] = ("bgp",)


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
        ("[no] rd vpn export WORD", "rd vpn export 65000:1"),
        ("[no] label vpn export <(0-1048575)|auto>", "label vpn export auto"),
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
        "it is none of the protocols that are modelled",
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
        "it is none of the protocols that are modelled",
        "config",
        ("[no] evpn mh LINE...", "evpn mh startup-delay 5"),
        daemons=("zebra",),
    ),
)
