"""What a packet socket sees of a probe, and the way that the probe took: pure functions of bytes and sightings.

A probe is UDP with a mark at the start of its payload. Its TTL orders what was seen: the sender sends with `TTL`, every
device that forwards takes one off (RFC 1812 section 5.3.1, RFC 8200 section 3). Times would not do, for sockets are
read one after the other.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

PORT = 33890
"""Destination port of every probe."""
TTL = 64
RUN_BYTES = 8
MARK = struct.Struct(f"!6s{RUN_BYTES}sII")
"""Magic, run, pair, source port."""
_MAGIC = b"bgpsim"
RELAY_PREFIX = "bgpsim-r"
"""Of interfaces that turn frames over to the relay of an impaired link (`agent.impairment`): no hop of anything."""
_UDP, _ICMP, _ICMPV6 = 17, 1, 58
ICMP_ERRORS = frozenset({3, 11, 12})
"""Destination unreachable, time exceeded, parameter problem (RFC 792); the other types do not quote a packet."""
ICMPV6_ERRORS = frozenset({1, 2, 3, 4})
"""RFC 4443."""

Direction: TypeAlias = Literal["in", "out", "foreign"]
"""foreign: taken up from the wire, but addressed to another's MAC; the device's IP layer throws it away."""
DIRECTIONS: dict[int, Direction] = {socket.PACKET_OUTGOING: "out", socket.PACKET_OTHERHOST: "foreign"}


class ProbeKey(NamedTuple):
    pair: int
    """Its number in the request."""
    port: int
    """Its source port, which tells the flows of a pair apart."""


class Header(NamedTuple):
    """Addresses and UDP ports as they were on the wire: NAT on the way changes them."""

    source: str
    target: str
    source_port: int
    target_port: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """A probe at one interface of one device."""

    device: str
    interface: str
    direction: Direction
    ttl: int
    header: Header


@dataclass(frozen=True, slots=True)
class IcmpError:
    """An ICMP error that quotes a probe, anywhere on its way back."""

    type: int
    code: int


class Visit(NamedTuple):
    """A device that had the probe. `ingress` None: it made it. `egress` None: it was not seen leaving."""

    device: str
    ingress: str | None
    egress: str | None
    ttl: int
    """As it came in; at the sender, as it was sent."""


@dataclass(frozen=True, slots=True)
class Trail:
    visits: tuple[Visit, ...]
    looped: bool
    """The last visit is the second one by that interface; what followed is left out."""
    header: Header | None
    """As the last device got it; None where it was never seen coming in."""


def mark(run: bytes, probe: ProbeKey) -> bytes:
    return MARK.pack(_MAGIC, run, probe.pair, probe.port)


def read_mark(payload: bytes, run: bytes) -> ProbeKey | None:
    """None for what is not a probe of this run."""
    if len(payload) < MARK.size:
        return None
    magic, found, pair, port = MARK.unpack_from(payload)
    return ProbeKey(pair, port) if (magic, found) == (_MAGIC, run) else None


def read_packet(
    packet: bytes, kind: int, run: bytes, device: str, interface: str
) -> tuple[ProbeKey, Sighting | IcmpError] | None:
    """A probe of this run, or an ICMP error about one; None for all else.

    `packet` begins with the IP header; `kind` is sll_pkttype of packet(7).
    """
    outer = _read_header(packet)
    if outer is None:
        return None
    protocol, ttl, source, target, at = outer
    if protocol == _UDP:
        read = _read_udp(packet[at:], run)
        if read is None:
            return None
        probe, source_port, target_port = read
        header = Header(source, target, source_port, target_port)
        return probe, Sighting(device, interface, DIRECTIONS.get(kind, "in"), ttl, header)
    errors = {_ICMP: ICMP_ERRORS, _ICMPV6: ICMPV6_ERRORS}.get(protocol, frozenset())
    if len(packet) < at + 8 or packet[at] not in errors:
        return None
    quoted = packet[at + 8 :]
    inner = _read_header(quoted)
    if inner is None or inner[0] != _UDP:
        return None
    read = _read_udp(quoted[inner[4] :], run)
    return None if read is None else (read[0], IcmpError(packet[at], packet[at + 1]))


def _read_header(packet: bytes) -> tuple[int, int, str, str, int] | None:
    """Protocol, TTL, source, target and where the payload begins."""
    if len(packet) >= 20 and packet[0] >> 4 == 4:
        source, target = (socket.inet_ntop(socket.AF_INET, packet[at : at + 4]) for at in (12, 16))
        return packet[9], packet[8], source, target, (packet[0] & 0x0F) * 4
    if len(packet) >= 40 and packet[0] >> 4 == 6:
        source, target = (socket.inet_ntop(socket.AF_INET6, packet[at : at + 16]) for at in (8, 24))
        return packet[6], packet[7], source, target, 40
    return None


def _read_udp(datagram: bytes, run: bytes) -> tuple[ProbeKey, int, int] | None:
    probe = read_mark(datagram[8:], run)
    return None if probe is None else (probe, *struct.unpack_from("!HH", datagram))


def follow(sender: str, sightings: Sequence[Sighting]) -> Trail:
    """The way of one probe. Sightings of one device are in the order in which its socket had them.

    A device may see a packet twice at one TTL on its way up (a bridge's port, then the bridge) and down again: of
    those that came in the last is where IP took it, of those that went out the first is where IP gave it away. A frame
    that a device only bridges goes out with the TTL that it came with, and is no visit. Loopback and the
    relay's interfaces are not named.
    """
    came: dict[int, list[Sighting]] = {}
    left: dict[tuple[str, int], str] = {}
    for sighting in sightings:
        if sighting.interface == "lo" or sighting.interface.startswith(RELAY_PREFIX):
            continue
        if sighting.direction == "in":
            came.setdefault(sighting.ttl, []).append(sighting)
        elif sighting.direction == "out":
            left.setdefault((sighting.device, sighting.ttl), sighting.interface)
    visits = [Visit(sender, None, left.get((sender, TTL)), TTL)]
    header = None
    seen: set[tuple[str, str]] = set()
    for ttl in sorted(came, reverse=True):
        taken = _taken(came[ttl])
        header = taken.header
        place = (taken.device, taken.interface)
        if place in seen:
            return Trail((*visits, Visit(*place, None, ttl)), True, header)
        seen.add(place)
        visits.append(Visit(*place, left.get((taken.device, ttl - 1)), ttl))
    return Trail(tuple(visits), False, header)


def _taken(came: Sequence[Sighting]) -> Sighting:
    """Where IP took a packet of one TTL: one device's alone, for a packet is not in two places."""
    first = came[0].device
    return [sighting for sighting in came if sighting.device == first][-1]
