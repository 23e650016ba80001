"""What the capture of BGP lets through, as classic BPF: TCP from or to some ports, going out, not on the loopback."""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from typing import NamedTuple

_SNAP = 1 << 18
_LOAD_HALF, _LOAD_BYTE, _LOAD_HALF_FROM_X = 0x28, 0x30, 0x48
_X_IS, _X_IS_IPV4_LENGTH = 0x01, 0xB1
_EQUAL, _GO, _RETURN = 0x15, 0x05, 0x06
_PROTOCOL, _PACKET_TYPE, _HARDWARE = 0xFFFFF000, 0xFFFFF004, 0xFFFFF01C
"""SKF_AD_OFF of linux/filter.h, plus SKF_AD_PROTOCOL, SKF_AD_PKTTYPE and SKF_AD_HATYPE."""
_LOOPBACK = 772
"""ARPHRD_LOOPBACK."""


class _Line(NamedTuple):
    code: int
    value: int
    if_true: str | None = None
    """A label to go to; None: the next line."""
    if_false: str | None = None
    label: str | None = None


def filter_of(ports: Sequence[int]) -> bytes:
    """Instructions (struct sock_filter of linux/filter.h) for packets that begin with their IP header."""
    is_port = [
        line
        for offset in (0, 2)
        for line in (_Line(_LOAD_HALF_FROM_X, offset), *(_Line(_EQUAL, port, "accept") for port in ports))
    ]
    return _assembled(
        (
            _Line(_LOAD_HALF, _PACKET_TYPE),
            _Line(_EQUAL, socket.PACKET_OUTGOING, None, "refuse"),
            _Line(_LOAD_HALF, _HARDWARE),
            _Line(_EQUAL, _LOOPBACK, "refuse"),
            _Line(_LOAD_HALF, _PROTOCOL),
            _Line(_EQUAL, 0x0800, None, "six"),
            _Line(_LOAD_BYTE, 9),
            _Line(_EQUAL, socket.IPPROTO_TCP, None, "refuse"),
            _Line(_X_IS_IPV4_LENGTH, 0),
            _Line(_GO, 0, "ports"),
            _Line(_EQUAL, 0x86DD, None, "refuse", label="six"),
            _Line(_LOAD_BYTE, 6),
            _Line(_EQUAL, socket.IPPROTO_TCP, None, "refuse"),
            _Line(_X_IS, 40),
            is_port[0]._replace(label="ports"),
            *is_port[1:],
            _Line(_RETURN, 0, label="refuse"),
            _Line(_RETURN, _SNAP, label="accept"),
        )
    )


def _assembled(lines: Sequence[_Line]) -> bytes:
    places = {line.label: number for number, line in enumerate(lines) if line.label}

    def step(number: int, label: str | None) -> int:
        return 0 if label is None else places[label] - number - 1

    return b"".join(
        struct.pack("=HBBI", line.code, 0, 0, step(number, line.if_true))
        if line.code == _GO
        else struct.pack("=HBBI", line.code, step(number, line.if_true), step(number, line.if_false), line.value)
        for number, line in enumerate(lines)
    )
