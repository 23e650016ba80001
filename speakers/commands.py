"""Announcement -> the line that ExaBGP 5 reads from its API process."""

from __future__ import annotations

import re

from bgpsim.errors import InputError
from bgpsim.inputs.files.speakers import (
    ROUTER_LINK_LOCAL,
    WELL_KNOWN_COMMUNITIES,
    Announcement,
    Attachment,
)

_COMMUNITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]*")


def announce_line(announcement: Announcement, link: Attachment) -> str:
    """`neighbor … announce route …` over this link; attributes that are None are left to ExaBGP.

    Without an AS path ExaBGP puts its own AS there; with one it sends that as it stands. The next hop is written out
    always: `self` would be the router ID over a link-local session. Well-known communities are sent as numbers, since
    ExaBGP 5 does not know all of their names (configuration/static/parser.py). Raises InputError for a community that
    is not one word.
    """
    a = announcement
    if a.prefix.version == 6 and a.next_hop is not None and a.next_hop.version == 4:
        # ExaBGP takes it and sends four octets; RFC 2545 section 3 knows 16 and 32 alone.
        raise InputError(
            f"{a.prefix}: found the next hop {a.next_hop}, expected an IPv6 address",
            file=a.source.file,
            line=a.source.line,
        )
    parts = [
        _head(a, "announce"),
        f"next-hop {link.speaker_address if a.next_hop is None else a.next_hop}",
        f"origin {a.origin}",
    ]
    if a.as_path is not None:
        parts.append(_list("as-path", tuple(str(asn) for asn in a.as_path)))
    if a.med is not None:
        parts.append(f"med {a.med}")
    for word, values in (
        ("community", tuple(_number(value) for value in a.communities)),
        ("large-community", a.large_communities),
        ("extended-community", a.extended_communities),
    ):
        if values:
            parts.append(_list(word, tuple(_checked(a, word, value) for value in values)))
    return " ".join(parts)


def withdraw_line(announcement: Announcement, link: Attachment) -> str:
    """`neighbor … withdraw route …` over this link; ExaBGP wants a next hop there too, and ignores it."""
    a = announcement
    return f"{_head(a, 'withdraw')} next-hop {link.speaker_address if a.next_hop is None else a.next_hop}"


def _head(announcement: Announcement, verb: str) -> str:
    kind = "route" if announcement.prefix.version == 4 else "ipv6 unicast"
    return f"neighbor {ROUTER_LINK_LOCAL} {verb} {kind} {announcement.prefix}"


def _number(community: str) -> str:
    """A well-known name as `65535:…`; all else as it is."""
    number = WELL_KNOWN_COMMUNITIES.get(community)
    return community if number is None else f"{number >> 16}:{number & 0xFFFF}"


def _list(word: str, values: tuple[str, ...]) -> str:
    return " ".join([word, "[", *values, "]"])


def _checked(announcement: Announcement, word: str, value: str) -> str:
    if not _COMMUNITY.fullmatch(value):
        raise InputError(
            f"{announcement.prefix}: found {word} {value!r}, expected one word such as 65000:1",
            file=announcement.source.file,
            line=announcement.source.line,
        )
    return value
