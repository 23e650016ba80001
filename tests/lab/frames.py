"""Frames of all kinds, and a TCP transfer, from one namespace of a lab to another: whether they arrive as they left.

A program of its own, run inside the lab (`sealed.SealedLab.python`), with these words:

    FROM_PID TO_PID FROM_INTERFACE TO_INTERFACE SOURCE TARGET

It prints JSON: `frames`, per kind of frame whether it arrived once and with the same bytes; `longest`, the longest
frame of the TCP transfer that was seen arriving; `transfer`, whether its bytes arrived unchanged.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import select
import socket
import struct
import sys
import threading
import time

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
SOL_PACKET, PACKET_AUXDATA = 263, 8
PORT = 34002
BYTES = 8 << 20
BROADCAST = b"\xff" * 6
OWN = b"\x02\x00\x00\x00\x00\x77"
PATIENCE = 2.0

FRAMES = {
    "arp": BROADCAST + OWN + b"\x08\x06" + bytes(range(28)),
    "jumbo": BROADCAST + OWN + b"\x88\xb5" + os.urandom(9500),
    "empty": BROADCAST + OWN + b"\x88\xb5",
    "other host": b"\x02\x00\x00\x00\x00\x55" + OWN + b"\x88\xb5" + os.urandom(100),
    "vlan": BROADCAST + OWN + b"\x81\x00\x00\x05\x88\xb5" + os.urandom(100),
    "vlan with a jumbo": BROADCAST + OWN + b"\x81\x00\x60\x05\x88\xb5" + os.urandom(9500),
    "service tag": BROADCAST + OWN + b"\x88\xa8\x00\x07\x81\x00\x00\x05\x88\xb5" + os.urandom(60),
}


def enter(pid: str) -> None:
    with open(f"/proc/{pid}/ns/net") as namespace:
        if LIBC.setns(namespace.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {pid}")


def arriving(opened: socket.socket) -> bytes | None:
    """A frame with the tag that the kernel took out of it; None for one that leaves."""
    frame, told, _, address = opened.recvmsg(1 << 17, 64)
    if address[2] == socket.PACKET_OUTGOING:
        return None
    for level, kind, value in told:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, _, _, _, _, tag, protocol = struct.unpack_from("=IIIHHHH", value)
            if status & 1 << 4:
                frame = frame[:12] + struct.pack("!HH", protocol if status & 1 << 6 else 0x8100, tag) + frame[12:]
    return frame


def main() -> None:
    from_pid, to_pid, from_interface, to_interface, source, target = sys.argv[1:]
    enter(to_pid)
    listener = socket.create_server((target, PORT))
    watch = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    watch.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    watch.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
    watch.bind((to_interface, 3))
    enter(from_pid)
    sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sender.bind((from_interface, 0))
    for frame in FRAMES.values():
        sender.send(frame)
    seen: list[bytes] = []
    until = time.monotonic() + PATIENCE
    while (wait := until - time.monotonic()) > 0 and not set(FRAMES.values()) <= set(seen):
        if select.select([watch], [], [], wait)[0] and (came := arriving(watch)) is not None:
            seen.append(came)
    content = os.urandom(BYTES)
    received = hashlib.sha256()
    longest = 0

    def receive() -> None:
        with listener.accept()[0] as connection:
            while part := connection.recv(1 << 20):
                received.update(part)

    def look() -> None:
        nonlocal longest
        while select.select([watch], [], [], 0)[0]:
            longest = max(longest, len(arriving(watch) or b""))

    receiving = threading.Thread(target=receive)
    receiving.start()
    with socket.create_connection((target, PORT), source_address=(source, 0)) as connection:
        for at in range(0, BYTES, 1 << 18):
            connection.sendall(content[at : at + (1 << 18)])
            look()
    receiving.join()
    look()
    frames = {name: seen.count(frame) == 1 for name, frame in FRAMES.items()}
    transfer = received.digest() == hashlib.sha256(content).digest()
    print(json.dumps({"frames": frames, "longest": longest, "transfer": transfer}))


if __name__ == "__main__":
    main()
