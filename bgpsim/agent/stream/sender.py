"""Sends a packet per pair at every slot, and says when it could not: `python -m bgpsim.agent.stream.sender`.

A process of its own, so that no other thread's work delays it. It reads a line of JSON, {pairs, run, interval, port,
limit} (see `service`), answers "ready", reads the moment of the first slot, and ends at the next line or when its
input closes; with a line of JSON:

    {slots, skipped: [[first, last]], refused: [[pair, first, last, errno's name]], gap, late}

A slot is `skipped` that had passed before its turn came: nothing is sent for it, and nothing of it is lost. `refused`:
the sender's own kernel did not take the packet. `gap`: the longest time between two slots, in seconds. `late`: how
many slots were late by less than a tenth, a half and the whole of the interval.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import select
import socket
import sys
import time
from collections.abc import Mapping
from typing import Any

from bgpsim.agent.kernel import network_namespace
from bgpsim.agent.probe_sockets import sender
from bgpsim.agent.sightings import Header, ProbeKey, mark
from bgpsim.agent.stream.lines import hear, say

MOST_LISTED = 4000
_LATE = (0.1, 0.5, 1.0)


class Stream:
    """The sockets of all pairs, and what was sent when."""

    def __init__(self, asked: Mapping[str, Any]) -> None:
        self._run = bytes.fromhex(asked["run"])
        self._interval: float = asked["interval"]
        self.begin = 0.0
        """Of the first slot, monotonic."""
        self._limit: float = asked["limit"]
        self._sockets: list[tuple[socket.socket, tuple[str, int]]] = []
        for pair in asked["pairs"]:
            with network_namespace(pair["pid"]):
                opened = sender(Header(pair["source"], pair["target"], pair["port"], asked["port"]))
            opened.setblocking(False)
            self._sockets.append((opened, (pair["target"], asked["port"])))
        self._next = 0
        self._last: float | None = None
        self._gap = 0.0
        self._late = [0] * len(_LATE)
        self._skipped: list[list[int]] = []
        self._refused: list[list[Any]] = []
        self._refusing: dict[int, list[Any]] = {}

    def run(self, control: int) -> None:
        """Until something comes on `control`, or the limit is reached."""
        while True:
            due = self.begin + self._next * self._interval
            wait = max(0.0, due - time.monotonic())
            if select.select([control], [], [], wait)[0]:
                return
            now = time.monotonic()
            if now < due:
                continue
            if now >= self.begin + self._limit:
                return
            slot = max(self._next, int((now - self.begin) / self._interval))
            if slot > self._next:
                self._skip(self._next, slot - 1)
            self._send(slot, now)
            self._next = slot + 1

    def _skip(self, first: int, last: int) -> None:
        if len(self._skipped) < MOST_LISTED:
            self._skipped.append([first, last])

    def _send(self, slot: int, now: float) -> None:
        if self._last is not None:
            self._gap = max(self._gap, now - self._last)
        self._last = now
        lateness = (now - self.begin) / self._interval - slot
        self._late[next(n for n, bound in enumerate(_LATE) if lateness < bound or bound == _LATE[-1])] += 1
        for number, (opened, target) in enumerate(self._sockets):
            try:
                opened.sendto(mark(self._run, ProbeKey(number, slot)), target)
            except OSError as error:
                self._refuse(number, slot, errno.errorcode.get(error.errno or 0, str(error)))

    def _refuse(self, pair: int, slot: int, why: str) -> None:
        run = self._refusing.get(pair)
        if run is not None and (run[2], run[3]) == (slot - 1, why):
            run[2] = slot
        elif len(self._refused) < MOST_LISTED:
            self._refusing[pair] = [pair, slot, slot, why]
            self._refused.append(self._refusing[pair])

    def answer(self) -> dict[str, Any]:
        return {
            "slots": self._next,
            "skipped": self._skipped,
            "refused": self._refused,
            "gap": self._gap,
            "late": self._late,
        }


def main() -> int:
    control = sys.stdin.fileno()
    with contextlib.suppress(KeyboardInterrupt):
        stream = Stream(hear())
        say("ready")
        stream.begin = hear()
        gc.disable()
        stream.run(control)
        if hear() is not None:
            say(stream.answer())
    return 0


if __name__ == "__main__":
    sys.exit(main())
