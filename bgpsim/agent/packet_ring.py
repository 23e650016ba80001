"""A packet socket with a ring that the kernel writes and this process reads: TPACKET_V3 of packet(7).

A plain socket's buffer is bounded by net.core.rmem_max, which a user namespace may not raise; a ring is not, and it
wakes its reader once a block instead of once a packet. Layouts are those of linux/if_packet.h.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from bgpsim.errors import LabError

RETIRE = 0.064
"""Seconds after which the kernel hands over a block that is not full."""
_BLOCK = 1 << 17
"""Bytes. A packet before segmentation offload has up to 64 KiB, and must lie in one block."""
_FRAME = 1 << 11
_SOL_PACKET, _RX_RING, _STATISTICS, _VERSION = 263, 5, 6, 10
_TPACKET_V3 = 2
_SO_ATTACH_FILTER = 26
_ETH_P_ALL = 0x0003
_STATUS = struct.Struct("=I")
_BLOCK_HEADER = struct.Struct("=8x3I")
"""From a block's start: version and offset of private data, then status, number of packets, offset of the first."""
_PACKET_HEADER = struct.Struct("=5I4xHH")
"""next_offset, sec, nsec, snaplen, len, status, mac, net."""
_LINK_ADDRESS = struct.Struct("=4xi")
"""Of sockaddr_ll the interface's index; it lies after the header, which has 48 bytes."""
_HEADER_BYTES = 48
_USER = 1


class RingPacket(NamedTuple):
    """One packet from its IP header on."""

    time: int
    """Nanoseconds since the epoch, the kernel's clock."""
    interface: int
    """Its index."""
    data: bytes


class PacketRing:
    """Every packet of the calling thread's network namespace that `program` (classic BPF) lets through."""

    def __init__(self, program: bytes, blocks: int) -> None:
        """`blocks`: how many of 128 KiB. Raises LabError where the kernel gives no such ring."""
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL))
        self._blocks = blocks
        self._next = 0
        self._lost = 0
        try:
            self.filter(program)
            self._socket.setsockopt(_SOL_PACKET, _VERSION, _TPACKET_V3)
            frames = _BLOCK // _FRAME * blocks
            ring = struct.pack("=7I", _BLOCK, blocks, _FRAME, frames, round(RETIRE * 1000), 0, 0)
            _set_slowly(self._socket, _RX_RING, ring)
            self._memory = mmap.mmap(self._socket.fileno(), _BLOCK * blocks)
        except OSError as error:
            self._socket.close()
            raise LabError(f"packets cannot be captured here: {error.strerror}") from None

    def filter(self, program: bytes) -> None:
        """Exchange the filter."""
        held = ctypes.create_string_buffer(program)
        value = struct.pack("HL", len(program) // 8, ctypes.addressof(held))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, value)

    def close(self) -> None:
        self._memory.close()
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def read(self) -> Iterator[RingPacket]:
        """What the kernel has handed over, oldest first."""
        while True:
            start = self._next * _BLOCK
            status, count, offset = _BLOCK_HEADER.unpack_from(self._memory, start)
            if not status & _USER:
                return
            at = start + offset
            for _ in range(count):
                following, seconds, nanoseconds, length, _, _, net = _PACKET_HEADER.unpack_from(self._memory, at)
                (interface,) = _LINK_ADDRESS.unpack_from(self._memory, at + _HEADER_BYTES)
                data = self._memory[at + net : at + net + length]
                yield RingPacket(seconds * 10**9 + nanoseconds, interface, data)
                at += following
            _STATUS.pack_into(self._memory, start + 8, 0)
            self._next = (self._next + 1) % self._blocks

    def lost(self) -> int:
        """Packets that the ring had no room for since it was opened."""
        self._lost += struct.unpack_from("=II", self._socket.getsockopt(_SOL_PACKET, _STATISTICS, 12))[1]
        return self._lost


_LIBC = ctypes.CDLL(None, use_errno=True)


def _set_slowly(opened: socket.socket, option: int, value: bytes) -> None:
    """setsockopt(2) for what takes the kernel some 10 ms: Python's own keeps every other thread waiting meanwhile."""
    if _LIBC.setsockopt(opened.fileno(), _SOL_PACKET, option, value, len(value)) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
