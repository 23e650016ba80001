"""The outside's end of the RPC."""

from __future__ import annotations

import itertools
import queue
import socket
import threading
from typing import Any

from bgpsim import errors
from bgpsim.agent.rpc import Connection
from bgpsim.errors import LabError


class AgentBug(RuntimeError):
    """The agent met an exception it did not expect: a bug of bgpsim, with the trace from inside."""


class AgentClient:
    """Implements `agent.protocol.Agent` over a connected socket; any thread may call."""

    def __init__(self, stream: socket.socket) -> None:
        self._connection = Connection(stream)
        self._waiting: dict[int, queue.SimpleQueue[dict[str, Any] | None]] = {}
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._gone = False
        threading.Thread(target=self._read, name="agent-replies", daemon=True).start()

    def call(self, method: str, /, timeout: float = 60.0, **params: Any) -> Any:
        number = next(self._numbers)
        reply: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        with self._lock:
            if self._gone:
                raise LabError("the lab ended by itself")
            self._waiting[number] = reply
        try:
            try:
                self._connection.send({"id": number, "method": method, "params": params})
                message = reply.get(timeout=timeout)
            except OSError:
                message = None
            except queue.Empty:
                raise LabError(f"the lab's agent did not answer {method} within {timeout:.0f} s") from None
        finally:
            with self._lock:
                self._waiting.pop(number, None)
        if message is None:
            raise LabError("the lab ended by itself", hint="its supervisor or agent was killed, or memory ran out")
        if "error" in message:
            raise _error(message["error"])
        return message["result"]

    def _read(self) -> None:
        while (message := self._connection.receive()) is not None:
            with self._lock:
                waiting = self._waiting.get(message["id"])
            if waiting is not None:
                waiting.put(message)
        with self._lock:
            self._gone = True
            for waiting in self._waiting.values():
                waiting.put(None)

    def close(self) -> None:
        self._connection.close()


def _error(failure: dict[str, Any]) -> Exception:
    if failure["kind"] == "bug":
        return AgentBug("\n".join([failure["message"], *failure["log"]]))
    kind = getattr(errors, failure["kind"], LabError)
    if issubclass(kind, LabError):
        return kind(failure["message"], hint=failure["hint"], log=tuple(failure["log"]))
    return LabError(failure["message"], hint=failure["hint"])
