"""Announcement -> the line that ExaBGP 5 reads from its API process."""

from __future__ import annotations

import re
from ipaddress import IPv4Address

from bgpsim.errors import InputError
from bgpsim.inputs.files.speakers import (
    ROUTER_LINK_LOCAL,
    WELL_KNOWN_COMMUNITIES,
    Announcement,
    Attachment,
)
from bgpsim.network.types import AsPath

_COMMUNITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]*")


def announce_line(announcement: Announcement, link: Attachment) -> str:
    """`neighbor … announce route …` over this link; attributes that are None are left to ExaBGP.

    Without an AS path ExaBGP puts its own AS there, to its own AS none; with one it sends that as it stands. The next
    hop is written out always: `self` would be the router ID over a link-local session. Well-known communities are sent
    as numbers, since ExaBGP 5 does not know all of their names (configuration/static/parser.py). Raises InputError for
    a community that is not one word.
    """
    return f"{_head(announcement, 'announce')} {attributes(announcement, link)}"


def attributes(announcement: Announcement, link: Attachment) -> str:
    """The words behind the prefix. Raises as `announce_line` does."""
    a = announcement
    if a.prefix.version == 6 and a.next_hop is not None and a.next_hop.version == 4:
        # ExaBGP takes it and sends four octets; RFC 2545 section 3 knows 16 and 32 alone.
        raise InputError(
            f"{a.prefix}: found the next hop {a.next_hop}, expected an IPv6 address",
            file=a.source.file,
            line=a.source.line,
        )
    parts = [
        f"next-hop {link.next_hop if a.next_hop is None else a.next_hop}",
        f"origin {a.origin}",
    ]
    if a.as_path is not None:
        parts.append(f"as-path {_as_path(a.as_path)}")
    for word, number in (("med", a.med), ("local-preference", a.local_preference)):
        if number is not None:
            parts.append(f"{word} {number}")
    for word, values in (
        ("community", tuple(_number(value) for value in a.communities)),
        ("large-community", a.large_communities),
        ("extended-community", tuple(map(extended_community, a.extended_communities))),
        ("cluster-list", a.cluster_list),
    ):
        if values:
            parts.append(_list(word, tuple(_checked(a, word, value) for value in values)))
    if a.originator_id is not None:
        parts.append(f"originator-id {_checked(a, 'originator-id', a.originator_id)}")
    if a.aggregator is not None:
        parts.append(f"aggregator ( {_checked(a, 'aggregator', a.aggregator)} )")
    if a.atomic_aggregate:
        parts.append("atomic-aggregate")
    for unknown in a.unknown:
        parts.append(f"attribute [ 0x{unknown.code:02x} 0x{unknown.flags:02x} 0x{unknown.value.hex()} ]")
    return " ".join(parts)


def withdraw_line(announcement: Announcement, link: Attachment) -> str:
    """`neighbor … withdraw route …` over this link; ExaBGP wants a next hop there too, and ignores it."""
    a = announcement
    return f"{_head(a, 'withdraw')} next-hop {link.next_hop if a.next_hop is None else a.next_hop}"


def _head(announcement: Announcement, verb: str) -> str:
    kind = "route" if announcement.prefix.version == 4 else "ipv6 unicast"
    path = f" path-information {announcement.path_id}" if announcement.path_id else ""
    return f"neighbor {ROUTER_LINK_LOCAL} {verb} {kind} {announcement.prefix}{path}"


def _as_path(path: AsPath) -> str:
    """Sequences in `[ ]`, sets in `( )`; an empty path is an empty sequence."""
    segments: list[list[str]] = []
    for part in path:
        if isinstance(part, frozenset):
            segments.append(["(", *(str(asn) for asn in sorted(part)), ")"])
        elif segments and segments[-1][0] == "[":
            segments[-1][-1:] = [str(part), "]"]
        else:
            segments.append(["[", str(part), "]"])
    return " ".join(word for segment in segments for word in segment) or "[ ]"


_EXTENDED = re.compile(r"(?P<kind>RT|SoO):(?P<administrator>[0-9.]+):(?P<number>[0-9]+)")
_SUBTYPES = {"RT": 2, "SoO": 3}


def extended_community(text: str) -> str:
    """`RT:65000:1` as eight octets in hexadecimal (RFC 4360, RFC 5668); all else as it is.

    ExaBGP's words would do for AS numbers of two octets; of one of four it makes the form with an IPv4 address
    (configuration/static/parser.py, `target4`).
    """
    found = _EXTENDED.fullmatch(text)
    if found is None:
        return text
    administrator, number = found["administrator"], int(found["number"])
    if "." in administrator:
        kind, octets = 1, IPv4Address(administrator).packed + number.to_bytes(2, "big")
    elif int(administrator) <= 0xFFFF:
        kind, octets = 0, int(administrator).to_bytes(2, "big") + number.to_bytes(4, "big")
    else:
        kind, octets = 2, int(administrator).to_bytes(4, "big") + number.to_bytes(2, "big")
    return f"0x{bytes((kind, _SUBTYPES[found['kind']])).hex()}{octets.hex()}"


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
