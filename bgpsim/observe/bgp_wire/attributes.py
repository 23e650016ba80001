"""Path attributes as they stood in an UPDATE -> `Attributes` (RFC 4271 section 4.3 and 5, RFC 6793)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import IPv6Address
from typing import Any, Literal

from bgpsim.agent.bgp_messages import BadMessage
from bgpsim.agent.bgp_messages import attributes as split_attributes
from bgpsim.errors import LabError
from bgpsim.network.state import AsPath, Attributes
from bgpsim.observe.bgp_wire.scapy_bgp import NextHop, dissected
from bgpsim.observe.communities import community_text, extended_community_text

_ORIGINS: tuple[Literal["igp", "egp", "incomplete"], ...] = ("igp", "egp", "incomplete")
_AS_TRANS = 23456
"""RFC 6793 section 9."""
_TRANSITIVE = 0x40
_REMEMBERED = 1 << 16


def decode(attributes: bytes, next_hop: bytes, four_octet_as: bool, spell: Callable[[str], str] = str) -> Attributes:
    """`attributes` and `next_hop`: as `bgpsim.agent.bgp_messages.Update` has them; `spell`: an address's own spelling.

    Raises LabError for what cannot be read.
    """
    found: dict[str, Any] = {}
    unknown: list[tuple[int, str]] = []
    try:
        for code, value, whole in split_attributes(attributes):
            name = _NAMES.get(code)
            if name is not None:
                found[name] = _value(code, value, four_octet_as)
            elif whole[0] & _TRANSITIVE:
                unknown.append((code, value.hex()))
    except BadMessage as error:
        raise LabError(f"an UPDATE has {error}") from None
    hop = _mp_next_hop(next_hop) if next_hop else found.get("next_hop")
    if hop is None:
        raise LabError("an UPDATE announces routes without a next hop")
    path, aggregator = _merged(found, four_octet_as)
    return Attributes(
        **{name: value for name, value in found.items() if name not in ("as4_path", "as4_aggregator")}
        | {"next_hop": spell(hop), "as_path": path, "aggregator": aggregator},
        unknown=tuple(f"{code} 0x{value}" for code, value in sorted(unknown)),
    )


_NAMES: Mapping[int, str] = {
    1: "origin",
    2: "as_path",
    3: "next_hop",
    4: "med",
    5: "local_preference",
    6: "atomic_aggregate",
    7: "aggregator",
    8: "communities",
    9: "originator_id",
    10: "cluster_list",
    16: "extended_communities",
    17: "as4_path",
    18: "as4_aggregator",
    32: "large_communities",
}


@lru_cache(_REMEMBERED)
def _value(code: int, value: bytes, four_octet_as: bool) -> Any:
    """One attribute in the terms of `Attributes`; an aggregator as (AS number, address)."""
    if code == 16:
        return _extended_communities(value)
    try:
        packet = dissected(code, value, four_octet_as)
    except struct.error:
        raise LabError(f"an UPDATE has {_NAMES[code]} that is cut short: {value.hex()}") from None
    if packet.getlayer("Raw") is not None or packet.getlayer("Padding") is not None:
        raise LabError(f"an UPDATE has a {packet.name} with octets to spare: {value.hex()}")
    match code:
        case 1:
            if packet.origin >= len(_ORIGINS):
                raise LabError(f"an UPDATE has the unknown origin {packet.origin}")
            return _ORIGINS[packet.origin]
        case 2 | 17:
            return _as_path(packet)
        case 3:
            return packet.next_hop
        case 4:
            return packet.med
        case 5:
            return packet.local_pref
        case 6:
            return True
        case 7 | 18:
            return packet.aggregator_asn, packet.speaker_address
        case 8:
            return tuple(sorted(map(community_text, packet.communities)))
        case 9:
            return packet.originator_id
        case 10:
            return tuple(packet.clusters)
    return tuple(sorted(f"{of.asn}:{of.one}:{of.two}" for of in packet.communities))


def _extended_communities(value: bytes) -> tuple[str, ...]:
    """scapy has a layer for some kinds of them alone; their spelling is FRR's for the two that are common."""
    if len(value) % 8:
        raise LabError(f"an UPDATE has extended communities that are cut short: {value.hex()}")
    numbers = (int.from_bytes(value[at : at + 8], "big") for at in range(0, len(value), 8))
    return tuple(sorted(map(extended_community_text, numbers)))


def _as_path(packet: Any) -> AsPath:
    parts: list[int | frozenset[int] | tuple[int, ...]] = []
    for segment in packet.segments:
        if len(segment.asns) != segment.length:
            raise LabError("an UPDATE has an AS path that is cut short")
        if segment.kind == 2:
            parts += segment.asns
        elif segment.kind == 1:
            parts.append(frozenset(segment.asns))
        elif segment.kind == 3:
            parts.append(tuple(segment.asns))
        else:
            raise LabError(f"an UPDATE has an AS path segment of the unknown kind {segment.kind}")
    return tuple(parts)


def _merged(found: Mapping[str, Any], four_octet_as: bool) -> tuple[AsPath, str | None]:
    """AS path and aggregator, with AS4_PATH and AS4_AGGREGATOR put in (RFC 6793 section 4.2.3)."""
    path: AsPath = found.get("as_path", ())
    aggregator = found.get("aggregator")
    if not four_octet_as:
        wide = found.get("as4_aggregator")
        ignored = wide is not None and aggregator is not None and aggregator[0] != _AS_TRANS
        longer: AsPath = found.get("as4_path", ())
        if not ignored and longer and len(path) >= len(longer):
            path = path[: len(path) - len(longer)] + longer
        if not ignored and wide is not None and aggregator is not None:
            aggregator = wide
    return path, None if aggregator is None else f"{aggregator[0]}:{aggregator[1]}"


@lru_cache(_REMEMBERED)
def _mp_next_hop(octets: bytes) -> str:
    """Of 32 octets the link-local half is what packets are sent to (RFC 2545 section 3)."""
    packet = NextHop(b"\0\2\1" + bytes([len(octets)]) + octets)
    if len(octets) == 4:
        return str(packet.ipv4)
    if len(octets) not in (16, 32):
        raise LabError(f"an UPDATE has a next hop of {len(octets)} octets")
    if len(octets) == 32 and IPv6Address(packet.link_local).is_link_local:
        return str(IPv6Address(packet.link_local))
    return str(IPv6Address(packet.ipv6))
