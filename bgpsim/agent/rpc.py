"""The agent's protocol: one JSON object per message, each behind its length, over one Unix stream socket.

Request {"id", "method", "params"}; reply {"id", "result"} or {"id", "error": {"kind", "message", "hint", "log"}}.
Replies come in any order.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from typing import Any

_LENGTH = struct.Struct("!I")


class Connection:
    """Framing over a stream socket; sending is safe from several threads, receiving belongs to one."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self._sending = threading.Lock()

    def send(self, message: dict[str, Any]) -> None:
        payload = json.dumps(message, separators=(",", ":")).encode()
        with self._sending:
            self._stream.sendall(_LENGTH.pack(len(payload)) + payload)

    def receive(self) -> dict[str, Any] | None:
        """The next message; None when the other side is gone."""
        header = self._exactly(_LENGTH.size)
        if header is None:
            return None
        payload = self._exactly(_LENGTH.unpack(header)[0])
        if payload is None:
            return None
        message: dict[str, Any] = json.loads(payload)
        return message

    def _exactly(self, count: int) -> bytes | None:
        parts = []
        while count:
            try:
                part = self._stream.recv(min(count, 1 << 20))
            except OSError:
                return None
            if not part:
                return None
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.shutdown(socket.SHUT_RDWR)
        self._stream.close()
