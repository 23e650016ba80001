"""The keeper's door: takes in clients, and sends away those for whom it has no descriptor or thread left."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable

from bgpsim.agent.rpc import Connection
from bgpsim.errors import LabError
from bgpsim.exhaustion import exhausted
from bgpsim.keeper.messages import error_message

_PATIENCE = 1.0
"""Seconds for the word of why."""


class Door:
    """Keeps one descriptor in reserve: with it a client can be told that there is no other."""

    def __init__(self, listener: socket.socket, welcome: Callable[[socket.socket], None]) -> None:
        self._listener = listener
        self._welcome = welcome
        self._reserve: int | None = None
        self._keep_reserve()

    def take_in(self) -> None:
        """The next client, one of which waits. Raises nothing: whatever has run out, the lab stays."""
        try:
            stream, _ = self._listener.accept()
        except OSError as error:
            self._turn_away(error)
            return
        try:
            threading.Thread(target=self._welcome, args=(stream,), daemon=True).start()
        except RuntimeError as error:
            _refuse(stream, error)

    def _turn_away(self, error: OSError) -> None:
        if self._reserve is None:
            self._keep_reserve()
        if self._reserve is None:
            time.sleep(_PATIENCE)  # whoever waits is still there afterwards
            return
        os.close(self._reserve)
        self._reserve = None
        with contextlib.suppress(OSError):  # the client left, or another thread was faster
            stream, _ = self._listener.accept()
            _refuse(stream, error)
        self._keep_reserve()

    def _keep_reserve(self) -> None:
        with contextlib.suppress(OSError):
            self._reserve = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)


def _refuse(stream: socket.socket, error: BaseException) -> None:
    with stream, contextlib.suppress(OSError):
        stream.settimeout(_PATIENCE)
        what = exhausted(error) or str(error)
        Connection(stream).send({"error": error_message(LabError(f"the lab's keeper: {what}"))})
        # Closed with a request unread the socket would be reset, and the client would never see why.
        stream.shutdown(socket.SHUT_WR)
        stream.recv(1 << 16)
