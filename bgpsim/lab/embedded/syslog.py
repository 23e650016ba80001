"""What the daemons of each device say to syslog: the lab is the other end of every device's /dev/log.

FRR, as the distributions ship it, logs there and nowhere else. Its own configuration stays as it was given.
"""

from __future__ import annotations

import re
import selectors
import socket
import threading
from collections import deque
from pathlib import Path

_KEPT = 2000
# RFC 3164, as libc writes it: <PRI>Mmm dd hh:mm:ss; FRR's crash handler leaves the time out.
_HEADER = re.compile(r"^<\d+>(\w{3} [ \d]\d \d\d:\d\d:\d\d )?")


class SystemLog:
    """The last lines of every device; a thread of its own reads, so that no daemon ever waits for the lab."""

    def __init__(self) -> None:
        self._lines: dict[str, deque[str]] = {}
        self._selector = selectors.DefaultSelector()
        self._sockets: dict[str, socket.socket] = {}
        self._reading = threading.Lock()
        self._started = False

    def listen(self, device: str, root: Path) -> None:
        """Open /dev/log in a device; before its daemons start, for libc looks for it once."""
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        stream.bind(f"{root}/dev/log")
        (root / "dev/log").chmod(0o666)
        with self._reading:
            self._lines[device] = deque(maxlen=_KEPT)
            self._sockets[device] = stream
            self._selector.register(stream, selectors.EVENT_READ, device)
            if not self._started:
                self._started = True
                threading.Thread(target=self._read, name="syslog", daemon=True).start()

    def close(self, device: str) -> None:
        """The device is gone; what it said is kept until it is there again."""
        with self._reading:
            stream = self._sockets.pop(device, None)
            if stream is not None:
                self._selector.unregister(stream)
                stream.close()

    def lines(self, device: str) -> tuple[str, ...]:
        """All that was said before the call; oldest first, without priority and time."""
        self._drain(device)
        return tuple(self._lines.get(device, ()))

    def _read(self) -> None:
        while True:
            for key, _ in self._selector.select():
                self._drain(key.data)

    def _drain(self, device: str) -> None:
        with self._reading:
            while device in self._sockets:
                try:
                    text = self._sockets[device].recv(65536, socket.MSG_DONTWAIT)
                except BlockingIOError:
                    return
                self._lines[device].append(_HEADER.sub("", text.decode(errors="replace").rstrip("\n\0")))
