"""Communities as numbers -> the spelling that FRR prints (bgpd/bgp_community.c)."""

from __future__ import annotations

from collections.abc import Mapping

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


def community_text(number: int) -> str:
    """A community of 32 bits (RFC 1997): its well-known name, or `asn:value`."""
    return _WELL_KNOWN.get(number, f"{number >> 16}:{number & 0xFFFF}")
