"""TCP as it is seen passing by: segments out of packets, and the bytes of one direction in their order (RFC 9293).

A stream begins with its SYN. Retransmitted, overlapping and reordered segments give the same bytes; a stream whose SYN
was not seen, or that has a hole, says so and is never guessed at.
"""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
_TCP = 6
_PENDING = 1 << 23
"""Bytes that may wait behind a hole."""
_WRAP = 1 << 32


class Segment(NamedTuple):
    """One TCP segment. Addresses as text."""

    source: str
    source_port: int
    target: str
    target_port: int
    sequence: int
    acknowledged: int
    flags: int
    payload: bytes


def segment_of(packet: bytes) -> Segment | None:
    """From the IP header on; None for what is no TCP, a fragment, or cut short."""
    try:
        if packet[0] >> 4 == 4:
            if packet[9] != _TCP or struct.unpack_from("!H", packet, 6)[0] & 0x3FFF:
                return None
            family, addresses, size = socket.AF_INET, 12, 4
            start, end = (packet[0] & 0x0F) * 4, struct.unpack_from("!H", packet, 2)[0]
        else:
            if packet[0] >> 4 != 6 or packet[6] != _TCP:
                return None
            family, addresses, size = socket.AF_INET6, 8, 16
            start, end = 40, 40 + struct.unpack_from("!H", packet, 4)[0]
        # A packet of more than 64 KiB before segmentation (BIG TCP) says 0.
        end = end if end > start else len(packet)
        if end > len(packet):
            return None
        ports = struct.unpack_from("!HHIIBB", packet, start)
    except (IndexError, struct.error):
        return None
    return Segment(
        socket.inet_ntop(family, packet[addresses : addresses + size]),
        ports[0],
        socket.inet_ntop(family, packet[addresses + size : addresses + 2 * size]),
        ports[1],
        ports[2],
        ports[3],
        ports[5],
        packet[start + (ports[4] >> 4) * 4 : end],
    )


class ByteStream:
    """One direction of one connection, put together from its SYN on."""

    def __init__(self) -> None:
        self.begun = False
        self.first = 0
        """The SYN's sequence number."""
        self.length = 0
        """Bytes in order so far."""
        self._pending: dict[int, bytes] = {}
        """Offset -> bytes behind a hole."""
        self._waiting = 0
        self._acknowledged = 0
        self._broken: str | None = None

    def syn(self, sequence: int) -> None:
        self.begun, self.first = True, sequence

    def take(self, sequence: int, payload: bytes) -> bytes:
        """The bytes that are in order now and were not before; `payload` begins at `sequence`."""
        if not payload or self._broken:
            return b""
        if not self.begun:
            self.breaks("its SYN was not seen")
            return b""
        at = self._offset(sequence)
        if at + len(payload) <= self.length:
            return b""
        if at > self.length:
            self._wait(at, payload)
            return b""
        found = bytearray(payload[self.length - at :])
        self.length += len(found)
        while self._pending and (first := min(self._pending)) <= self.length:
            later = self._pending.pop(first)
            self._waiting -= len(later)
            found += later[self.length - first :] if first + len(later) > self.length else b""
            self.length = max(self.length, first + len(later))
        return bytes(found)

    def acknowledge(self, number: int) -> None:
        """The other side has everything before this sequence number; a FIN counts as a byte."""
        if self.begun and not self._broken:
            self._acknowledged = max(self._acknowledged, self._offset(number))

    def breaks(self, why: str) -> None:
        """Nothing of it is to be relied on; the first reason stays."""
        self._broken = self._broken or why
        self._pending.clear()

    def problem(self) -> str | None:
        """Why it is not whole."""
        if self._broken:
            return self._broken
        if not self.begun:
            return "its SYN was not seen"
        if self._pending:
            return f"{min(self._pending) - self.length} bytes from byte {self.length} on were not seen"
        # One byte more than all of the data is its FIN.
        if self._acknowledged > self.length + 1:
            return f"its peer has {self._acknowledged} bytes of it, {self.length} were seen"
        return None

    def _offset(self, sequence: int) -> int:
        """Of the byte with this sequence number, which lies within 2 GiB of the last one seen."""
        expected = (self.first + 1 + self.length) % _WRAP
        ahead = (sequence - expected) % _WRAP
        return self.length + (ahead if ahead < _WRAP // 2 else ahead - _WRAP)

    def _wait(self, at: int, payload: bytes) -> None:
        held = self._pending.get(at, b"")
        if len(held) >= len(payload):
            return
        self._pending[at] = payload
        self._waiting += len(payload) - len(held)
        if self._waiting > _PENDING:
            self.breaks(f"more than {_PENDING >> 20} MiB came after a hole at byte {self.length}")
