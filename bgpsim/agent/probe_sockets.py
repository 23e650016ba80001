"""The sockets of probes: what sends one, what takes it, and what sees it pass.

Every function opens in the network namespace that the calling thread is in.
"""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
from collections.abc import Iterator
from typing import Any

from bgpsim.agent.sightings import PORT, TTL, Header
from bgpsim.errors import LabError

_ETH_P_ALL = 0x0003
_SOL_PACKET, _PACKET_STATISTICS, _SO_ATTACH_FILTER = 263, 6, 26
_IP_FREEBIND, _IPV6_FREEBIND, _IPV6_AUTOFLOWLABEL = 15, 78, 70
_IP_MTU_DISCOVER, _IPV6_MTU_DISCOVER, _IPV6_DONTFRAG, _PMTUDISC_PROBE = 10, 23, 62, 3
"""packet(7), socket(7), ip(7) and linux/in6.h; Python 3.11 has no names for them."""
SNAP = 256
"""Bytes of a packet that are looked at: an ICMPv6 error has 40 + 8 + 40 + 8 before the mark."""
BUFFER = 1 << 24
"""Bytes asked for per socket; the kernel gives at most net.core.rmem_max."""


def sender(header: Header, *, whole: bool = False) -> socket.socket:
    """A socket that sends with the header's source, also one that is on no interface now, and a TTL of `TTL`.

    `whole`: packets are not fragmented, whatever the sender has heard of the path's MTU. Raises LabError where the
    source cannot be had.
    """
    six = ":" in header.target
    opened = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if six:
        opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, TTL)
        # A label made from a secret of the machine would take part in the choice of a branch.
        opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_AUTOFLOWLABEL, 0)
    else:
        opened.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
        opened.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, TTL)
    if whole:
        level, option = (socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER) if six else (socket.IPPROTO_IP, _IP_MTU_DISCOVER)
        opened.setsockopt(level, option, _PMTUDISC_PROBE)
        if six:
            opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_DONTFRAG, 1)
    try:
        opened.bind((header.source, header.source_port))
    except OSError as error:
        opened.close()
        raise LabError(
            f"no probe can be sent from {header.source} port {header.source_port}: {error.strerror}"
        ) from None
    return opened


def padded(payload: bytes, target: str, size: int | None) -> bytes:
    """A UDP payload made as long as an IP packet of that many bytes takes (RFC 791, RFC 8200: no options)."""
    return payload if size is None else payload.ljust(size - (48 if ":" in target else 28), b"\0")


def raw_sender(source: str, egress: str) -> socket.socket:
    """A socket that sends whole packets, IP header and all (raw(7)), by one interface.

    It has the packets' source, also one that is on no interface now, for the kernel's rules may ask for it. Raises
    OSError where interface or source cannot be had.
    """
    six = ":" in source
    opened = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, egress.encode())
        if six:
            opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)
        else:
            opened.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
        opened.bind((source, 0))
    except OSError:
        opened.close()
        raise
    return opened


def sink(device: str, family: socket.AddressFamily, port: int = PORT) -> socket.socket:
    """Takes every probe of a family that the device is to have. Raises LabError where something else listens there."""
    opened = socket.socket(family, socket.SOCK_DGRAM)
    opened.setblocking(False)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    if family == socket.AF_INET6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    try:
        opened.bind(("", port))
    except OSError as error:
        opened.close()
        raise LabError(f"{device}: UDP port {port}, the probes' own, cannot be had: {error.strerror}") from None
    return opened


def capture(buffer: int) -> socket.socket:
    """A packet socket that hears UDP and ICMP on every interface of the namespace."""
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL))
    opened.setblocking(False)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    attach(opened, _FILTER)
    return opened


def attach(opened: socket.socket, program: bytes) -> None:
    """Let only those packets in that a classic BPF program takes (socket(7), SO_ATTACH_FILTER)."""
    kept = ctypes.create_string_buffer(program)
    address = ctypes.addressof(kept)
    opened.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", len(program) // 8, address))


def drops(opened: socket.socket) -> int:
    """Packets that a capture had no room for since it was opened, or asked before."""
    lost: int = struct.unpack("=II", opened.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))[1]
    return lost


def read_all(source: socket.socket) -> Iterator[tuple[bytes, tuple[Any, ...]]]:
    """What waits on a non-blocking socket."""
    with contextlib.suppress(BlockingIOError):
        while True:
            yield source.recvfrom(SNAP)


def instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """One of classic BPF (struct sock_filter of linux/filter.h)."""
    return struct.pack("=HBBI", code, if_true, if_false, value)


_LOAD_HALF, _LOAD_BYTE, _EQUAL, _RETURN = 0x28, 0x30, 0x15, 0x06
_PROTOCOL = 0xFFFFF000
"""SKF_AD_OFF + SKF_AD_PROTOCOL of linux/filter.h: the frame's EtherType."""
_FILTER = b"".join(
    (
        instruction(_LOAD_HALF, _PROTOCOL),
        instruction(_EQUAL, 0x0800, 0, 3),
        instruction(_LOAD_BYTE, 9),
        instruction(_EQUAL, 17, 5, 0),
        instruction(_EQUAL, 1, 4, 5),
        instruction(_EQUAL, 0x86DD, 0, 4),
        instruction(_LOAD_BYTE, 6),
        instruction(_EQUAL, 17, 1, 0),
        instruction(_EQUAL, 58, 0, 1),
        instruction(_RETURN, SNAP),
        instruction(_RETURN, 0),
    )
)
"""Classic BPF: IPv4 with protocol 17 or 1, IPv6 with next header 17 or 58."""
