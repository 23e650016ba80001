"""A client of the keeper, and the listener that tells it of everything as it happens."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bgpsim.agent.rpc import Connection
from bgpsim.report import document as doc
from bgpsim.report.part import Part


class Client:
    """One connection. What it asked for goes on when it is gone or does not read."""

    def __init__(self, connection: Connection, stream: socket.socket, pid: int) -> None:
        self._connection = connection
        self._stream = stream
        self._gone = False
        self.pid = pid
        self.commands: list[int] = []
        """Numbers of the commands that it has running in devices."""

    def receive(self) -> dict[str, Any] | None:
        """Its next request; None when it is gone."""
        return None if self._gone else self._connection.receive()

    def send(self, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
        """Never raises: a client that is gone hears nothing."""
        if self._gone:
            return
        try:
            self._connection.send(message, descriptors)
        except OSError:
            # A message may have been cut: nothing more can be said over this connection.
            self._gone = True
            self._connection.close()

    def is_there(self) -> bool:
        """A client sends nothing while it waits for an answer; what can be read is its end."""
        if not self._gone:
            readable, _, _ = select.select([self._stream], [], [], 0)
            self._gone = bool(readable) and not self._stream.recv(1, socket.MSG_PEEK)
        return not self._gone

    def meanwhile(self) -> dict[str, Any] | None:
        """What it has sent while it is told of events; None for nothing."""
        if self._gone or not select.select([self._stream], [], [], 0)[0]:
            return None
        message = self._connection.receive()
        self._gone = message is None
        return message


class ToClient:
    """A `Listener` at the other end of the socket (`bgpsim.scenario.recording.Listener`)."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def scenario(self, name: str, file: str) -> None:
        self._client.send({"event": "scenario", "name": name, "file": file})

    def before(self, step: doc.StepPart) -> None:
        self._client.send({"event": "before", "step": _json(step)})

    @contextmanager
    def working(self, text: str) -> Iterator[Callable[[str], None]]:
        self._client.send({"event": "working", "text": text})
        yield lambda now: self._client.send({"event": "working", "text": now})

    def lab(self, lab: doc.LabPart, seconds: float) -> None:
        self._client.send({"event": "lab", "lab": _json(lab), "seconds": seconds})

    def step(self, step: doc.StepPart) -> None:
        self._client.send({"event": "step", "step": _json(step)})

    def verdict(self, run: doc.RunPart) -> None:
        """The answer has it."""


def _json(part: Part) -> dict[str, Any]:
    return part.model_dump(mode="json", by_alias=True)
