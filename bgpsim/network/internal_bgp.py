"""How one BGP instance chooses, and what it tells inside of its AS: options, reflection, confederation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from types import MappingProxyType

from bgpsim.network.types import Family

MOST_PATHS = 256
"""As many paths as bgpd of the distributions was built to use together (`--enable-multipath`)."""


@dataclass(frozen=True, slots=True)
class Together:
    """`maximum-paths`: how many paths of one destination are used together at most."""

    external: int = MOST_PATHS
    internal: int = MOST_PATHS
    equal_cluster_length: bool = False
    """Internal paths with cluster lists of different lengths are told apart by them."""


@dataclass(frozen=True, slots=True)
class Choice:
    """`bgp bestpath …` and `bgp default local-preference`, as far as `BgpInstance` has no field of its own for it."""

    as_path_ignore: bool = False
    as_path_confed: bool = False
    """Member ASes count in the length of a path."""
    med_missing_as_worst: bool = False
    peer_type_relax: bool = False
    """External and internal paths may be used together."""
    default_local_preference: int = 100
    together: Mapping[Family, Together] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Reflection:
    """What a route reflector does (RFC 4456); who its clients are stands with its neighbors."""

    cluster_id: IPv4Address | None = None
    """None: the router ID."""
    between_clients: bool = True
    outbound_policy: bool = False
    """Route-maps may change what is reflected."""


@dataclass(frozen=True, slots=True)
class Confederation:
    """Of which AS this one is a member (RFC 5065)."""

    identifier: int
    peers: frozenset[int] = frozenset()
    """The other member ASes that neighbors may be in."""


NO_REFLECTION = Reflection()
USUAL_CHOICE = Choice()
USUAL_TOGETHER = Together()
