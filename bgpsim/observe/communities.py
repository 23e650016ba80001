"""Communities as numbers -> the spelling that FRR prints (bgpd/bgp_community.c)."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address

_WELL_KNOWN: Mapping[int, str] = {
    0xFFFF0000: "graceful-shutdown",
    0xFFFF0001: "accept-own",
    0xFFFF029A: "blackhole",
    0xFFFFFF01: "no-export",
    0xFFFFFF02: "no-advertise",
    0xFFFFFF03: "local-AS",
    0xFFFFFF04: "no-peer",
}
"""RFC 1997, 3765, 7611, 7999, 8326."""


_ADMINISTRATORS = {0: 2, 1: 4, 2: 4}
"""Octets of the administrator by type: an AS of two, an IPv4 address, an AS of four (RFC 4360, RFC 5668)."""
_SUBTYPES = {2: "RT", 3: "SoO"}


def extended_community_text(number: int) -> str:
    """An extended community of 64 bits: `RT:65000:1` or `SoO:…`, else its octets in hexadecimal."""
    octets = number.to_bytes(8, "big")
    size, kind = _ADMINISTRATORS.get(octets[0]), _SUBTYPES.get(octets[1])
    if size is None or kind is None:
        return f"0x{octets.hex()}"
    administrator = octets[2 : 2 + size]
    shown = str(IPv4Address(administrator)) if octets[0] == 1 else str(int.from_bytes(administrator, "big"))
    return f"{kind}:{shown}:{int.from_bytes(octets[2 + size :], 'big')}"


def community_text(number: int) -> str:
    """A community of 32 bits (RFC 1997): its well-known name, or `asn:value`."""
    return _WELL_KNOWN.get(number, f"{number >> 16}:{number & 0xFFFF}")
