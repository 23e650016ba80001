"""`set` lines: one route's attributes before -> after (bgpd/bgp_routemap.c)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from bgpsim.model.policy_lists import deleted
from bgpsim.network.policies import CommunityKind, Set, SetKind
from bgpsim.network.state import AsPath, Attributes

if TYPE_CHECKING:
    from bgpsim.model.route_maps import Asked

Place: TypeAlias = Literal["in", "out", "network", "redistribute", "default"]
Mark: TypeAlias = Literal["ipv4", "ipv6-global", "ipv6-local", "prefer-global", "peer-address", "unchanged"]
"""bgpd's flags of what a route-map did to the next hop (bgp_attr.h, BATTR_RMAP_…)."""
_TOP = 2**32 - 1
SELF = "self"


@dataclass(frozen=True, slots=True)
class Changed:
    """A route while route-maps change it. `attributes.med` and `.local_preference` are None where bgpd's flag is off;
    `med` and `preference` are the numbers that it keeps all the same, and that `match` looks at."""

    attributes: Attributes
    med: int = 0
    preference: int = 0
    weight: int = 0
    tag: int = 0
    marks: frozenset[Mark] = frozenset()
    beside: str | None = None
    """A global IPv6 next hop beside a link-local one, where it is not the address of the same interface; of an IPv4
    route with an IPv6 next hop the IPv4 one that it came with."""


def after_set(change: Set, route: Changed, asked: Asked) -> Changed:
    return _SETS[change.kind](change, route, asked)


def _with(route: Changed, **attributes: object) -> Changed:
    return replace(route, attributes=replace(route.attributes, **attributes))  # type: ignore[arg-type]


def _adjusted(change: Set, current: int) -> int:
    if change.sign == "+":
        return min(_TOP, current + change.number)
    if change.sign == "-":
        return max(0, current - change.number)
    return change.number


def _prepend(change: Set, route: Changed, asked: Asked) -> Changed:
    return _with(route, as_path=(*map(int, change.words), *route.attributes.as_path))


def _prepend_last(change: Set, route: Changed, asked: Asked) -> Changed:
    """Nothing where the path begins with an AS_SET or is empty (bgpd/bgp_aspath.c, aspath_leftmost)."""
    path = route.attributes.as_path
    if not path or isinstance(path[0], frozenset):
        return route
    return _with(route, as_path=(*[path[0]] * change.number, *path))


def _exclude(change: Set, route: Changed, asked: Asked) -> Changed:
    gone = set(map(int, change.words))
    left: list[int | frozenset[int]] = []
    for part in route.attributes.as_path:
        if not isinstance(part, frozenset):
            left += [] if part in gone else [part]
        elif part - gone:
            left.append(part - gone)
    return _with(route, as_path=tuple(left))


def _replace_as(change: Set, route: Changed, asked: Asked) -> Changed:
    if not asked.session_external:
        return route
    own = asked.own_as

    def other(number: int) -> int:
        return own if change.words == ("any",) or number == int(change.words[0]) else number

    path: AsPath = tuple(
        frozenset(map(other, part)) if isinstance(part, frozenset) else other(part) for part in route.attributes.as_path
    )
    return _with(route, as_path=path)


def _community(change: Set, route: Changed, asked: Asked) -> Changed:
    kept = route.attributes.communities if change.additive else ()
    return _with(route, communities=tuple(sorted({*kept, *change.words})))


def _large_community(change: Set, route: Changed, asked: Asked) -> Changed:
    kept = route.attributes.large_communities if change.additive else ()
    return _with(route, large_communities=tuple(sorted({*kept, *change.words})))


def _extcommunity(change: Set, route: Changed, asked: Asked) -> Changed:
    """Always beside what is there, and twice where it is there already (bgpd/bgp_ecommunity.c, ecommunity_merge)."""
    return _with(route, extended_communities=tuple(sorted((*route.attributes.extended_communities, *change.words))))


def _delete(kind: CommunityKind, change: Set, route: Changed, asked: Asked) -> Changed:
    rules = asked.policies.community_lists.get((kind, change.words[0]))
    if rules is None:
        return route
    if kind == "standard":
        return _with(route, communities=deleted(kind, rules, route.attributes.communities))
    return _with(route, large_communities=deleted(kind, rules, route.attributes.large_communities))


def _local_preference(change: Set, route: Changed, asked: Asked) -> Changed:
    value = _adjusted(change, route.preference)
    return _with(replace(route, preference=value), local_preference=value)


def _metric(change: Set, route: Changed, asked: Asked) -> Changed:
    value = _adjusted(change, route.attributes.med or 0)
    return _with(replace(route, med=value), med=value)


def _ip_next_hop(change: Set, route: Changed, asked: Asked) -> Changed:
    if asked.prefix.version == 6:
        return route
    return _with(replace(route, marks=route.marks | {"ipv4"}, beside=None), next_hop=str(change.address))


def _ip_peer_address(change: Set, route: Changed, asked: Asked) -> Changed:
    if asked.prefix.version == 6:
        return route
    if asked.place == "out":
        marked = replace(route, marks=route.marks | {"peer-address"})
        # An IPv6 next hop of an IPv4 route stays and is shown.
        return _with(marked, next_hop=SELF) if "." in route.attributes.next_hop else replace(marked, beside=None)
    if asked.place == "in" and asked.remote_address is not None and asked.remote_address.version == 4:
        return _with(route, next_hop=str(asked.remote_address))
    return route


def _unchanged(change: Set, route: Changed, asked: Asked) -> Changed:
    return route if asked.prefix.version == 6 else replace(route, marks=route.marks | {"unchanged"})


def _ipv6_global(change: Set, route: Changed, asked: Asked) -> Changed:
    """A link-local address that came with it stays the one that is used."""
    marked = replace(route, marks=route.marks | {"ipv6-global"})
    if asked.prefix.version == 4:
        return _ipv6_of_ipv4(marked, str(change.address), route, asked)
    if asked.place == "in" and _two_addresses(route, asked):
        return replace(marked, beside=str(change.address))
    return _with(marked, next_hop=str(change.address))


def _ipv6_of_ipv4(marked: Changed, address: str, route: Changed, asked: Asked) -> Changed:
    """Nothing says yet of what family the next hop is, so an IPv4 route is taken to have one of IPv6. On the way out an
    IPv6 next hop that was learnt is another then, in what is shown."""
    there = route.attributes.next_hop
    if asked.place == "in" and not route.marks & {"ipv4", "ipv6-global"} and "." in there:
        return _with(replace(marked, beside=there), next_hop=address)
    if asked.place != "out" or not asked.untyped or "ipv4" in route.marks or there == SELF:
        return marked
    return _with(replace(marked, beside=there if "." in there else route.beside), next_hop=address)


def _two_addresses(route: Changed, asked: Asked) -> bool:
    return len([a for a in asked.hops(route.attributes.next_hop) if a.version == 6]) > 1


def _ipv6_local(change: Set, route: Changed, asked: Asked) -> Changed:
    return replace(route, marks=route.marks | {"ipv6-local"})


def _ipv6_peer_address(change: Set, route: Changed, asked: Asked) -> Changed:
    if asked.place == "out":
        marked = replace(route, marks=route.marks | {"peer-address"})
        # Of an IPv4 next hop the flag alone: it is exchanged in the packet, and shown as it was.
        return marked if "." in route.attributes.next_hop else _with(marked, next_hop=SELF)
    remote = asked.remote_address
    if asked.place != "in" or remote is None or remote.version != 6 or asked.prefix.version != 6:
        return route
    if remote.is_link_local:
        return route
    if _two_addresses(route, asked):
        return replace(route, beside=str(remote))
    return _with(route, next_hop=str(remote))


def _prefer_global(change: Set, route: Changed, asked: Asked) -> Changed:
    marked = replace(route, marks=route.marks | {"prefer-global"})
    both = asked.hops(route.attributes.next_hop)
    if asked.place != "in" or asked.prefix.version == 4 or len(both) < 2:
        return marked
    return _with(marked, next_hop=route.beside or str(both[0]))


_Setter: TypeAlias = Callable[[Set, Changed, "Asked"], Changed]
_SETS: Mapping[SetKind, _Setter] = {
    "as-path prepend": _prepend,
    "as-path prepend last-as": _prepend_last,
    "as-path exclude": _exclude,
    "as-path replace": _replace_as,
    "community": _community,
    "comm-list delete": lambda change, route, asked: _delete("standard", change, route, asked),
    "large-community": _large_community,
    "large-comm-list delete": lambda change, route, asked: _delete("large", change, route, asked),
    "extcommunity none": lambda change, route, asked: _with(route, extended_communities=()),
    "extcommunity rt": _extcommunity,
    "extcommunity soo": _extcommunity,
    "local-preference": _local_preference,
    "metric": _metric,
    "origin": lambda change, route, asked: _with(route, origin=change.words[0]),
    "weight": lambda change, route, asked: replace(route, weight=change.number),
    "ip next-hop": _ip_next_hop,
    "ip next-hop peer-address": _ip_peer_address,
    "ip next-hop unchanged": _unchanged,
    "ipv6 next-hop global": _ipv6_global,
    "ipv6 next-hop local": _ipv6_local,
    "ipv6 next-hop peer-address": _ipv6_peer_address,
    "ipv6 next-hop prefer-global": _prefer_global,
    "aggregator": lambda change, route, asked: _with(route, aggregator=change.words[0]),
    "atomic-aggregate": lambda change, route, asked: _with(route, atomic_aggregate=True),
    "originator-id": lambda change, route, asked: _with(route, originator_id=change.words[0]),
    "tag": lambda change, route, asked: replace(route, tag=change.number),
}
