"""JSON -> paths of GoBGP's API. Imported in the agent alone, and only where a speaker runs GoBGP.

A group is {prefixes, next_hop}, with `gone: true` for a withdrawal; else also {origin} and, where there is one of it,
{as_path, med, local_preference, communities, large_communities, extended_communities, aggregator, atomic_aggregate,
unknown}, as `bgpsim.speakers.gobgp` makes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Any

from google.protobuf.any_pb2 import Any as Packed

from bgpsim.speakers.gobgp_api import attribute_pb2 as attribute
from bgpsim.speakers.gobgp_api import gobgp_pb2 as api

FAMILIES = {
    version: api.Family(afi=afi, safi=api.Family.SAFI_UNICAST)
    for version, afi in ((4, api.Family.AFI_IP), (6, api.Family.AFI_IP6))
}


def paths(group: Mapping[str, Any]) -> Iterator[Any]:
    """One for each prefix, in their order."""
    of_group = [] if group.get("gone") else [_packed(one) for one in _attributes(group)]
    by_version: dict[int, list[Any]] = {}
    for text in group["prefixes"]:
        prefix = ip_network(text)
        if prefix.version not in by_version:
            by_version[prefix.version] = [*of_group, _packed(_next_hop(prefix.version, group["next_hop"]))]
        yield api.Path(
            nlri=_packed(attribute.IPAddressPrefix(prefix=str(prefix.network_address), prefix_len=prefix.prefixlen)),
            pattrs=by_version[prefix.version],
            family=FAMILIES[prefix.version],
            is_withdraw=bool(group.get("gone")),
        )


def _packed(message: Any) -> Any:
    packed = Packed()
    packed.Pack(message)
    return packed


def _next_hop(version: int, address: str) -> Any:
    """In NEXT_HOP where both are IPv4, else in MP_REACH_NLRI (RFC 4760, RFC 8950)."""
    if version == 4 and ":" not in address:
        return attribute.NextHopAttribute(next_hop=address)
    # GoBGP wants a prefix in it too, and takes the path's own instead (pkg/server/grpc_server.go, api2Path).
    any_prefix = _packed(attribute.IPAddressPrefix(prefix="0.0.0.0" if version == 4 else "::", prefix_len=0))
    return attribute.MpReachNLRIAttribute(family=FAMILIES[version], next_hops=[address], nlris=[any_prefix])


def _attributes(group: Mapping[str, Any]) -> Iterator[Any]:
    yield attribute.OriginAttribute(origin=group["origin"])
    if (path := group.get("as_path")) is not None:
        segments = [attribute.AsSegment(type=kind, numbers=numbers) for kind, numbers in path]
        yield attribute.AsPathAttribute(segments=segments)
    if (med := group.get("med")) is not None:
        yield attribute.MultiExitDiscAttribute(med=med)
    if (preference := group.get("local_preference")) is not None:
        yield attribute.LocalPrefAttribute(local_pref=preference)
    if group.get("atomic_aggregate"):
        yield attribute.AtomicAggregateAttribute()
    if aggregator := group.get("aggregator"):
        asn, address = aggregator
        yield attribute.AggregatorAttribute(asn=asn, address=address)
    yield from _communities(group)
    for code, flags, value in group.get("unknown", ()):
        yield attribute.UnknownAttribute(type=code, flags=flags, value=bytes.fromhex(value))


def _communities(group: Mapping[str, Any]) -> Iterator[Any]:
    if numbers := group.get("communities"):
        yield attribute.CommunitiesAttribute(communities=numbers)
    if extended := group.get("extended_communities"):
        yield attribute.ExtendedCommunitiesAttribute(communities=[_packed(_extended(octets)) for octets in extended])
    if large := group.get("large_communities"):
        yield attribute.LargeCommunitiesAttribute(communities=[_large(parts) for parts in large])


def _extended(octets: str) -> Any:
    """Eight octets in hexadecimal: the first is the type (RFC 4360), which alone says what the others are."""
    value = bytes.fromhex(octets)
    return attribute.UnknownExtended(type=value[0], value=value[1:])


def _large(parts: Sequence[int]) -> Any:
    high, middle, low = parts
    return attribute.LargeCommunity(global_admin=high, local_data1=middle, local_data2=low)
