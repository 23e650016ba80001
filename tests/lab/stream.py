"""Marked packets from one namespace of a lab to another, timed by the kernel at both ends; a program of its own.

    nsenter -t PID -U --preserve-credentials -- python stream.py FROM_PID TO_PID SOURCE TARGET COUNT SIZE INTERVAL TAP

Run inside a lab's user namespace, it sends COUNT UDP packets of SIZE bytes of payload, one each INTERVAL seconds, from
SOURCE (an address in FROM_PID's network namespace) to TARGET in TO_PID's, and prints JSON: per packet [seconds from
leaving to arriving, seconds that this program was late with sending it], and how many arrived. When a packet left is
what the kernel stamped on it at the interface TAP of the sender's; when it arrived, at the receiver's socket. `-` as
TAP: the time just before it was sent.
"""

from __future__ import annotations

import ctypes
import json
import os
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
PATIENCE = 3.0
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


def main() -> None:
    from_pid, to_pid, source, target, count, size, interval, tap = sys.argv[1:]
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    enter(to_pid)
    receiver = socket.socket(family, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
    receiver.bind((target, PORT))
    receiver.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    enter(from_pid)
    sender = socket.socket(family, socket.SOCK_DGRAM)
    sender.bind((source, PORT))
    opened = [receiver]
    if tap != "-":
        watch = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
        watch.bind((tap, 3))
        watch.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        opened.append(watch)
    left: dict[int, float] = {}
    came: dict[int, float] = {}
    late: dict[int, float] = {}

    def read(seconds: float) -> bool:
        ready, _, _ = select.select(opened, [], [], seconds)
        for one in ready:
            packet, stamp, kind = stamped(one)
            at = packet.find(MAGIC)
            if at >= 0 and kind in (-1, socket.PACKET_OUTGOING):
                (came if one is receiver else left)[MARK.unpack_from(packet, at)[1]] = stamp
        return bool(ready)

    begin = time.monotonic() + 0.01
    for number in range(int(count)):
        due = begin + number * float(interval)
        while (wait := due - time.monotonic()) > 0:
            read(wait)
        late[number] = time.monotonic() - due
        left.setdefault(number, time.time())
        sender.sendto(MARK.pack(MAGIC, number).ljust(int(size), b"."), (target, PORT))
        while read(0):
            pass
    until = time.monotonic() + PATIENCE
    while len(came) < int(count) and (wait := until - time.monotonic()) > 0:
        read(wait)
    print(
        json.dumps(
            {
                "sent": int(count),
                "arrived": len(came),
                "packets": [[came[n] - left[n], late[n]] for n in sorted(came)],
                "last": max(came.values(), default=0.0) - min(came.values(), default=0.0),
            }
        )
    )


if __name__ == "__main__":
    os.nice(0)
    main()
