"""The keeper: a process in a session of its own that holds one lab, and serves it until it is taken down.

Started by `bgpsim.keeper.client.start`: what to bring up comes by stdin, what happens goes out by stdout, one JSON
object a line, until the lab is up; then stdout is closed and the starter may leave. The keeper holds the lab's
life-line, so its death, in whatever way, ends the lab.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bgpsim.errors import BgpsimError
from bgpsim.keeper.messages import error_message
from bgpsim.keeper.places import Card, Place, start_of
from bgpsim.keeper.server import KeeperServer, told
from bgpsim.lab.embedded.lab import EmbeddedLab
from bgpsim.lab.images import default_store
from bgpsim.report import document as doc
from bgpsim.scenario.session import open_session
from bgpsim.speakers.control import SpeakerControl


class _ToStarter:
    """A `Listener` that writes one JSON object a line."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def send(self, message: dict[str, Any]) -> None:
        """A starter that is gone hears nothing: the lab comes up all the same."""
        line = json.dumps(message).encode() + b"\n"
        try:
            while line:
                line = line[os.write(self._descriptor, line) :]
        except BrokenPipeError:
            pass

    def close(self) -> None:
        os.close(self._descriptor)

    def scenario(self, name: str, file: str) -> None:
        self.send({"event": "scenario", "name": name, "file": file})

    def before(self, step: doc.StepPart) -> None:
        """There is none before the lab is up."""

    @contextmanager
    def working(self, text: str) -> Iterator[Callable[[str], None]]:
        self.send({"event": "working", "text": text})
        yield lambda now: self.send({"event": "working", "text": now})

    def lab(self, lab: doc.LabPart, seconds: float) -> None:
        self.send({"event": "lab", "lab": lab.model_dump(mode="json", by_alias=True), "seconds": seconds})

    def step(self, step: doc.StepPart) -> None:
        self.send({"event": "step", "step": step.model_dump(mode="json", by_alias=True)})

    def verdict(self, run: doc.RunPart) -> None:
        """The answer has it."""


def main() -> int:
    """0 when the lab was taken down; 1 when it never came up."""
    order = json.load(sys.stdin)
    for number in (signal.SIGINT, signal.SIGHUP):
        # Not SIG_IGN: that would be inherited by everything in the lab.
        signal.signal(number, lambda *_: None)
    here = Place(Path(order["place"]))
    starter = _ToStarter(os.dup(1))
    os.dup2(2, 1)
    try:
        return _keep(order, here, starter)
    except BgpsimError as error:
        starter.send({"error": error_message(error)})
        return 1
    finally:
        here.remove()


def _keep(order: dict[str, Any], here: Place, starter: _ToStarter) -> int:
    path = Path(order["path"])
    store = default_store()
    session = open_session(path, order["shown"], lambda files: EmbeddedLab(files, store, SpeakerControl))
    started = start_of(os.getpid())
    assert started is not None
    here.write_card(Card(here.name, str(path), os.getpid(), started, time.time()))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        outcome = session.start(starter, first_step=order["first-step"])
        if session.facts is None:
            starter.send({"answer": told(outcome)})
            return 1
        with here.listen() as listener:
            starter.send({"answer": told(outcome)})
            starter.close()
            KeeperServer(session).serve(listener)
    finally:
        session.lab.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
