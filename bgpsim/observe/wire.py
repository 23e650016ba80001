"""The wire plane: UPDATEs that a speaker heard and sent -> the net effect, route by route (RFC 4271 section 4.3).

An event is what `speaker.standing` gives: {speaker, router, direction, message}, where `message` is one JSON
object of ExaBGP 5 (`encoder json`, `parsed`). The sequence of messages changes from run to run; what stands after all
of them does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Address, ip_address
from typing import Any, Literal, TypeAlias

from bgpsim.errors import LabError
from bgpsim.network.grouped import Grouped, Growing, prefix_of
from bgpsim.network.state import AsPath, Attributes, WireKey, numbered
from bgpsim.network.types import Family
from bgpsim.observe.communities import community_text, extended_community_text

Spell: TypeAlias = Callable[[str, str, str], str]
"""Speaker, router and an address as it stood in an UPDATE between them -> the spelling of `network.state`."""

_FAMILIES: Mapping[str, Family] = {"ipv4 unicast": "ipv4-unicast", "ipv6 unicast": "ipv6-unicast"}
_DIRECTIONS: Mapping[str, Literal["received", "sent"]] = {"received": "received", "sent": "sent"}
_ORIGINS: Mapping[str, Literal["igp", "egp", "incomplete"]] = {"igp": "igp", "egp": "egp", "incomplete": "incomplete"}
_KNOWN = frozenset(
    (
        *("origin", "as-path", "med", "local-preference", "atomic-aggregate", "aggregator", "originator-id"),
        *("community", "large-community", "extended-community", "cluster-list"),
    )
)


_UNKNOWN = re.compile(r"attribute-0x(?P<code>[0-9A-F]{2})-0x(?P<flags>[0-9A-F]{2})")
"""What ExaBGP calls an attribute that it does not know (bgp/message/update/attribute/attributes.py).

It shows transitive ones alone, and the partial bit on each, on what it sent itself too."""


def net_effect(events: Iterable[Mapping[str, Any]], spell: Spell) -> Grouped[WireKey, Attributes]:
    """The routes that stand on the speakers' sessions after these UPDATEs, in their order.

    The events of one session must begin with it (a session's routes end with it, RFC 4271 section 8.2.2). Raises
    LabError for a shape that is not known.
    """
    standing: Growing[WireKey, Attributes] = Growing()
    for event in events:
        speaker, router = event["speaker"], event["router"]
        direction = _DIRECTIONS[event["direction"]]
        content = event["message"]["neighbor"]["message"]
        if "eor" in content:
            continue
        update = content.get("update")
        if update is None or set(update) - {"attribute", "announce", "withdraw"}:
            raise LabError(f"{speaker} at {router}: an UPDATE of an unknown shape: {sorted(update or content)}")
        for family, routes in update.get("withdraw", {}).items():
            for route in routes:
                standing.discard(_key(speaker, direction, router, family, route))
        attributes = update.get("attribute", {})
        for family, by_next_hop in update.get("announce", {}).items():
            for next_hop, routes in _link_local_last(by_next_hop):
                made = _attributes(attributes, spell(speaker, router, next_hop))
                for route in routes:
                    standing[_key(speaker, direction, router, family, route)] = made
    whole = standing.grouped()
    several = {key for key in whole.tables if key[-1]}
    if not several:
        return whole
    plain = {place: table for place, table in whole.tables.items() if place not in several}
    of_several: Grouped[WireKey, Attributes] = Grouped({place: whole.tables[place] for place in several})
    return Grouped(plain | Grouped.of(numbered(of_several, lambda attributes: attributes)).tables)


def _link_local_last(by_next_hop: Mapping[str, list[Any]]) -> list[tuple[str, list[Any]]]:
    """A next hop of 32 octets is a global and a link-local address (RFC 2545 section 3), and ExaBGP lists the routes
    under each: the link-local one is what packets are sent to."""
    return sorted(by_next_hop.items(), key=lambda item: ip_address(item[0]).is_link_local)


def _key(speaker: str, direction: Literal["received", "sent"], router: str, family: str, route: Any) -> WireKey:
    if family not in _FAMILIES:
        raise LabError(f"{speaker} at {router}: an UPDATE of the unknown family {family!r}")
    if isinstance(route, str):
        route = {"nlri": route}
    if set(route) - {"nlri", "path-information"}:
        raise LabError(f"{speaker} at {router}: a route of an unknown shape: {route}")
    # Four octets, written like an address (RFC 7911).
    path_id = int(IPv4Address(route.get("path-information", "0.0.0.0")))
    return WireKey(speaker, direction, router, _FAMILIES[family], prefix_of(route["nlri"]), path_id)


def _attributes(found: Mapping[str, Any], next_hop: str) -> Attributes:
    raw = {match: value for name, value in found.items() if (match := _UNKNOWN.fullmatch(name)) is not None}
    unknown = set(found) - _KNOWN - {match[0] for match in raw}
    if unknown:
        raise LabError(f"an UPDATE has attributes that are not known: {', '.join(sorted(unknown))}")
    if found.get("origin", "igp") not in _ORIGINS:
        raise LabError(f"an UPDATE has the unknown origin {found['origin']!r}")
    return Attributes(
        next_hop=next_hop,
        as_path=as_path(found.get("as-path", {})),
        origin=_ORIGINS[found.get("origin", "igp")],
        med=found.get("med"),
        local_preference=found.get("local-preference"),
        atomic_aggregate=bool(found.get("atomic-aggregate", False)),
        aggregator=found.get("aggregator"),
        communities=tuple(sorted(community_text(high << 16 | low) for high, low in found.get("community", ()))),
        large_communities=tuple(sorted(":".join(map(str, parts)) for parts in found.get("large-community", ()))),
        extended_communities=tuple(
            sorted(extended_community_text(one["value"]) for one in found.get("extended-community", ()))
        ),
        originator_id=found.get("originator-id"),
        cluster_list=tuple(found.get("cluster-list", ())),
        unknown=tuple(
            f"{code} {value.lower()}" for code, value in sorted((int(match["code"], 16), raw[match]) for match in raw)
        ),
    )


def as_path(segments: Mapping[str, Mapping[str, Any]]) -> AsPath:
    """The `as-path` of an UPDATE's attributes; raises LabError for a kind of segment that is not known."""
    parts: list[int | frozenset[int] | tuple[int, ...]] = []
    for number in sorted(segments, key=int):
        segment = segments[number]
        if segment["element"] == "as-sequence":
            parts += segment["value"]
        elif segment["element"] == "as-set":
            parts.append(frozenset(segment["value"]))
        elif segment["element"] == "as-confed-sequence":
            parts.append(tuple(segment["value"]))
        else:
            raise LabError(f"an UPDATE has an AS path segment of the unknown kind {segment['element']!r}")
    return tuple(parts)
