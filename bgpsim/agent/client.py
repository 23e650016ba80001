"""The outside's end of the RPC."""

from __future__ import annotations

import itertools
import os
import queue
import socket
import threading
import time
from typing import Any, Protocol, TypeAlias

from bgpsim import errors
from bgpsim.agent.rpc import Connection
from bgpsim.errors import LabError, ProcessStopped

_Reply: TypeAlias = tuple[dict[str, Any], tuple[int, ...]]
_LOOKS_EVERY = 1.0
"""Seconds between two looks at the agent's process, while an answer is waited for."""


class Watch(Protocol):
    """Looks at the agent's process from outside (`bgpsim.lab.embedded.supervision`)."""

    def stopped(self) -> str | None:
        """What is stopped, in words, where that is why the agent does not answer."""

    def end(self) -> str:
        """How the agent ended, in words, once it is gone."""


class AgentBug(RuntimeError):
    """The agent met an exception it did not expect: a bug of bgpsim, with the trace from inside."""


class AgentClient:
    """Implements `agent.protocol.Agent` over a connected socket; any thread may call."""

    def __init__(self, stream: socket.socket, watch: Watch | None = None) -> None:
        self._watch = watch
        self._connection = Connection(stream)
        self._waiting: dict[int, queue.SimpleQueue[_Reply | None]] = {}
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._gone = False
        threading.Thread(target=self._read, name="agent-replies", daemon=True).start()

    @property
    def gone(self) -> bool:
        """The lab has ended."""
        return self._gone

    def call(self, method: str, /, timeout: float = 60.0, **params: Any) -> Any:
        result, descriptors = self.call_for_descriptors(method, timeout, **params)
        for descriptor in descriptors:
            os.close(descriptor)
        return result

    def call_for_descriptors(self, method: str, /, timeout: float = 60.0, **params: Any) -> tuple[Any, tuple[int, ...]]:
        """As `call`, for methods that open something in the lab: the descriptors are the caller's to close."""
        number = next(self._numbers)
        reply: queue.SimpleQueue[_Reply | None] = queue.SimpleQueue()
        with self._lock:
            if self._gone:
                raise self._ended()
            self._waiting[number] = reply
        try:
            try:
                self._connection.send({"id": number, "method": method, "params": params})
                received = self._receive(reply, timeout)
            except OSError:
                received = None
            except queue.Empty:
                raise LabError(f"the lab's agent did not answer {method} within {timeout:.0f} s") from None
        finally:
            with self._lock:
                self._waiting.pop(number, None)
        if received is None:
            raise self._ended()
        message, descriptors = received
        if "error" in message:
            raise _error(message["error"])
        return message["result"], descriptors

    def _receive(self, reply: queue.SimpleQueue[_Reply | None], timeout: float) -> _Reply | None:
        """Raises queue.Empty after `timeout` seconds, ProcessStopped where nothing will come."""
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            try:
                return reply.get(timeout=max(0.0, min(left, _LOOKS_EVERY)))
            except queue.Empty:
                stopped = None if self._watch is None else self._watch.stopped()
                if stopped is not None:
                    raise ProcessStopped(f"the lab does not answer: {stopped}") from None
                if left <= _LOOKS_EVERY:
                    raise

    def _ended(self) -> LabError:
        how = "" if self._watch is None else f": {self._watch.end()}"
        return LabError(f"the lab ended by itself{how}", hint="somebody killed it, or memory ran out")

    def _read(self) -> None:
        while (received := self._connection.receive_with_descriptors()) is not None:
            with self._lock:
                waiting = self._waiting.get(received[0]["id"])
            if waiting is not None:
                waiting.put(received)
                continue
            for descriptor in received[1]:  # nobody waits any more
                os.close(descriptor)
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
