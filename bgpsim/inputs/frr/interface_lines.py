"""Addresses that FRR's configuration gives to interfaces (lib/if.c, zebra/interface.c), told apart from other lines.

zebra keeps the address of an interface that is not there yet, and puts it on when it comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_interface

from bgpsim.inputs.commands import VtyLine
from bgpsim.network.types import InterfaceAddress
from bgpsim.source import Source

_INSIDE = frozenset(("ip", "ipv6", "no", "description", "bandwidth", "shutdown", "multicast", "link-detect", "mpls"))
"""Words that lines of an interface begin with; `ip` and `ipv6` begin others too."""


@dataclass(frozen=True, slots=True)
class InterfaceAddressLine:
    """`ip address A/M` or `ipv6 address A/M` below `interface X`, or its `no` form."""

    interface: str
    address: InterfaceAddress
    removed: bool
    source: Source


def split(lines: Sequence[VtyLine]) -> tuple[list[VtyLine], list[InterfaceAddressLine]]:
    """The lines without those of addresses, and the addresses. An `interface` line stays where it has others below."""
    rest: list[VtyLine] = []
    found: list[InterfaceAddressLine] = []
    block: list[VtyLine] = []
    interface: str | None = None

    def close() -> None:
        if len(block) > 1:
            rest.extend(block)
        block.clear()

    for line in lines:
        words = line.source.text.split()
        if words[:1] == ["interface"] and len(words) == 2:
            close()
            interface = words[1]
            block.append(line)
            continue
        if interface is None:
            rest.append(line)
            continue
        if words in (["exit"], ["quit"]):
            if len(block) > 1:
                block.append(line)
            close()
            interface = None
            continue
        address = _address(interface, words, line.source)
        if address is not None:
            found.append(address)
        elif not words or words[0].startswith(("!", "#")) or words == ["no", "shutdown"]:
            continue
        elif _belongs(words):
            block.append(line)
        else:
            # What no interface knows is tried one mode further out (vtysh.c, vtysh_execute_func).
            close()
            interface = None
            rest.append(line)
    close()
    return rest, found


def _belongs(words: list[str]) -> bool:
    inner = words[1:] if words[0] == "no" else words
    if inner[:1] == ["ip"] or inner[:1] == ["ipv6"]:
        return inner[1:2] not in ([w] for w in ("route", "prefix-list", "forwarding", "nht", "protocol", "router-id"))
    return words[0] in _INSIDE and inner[:1] != ["router"]


def _address(interface: str, words: list[str], source: Source) -> InterfaceAddressLine | None:
    removed = words[:1] == ["no"]
    match words[1:] if removed else words:
        case [("ip" | "ipv6") as version, "address" | "addr", text] if "/" in text:
            try:
                address = ip_interface(text)
            except ValueError:
                return None
            if address.version != (6 if version == "ipv6" else 4):
                return None
            return InterfaceAddressLine(interface, address, removed, source)
    return None
