"""Marked packets from one namespace of a lab to another, timed by the kernel at both ends.

A program of its own, run inside the lab (`sealed.SealedLab.python`), with these words:

    FROM_PID TO_PID SOURCE TARGET COUNT SIZE INTERVAL TAP

It sends COUNT UDP packets with SIZE bytes of payload, one each INTERVAL seconds, from SOURCE, an address in FROM_PID's
network namespace, to TARGET in TO_PID's. It prints JSON: `sent`; `flights`, per packet that arrived the seconds from
leaving to arriving; `span`, the seconds from the first to the last arrival. When a packet left is what the kernel
stamped on it at the sender's interface TAP, so that it does not matter when this program was let run; `-` as TAP: the
program's own clock just before it was sent.
"""

from __future__ import annotations

import ctypes
import json
import select
import socket
import struct
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
SO_TIMESTAMPNS = 35
PORT = 34001
MARK = struct.Struct("!8sI")
MAGIC = b"impaired"
PATIENCE = 2.0
"""Seconds after the last packet."""


def enter(pid: str) -> None:
    with open(f"/proc/{pid}/ns/net") as namespace:
        if LIBC.setns(namespace.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {pid}")


def stamped(opened: socket.socket) -> tuple[bytes, float, int]:
    packet, told, _, address = opened.recvmsg(65536, 64)
    (stamp,) = (value for level, kind, value in told if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS))
    seconds, nanoseconds = struct.unpack("=qq", stamp)
    kind = address[2] if opened.family == socket.AF_PACKET else -1
    return packet, seconds + nanoseconds / 1e9, kind


class Stream:
    def __init__(self, from_pid: str, to_pid: str, source: str, target: str, tap: str) -> None:
        family = socket.AF_INET6 if ":" in source else socket.AF_INET
        enter(to_pid)
        self.receiver = socket.socket(family, socket.SOCK_DGRAM)
        self.receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
        self.receiver.bind((target, PORT))
        enter(from_pid)
        self.sender = socket.socket(family, socket.SOCK_DGRAM)
        self.sender.bind((source, PORT))
        self.target = target
        self.opened = [self.receiver]
        if tap != "-":
            watch = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
            watch.bind((tap, 3))
            self.opened.append(watch)
        for opened in self.opened:
            opened.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.left: dict[int, float] = {}
        self.came: dict[int, float] = {}

    def read(self, seconds: float) -> bool:
        ready, _, _ = select.select(self.opened, [], [], seconds)
        for one in ready:
            packet, stamp, kind = stamped(one)
            at = packet.find(MAGIC)
            if at >= 0 and kind in (-1, socket.PACKET_OUTGOING):
                times = self.came if one is self.receiver else self.left
                times[MARK.unpack_from(packet, at)[1]] = stamp
        return bool(ready)

    def run(self, count: int, size: int, interval: float) -> None:
        begin = time.monotonic()
        for number in range(count):
            while (wait := begin + number * interval - time.monotonic()) > 0:
                self.read(wait)
            self.left[number] = time.time()
            self.sender.sendto(MARK.pack(MAGIC, number).ljust(size, b"."), (self.target, PORT))
            while self.read(0):
                pass
        until = time.monotonic() + PATIENCE
        while len(self.came) < count and (wait := until - time.monotonic()) > 0:
            self.read(wait)


def main() -> None:
    from_pid, to_pid, source, target, count, size, interval, tap = sys.argv[1:]
    stream = Stream(from_pid, to_pid, source, target, tap)
    stream.run(int(count), int(size), float(interval))
    came = stream.came
    span = max(came.values()) - min(came.values()) if came else 0.0
    flights = [came[number] - stream.left[number] for number in sorted(came)]
    print(json.dumps({"sent": int(count), "flights": flights, "span": span}))


if __name__ == "__main__":
    main()
