"""scapy's BGP layer (scapy.contrib.bgp), and what it lacks: all of it here, and nowhere else.

scapy 2.8 reads AS numbers of 2 or 4 octets by a setting of the whole process, of COMMUNITIES the first alone, of
AS4_PATH the first segment alone, AGGREGATOR with 2 octets alone, of any list 100 members (conf.max_list_count), knows
no IPv4 routes with IPv6 next hops (RFC 8950), and guesses whether routes have path ids. Here the session's OPENs
decide.

Measured with scapy 2.8 (one core): 0.02 to 0.05 ms per attribute, 0.026 ms per route, 0.34 ms for an UPDATE of one
route. So the value of an attribute is dissected by scapy once and remembered, and routes are read by
`bgpsim.agent.bgp_messages`: 10,000 routes would take scapy 0.3 s each time. Its import takes 0.15 to 0.25 s.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from bgpsim.agent.bgp_messages import FamilyNumbers
from bgpsim.agent.bgp_messages import attributes as split_attributes
from bgpsim.agent.bgp_messages import routes as split_routes

_MP_REACH, _MP_UNREACH = 14, 15
_MANY = 1 << 14
"""More than a message has room for."""


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
        FlagsField,
        IntEnumField,
        IntField,
        IPField,
        PacketField,
        PacketListField,
        ShortEnumField,
        ShortField,
    )
    from scapy.layers.inet6 import IP6Field
    from scapy.packet import Packet, Raw


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
        FieldListField("asns", [], ShortField("asn", 0), count_from=lambda p: p.length, max_count=_MANY),
    ]


class Segment4(_Part):
    """With AS numbers of four octets (RFC 6793)."""

    name = "segment"
    fields_desc: ClassVar = [
        ByteEnumField("kind", 2, layer.as_path_segment_types),
        FieldLenField("length", None, fmt="B", count_of="asns"),
        FieldListField("asns", [], IntField("asn", 0), count_from=lambda p: p.length, max_count=_MANY),
    ]


class AsPath2(Packet):  # type: ignore[misc]
    name = "AS_PATH, 2 octets"
    fields_desc: ClassVar = [PacketListField("segments", [], Segment2, max_count=_MANY)]


class AsPath4(Packet):  # type: ignore[misc]
    name = "AS_PATH, 4 octets"
    fields_desc: ClassVar = [PacketListField("segments", [], Segment4, max_count=_MANY)]


class Aggregator4(Packet):  # type: ignore[misc]
    """AGGREGATOR of a session with AS numbers of four octets; AS4_AGGREGATOR (RFC 6793 section 3)."""

    name = "AGGREGATOR, 4 octets"
    fields_desc: ClassVar = [IntField("aggregator_asn", 0), IPField("speaker_address", "0.0.0.0")]


class Communities(Packet):  # type: ignore[misc]
    """All of them (RFC 1997)."""

    name = "COMMUNITIES"
    fields_desc: ClassVar = [
        FieldListField("communities", [], IntEnumField("community", 0, layer.well_known_communities), max_count=_MANY)
    ]


class ClusterList(Packet):  # type: ignore[misc]
    """RFC 4456 section 8."""

    name = "CLUSTER_LIST"
    fields_desc: ClassVar = [FieldListField("clusters", [], IPField("cluster", "0.0.0.0"), max_count=_MANY)]


class LargeCommunity(_Part):
    name = "large community"
    fields_desc: ClassVar = [IntField("asn", 0), IntField("one", 0), IntField("two", 0)]


class LargeCommunities(Packet):  # type: ignore[misc]
    """RFC 8092."""

    name = "LARGE_COMMUNITIES"
    fields_desc: ClassVar = [PacketListField("communities", [], LargeCommunity, max_count=_MANY)]


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
    (10, False): ClusterList,
    (10, True): ClusterList,
    (17, False): AsPath4,
    (17, True): AsPath4,
    (18, False): Aggregator4,
    (18, True): Aggregator4,
    (32, False): LargeCommunities,
    (32, True): LargeCommunities,
}
_SCAPY: dict[int, type[Packet]] = {
    1: layer.BGPPAOrigin,
    3: layer.BGPPANextHop,
    4: layer.BGPPAMultiExitDisc,
    5: layer.BGPPALocalPref,
    6: layer.BGPPAAtomicAggregate,
    7: layer.BGPPAAggregator,
    9: layer.BGPPAOriginatorID,
    16: layer.BGPPAExtComms,
}


def dissected(code: int, value: bytes, four_octet_as: bool) -> Any:
    """The value of a path attribute; None for a code without a layer."""
    found = _OWN.get((code, four_octet_as)) or _SCAPY.get(code)
    return None if found is None else found(value)


class Attribute(_Part):
    """A path attribute, its value by the layer that the session's OPENs ask for."""

    name = "path attribute"
    fields_desc: ClassVar = [
        FlagsField("flags", 0, 8, ["4", "5", "6", "7", "extended-length", "partial", "transitive", "optional"]),
        ByteEnumField("code", 0, layer.path_attributes),
        PacketField("value", None, Packet),
    ]


class Update(_Part):
    """An UPDATE as the session's OPENs have it read."""

    name = "UPDATE"
    fields_desc: ClassVar = [
        PacketListField("withdrawn", [], Packet),
        PacketListField("attributes", [], Attribute),
        PacketListField("nlri", [], Packet),
    ]


class Reached(_Part):
    """MP_REACH_NLRI: next hop and routes (RFC 4760 section 3)."""

    name = "MP_REACH_NLRI"
    fields_desc: ClassVar = [PacketField("next_hop", None, NextHop), PacketListField("nlri", [], Packet)]


class Unreached(_Part):
    """MP_UNREACH_NLRI (RFC 4760 section 4)."""

    name = "MP_UNREACH_NLRI"
    fields_desc: ClassVar = [
        ShortEnumField("afi", 1, layer.address_family_identifiers),
        ByteEnumField("safi", 1, layer.subsequent_afis),
        PacketListField("withdrawn", [], Packet),
    ]


def update_packet(body: bytes, four_octet_as: bool, add_path: Callable[[FamilyNumbers], bool]) -> Packet:
    """An UPDATE without its header. Raises BadMessage."""
    size = int.from_bytes(body[:2], "big")
    start = 4 + size
    end = start + int.from_bytes(body[2 + size : start], "big")
    four = add_path((1, 1))
    made = []
    for code, value, whole_attribute in split_attributes(body[start:end]):
        shown: Packet | None = dissected(code, value, four_octet_as)
        if code == _MP_REACH and value[2:3] == b"\1":
            shown = _reached(value, add_path)
        elif code == _MP_UNREACH and value[2:3] == b"\1":
            afi = int.from_bytes(value[:2], "big")
            shown = Unreached(afi=afi, withdrawn=_routes(afi, value[3:], add_path((afi, 1))))
        made.append(Attribute(flags=whole_attribute[0], code=code, value=Raw(value) if shown is None else shown))
    return Update(withdrawn=_routes(1, body[2 : 2 + size], four), attributes=made, nlri=_routes(1, body[end:], four))


def _reached(value: bytes, add_path: Callable[[FamilyNumbers], bool]) -> Packet:
    afi, head = int.from_bytes(value[:2], "big"), 4 + value[3]
    return Reached(next_hop=NextHop(value[:head]), nlri=_routes(afi, value[head + 1 :], add_path((afi, 1))))


def _routes(afi: int, data: bytes, with_path_ids: bool) -> list[Packet]:
    kinds = {
        (1, False): layer.BGPNLRI_IPv4,
        (1, True): layer.BGPNLRI_IPv4_AP,
        (2, False): layer.BGPNLRI_IPv6,
        (2, True): layer.BGPNLRI_IPv6_AP,
    }
    kind = kinds[afi, with_path_ids]
    return [
        kind(route.path_id.to_bytes(4, "big") * with_path_ids + route.prefix)
        for route in split_routes(afi, data, with_path_ids)
    ]


def whole(message: bytes) -> Packet:
    """A message other than an UPDATE, header and all, as scapy reads it."""
    return layer.BGPHeader(message)
