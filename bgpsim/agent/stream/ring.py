"""A capture that keeps up: a packet socket whose packets the kernel writes into memory that it shares with the reader.

packet_mmap of the kernel's documentation, TPACKET_V2. The size of the ring is the reader's choice, while a socket's
buffer is bounded by net.core.rmem_max (some 300 packets), which nobody may raise without being root of the machine.
"""

from __future__ import annotations

import fcntl
import mmap
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from bgpsim.agent.probe_sockets import attach, drops, instruction

_ETH_P_ALL = 0x0003
_SOL_PACKET, _PACKET_RX_RING, _PACKET_VERSION = 263, 5, 10
_TPACKET_V2 = 1
_USER = 1
"""TP_STATUS_USER: the kernel has written the frame, and does not touch it until it is given back."""
_SIOCGIFNAME = 0x8910
_HEADER = struct.Struct("=IIIHH")
"""tpacket2_hdr of linux/if_packet.h: status, length, captured length, where the link and the network layer begin."""
_LINK_LAYER = struct.Struct("=4xiHB")
"""sockaddr_ll behind it, at `_LINK_LAYER_AT`: interface index, hardware type, packet type."""
_LINK_LAYER_AT = 32
_STATUS = struct.Struct("=I")
_SNAP = 128
"""Bytes of a packet that are kept: 40 + 8 before the mark, or 60 + 8."""
_FRAME, _BLOCK, _FRAMES = 256, 1 << 16, 8192
"""A frame has 80 bytes of headers. 2 MiB per device: seconds of a stream, or a tenth of one that loops."""


class Seen(NamedTuple):
    interface: str
    kind: int
    """sll_pkttype of packet(7)."""
    packet: bytes
    """From the IP header on."""


class Ring:
    """Hears the packets of one stream in the network namespace that the calling thread is in."""

    def __init__(self, port: int, run: bytes) -> None:
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL))
        try:
            attach(self.socket, stream_filter(port, run))
            self.socket.setsockopt(_SOL_PACKET, _PACKET_VERSION, _TPACKET_V2)
            size = _FRAME * _FRAMES
            ring = struct.pack("=IIII", _BLOCK, size // _BLOCK, _FRAME, _FRAMES)
            self.socket.setsockopt(_SOL_PACKET, _PACKET_RX_RING, ring)
            self._memory = mmap.mmap(self.socket.fileno(), size)
        except BaseException:
            self.socket.close()
            raise
        self._next = 0
        self._names: dict[int, str] = {}

    def read(self) -> Iterator[Seen]:
        """All that is there."""
        memory = self._memory
        while True:
            at = self._next * _FRAME
            status, _, length, _, network = _HEADER.unpack_from(memory, at)
            if not status & _USER:
                return
            index, _, kind = _LINK_LAYER.unpack_from(memory, at + _LINK_LAYER_AT)
            packet = memory[at + network : at + network + length]
            _STATUS.pack_into(memory, at, 0)
            self._next = (self._next + 1) % _FRAMES
            yield Seen(self._name(index), kind, packet)

    def _name(self, index: int) -> str:
        """Asked while a packet of it waits; an interface that is gone by then is called by its number."""
        if index not in self._names:
            try:
                answer = fcntl.ioctl(self.socket, _SIOCGIFNAME, struct.pack("16si20x", b"", index))
                self._names[index] = answer[:16].rstrip(b"\0").decode()
            except OSError:
                self._names[index] = f"#{index}"
        return self._names[index]

    def lost(self) -> int:
        """Packets that there was no room for since the ring was made, or asked before."""
        return drops(self.socket)

    def close(self) -> None:
        self._memory.close()
        self.socket.close()


_LOAD_WORD, _LOAD_HALF, _LOAD_BYTE = 0x20, 0x28, 0x30
_LOAD_WORD_AT_X, _LOAD_HALF_AT_X, _LOAD_HEADER_LENGTH = 0x40, 0x48, 0xB1
_EQUAL, _RETURN = 0x15, 0x06
_PROTOCOL = 0xFFFFF000
"""SKF_AD_OFF + SKF_AD_PROTOCOL of linux/filter.h: the frame's EtherType."""
_RUN_AT = 8 + 6
"""Where the run stands behind the IP header: a UDP header and the mark's first six bytes before it."""


def stream_filter(port: int, run: bytes) -> bytes:
    """Classic BPF: UDP to that port with that run in its mark; the rest costs no copy."""
    known = int.from_bytes(run[:4], "big")
    return b"".join(
        (
            instruction(_LOAD_HALF, _PROTOCOL),
            instruction(_EQUAL, 0x0800, 0, 7),
            instruction(_LOAD_BYTE, 9),
            instruction(_EQUAL, socket.IPPROTO_UDP, 0, 13),
            instruction(_LOAD_HEADER_LENGTH, 0),
            instruction(_LOAD_HALF_AT_X, 2),
            instruction(_EQUAL, port, 0, 10),
            instruction(_LOAD_WORD_AT_X, _RUN_AT),
            instruction(_EQUAL, known, 7, 8),
            instruction(_EQUAL, 0x86DD, 0, 7),
            instruction(_LOAD_BYTE, 6),
            instruction(_EQUAL, socket.IPPROTO_UDP, 0, 5),
            instruction(_LOAD_HALF, 42),
            instruction(_EQUAL, port, 0, 3),
            instruction(_LOAD_WORD, 40 + _RUN_AT),
            instruction(_EQUAL, known, 0, 1),
            instruction(_RETURN, _SNAP),
            instruction(_RETURN, 0),
        )
    )
