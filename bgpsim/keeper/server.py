"""The keeper's side of the control socket: one thread per client, writers one after the other."""

from __future__ import annotations

import base64
import contextlib
import os
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bgpsim.agent.rpc import Connection
from bgpsim.errors import BgpsimError, InputError, LabError
from bgpsim.keeper.door import Door
from bgpsim.keeper.listening import Client, ToClient
from bgpsim.keeper.messages import error_message
from bgpsim.keeper.telling import Telling
from bgpsim.report.document import ErrorPart
from bgpsim.report.states import RunStates, to_bytes
from bgpsim.scenario.playing.recording import Outcome
from bgpsim.scenario.playing.verdicts import INTERRUPTED, error_part
from bgpsim.scenario.session import LabSession
from bgpsim.scenario.watching import Watch

_COMMANDS = ("terminal.open", "terminal.run")
"""What they start ends with the client that asked for it."""
_LONGEST_REQUEST = 1 << 24
"""Bytes; the steps of a scenario are some thousands."""
_PATIENCE = 10.0
"""Seconds that a client may let a message wait; then it is gone for us, and what it asked for goes on."""


class KeeperServer:
    """Serves one lab until `down` is asked for."""

    def __init__(self, session: LabSession) -> None:
        self._session = session
        self._writing = threading.Lock()
        self._writer: str | None = None
        self._over = threading.Event()
        self._watch = Watch(session, lambda: self._writer)

    def serve(self, listener: socket.socket) -> None:
        """Until the lab is taken down."""
        door = Door(listener, self._welcome)
        poller = select.poll()  # select knows descriptors below 1024 alone
        poller.register(listener, select.POLLIN)
        while not self._over.is_set():
            if poller.poll(200):
                door.take_in()

    def _welcome(self, stream: socket.socket) -> None:
        with stream:
            # Asked here, outside the lab's user namespace, where every uid reads as it is.
            pid, uid, _ = struct.unpack("3i", stream.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            if uid != os.geteuid():
                return
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", int(_PATIENCE), 0))
            client = Client(Connection(stream, longest=_LONGEST_REQUEST), stream, pid)
            while (request := client.receive()) is not None:
                self._answer(client, request)
            for number in client.commands:
                with contextlib.suppress(LabError):
                    self._session.lab.agent.call("terminal.end", number=number)

    def _answer(self, client: Client, request: dict[str, Any]) -> None:
        descriptors: tuple[int, ...] = ()
        try:
            operation = self._operations().get(request.get("op", ""))
            if operation is None:
                raise InputError(f"found op {request.get('op')!r}; expected one of {', '.join(self._operations())}")
            answer = operation(client, request)
            if isinstance(answer, tuple):
                answer, descriptors = answer
            client.send({"answer": answer}, descriptors)
        except BgpsimError as error:
            client.send({"error": error_message(error)})
        except Exception as error:
            part, _ = error_part(error)
            client.send({"error": error_message(LabError(f"{part.message}; {part.hint}"))})
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _operations(self) -> Mapping[str, Callable[[Client, dict[str, Any]], Any]]:
        return {
            "status": self._status,
            "play": self._play,
            "play-file": self._play_file,
            "states": lambda client, request: packed([self._session.states()]),
            "graph": lambda client, request: self._session.picture(request["form"]),
            "agent": self._agent,
            "open": self._open,
            "watch": self._tell,
            "down": self._down,
        }

    def _status(self, client: Client, request: dict[str, Any]) -> dict[str, Any]:
        lab = self._session.lab
        return {
            "scenario": self._session.document.file.name,
            "ended": lab.ended,
            "writer": self._writer,
            "supervisor": lab.supervisor,
            "devices": [
                {"name": d.name, "role": d.role, "engine": d.engine, "endpoint": d.endpoint}
                for d in lab.devices.values()
            ],
            "containers": list(lab.lodgers),
            "timeline": [
                {"step": s.name, "verdict": s.verdict, "actions": list(s.actions), "at": s.at}
                for s in self._session.played
            ],
            "speakers": [
                {"name": s.name, "asn": s.asn, "peers": [a.router for a in s.attachments]}
                for s in self._session.files.speakers
            ],
            "announced": [
                {"speaker": a.speaker, "to": a.router, "prefix": str(a.prefix)}
                for a in self._session.timeline.announced
            ],
        }

    def _play(self, client: Client, request: dict[str, Any]) -> dict[str, Any]:
        """Steps given by hand: {"steps", "said"}."""
        with self._turn(client, request["said"]):
            scenario = self._session.read_steps(request["steps"], request["said"])
            return told(self._session.play(scenario, ToClient(client), strict=False, wanted=client.is_there))

    def _play_file(self, client: Client, request: dict[str, Any]) -> dict[str, Any]:
        """A scenario file's steps: {"path", "shown", "step", "strict", "states"}."""
        with self._turn(client, f"run {request['shown']}"):
            scenario = self._session.read_file(Path(request["path"]), request["shown"], request["step"])
            strict = bool(request["strict"])
            outcome = self._session.play(scenario, ToClient(client), strict=strict, wanted=client.is_there)
            states = [outcome.states] if request["states"] and outcome.states is not None else []
            return {**told(outcome), "states": packed(states)}

    def _agent(self, client: Client, request: dict[str, Any]) -> Any:
        """One call of the lab's agent: {"method", "params", "timeout"}."""
        self._check_there()
        return self._session.lab.agent.call(request["method"], request["timeout"], **request["params"])

    def _open(self, client: Client, request: dict[str, Any]) -> tuple[Any, Sequence[int]]:
        """As `agent`, for what opens something in the lab: {"method", "params"}."""
        self._check_there()
        result, descriptors = self._session.lab.agent.call_for_descriptors(request["method"], **request["params"])
        if request["method"] in _COMMANDS:
            client.commands.append(result)
        return result, descriptors

    def _tell(self, client: Client, request: dict[str, Any]) -> None:
        """Events of the lab until it has ended or the client is gone: {"interval", "pair"}."""
        self._check_there()
        Telling(self._watch, client, request["interval"]).run(request["pair"])

    def _down(self, client: Client, request: dict[str, Any]) -> None:
        """At once, whatever is being done: who does it is told that the lab is gone."""
        self._watch.end()
        self._session.lab.close()
        self._over.set()

    def _check_there(self) -> None:
        if self._session.lab.ended is not None:
            raise LabError(f"the lab ended by itself: {self._session.lab.ended}")

    @contextmanager
    def _turn(self, client: Client, what: str) -> Iterator[None]:
        """One writer at a time; who waits is told for whom."""
        while not self._writing.acquire(timeout=0.5):
            client.send({"event": "waiting", "for": self._writer})
            if not client.is_there():
                raise LabError("the client is gone")
        try:
            self._check_there()
            self._writer = f"{what} (pid {client.pid})"
            yield
        finally:
            self._writer = None
            self._writing.release()


def packed(states: Sequence[RunStates]) -> str:
    """As a text, which JSON can hold."""
    return base64.b64encode(to_bytes(states)).decode()


def told(outcome: Outcome) -> dict[str, Any]:
    """A run, and how it ended, as the answer to a client."""
    run = outcome.run
    if outcome.exit_code == INTERRUPTED:
        run.error = ErrorPart(kind="interrupted", message="interrupted; the lab stays")
    return {"run": run.model_dump(mode="json", by_alias=True), "exit_code": outcome.exit_code}
