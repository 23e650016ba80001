"""The speakers of a scenario file and what they announce: as written, with names already resolved to values."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Literal

from bgpsim.network.types import Prefix
from bgpsim.source import Source

ROUTER_LINK_LOCAL = IPv6Address("fe80::1")
SPEAKER_LINK_LOCAL = IPv6Address("fe80::2")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A speaker's own link to one router it peers with.

    Link-local addresses only (`ROUTER_LINK_LOCAL`, `SPEAKER_LINK_LOCAL`), so that an idle speaker puts no connected
    prefix into the router's tables.
    """

    router: str
    router_interface: str
    """At most 15 characters (IFNAMSIZ): `x-<speaker>`, shortened with a number where it must be."""
    speaker_interface: str
    """`<router>`, shortened likewise."""


@dataclass(frozen=True, slots=True)
class SpeakerFile:
    """One entry of `speakers:`."""

    name: str
    asn: int
    router_id: IPv4Address
    attachments: tuple[Attachment, ...]
    traffic: Literal["drop", "answer"]
    source: Source


@dataclass(frozen=True, slots=True)
class Announcement:
    """One route of an `announce:` entry, for one peer. A second one for the same key replaces the first."""

    speaker: str
    router: str
    prefix: Prefix
    source: Source
    as_path: tuple[int, ...] | None = None
    """None: the speaker's own AS. Else sent exactly as it stands."""
    origin: Literal["igp", "egp", "incomplete"] = "igp"
    med: int | None = None
    communities: tuple[str, ...] = ()
    large_communities: tuple[str, ...] = ()
    extended_communities: tuple[str, ...] = ()
    next_hop: IPv4Address | IPv6Address | None = None
    """None: the speaker's address on that link."""

    @property
    def key(self) -> tuple[str, str, Prefix]:
        return (self.speaker, self.router, self.prefix)
