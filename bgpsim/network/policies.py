"""Routing policy as a router's configuration has it: lists, route-maps, and where a neighbor uses them.

Names of lists and route-maps are looked up when a route is asked about, so a name may stand for nothing. Everything
carries the line that it comes from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias

from bgpsim.network.types import Address, Prefix
from bgpsim.source import Source

Action: TypeAlias = Literal["permit", "deny"]
Version: TypeAlias = Literal[4, 6]


@dataclass(frozen=True, slots=True)
class PrefixRule:
    """`seq N permit|deny P [ge G] [le L]`; without G and L it is about P alone."""

    seq: int
    action: Action
    prefix: Prefix
    ge: int | None = None
    le: int | None = None
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class AccessRule:
    """`seq N permit|deny P [exact-match]`, or of an IPv4 list with wildcards: bits of `wildcard` are not looked at."""

    seq: int
    action: Action
    prefix: Prefix | None = None
    """None where `address` says it."""
    exact: bool = False
    address: int = 0
    wildcard: int = 0
    mask: int | None = None
    """An extended list's destination: what the prefix's netmask must be; None: it is not looked at."""
    mask_wildcard: int = 0
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class AsPathRule:
    seq: int
    action: Action
    expression: str
    """As written; `_` is FRR's own, the rest POSIX extended."""
    source: Source | None = None


CommunityKind: TypeAlias = Literal["standard", "large", "extended"]


@dataclass(frozen=True, slots=True)
class CommunityRule:
    """Of a standard list `members`, of an expanded one `expression`; neither: any."""

    seq: int
    action: Action
    members: tuple[str, ...] = ()
    """As FRR prints them, sorted."""
    expression: str | None = None
    source: Source | None = None


MatchKind: TypeAlias = Literal[
    "address",
    "address prefix-list",
    "next-hop",
    "next-hop prefix-list",
    "next-hop address",
    "next-hop type blackhole",
    "route-source",
    "route-source prefix-list",
    "as-path",
    "community",
    "large-community",
    "extcommunity",
    "metric",
    "local-preference",
    "origin",
    "peer",
    "tag",
    "interface",
    "probability",
]


@dataclass(frozen=True, slots=True)
class Match:
    """One `match` line. `name`: the list's, or the word; `number` of metric, local-preference, tag, probability."""

    kind: MatchKind
    name: str = ""
    number: int = 0
    version: Version | None = None
    """`match ip …` or `match ipv6 …`."""
    exact: bool = False
    source: Source | None = None


SetKind: TypeAlias = Literal[
    "as-path prepend",
    "as-path prepend last-as",
    "as-path exclude",
    "as-path replace",
    "community",
    "comm-list delete",
    "large-community",
    "large-comm-list delete",
    "extcommunity none",
    "extcommunity rt",
    "extcommunity soo",
    "local-preference",
    "metric",
    "origin",
    "weight",
    "ip next-hop",
    "ip next-hop peer-address",
    "ip next-hop unchanged",
    "ipv6 next-hop global",
    "ipv6 next-hop local",
    "ipv6 next-hop peer-address",
    "ipv6 next-hop prefer-global",
    "aggregator",
    "atomic-aggregate",
    "originator-id",
    "tag",
]


@dataclass(frozen=True, slots=True)
class Set:
    """One `set` line. `words`: AS numbers, communities (as FRR prints them) or the one word that is set."""

    kind: SetKind
    words: tuple[str, ...] = ()
    number: int = 0
    sign: Literal["", "+", "-"] = ""
    additive: bool = False
    address: Address | None = None
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class MapEntry:
    """`route-map NAME permit|deny SEQ`. `on_match`: "next", or the sequence number to go on at."""

    seq: int
    action: Action
    matches: tuple[Match, ...] = ()
    sets: tuple[Set, ...] = ()
    call: str | None = None
    on_match: Literal["next"] | int | None = None
    source: Source | None = None


PrefixList: TypeAlias = tuple[PrefixRule, ...]
AccessList: TypeAlias = tuple[AccessRule, ...]
AsPathList: TypeAlias = tuple[AsPathRule, ...]
CommunityList: TypeAlias = tuple[CommunityRule, ...]
RouteMap: TypeAlias = tuple[MapEntry, ...]
"""All in the order of their sequence numbers."""


@dataclass(frozen=True, slots=True)
class Policies:
    """A router's lists and route-maps. Access-lists of IPv4 and IPv6 have name spaces of their own, as have
    prefix-lists and the three kinds of community-lists."""

    prefix_lists: Mapping[tuple[Version, str], PrefixList] = field(default_factory=lambda: MappingProxyType({}))
    access_lists: Mapping[tuple[Version, str], AccessList] = field(default_factory=lambda: MappingProxyType({}))
    as_path_lists: Mapping[str, AsPathList] = field(default_factory=lambda: MappingProxyType({}))
    community_lists: Mapping[tuple[CommunityKind, str], CommunityList] = field(
        default_factory=lambda: MappingProxyType({})
    )
    route_maps: Mapping[str, RouteMap] = field(default_factory=lambda: MappingProxyType({}))


NO_POLICIES = Policies()


@dataclass(frozen=True, slots=True)
class Use:
    """A list or route-map by its name, at the line that uses it."""

    name: str
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """What a neighbor's routes go through in one direction, in this order."""

    access_list: Use | None = None
    prefix_list: Use | None = None
    as_path_list: Use | None = None
    route_map: Use | None = None

    @property
    def any(self) -> bool:
        """RFC 8212 asks for no more than a name (bgpd/bgp_route.c, bgp_inbound_policy_exists)."""
        return any((self.access_list, self.prefix_list, self.as_path_list, self.route_map))


NO_FILTERS = Filters()
