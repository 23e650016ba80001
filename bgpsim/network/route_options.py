"""What a router does to routes beside policies: aggregates, and what a neighbor's routes go through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from bgpsim.network.policies import Use
from bgpsim.network.types import Prefix
from bgpsim.source import Source

Unchanged: TypeAlias = Literal["as-path", "next-hop", "med"]
PrivateAs: TypeAlias = Literal["remove", "remove all", "replace", "replace all"]
"""`remove-private-AS` in its forms; without `all` a path is left alone unless all of it is private."""
SentPaths: TypeAlias = Literal["best", "all", "best per AS"]
"""How many paths of a prefix a neighbor that takes several is sent (RFC 7911)."""


@dataclass(frozen=True, slots=True)
class RouteOptions:
    """Of one neighbor in one family."""

    private_as: PrivateAs | None = None
    as_override: bool = False
    own_as_allowed: int = 0
    """`allowas-in N`: how often the own AS may stand in a received path."""
    own_origin_allowed: bool = False
    """`allowas-in origin`: a path whose last AS is the own one is not looked at."""
    unchanged: frozenset[Unchanged] = frozenset()
    """`attribute-unchanged`."""
    unsuppress: Use | None = None
    """`unsuppress-map`: routes that an aggregate suppresses go through it, and not through the route-map."""
    sent_paths: SentPaths = "best"
    several_taken: bool = True
    """False: `disable-addpath-rx`."""


NO_OPTIONS = RouteOptions()


@dataclass(frozen=True, slots=True)
class Installation:
    """What of one family's routes reaches the kernel, and against which others."""

    external_distance: int = 20
    internal_distance: int = 200
    local_distance: int = 200
    """`distance bgp` (bgpd/bgpd.h, ZEBRA_EBGP_DISTANCE_DEFAULT and ZEBRA_IBGP_DISTANCE_DEFAULT)."""
    table_map: Use | None = None


DEFAULT_INSTALLATION = Installation()


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`aggregate-address P …`."""

    prefix: Prefix
    summary_only: bool = False
    as_set: bool = False
    matching_med: bool = False
    origin: Literal["igp", "egp", "incomplete"] | None = None
    route_map: Use | None = None
    suppress_map: Use | None = None
    source: Source | None = None
