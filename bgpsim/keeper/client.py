"""A command's side: find a lab that stays, ask its keeper, start one."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from bgpsim.agent.rpc import Connection
from bgpsim.errors import InputError, LabError, ProcessStopped
from bgpsim.keeper import places
from bgpsim.keeper.ending import end_keeper
from bgpsim.keeper.messages import error_of
from bgpsim.keeper.places import Place
from bgpsim.process_state import STOPPED, is_stopped
from bgpsim.report import document as doc
from bgpsim.report.states import RunStates, from_bytes
from bgpsim.scenario.recording import Listener, Outcome

_LOG_LINES = 12
_LOOKS_EVERY = 1.0
"""Seconds between two looks at the keeper's process, while it says nothing."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of `bgpsim lab ls`."""

    name: str
    file: str
    started: float
    keeper: int
    ended: str | None
    """How it ended by itself; None while it is up."""
    status: dict[str, Any] | None
    """What its keeper says; None where there is none any more."""


class KeeperClient:
    """A connection to one lab's keeper. Implements `agent.protocol.Agent` too. One thread at a time."""

    def __init__(self, name: str, stream: socket.socket) -> None:
        self.name = name
        self._connection = Connection(stream)
        # The process that listened when this end connected (unix(7), SO_PEERCRED).
        (self._keeper,) = struct.unpack_from("i", stream.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))

    def __enter__(self) -> KeeperClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connection.close()

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self._ask({"op": "status"})
        return found

    def call(self, method: str, /, timeout: float = 60.0, **params: Any) -> Any:
        """One call of the lab's agent."""
        return self._ask({"op": "agent", "method": method, "params": params, "timeout": timeout})

    def call_for_descriptors(self, method: str, /, timeout: float = 60.0, **params: Any) -> tuple[Any, tuple[int, ...]]:
        return self._answer({"op": "open", "method": method, "params": params}, lambda _: None)

    def play(self, steps: list[dict[str, Any]], said: str, listener: Listener) -> Outcome:
        """Steps as a scenario file has them; `said` is what the user typed, in short."""
        return self._played({"op": "play", "steps": steps, "said": said}, listener)

    def play_file(
        self, path: Path, shown: str, step: str | None, listener: Listener, *, strict: bool, states: bool
    ) -> Outcome:
        """A scenario file's steps, up to `step`; with `states` the outcome has them."""
        request = {"op": "play-file", "path": str(path.resolve()), "shown": shown, "step": step}
        return self._played({**request, "strict": strict, "states": states}, listener)

    def states(self) -> RunStates:
        """Both states at the end of every step of the lab so far."""
        (found,) = _unpacked(self._ask({"op": "states"}))
        return found

    def picture(self, form: str) -> str:
        """`bgpsim.scenario.session.LabSession.picture`."""
        return str(self._ask({"op": "graph", "form": form}))

    def watch(self, interval: float, pair: tuple[str, str] | None) -> Iterator[dict[str, Any]]:
        """Events (docs/watch.md), and a `pulse` now and then, until the lab has ended: `ended` is the last of them.

        `interval`: seconds between two looks. `pair`: whose packets are followed; raises InputError where it is none.
        """
        with contextlib.suppress(OSError):
            self._connection.send({"op": "watch", "interval": interval, "pair": pair})
        while (received := self._received()) is not None:
            message, _ = received
            if "answer" in message:
                return
            if "error" in message:
                raise error_of(message["error"])
            yield message
        yield {"event": "ended", "time": round(time.time(), 3), "why": "its keeper ended", "down": False}

    def watch_pair(self, pair: tuple[str, str] | None) -> None:
        """Another pair, while `watch` is being told; any thread may. One that is none comes back as `refused`."""
        with contextlib.suppress(OSError):
            self._connection.send({"pair": pair})

    def close(self) -> None:
        """Any thread may; who waits for an answer is told that the lab is gone."""
        self._connection.close()

    def down(self) -> None:
        """Returns when nothing of the lab is left."""
        self._ask({"op": "down"})
        while self._received() is not None:  # until the keeper has ended
            pass

    def _played(self, request: dict[str, Any], listener: Listener) -> Outcome:
        answer, _ = self._answer(request, Relayed(listener).tell)
        return outcome_of(answer, listener)

    def _ask(self, request: dict[str, Any]) -> Any:
        answer, descriptors = self._answer(request, lambda _: None)
        for descriptor in descriptors:
            os.close(descriptor)
        return answer

    def _answer(self, request: dict[str, Any], tell: Callable[[dict[str, Any]], None]) -> tuple[Any, tuple[int, ...]]:
        with contextlib.suppress(OSError):  # then it has ended, which the answer that does not come says
            self._connection.send(request)
        while (received := self._received()) is not None:
            message, descriptors = received
            if "answer" in message:
                return message["answer"], descriptors
            if "error" in message:
                raise error_of(message["error"])
            tell(message)
        raise LabError(f"lab {self.name} is gone: it was taken down, or its keeper ended")

    def _received(self) -> tuple[dict[str, Any], tuple[int, ...]] | None:
        """The next message; None when the keeper is gone. Raises ProcessStopped where none will come."""
        while not self._connection.wait(_LOOKS_EVERY):
            if is_stopped(self._keeper):
                raise ProcessStopped(
                    f"lab {self.name} does not answer: its keeper (pid {self._keeper}) {STOPPED}",
                    hint=f"kill -CONT {self._keeper}, or bgpsim lab down {self.name}",
                )
        return self._connection.receive_with_descriptors()


class Relayed:
    """Events of a keeper, told to a listener here."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._work = contextlib.ExitStack()
        self._now: Callable[[str], None] | None = None

    def tell(self, message: dict[str, Any]) -> None:
        match message["event"]:
            case "scenario":
                self._listener.scenario(message["name"], message["file"])
            case "before":
                self._listener.before(doc.StepPart.model_validate(message["step"]))
            case "working":
                self._working(message["text"])
            case "waiting":
                self._working(f"waiting for {message['for']}")
            case "lab":
                self._rest()
                self._listener.lab(doc.LabPart.model_validate(message["lab"]), message["seconds"])
            case "step":
                self._rest()
                self._listener.step(doc.StepPart.model_validate(message["step"]))

    def _working(self, text: str) -> None:
        if self._now is None:
            self._now = self._work.enter_context(self._listener.working(text))
        self._now(text)

    def _rest(self) -> None:
        self._work.close()
        self._now = None


def outcome_of(answer: dict[str, Any], listener: Listener) -> Outcome:
    run = doc.RunPart.model_validate(answer["run"])
    listener.verdict(run)
    return Outcome(run, answer["exit_code"], next(iter(_unpacked(answer.get("states"))), None))


def _unpacked(text: str | None) -> tuple[RunStates, ...]:
    return () if text is None else from_bytes(base64.b64decode(text), "the lab's states")


def connect(name: str | None) -> KeeperClient:
    """The lab of that name; without one, the only lab there is.

    Raises InputError where there is none, or several to choose from, and LabError for one that has ended by itself.
    """
    there = places.places()
    names = ", ".join(place.name for place in there) or "none"
    if name is None:
        if len(there) != 1:
            if not there:
                raise InputError("no lab is up", hint="bgpsim lab up FILE brings one up")
            raise InputError(f"several labs are up: {names}; expected --lab NAME")
        (place,) = there
    else:
        place = places.place(name)
        if place not in there:
            raise InputError(f"no lab is called {name}; there are: {names}", hint="bgpsim lab up FILE")
    client = _reach(place)
    if client is None:
        raise LabError(
            f"lab {place.name} has ended: {_end_of(place)}", hint=f"bgpsim lab down {place.name}", log=_log(place)
        )
    return client


def _reach(place: Place) -> KeeperClient | None:
    try:
        return KeeperClient(place.name, place.connect())
    except OSError:
        return None


def _end_of(place: Place) -> str:
    card = place.card()
    if card is not None and card.keeper_lives():
        return f"its keeper (pid {card.keeper}) is there and does not answer"
    return "its keeper was killed, and the lab ended with it"


def _log(place: Place) -> tuple[str, ...]:
    try:
        return tuple(place.log.read_text(errors="replace").splitlines()[-_LOG_LINES:])
    except OSError:
        return ()


def labs() -> tuple[Listed, ...]:
    """All labs of this user."""
    found = []
    for place in places.places():
        card = place.card()
        if card is None:
            continue  # it is just being made, or removed
        client = _reach(place)
        # One that nobody can reach and whose keeper lives is coming up.
        status, ended = None, None if card.keeper_lives() else _end_of(place)
        if client is not None:
            try:
                with client:
                    status = client.status()
                    ended = status["ended"]
            except LabError as error:
                ended = error.message
        found.append(Listed(card.name, card.file, card.started, card.keeper, ended, status))
    return tuple(found)


def down(name: str) -> None:
    """End a lab and remove its folder, whatever has become of it. Raises InputError where there is none."""
    place = places.place(name)
    if place not in places.places():
        names = ", ".join(p.name for p in places.places()) or "none"
        raise InputError(f"no lab is called {name}; there are: {names}")
    client = _reach(place)
    if client is not None:
        with client, contextlib.suppress(LabError):
            client.down()
    card = place.card()
    if card is not None and card.keeper_lives():
        end_keeper(card)
    place.remove()


def start(name: str, path: Path, shown: str, listener: Listener, *, first_step: bool) -> Outcome:
    """Bring up a lab that stays. Raises what is wrong with the file, the name or this machine; the outcome else.

    Where the outcome has no lab, none is left.
    """
    _remove_dead(name)
    place = places.make(name)
    try:
        answer = _start(place, path, shown, listener, first_step=first_step)
    except BaseException:
        place.remove()
        raise
    return outcome_of(answer, listener)


def _start(place: Place, path: Path, shown: str, listener: Listener, *, first_step: bool) -> dict[str, Any]:
    order = {"place": str(place.folder), "path": str(path.resolve()), "shown": shown, "first-step": first_step}
    with place.log.open("wb") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "bgpsim.keeper.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            cwd="/",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    relayed = Relayed(listener)
    try:
        with keeper.stdin as stdin:
            stdin.write(json.dumps(order).encode())
        with keeper.stdout as opened:
            for line in _lines(keeper, opened):
                message = json.loads(line)
                if "answer" in message:
                    answer: dict[str, Any] = message["answer"]
                    return answer
                if "error" in message:
                    raise error_of(message["error"])
                relayed.tell(message)
    except (KeyboardInterrupt, ProcessStopped):
        keeper.kill()
        keeper.wait()
        raise
    raise LabError("the keeper ended before the lab was up", log=_log(place))


def _lines(keeper: subprocess.Popen[bytes], opened: IO[bytes]) -> Iterator[bytes]:
    """What it writes, line by line, until it closes that. Raises ProcessStopped where nothing more will come."""
    poller = select.poll()
    poller.register(opened, select.POLLIN)
    kept = b""
    while True:
        while not poller.poll(_LOOKS_EVERY * 1000):
            if is_stopped(keeper.pid):
                raise ProcessStopped(f"the lab's keeper (pid {keeper.pid}) {STOPPED}; it was ended")
        part = os.read(opened.fileno(), 1 << 16)
        *whole, kept = (kept + part).split(b"\n")
        yield from whole
        if not part:
            return


def _remove_dead(name: str) -> None:
    """The folder of a lab of that name whose keeper was killed."""
    old = places.place(name)
    card = old.card()
    if card is not None and not card.keeper_lives():
        old.remove()
