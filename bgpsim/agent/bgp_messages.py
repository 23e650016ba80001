"""BGP messages as far as their shape goes: framing, an OPEN's capabilities, an UPDATE's routes (RFC 4271 section 4).

What attributes mean is not told here: they stay the bytes that they are.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

OPEN, UPDATE, NOTIFICATION, KEEPALIVE, ROUTE_REFRESH = 1, 2, 3, 4, 5
KINDS: Mapping[int, str] = {
    OPEN: "open",
    UPDATE: "update",
    NOTIFICATION: "notification",
    KEEPALIVE: "keepalive",
    ROUTE_REFRESH: "route-refresh",
}
MARKER = b"\xff" * 16
HEADER = 19
"""Bytes (RFC 4271 section 4.1)."""
_UNICAST = 1
_MP_REACH, _MP_UNREACH = 14, 15
_EXTENDED_LENGTH = 0x10
_CAPABILITIES, _EXTENDED_PARAMETERS = 2, 255

FamilyNumbers: TypeAlias = tuple[int, int]
"""AFI and SAFI."""


class BadMessage(ValueError):
    """Bytes that are no BGP message; says which."""


class Message(NamedTuple):
    kind: int
    body: bytes
    """What follows the header."""


def split(buffer: bytearray) -> Iterator[Message]:
    """Takes whole messages from the front of `buffer`. Raises BadMessage."""
    while len(buffer) >= HEADER:
        length, kind = struct.unpack_from("!HB", buffer, 16)
        if buffer[:16] != MARKER or length < HEADER or kind not in KINDS:
            raise BadMessage(f"no BGP message begins with {bytes(buffer[:HEADER]).hex()}")
        if len(buffer) < length:
            return
        message = Message(kind, bytes(buffer[HEADER:length]))
        del buffer[:length]
        yield message


@dataclass(frozen=True, slots=True)
class Open:
    """What an OPEN offers (RFC 4271 section 4.2, RFC 5492)."""

    asn: int
    hold_time: int
    router_id: str
    capabilities: tuple[tuple[int, bytes], ...]

    @property
    def four_octet_as(self) -> bool:
        """RFC 6793."""
        return any(code == 65 for code, _ in self.capabilities)

    @property
    def add_path(self) -> Mapping[FamilyNumbers, int]:
        """Family -> 1 receives, 2 sends, 3 both (RFC 7911 section 4)."""
        found: dict[FamilyNumbers, int] = {}
        for code, value in self.capabilities:
            if code == 69:
                for afi, safi, mode in struct.iter_unpack("!HBB", value[: len(value) // 4 * 4]):
                    found[afi, safi] = mode
        return found


def parse_open(body: bytes) -> Open:
    """Raises BadMessage."""
    try:
        version, asn, hold, identifier, length = struct.unpack_from("!BHH4sB", body)
        parameters, width = body[10:], 1
        if length == _EXTENDED_PARAMETERS and parameters[:1] == b"\xff":  # RFC 9072
            parameters, width = parameters[3:], 2
        if version != 4:
            raise BadMessage(f"an OPEN of BGP version {version}")
        found: list[tuple[int, bytes]] = []
        for kind, value in _values(parameters, width):
            if kind == _CAPABILITIES:
                found += _values(value, 1)
    except (struct.error, IndexError):
        raise BadMessage(f"an OPEN that is cut short: {body.hex()}") from None
    wide = next((value for code, value in found if code == 65 and len(value) == 4), None)
    number = asn if wide is None else int.from_bytes(wide, "big")
    return Open(number, hold, ".".join(map(str, identifier)), tuple(found))


def _values(data: bytes, width: int) -> Iterator[tuple[int, bytes]]:
    """Code, length of `width` octets, value; one after the other."""
    at = 0
    while at < len(data):
        end = at + 1 + width + int.from_bytes(data[at + 1 : at + 1 + width], "big")
        if at + 1 + width > len(data) or end > len(data):
            raise BadMessage(f"a parameter that is cut short: {data[at:].hex()}")
        yield data[at], data[at + 1 + width : end]
        at = end


class RouteKey(NamedTuple):
    """A route as an UPDATE names it. `prefix`: its length in bits, then as many octets as these need."""

    afi: int
    path_id: int
    prefix: bytes


@dataclass(frozen=True, slots=True)
class Update:
    """`attributes` are those of all announced routes, without MP_REACH_NLRI and MP_UNREACH_NLRI, as they stood.

    `next_hops`: of each announced route, MP_REACH_NLRI's next hop (RFC 4760 section 3), empty where the route stands in
    the UPDATE itself and has the attribute NEXT_HOP.
    """

    withdrawn: tuple[RouteKey, ...]
    announced: tuple[tuple[bytes, tuple[RouteKey, ...]], ...]
    attributes: bytes


def parse_update(body: bytes, add_path: Callable[[FamilyNumbers], bool]) -> Update:
    """`add_path`: whether routes of a family have path ids (RFC 7911). Other families than unicast are left out.

    Raises BadMessage.
    """
    try:
        (length,) = struct.unpack_from("!H", body)
        (size,) = struct.unpack_from("!H", body, 2 + length)
        start = 4 + length
        if start + size > len(body):
            raise BadMessage(f"an UPDATE whose attributes end after it: {body[:64].hex()}")
        withdrawn = [*routes(1, body[2 : 2 + length], add_path((1, _UNICAST)))]
        plain = (*routes(1, body[start + size :], add_path((1, _UNICAST))),)
        announced = [(b"", plain)] if plain else []
        kept = bytearray()
        for kind, value, whole in attributes(body[start : start + size]):
            if kind == _MP_REACH:
                afi, safi, hop = struct.unpack_from("!HBB", value)
                if safi == _UNICAST and afi in (1, 2):
                    announced.append((value[4 : 4 + hop], (*routes(afi, value[5 + hop :], add_path((afi, safi))),)))
            elif kind == _MP_UNREACH:
                afi, safi = struct.unpack_from("!HB", value)
                if safi == _UNICAST and afi in (1, 2):
                    withdrawn += routes(afi, value[3:], add_path((afi, safi)))
            else:
                kept += whole
    except (struct.error, IndexError):
        raise BadMessage(f"an UPDATE that is cut short: {body[:64].hex()}") from None
    return Update(tuple(withdrawn), tuple(announced), bytes(kept))


def attributes(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Type code, value, and the whole attribute (RFC 4271 section 4.3)."""
    at = 0
    while at < len(data):
        width = 2 if data[at] & _EXTENDED_LENGTH else 1
        begin = at + 2 + width
        end = begin + int.from_bytes(data[at + 2 : begin], "big")
        if begin > len(data) or end > len(data):
            raise BadMessage(f"an attribute that is cut short: {data[at : at + 64].hex()}")
        yield data[at + 1], data[begin:end], data[at:end]
        at = end


def routes(afi: int, data: bytes, with_path_id: bool) -> Iterator[RouteKey]:
    """NLRI (RFC 4271 section 4.3, RFC 7911 section 3)."""
    longest = 32 if afi == 1 else 128
    at, path_id = 0, 0
    while at < len(data):
        if with_path_id:
            path_id = int.from_bytes(data[at : at + 4], "big")
            at += 4
        bits = data[at]
        end = at + 1 + (bits + 7) // 8
        if bits > longest or end > len(data):
            raise BadMessage(f"no route begins with {data[at : at + 17].hex()}")
        yield RouteKey(afi, path_id, data[at:end])
        at = end
