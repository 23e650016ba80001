"""Packets of a device of a running lab, as they come."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass

from bgpsim.agent.protocol import Agent
from bgpsim.errors import InputError, LabError

_SO_TIMESTAMPNS = 35
_LONGEST = 1 << 17
"""More than a frame has, offloaded segments of 64 kB included."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One Ethernet frame."""

    seconds: int
    """Since the epoch."""
    nanoseconds: int
    interface: str
    octets: bytes


def open_capture(agent: Agent, device: str, interface: str | None) -> socket.socket:
    """At one interface of a device, or at all of them. Raises InputError where there is no such interface."""
    try:
        _, (descriptor,) = agent.call_for_descriptors("capture.open", device=device, interface=interface)
    except LabError as error:
        raise InputError(f"{error.message}; expected DEVICE:INTERFACE, or DEVICE for all of them") from None
    return socket.socket(fileno=descriptor)


def frames(opened: socket.socket, seconds: float | None) -> Iterator[Frame]:
    """What a capture receives, in both directions, for so long or until nobody asks for more.

    A packet that a device forwards is seen twice where all its interfaces are captured.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    with opened:
        while deadline is None or time.monotonic() < deadline:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if select.select([opened], [], [], left)[0]:
                octets, told, _, address = opened.recvmsg(_LONGEST, socket.CMSG_SPACE(16))
                yield Frame(*_time(told), address[0], octets)


def _time(told: list[tuple[int, int, bytes]]) -> tuple[int, int]:
    for level, kind, value in told:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
            seconds, nanoseconds = struct.unpack("qq", value)
            return seconds, nanoseconds
    return divmod(time.time_ns(), 1_000_000_000)
