"""One watcher at the control socket: it is told what changed since it was told last, as fast as it reads."""

from __future__ import annotations

import time
from typing import Any

from bgpsim.errors import InputError
from bgpsim.keeper.listening import Client
from bgpsim.network.state import FlowKey
from bgpsim.scenario.sight import Fact, Sight, changes
from bgpsim.scenario.watching import SHORTEST, Watch

_PULSE = 1.0
"""Seconds between two signs of life."""
_SHARE, _SHARE_AMISS = 0.1, 0.3
"""Of the time, at most, that following a pair's packets may take: while they go as predicted, and while they do not
(then most of it is waiting for packets that do not come)."""
_CLOSE = 0.2
"""Seconds after which it is looked whether the client is still there, or wants another pair."""


class Telling:
    """Of a lab to a client. Another pair may be asked for meanwhile: {"pair": [from, to] | null}."""

    def __init__(self, watch: Watch, client: Client, interval: float) -> None:
        self._watch = watch
        self._client = client
        self._interval = max(float(interval), SHORTEST)
        self._flows: tuple[FlowKey, ...] = ()
        self._told: dict[FlowKey, Fact] = {}
        """What was told of each flow last."""
        self._walks = 0
        self._next_walk = 0.0

    def run(self, pair: list[str] | None) -> None:
        """Until the lab has ended or the client is gone. Raises InputError for a pair that is none."""
        self._choose(pair)
        told: Sight | None = None
        number, pulse = -1, 0.0
        with self._watch.followed(self._interval):
            while self._client.is_there():
                self._hear()
                number, sight = self._watch.sight(number, min(_CLOSE, self._interval))
                if sight is not None and sight is not told:
                    for event in changes(told, sight):
                        self._client.send(event)
                    told = sight
                if sight is not None and sight.ended is not None:
                    return
                if self._flows and told is not None and time.monotonic() >= self._next_walk:
                    self._walk(first=not self._told)
                if time.monotonic() >= pulse and told is not None:
                    self._client.send({"event": "pulse", "time": round(time.time(), 3), "walks": self._walks})
                    pulse = time.monotonic() + _PULSE

    def _hear(self) -> None:
        message = self._client.meanwhile()
        if message is None:
            return
        try:
            self._choose(message["pair"])
        except InputError as error:
            self._client.send({"event": "refused", "message": error.message, "hint": error.hint})

    def _choose(self, pair: list[str] | None) -> None:
        self._flows = () if pair is None else self._watch.flows(*pair)
        self._told, self._walks, self._next_walk = {}, 0, 0.0

    def _walk(self, *, first: bool) -> None:
        began = time.monotonic()
        ways = self._watch.walk(self._flows)
        ended = time.monotonic()
        self._walks += 1
        share = _SHARE_AMISS if any(way["predicted"] is False for way in ways) else _SHARE
        self._next_walk = ended + max(2 * self._interval - (ended - began), (ended - began) / share)
        for flow, way in zip(self._flows, ways, strict=True):
            if self._told.get(flow) != way:
                event: dict[str, Any] = {"event": "path", "time": round(time.time(), 3), **way}
                self._client.send({**event, "first": True} if first else event)
                self._told[flow] = way
