"""The speakers of a scenario file and what they announce: as written, with names already resolved to values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from types import MappingProxyType
from typing import Literal

from bgpsim.frr_series import Series
from bgpsim.network.types import AsPath, Prefix, UnknownAttribute
from bgpsim.source import Source

ROUTER_LINK_LOCAL = IPv6Address("fe80::1")
"""The router's end of every link to a speaker."""
SPEAKER_LINK_LOCAL = IPv6Address("fe80::2")
"""The speaker's end, for the first speaker of a router."""

WELL_KNOWN_COMMUNITIES: Mapping[str, int] = MappingProxyType(
    {
        "graceful-shutdown": 0xFFFF0000,
        "blackhole": 0xFFFF029A,
        "no-export": 0xFFFFFF01,
        "no-advertise": 0xFFFFFF02,
        "local-AS": 0xFFFFFF03,
        "no-peer": 0xFFFFFF04,
    }
)
"""RFC 1997, 3765, 7999, 8326; spelled as FRR shows them (bgpd/bgp_community.c)."""


def speaker_link_local(number: int) -> IPv6Address:
    """The address of a router's `number`-th speaker, from 0: fe80::2, fe80::3 …

    A router knows a neighbor by its address alone, whatever link it is on, so two speakers cannot share one there.
    """
    return SPEAKER_LINK_LOCAL + number


def next_hop_beside(speaker_address: IPv6Address, frr: Series) -> IPv6Address | None:
    """The second address of a speaker at a router of this release; None where one is enough.

    FRR 10.3 never looks at a next hop that is the link-local address by which a neighbor is configured: it waits for
    an event of the interface, and the path stays inaccessible (bgpd/bgp_nht.c, register_zebra_rnh; measured). 8.4 and
    10.7 do look.
    """
    return speaker_address + _BESIDE if frr == (10, 3) else None


_BESIDE = 0x1000


@dataclass(frozen=True, slots=True)
class Attachment:
    """A speaker's own link to one router it peers with.

    Link-local addresses only (the router's is `ROUTER_LINK_LOCAL`), so that an idle speaker puts no connected prefix
    into the router's tables.
    """

    router: str
    router_interface: str
    """At most 15 characters (IFNAMSIZ): `x-<speaker>`, shortened with a number where it must be."""
    speaker_interface: str
    """`<router>`, shortened likewise."""
    speaker_address: IPv6Address = SPEAKER_LINK_LOCAL
    """What the router calls its neighbor; see `speaker_link_local`."""
    next_hop_beside: IPv6Address | None = None
    """Another address of the speaker's end, which its routes have as next hop; see `next_hop_beside`."""

    @property
    def next_hop(self) -> IPv6Address:
        """Of routes that name none."""
        return self.next_hop_beside or self.speaker_address


@dataclass(frozen=True, slots=True)
class SpeakerFile:
    """One entry of `speakers:`."""

    name: str
    asn: int
    router_id: IPv4Address
    attachments: tuple[Attachment, ...]
    traffic: Literal["drop", "answer"]
    source: Source
    add_path: bool = False
    """Several paths of one prefix in both directions (RFC 7911)."""
    engine: Literal["exabgp", "gobgp"] = "exabgp"


@dataclass(frozen=True, slots=True)
class Announcement:
    """One route of an `announce:` entry, for one peer. A second one for the same key replaces the first."""

    speaker: str
    router: str
    prefix: Prefix
    source: Source
    as_path: AsPath | None = None
    """None: the speaker's own AS (to an internal peer: empty). Else sent exactly as it stands."""
    origin: Literal["igp", "egp", "incomplete"] = "igp"
    med: int | None = None
    communities: tuple[str, ...] = ()
    """`asn:value`, or a name of `WELL_KNOWN_COMMUNITIES`; sorted."""
    large_communities: tuple[str, ...] = ()
    extended_communities: tuple[str, ...] = ()
    """`RT:…` and `SoO:…` as FRR shows them (bgpd/bgp_ecommunity.c); sorted."""
    next_hop: IPv4Address | IPv6Address | None = None
    """None: the speaker's address on that link."""
    local_preference: int | None = None
    """A speaker sends it to an internal peer alone, and 100 there where none is given."""
    originator_id: str | None = None
    cluster_list: tuple[str, ...] = ()
    aggregator: str | None = None
    """`asn:address`."""
    atomic_aggregate: bool = False
    unknown: tuple[UnknownAttribute, ...] = ()
    """Attributes that no router here has a meaning for; sorted by code."""
    path_id: int = 0
    """RFC 7911; 0 where the session has no add-path."""

    @property
    def key(self) -> tuple[str, str, Prefix, int]:
        return (self.speaker, self.router, self.prefix, self.path_id)
