"""Starts a stream's sender and watcher and takes in what they say. One stream at a time."""

from __future__ import annotations

import json
import secrets
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bgpsim.agent.namespaces import Namespaces
from bgpsim.agent.sightings import RUN_BYTES
from bgpsim.errors import LabError, ProcessStopped
from bgpsim.process_state import STOPPED, is_stopped

PORT = 33891
"""Destination port of a stream's packets; other probes have another."""
_READY_WITHIN = 20.0
"""Seconds for a process to start on a machine that has much to do."""
_ENDS_WITHIN = 15.0
_LOOKS_EVERY = 1.0
"""Seconds between two looks at whether a process that says nothing is stopped."""
_PREPARE = 0.1
"""Seconds from the moment at which both processes are ready to the first slot."""


class StreamService:
    """Methods `stream.*`."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces
        self._running: tuple[_Process, _Process] | None = None

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        return {"stream.start": self.start, "stream.stop": self.stop}

    def start(
        self,
        devices: Sequence[str],
        pairs: Sequence[Mapping[str, Any]],
        interval: float,
        lead: int = 20,
        limit: float = 900.0,
    ) -> dict[str, float]:
        """Send a packet per pair {device, source, target, port} every `interval` seconds, and watch them at `devices`.

        Returns once `lead` slots have been sent: {begin, now}, monotonic. The stream ends by itself after `limit`
        seconds. `port`: the source port, one flow per pair. Raises LabError where a source cannot be had.
        """
        self._end()
        common = {"run": secrets.token_bytes(RUN_BYTES).hex(), "interval": interval, "port": PORT, "limit": limit}
        own = [{**pair, "pid": self._namespaces.pid(pair["device"])} for pair in pairs]
        known = {name: self._namespaces.pid(name) for name in devices}
        sender, watcher = self._running = _Process("sender"), _Process("watcher")
        try:
            sender.tell({**common, "pairs": own})
            watcher.tell({**common, "pairs": own, "devices": known})
            for process in self._running:
                process.hear(_READY_WITHIN)
            begin = time.monotonic() + _PREPARE
            for process in (watcher, sender):
                process.tell(begin)
        except BaseException:
            self._end()  # half a stream is none: there is nothing to stop
            raise
        time.sleep(_PREPARE + lead * interval)
        return {"begin": begin, "now": time.monotonic()}

    def stop(self) -> dict[str, Any]:
        """End the stream: {sender, watcher, end}, what both say and the moment (monotonic) when it ended.

        Raises LabError where there is none.
        """
        if self._running is None:
            raise LabError("no stream is under way")
        sender, watcher = self._running
        try:
            sender.tell("stop")
            sent = sender.hear(_ENDS_WITHIN)
            end = time.monotonic()
            watcher.tell(sent)
            return {"sender": sent, "watcher": watcher.hear(_ENDS_WITHIN), "end": end}
        finally:
            self._end()

    def _end(self) -> None:
        for process in self._running or ():
            process.close()
        self._running = None


class _Process:
    """One of a stream's processes; a line of JSON each way at a time. It ends when this end closes."""

    def __init__(self, module: str) -> None:
        self._name = f"the stream's {module}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"bgpsim.agent.stream.{module}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def tell(self, what: Any) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(what) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None

    def hear(self, limit: float) -> Any:
        """Its next line. Raises LabError with its last words when it ends first, or says nothing within the limit."""
        assert self._process.stdout is not None
        began = time.monotonic()
        # Lines and questions take turns: there is nothing of a next line in the buffer.
        poller = select.poll()
        poller.register(self._process.stdout, select.POLLIN)
        while not poller.poll(_LOOKS_EVERY * 1000):
            if is_stopped(self._process.pid):
                raise ProcessStopped(f"{self._name} {STOPPED}")
            if time.monotonic() - began > limit:
                raise LabError(f"{self._name} said nothing within {limit:.0f} s")
        # The rest of a line that has begun is there soon, or never.
        timer = threading.Timer(limit, self._process.kill)
        timer.start()
        try:
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        if not line.endswith("\n"):
            raise self._ended()
        return json.loads(line)

    def _ended(self) -> LabError:
        self._process.kill()
        _, said = self._process.communicate()
        return LabError(f"{self._name} ended by itself", log=tuple(said.splitlines()[-5:]))

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
