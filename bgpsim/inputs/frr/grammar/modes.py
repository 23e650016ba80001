"""The modes of FRR's configuration (lib/command.h calls them nodes), and how a line leaves one.

A line that a mode does not know is tried in the mode around it, and so on up to `configure terminal`; the one that
knows it is the mode from then on (vtysh/vtysh.c, vtysh_execute_func; lib/command.c, command_config_read_one_line). A
line that is ambiguous or ends too soon is not tried further.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from bgpsim.network.types import Family

Mode = Literal[
    "view",
    "config",
    "bgp",
    "ipv4-unicast",
    "ipv6-unicast",
    "interface",
    "route-map",
    "bfd",
    "bfd-peer",
    "bfd-profile",
    "other",
    "other-family",
    "other-bgp",
    "other-bgp-family",
    "vrf",
]
"""`other`: a block that is none of bgpsim's (`router ospf`). `other-family`: an address family of the BGP instance
other than unicast, or another block within it. `other-bgp`: an instance of a VRF or view."""

AROUND: dict[Mode, Mode] = {
    "bgp": "config",
    "ipv4-unicast": "bgp",
    "ipv6-unicast": "bgp",
    "interface": "config",
    "route-map": "config",
    "bfd": "config",
    "bfd-peer": "bfd",
    "bfd-profile": "bfd",
    "other": "config",
    "other-family": "bgp",
    "other-bgp": "config",
    "other-bgp-family": "other-bgp",
    "vrf": "config",
    "config": "view",
}
FAMILY_MODES: dict[Mode, Family] = {"ipv4-unicast": "ipv4-unicast", "ipv6-unicast": "ipv6-unicast"}
OPAQUE: dict[Mode, str] = {
    "other-family": "in an address family that is not modelled",
    "other-bgp": "in a BGP instance of a VRF or view, which is not modelled",
    "other-bgp-family": "in a BGP instance of a VRF or view, which is not modelled",
    "vrf": "in a VRF, which is not modelled",
}
"""Their lines are not held against the registry: what looks like BGP's own there is not."""
CALLED: dict[Mode, str] = {
    "config": "`configure terminal`",
    "bgp": "`router bgp`",
    "ipv4-unicast": "`address-family ipv4 unicast`",
    "ipv6-unicast": "`address-family ipv6 unicast`",
    "interface": "`interface`",
    "route-map": "`route-map`",
    "bfd": "`bfd`",
    "bfd-peer": "`bfd`, `peer`",
    "bfd-profile": "`bfd`, `profile`",
}
BLOCKS = frozenset(
    (
        *("router", "interface", "route-map", "vrf", "line", "key", "bfd", "segment-routing", "pseudowire", "rpki"),
        *("nexthop-group", "pbr-map", "link-params", "l2vpn", "mpls"),
    )
)
"""Words that open a block of their own, whether or not the registry knows the line."""

COMPLETE: frozenset[Mode] = frozenset(("bgp", "ipv4-unicast", "ipv6-unicast", "route-map"))
"""Modes of which the registry knows all that FRR 8.4 prints for `list` (it keeps some old statements hidden)."""
BEGINNINGS = (
    *("agentx", "allow-external-route-update", "allow-reserved-ranges", "clear", "l2vpn", "mpls", "nhrp", "pbr-map"),
    *("rpki", "router", "terminal", "vni", "vrrp", "exit", "quit", "end"),
)
"""Words that lines of `configure terminal` begin with in FRR 8.4 beside those of the registry."""


def outwards(mode: Mode) -> Iterator[Mode]:
    """The mode and those around it, up to `configure terminal`."""
    while mode != "view":
        yield mode
        mode = AROUND[mode]


def left(mode: Mode, word: str) -> Mode:
    """After `exit`, `quit` or `end`."""
    return "view" if word == "end" or mode == "view" else AROUND[mode]
