"""The relay: a process that delays, loses and paces the frames of impaired interfaces, where the kernel has no netem.

It gets whole Ethernet frames from a packet socket, keeps each until it is due, and sends it out by the interface that
the frame was leaving by. What a frame holds is not looked at: ARP, VLAN tags and jumbo frames pass as they came. The
schedule is netem's (net/sched/sch_netem.c, netem_enqueue): loss is decided first; a frame is due `delay` after it
came, or after the one before it, and with a rate the time that its bits take is added; with jitter the delay is drawn
evenly from delay ± jitter, and frames overtake each other; at most `QUEUE` frames wait, and what comes then is lost.

A process of its own, for the agent's threads would hold it up. It imports the standard library alone.
"""

from __future__ import annotations

import contextlib
import gc
import heapq
import itertools
import json
import random
import select
import socket
import struct
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

QUEUE = 1000
"""Frames that wait in one direction, netem's default."""
LONGEST = 1 << 16
"""Bytes of a frame; an interface of the lab has an MTU of 9500."""
COMMAND_BYTES = 1 << 16
SOL_PACKET, PACKET_AUXDATA, SO_TIMESTAMPNS = 263, 8, 35
"""packet(7), socket(7); Python 3.11 has no names for them."""
_AUXDATA = struct.Struct("=IIIHHHH")
"""struct tpacket_auxdata: status, len, snaplen, mac, net, vlan_tci, vlan_tpid."""
_VLAN_VALID, _VLAN_TPID_VALID = 1 << 4, 1 << 6
_VLAN_TPID = 0x8100
_TIMESPEC = struct.Struct("=qq")
_ADDRESSES = 12
"""Bytes of an Ethernet header before the place of a VLAN tag."""
_AT_ONCE = 64
"""Frames read from one socket before the schedule is looked at again."""


@dataclass(slots=True)
class Direction:
    """Frames that leave by one interface. Seconds, bits per second (0: no limit), loss from 0 to 1."""

    incoming: socket.socket
    outgoing: socket.socket
    delay: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0
    rate: float = 0.0
    last: float = 0.0
    """When the frame before is due."""
    waiting: int = 0
    passed: int = 0
    lost: int = 0
    overflowed: int = 0
    """Frames for which the queue had no room."""
    refused: int = 0
    """Frames that the interface did not take: it was down, without carrier, or gone."""

    def due(self, arrived: float, length: int, chance: random.Random) -> float | None:
        """When a frame of `length` bytes goes on; None: it is lost. Both times on one clock."""
        if self.loss and chance.random() < self.loss:
            self.lost += 1
            return None
        if self.waiting >= QUEUE:
            self.overflowed += 1
            return None
        due = arrived + self.delay
        if self.jitter:
            due += chance.uniform(-self.jitter, self.jitter)
        if self.rate:
            due = max(due, self.last) + 8 * length / self.rate
        elif not self.jitter:
            due = max(due, self.last)
        self.last = due
        return due

    def counts(self) -> dict[str, int]:
        return {
            "passed": self.passed,
            "lost": self.lost,
            "overflowed": self.overflowed,
            "refused": self.refused,
            "waiting": self.waiting,
        }


class Relay:
    """The directions and their schedule; driven by `run` until the control socket is closed."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._directions: dict[str, Direction] = {}
        self._by_descriptor: dict[int, Direction] = {}
        self._schedule: list[tuple[float, int, Direction, bytes]] = []
        self._numbers = itertools.count()
        self._chance = random.Random()
        self._buffer = bytearray(LONGEST)

    def run(self) -> None:
        while True:
            self._send_due()
            left = max(0.0, self._schedule[0][0] - time.monotonic()) if self._schedule else None
            # Not poll or epoll: their timeouts are whole milliseconds in Python.
            ready, _, _ = select.select([self._control.fileno(), *self._by_descriptor], [], [], left)
            for descriptor in ready:
                if descriptor in self._by_descriptor:
                    self._receive(self._by_descriptor[descriptor])
            if self._control.fileno() in ready and not self._obey():
                return

    def _send_due(self) -> None:
        now = time.monotonic()
        while self._schedule and self._schedule[0][0] <= now:
            _, _, direction, frame = heapq.heappop(self._schedule)
            direction.waiting -= 1
            try:
                direction.outgoing.send(frame)
                direction.passed += 1
            except OSError:
                direction.refused += 1

    def _receive(self, direction: Direction) -> None:
        # The kernel's own time of arrival, so that what this process comes late is no delay.
        offset = time.monotonic() - time.time()
        with contextlib.suppress(OSError):
            for _ in range(_AT_ONCE):
                length, ancillary, _, address = direction.incoming.recvmsg_into([self._buffer], 128)
                if address[2] == socket.PACKET_OUTGOING:
                    continue
                frame, stamp = whole(self._buffer, length, ancillary)
                due = direction.due(stamp + offset, len(frame), self._chance)
                if due is not None:
                    direction.waiting += 1
                    heapq.heappush(self._schedule, (due, next(self._numbers), direction, frame))

    def _obey(self) -> bool:
        """One command; False once the other end of the control socket is gone."""
        message, descriptors, _, _ = socket.recv_fds(self._control, COMMAND_BYTES, 2)
        if not message:
            return False
        self._control.send(json.dumps(self._answer(json.loads(message), descriptors)).encode())
        return True

    def _answer(self, command: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        match command["do"]:
            case "set":
                name = command["name"]
                if name not in self._directions:
                    incoming, outgoing = (socket.socket(fileno=number) for number in descriptors)
                    incoming.setblocking(False)
                    outgoing.setblocking(False)
                    self._directions[name] = Direction(incoming, outgoing)
                    self._by_descriptor[incoming.fileno()] = self._directions[name]
                for field in ("delay", "jitter", "loss", "rate"):
                    setattr(self._directions[name], field, command[field])
            case "remove":
                # What it still holds is lost with it, as with a queueing discipline that is deleted.
                gone = self._directions.pop(command["name"])
                self._by_descriptor.pop(gone.incoming.fileno())
                self._schedule = [entry for entry in self._schedule if entry[2] is not gone]
                heapq.heapify(self._schedule)
                gone.incoming.close()
                gone.outgoing.close()
            case "counts":
                return {name: direction.counts() for name, direction in self._directions.items()}
        return {}


def whole(buffer: bytearray, length: int, ancillary: Iterable[tuple[int, int, bytes]]) -> tuple[bytes, float]:
    """A frame as it was on the wire, and when the kernel had it (seconds since the epoch).

    The kernel takes a VLAN tag out of a frame that it receives, and tells it beside the frame.
    """
    stamp = 0.0
    frame = bytes(memoryview(buffer)[:length])
    for level, kind, told in ancillary:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tag, protocol = _AUXDATA.unpack_from(told)
            if status & _VLAN_VALID:
                protocol = protocol if status & _VLAN_TPID_VALID else _VLAN_TPID
                frame = frame[:_ADDRESSES] + struct.pack("!HH", protocol, tag) + frame[_ADDRESSES:]
        elif level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = _TIMESPEC.unpack_from(told)
            stamp = seconds + nanoseconds / 1e9
    return frame, stamp or time.time()


def main() -> int:
    control = socket.socket(fileno=int(sys.argv[1]))
    # Nothing here makes cycles, and a collection is a pause.
    gc.disable()
    Relay(control).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
