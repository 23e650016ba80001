"""scapy's BGP layer (scapy.contrib.bgp), and what it lacks: all of it here, and nowhere else.

scapy 2.8 reads AS numbers of 2 or 4 octets by a setting of the whole process, of COMMUNITIES the first alone, of
AS4_PATH the first segment alone, AGGREGATOR with 2 octets alone, knows no IPv4 routes with IPv6 next hops (RFC 8950),
and guesses whether routes have path ids. Here the session's OPENs decide.

Measured with scapy 2.8 (one core): 0.02 to 0.05 ms per attribute, 0.026 ms per route, 0.34 ms for an UPDATE of one
route. So the value of an attribute is dissected by scapy once and remembered, and routes are read by
`bgpsim.agent.bgp_messages`: 10,000 routes would take scapy 0.3 s each time. Its import takes 0.15 to 0.25 s.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar


@contextmanager
def _silent() -> Iterator[None]:
    """scapy's BGP layer warns of a setting that is not used here."""
    log = logging.getLogger("scapy.runtime")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


with _silent():
    from scapy.contrib import bgp as layer
    from scapy.fields import (
        ByteEnumField,
        ByteField,
        ConditionalField,
        FieldLenField,
        FieldListField,
        IntEnumField,
        IntField,
        PacketListField,
        ShortEnumField,
        ShortField,
    )
    from scapy.layers.inet6 import IP6Field
    from scapy.packet import Packet, Raw

from scapy.fields import IPField  # noqa: E402 - after the layer, whose import must not warn


class _Part(Packet):  # type: ignore[misc]
    """One of a list: what follows it is the next one's."""

    def default_payload_class(self, payload: bytes) -> type[Packet]:
        return layer.conf.padding_layer  # type: ignore[no-any-return]


class Segment2(_Part):
    """A segment of an AS path with AS numbers of two octets (RFC 4271 section 4.3)."""

    name = "segment"
    fields_desc: ClassVar = [
        ByteEnumField("kind", 2, layer.as_path_segment_types),
        FieldLenField("length", None, fmt="B", count_of="asns"),
        FieldListField("asns", [], ShortField("asn", 0), count_from=lambda p: p.length),
    ]


class Segment4(_Part):
    """With AS numbers of four octets (RFC 6793)."""

    name = "segment"
    fields_desc: ClassVar = [
        ByteEnumField("kind", 2, layer.as_path_segment_types),
        FieldLenField("length", None, fmt="B", count_of="asns"),
        FieldListField("asns", [], IntField("asn", 0), count_from=lambda p: p.length),
    ]


class AsPath2(Packet):  # type: ignore[misc]
    name = "AS_PATH, 2 octets"
    fields_desc: ClassVar = [PacketListField("segments", [], Segment2)]


class AsPath4(Packet):  # type: ignore[misc]
    name = "AS_PATH, 4 octets"
    fields_desc: ClassVar = [PacketListField("segments", [], Segment4)]


class Aggregator4(Packet):  # type: ignore[misc]
    """AGGREGATOR of a session with AS numbers of four octets; AS4_AGGREGATOR (RFC 6793 section 3)."""

    name = "AGGREGATOR, 4 octets"
    fields_desc: ClassVar = [IntField("aggregator_asn", 0), IPField("speaker_address", "0.0.0.0")]


class Communities(Packet):  # type: ignore[misc]
    """All of them (RFC 1997)."""

    name = "COMMUNITIES"
    fields_desc: ClassVar = [
        FieldListField("communities", [], IntEnumField("community", 0, layer.well_known_communities))
    ]


class NextHop(Packet):  # type: ignore[misc]
    """MP_REACH_NLRI's head: with 4, 16 or 32 octets of next hop for either family (RFC 4760, RFC 2545, RFC 8950)."""

    name = "MP_REACH_NLRI"
    fields_desc: ClassVar = [
        ShortEnumField("afi", 1, layer.address_family_identifiers),
        ByteEnumField("safi", 1, layer.subsequent_afis),
        ByteField("length", 16),
        ConditionalField(IPField("ipv4", "0.0.0.0"), lambda p: p.length == 4),
        ConditionalField(IP6Field("ipv6", "::"), lambda p: p.length in (16, 32)),
        ConditionalField(IP6Field("link_local", "::"), lambda p: p.length == 32),
    ]


_OWN: dict[tuple[int, bool], type[Packet]] = {
    (2, False): AsPath2,
    (2, True): AsPath4,
    (7, True): Aggregator4,
    (8, False): Communities,
    (8, True): Communities,
    (17, False): AsPath4,
    (17, True): AsPath4,
    (18, False): Aggregator4,
    (18, True): Aggregator4,
}
_SCAPY: dict[int, type[Packet]] = {
    1: layer.BGPPAOrigin,
    3: layer.BGPPANextHop,
    4: layer.BGPPAMultiExitDisc,
    5: layer.BGPPALocalPref,
    6: layer.BGPPAAtomicAggregate,
    7: layer.BGPPAAggregator,
    9: layer.BGPPAOriginatorID,
    10: layer.BGPPAClusterList,
    16: layer.BGPPAExtComms,
    32: layer.BGPPALargeCommunity,
}


def dissected(code: int, value: bytes, four_octet_as: bool) -> Any:
    """The value of a path attribute; None for a code without a layer."""
    found = _OWN.get((code, four_octet_as)) or _SCAPY.get(code)
    return None if found is None else found(value)


def route(afi: int, prefix: bytes, path_id: int | None) -> Packet:
    """A route; `path_id` where the session has them."""
    if path_id is None:
        return (layer.BGPNLRI_IPv4 if afi == 1 else layer.BGPNLRI_IPv6)(prefix)
    kind = layer.BGPNLRI_IPv4_AP if afi == 1 else layer.BGPNLRI_IPv6_AP
    return kind(path_id.to_bytes(4, "big") + prefix)


def whole(kind: int, message: bytes) -> Packet:
    """A message other than an UPDATE, header and all, as scapy reads it."""
    return Raw(message) if kind not in layer._bgp_cls_by_type else layer.BGPHeader(message)
