"""The agent's protocol: one JSON object per message, each behind its length, over one Unix stream socket.

Request {"id", "method", "params"}; reply {"id", "result"} or {"id", "error": {"kind", "message", "hint", "log"}}.
Replies come in any order. A reply may carry open descriptors (SCM_RIGHTS, unix(7)): a terminal, pipes, a packet socket.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import struct
import threading
from collections.abc import Sequence
from typing import Any

_LENGTH = struct.Struct("!I")
_MOST_DESCRIPTORS = 4


class Connection:
    """Framing over a stream socket; sending is safe from several threads, receiving belongs to one."""

    def __init__(self, stream: socket.socket, longest: int = (1 << 32) - 1) -> None:
        """`longest`: bytes of a message; who announces more is not listened to any longer."""
        self._stream = stream
        self._longest = longest
        self._sending = threading.Lock()

    def send(self, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
        payload = json.dumps(message, separators=(",", ":")).encode()
        header = _LENGTH.pack(len(payload))
        with self._sending:
            if descriptors:
                # With the header's first byte; what does not fit at once goes without them.
                sent = socket.send_fds(self._stream, [header], list(descriptors))
                header = header[sent:]
            self._stream.sendall(header + payload)

    def receive(self) -> dict[str, Any] | None:
        """The next message; None when the other side is gone, or speaks another protocol.

        Descriptors that came with it are closed.
        """
        received = self.receive_with_descriptors()
        if received is None:
            return None
        message, descriptors = received
        for descriptor in descriptors:
            os.close(descriptor)
        return message

    def receive_with_descriptors(self) -> tuple[dict[str, Any], tuple[int, ...]] | None:
        """The next message and the open descriptors that came with it, which are the caller's to close."""
        descriptors: list[int] = []
        header = self._exactly(_LENGTH.size, descriptors)
        length = None if header is None else _LENGTH.unpack(header)[0]
        payload = None if length is None or length > self._longest else self._exactly(length)
        message = None if payload is None else _object(payload)
        if message is None:
            for descriptor in descriptors:
                os.close(descriptor)
            return None
        return message, tuple(descriptors)

    def _exactly(self, count: int, descriptors: list[int] | None = None) -> bytes | None:
        parts = []
        while count:
            try:
                if descriptors is None:
                    part = self._stream.recv(min(count, 1 << 20))
                else:
                    part, more, _, _ = socket.recv_fds(self._stream, count, _MOST_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC)
                    descriptors += more
            except OSError:
                return None
            if not part:
                return None
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def wait(self, seconds: float) -> bool:
        """Whether something can be read, or the other side is gone, within so many seconds."""
        if self._stream.fileno() < 0:
            return True
        poller = select.poll()
        poller.register(self._stream, select.POLLIN)
        return bool(poller.poll(seconds * 1000))

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.shutdown(socket.SHUT_RDWR)
        self._stream.close()


def _object(payload: bytes) -> dict[str, Any] | None:
    """None for what is no JSON object."""
    try:
        message = json.loads(payload)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None
