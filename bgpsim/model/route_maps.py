"""What a route-map makes of a route: permitted or denied, by which entry, and with which attributes.

lib/routemap.c, route_map_apply_ext. Three things that are easy to get wrong: a match by `on-match next` (or `continue`)
that no later entry matches is a deny in the end; `on-match goto N` beyond the last entry is a permit; and what entries
before a deny have set is lost with the route.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import TypeAlias

from bgpsim.model.policy_lists import (
    access_list_permits,
    as_path_list_permits,
    community_list_permits,
    prefix_list_permits,
)
from bgpsim.model.route_map_sets import Changed, Place, after_set
from bgpsim.network.policies import MapEntry, Match, MatchKind, Policies
from bgpsim.network.types import Address, Prefix
from bgpsim.source import Source

CALL_LIMIT = 10
"""Route-maps that call each other (lib/routemap.h, RMAP_RECURSION_LIMIT)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a route-map is asked about, beside the route's attributes."""

    policies: Policies
    prefix: Prefix
    place: Place
    peer: str | None = None
    """The neighbor's configured name; None where bgpd does not know it (a route of its own, and on the way out)."""
    peer_group: str | None = None
    peer_address: Address | None = None
    remote_address: Address | None = None
    """The far end of the session's connection."""
    session_external: bool = False
    own_as: int = 0
    interface: str | None = None
    """Of the next hop, where bgpd keeps it: a link-local one's, a redistributed route's."""
    untyped: bool = False
    """An IPv4 route of which bgpd has not noted that its next hop is one of IPv4 (it notes it of its own routes, and
    with `set ip next-hop`)."""
    hops: Callable[[str], tuple[Address, ...]] = lambda text: ()
    """The addresses of a next hop as `Attributes` spells it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`entry`: the one that told; None where none matched (or there is no such map)."""

    permitted: bool
    route: Changed
    entry: MapEntry | None = None
    lines: tuple[Source, ...] = ()
    """The entries that the route went through."""


def apply(asked: Asked, name: str, route: Changed, calls: int = 0, matched: Changed | None = None) -> Answer:
    """`matched`: the route that the clauses look at, where it is not the one that is changed."""
    entries = asked.policies.route_maps.get(name)
    if not entries or calls > CALL_LIMIT:
        return Answer(False, route)
    permitted, skip_to, lines = True, 0, []
    last: MapEntry | None = None
    for entry in entries:
        if entry.seq < skip_to:
            continue
        if not all(_holds(match, asked, matched or route) for match in entry.matches):
            permitted, last = False, None
            continue
        lines += [entry.source] if entry.source else []
        if entry.action == "deny":
            return Answer(False, route, entry, tuple(lines))
        permitted, last = True, entry
        for change in entry.sets:
            route = after_set(change, route, asked)
        if entry.call is not None and entry.call in asked.policies.route_maps:
            called = apply(asked, entry.call, route, calls + 1, matched)
            route = called.route
            lines += called.lines
            if not called.permitted:
                return Answer(False, route, called.entry or entry, tuple(lines))
        if entry.on_match is None:
            return Answer(True, route, entry, tuple(lines))
        if entry.on_match != "next":
            skip_to = entry.on_match
            if all(other.seq < skip_to for other in entries):
                return Answer(True, route, entry, tuple(lines))
    return Answer(permitted and last is not None, route, last, tuple(lines))


def _holds(match: Match, asked: Asked, route: Changed) -> bool:
    return _MATCHES[match.kind](match, asked, route)


def _prefix_fits(match: Match, asked: Asked) -> bool:
    return match.version == asked.prefix.version


def _address(match: Match, asked: Asked, route: Changed) -> bool:
    key = (match.version or 4, match.name)
    return _prefix_fits(match, asked) and access_list_permits(asked.policies.access_lists.get(key), asked.prefix)


def _address_prefix_list(match: Match, asked: Asked, route: Changed) -> bool:
    return prefix_list_permits(asked.policies.prefix_lists.get((match.version or 4, match.name)), asked.prefix)


def _hops(asked: Asked, route: Changed) -> tuple[Address, ...]:
    """Of an IPv4 route its NEXT_HOP, 0.0.0.0 where there is none; of an IPv6 one the global and the link-local."""
    found = asked.hops(route.attributes.next_hop)
    if asked.prefix.version == 4 and route.beside is not None:
        found = asked.hops(route.beside)
    if asked.prefix.version == 4:
        return tuple(a for a in found if a.version == 4) or (IPv4Address(0),)
    return tuple(a for a in found if a.version == 6) or (IPv6Address(0),)


def _next_hop(match: Match, asked: Asked, route: Changed) -> bool:
    rules = asked.policies.access_lists.get((match.version or 4, match.name))
    hosts = (ip_network(address) for address in _hops(asked, route))
    return _prefix_fits(match, asked) and any(access_list_permits(rules, host) for host in hosts)


def _next_hop_prefix_list(match: Match, asked: Asked, route: Changed) -> bool:
    rules = asked.policies.prefix_lists.get((match.version or 4, match.name))
    hosts = (ip_network(address) for address in _hops(asked, route))
    return _prefix_fits(match, asked) and any(prefix_list_permits(rules, host) for host in hosts)


def _next_hop_address(match: Match, asked: Asked, route: Changed) -> bool:
    return match.name in {str(address) for address in _hops(asked, route)} and _prefix_fits(match, asked)


def _blackhole(match: Match, asked: Asked, route: Changed) -> bool:
    nowhere = all(int(address) == 0 for address in _hops(asked, route))
    return _prefix_fits(match, asked) and nowhere and asked.interface is None


def _route_source(match: Match, asked: Asked, route: Changed) -> bool:
    source = _ipv4_source(asked)
    return source is not None and access_list_permits(asked.policies.access_lists.get((4, match.name)), source)


def _route_source_prefix_list(match: Match, asked: Asked, route: Changed) -> bool:
    source = _ipv4_source(asked)
    return source is not None and prefix_list_permits(asked.policies.prefix_lists.get((4, match.name)), source)


def _ipv4_source(asked: Asked) -> Prefix | None:
    if asked.prefix.version != 4 or asked.peer_address is None or asked.peer_address.version != 4:
        return None
    return ip_network(asked.peer_address)


def _peer(match: Match, asked: Asked, route: Changed) -> bool:
    if match.name == "local":
        return asked.place not in ("in", "out") and asked.peer is None
    if asked.peer is None:
        return False
    if asked.peer_address is not None and match.name == str(asked.peer_address):
        return True
    # bgpd asks for a group before it looks at an interface's name (bgpd/bgp_routemap.c, route_match_peer).
    return asked.peer_group is not None and match.name in (asked.peer, asked.peer_group)


def _as_path(match: Match, asked: Asked, route: Changed) -> bool:
    return as_path_list_permits(asked.policies.as_path_lists.get(match.name), route.attributes.as_path)


def _community(match: Match, asked: Asked, route: Changed) -> bool:
    rules = asked.policies.community_lists.get(("standard", match.name))
    return community_list_permits("standard", rules, route.attributes.communities, exact=match.exact)


def _large_community(match: Match, asked: Asked, route: Changed) -> bool:
    rules = asked.policies.community_lists.get(("large", match.name))
    return community_list_permits("large", rules, route.attributes.large_communities, exact=match.exact)


def _extcommunity(match: Match, asked: Asked, route: Changed) -> bool:
    rules = asked.policies.community_lists.get(("extended", match.name))
    return community_list_permits("extended", rules, route.attributes.extended_communities)


_Matcher: TypeAlias = Callable[[Match, Asked, Changed], bool]
_MATCHES: Mapping[MatchKind, _Matcher] = {
    "address": _address,
    "address prefix-list": _address_prefix_list,
    "next-hop": _next_hop,
    "next-hop prefix-list": _next_hop_prefix_list,
    "next-hop address": _next_hop_address,
    "next-hop type blackhole": _blackhole,
    "route-source": _route_source,
    "route-source prefix-list": _route_source_prefix_list,
    "as-path": _as_path,
    "community": _community,
    "large-community": _large_community,
    "extcommunity": _extcommunity,
    "metric": lambda match, asked, route: route.med == match.number,
    "local-preference": lambda match, asked, route: route.preference == match.number,
    "origin": lambda match, asked, route: route.attributes.origin == match.name,
    "peer": _peer,
    "tag": lambda match, asked, route: route.tag == match.number,
    "interface": lambda match, asked, route: asked.interface == match.name,
    # Between 0 and 100 it is chance; the reader lists it.
    "probability": lambda match, asked, route: match.number == 100,
}
