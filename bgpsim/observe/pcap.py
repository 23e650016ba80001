"""Captured packets as pcapng, a block after the other, for Wireshark and tcpdump (draft-ietf-opsawg-pcapng).

scapy's writer takes a file's name alone, where a pipe is wanted, and times in microseconds.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import BinaryIO, NamedTuple

ETHERNET, RAW_IP = 1, 101
"""Link types: frames from their Ethernet header on, packets from their IP header on."""
_SNAP = 1 << 18
_INBOUND, _OUTBOUND = 1, 2


class Captured(NamedTuple):
    """A packet at an interface of a device."""

    time: int
    """Nanoseconds since the epoch."""
    device: str
    interface: str
    outgoing: bool
    data: bytes


def write_pcapng(stream: BinaryIO, packets: Iterable[Captured], link_type: int) -> None:
    """Write until `packets` ends; each is flushed, so that a reader of a pipe sees it at once.

    Interfaces are called `device:interface`.
    """
    interfaces: dict[str, int] = {}
    stream.write(_block(0x0A0D0D0A, struct.pack("=IHHq", 0x1A2B3C4D, 1, 0, -1)))
    for packet in packets:
        name = f"{packet.device}:{packet.interface}"
        if name not in interfaces:
            interfaces[name] = len(interfaces)
            options = _option(2, name.encode()) + _option(9, b"\x09") + _option(0, b"")
            stream.write(_block(1, struct.pack("=HHI", link_type, 0, _SNAP) + options))
        size = len(packet.data)
        head = struct.pack("=5I", interfaces[name], packet.time >> 32, packet.time & 0xFFFFFFFF, size, size)
        flags = struct.pack("=I", _OUTBOUND if packet.outgoing else _INBOUND)
        stream.write(_block(6, head + _padded(packet.data) + _option(2, flags) + _option(0, b"")))
        stream.flush()
    stream.flush()


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("=I", 12 + len(body))
    return struct.pack("=I", kind) + length + body + length


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("=HH", code, len(value)) + _padded(value)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
