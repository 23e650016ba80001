"""Watching a lab that stays: one reading of it, shared by all who watch, which changes nothing in it.

It runs in a thread of its own while somebody watches. Writers are not waited for and do not wait: of the session it
reads what is there (a prediction is there from the moment on that its step begins).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from bgpsim.errors import InputError, LabError
from bgpsim.network.description import Network
from bgpsim.network.state import FlowKey, NetworkState, PathKey, SessionKey, WireKey
from bgpsim.observe.lookout import Lookout
from bgpsim.scenario.reading.endpoints import Endpoints, senders
from bgpsim.scenario.session import LabSession
from bgpsim.scenario.sight import (
    Fact,
    Sight,
    agreement_fact,
    heard_facts,
    judge,
    names,
    path_fact,
    route_facts,
    session_facts,
    times,
)
from bgpsim.source import Source

SHORTEST = 0.1
"""Seconds between two looks, however impatient a watcher is."""
_SHARE = 0.2
"""Of the time, at most, that looking may take."""
_AFTER_TROUBLE = 2.0
TAKEN_DOWN = "it was taken down"


@dataclass(slots=True)
class _Known:
    """What the last look was made of; what is not another object is not worked out again."""

    state: NetworkState = field(default_factory=NetworkState)
    predicted: NetworkState | None = None
    sessions: Mapping[SessionKey, float] = field(default_factory=dict)
    """Since when, in seconds since the epoch; so are the two that follow."""
    routes: Mapping[PathKey, float] = field(default_factory=dict)
    heard: Mapping[WireKey, float] = field(default_factory=dict)


class Watch:
    """One lab, watched by any number of followers."""

    def __init__(self, session: LabSession, doing: Callable[[], str | None]) -> None:
        """`doing`: what is being done to the lab now, and by whom."""
        self._session = session
        self._doing = doing
        self._lookout: Lookout | None = None
        self._known = _Known()
        self._followers: dict[int, float] = {}
        self._changed = threading.Condition()
        self._sight: Sight | None = None
        self._number = 0
        self._running = False

    @contextmanager
    def followed(self, interval: float) -> Iterator[None]:
        """Within the block somebody wants a look every `interval` seconds."""
        me = threading.get_ident()
        with self._changed:
            self._followers[me] = max(interval, SHORTEST)
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="watch", daemon=True).start()
        try:
            yield
        finally:
            with self._changed:
                del self._followers[me]
                self._changed.notify_all()

    def sight(self, after: int, timeout: float) -> tuple[int, Sight | None]:
        """The newest, and its number; waits for one after number `after`, `timeout` seconds at most."""
        with self._changed:
            self._changed.wait_for(lambda: self._number > after, timeout)
            return self._number, self._sight

    def end(self) -> None:
        """The lab is being taken down."""
        self._publish_end({"why": TAKEN_DOWN, "down": True})

    def flows(self, sender: str, target: str) -> tuple[FlowKey, ...]:
        """A pair's flows, one per address family. Raises InputError for names that are no pair."""
        network = self._session.past.network
        if network is None:
            raise InputError("no step of this lab has ended yet; nothing is known of its endpoints")
        try:
            found = Endpoints(network).one_way(sender, target, Source("", 0))
        except InputError as error:
            raise InputError(error.message, hint=error.hint) from None
        if len({(flow.source, flow.target) for flow in found}) > 1:
            raise InputError(f"from '{sender}' to '{target}' there are {len(found)} pairs; expected one")
        return found

    def walk(self, flows: tuple[FlowKey, ...]) -> list[Fact]:
        """The way of each flow now, beside the predicted one."""
        predicted = self._predicted()[1]
        try:
            plane = self._look_out().walk(flows)
        except LabError as error:
            return [path_fact(flow, None, error.message, predicted) for flow in flows]
        return [
            path_fact(flow, plane.forwarding.get(flow), plane.not_observed.get(flow.pair), predicted) for flow in flows
        ]

    def _run(self) -> None:
        while True:
            with self._changed:
                over = self._sight is not None and self._sight.ended is not None
                if over or not self._followers:
                    self._running = False
                    if not over:
                        self._sight, self._known = None, _Known()
                    return
                interval = min(self._followers.values())
            began = time.monotonic()
            pause = interval
            try:
                self._publish(self._look())
            except LabError as error:
                if self._session.lab.ended is not None:
                    self._publish_end({"why": self._session.lab.ended, "down": False})
                    continue
                self._publish(replace(self._sight or self._empty(), time=time.time(), trouble=error.message))
                pause = _AFTER_TROUBLE
            cost = time.monotonic() - began
            with self._changed:
                self._changed.wait_for(lambda: not self._followers, max(pause - cost, cost / _SHARE))

    def _publish(self, sight: Sight) -> None:
        with self._changed:
            if self._sight is None or (self._sight.ended is None and sight is not self._sight):
                self._sight = sight
                self._number += 1
                self._changed.notify_all()

    def _publish_end(self, why: Fact) -> None:
        self._publish(replace(self._sight or self._empty(), time=time.time(), ended=why))

    def _empty(self) -> Sight:
        return Sight(time.time(), {}, self._step())

    def _look_out(self) -> Lookout:
        if self._lookout is None:
            self._lookout = Lookout(self._session.lab.agent, self._session.lab.devices)
        return self._lookout

    def _look(self) -> Sight:
        """The last one again where nothing is different."""
        state = self._look_out().look(busy=self._doing() is not None)
        # After the lab: a prediction that is newer than what is seen is "not yet", an older one would be wrong.
        name, predicted = self._predicted()
        step = self._step()
        known, now = self._known, time.time()
        if state is not known.state or predicted is not known.predicted or self._sight is None:
            facts = self._facts(state, name, predicted, now)
        else:
            facts = {"time": self._sight.time, "trouble": None}
        sight = replace(self._sight or self._empty(), **facts, lab=self._lab(), step=step)
        return self._sight if sight == self._sight and self._sight is not None else replace(sight, time=now)

    def _facts(
        self, state: NetworkState, name: str | None, predicted: NetworkState | None, now: float
    ) -> dict[str, Any]:
        known = self._known
        if known.state.sessions:
            sessions = times(known.sessions, _states(known.state), _states(state), now)
            routes = times(known.routes, known.state.paths, state.paths, now)
            heard = times(known.heard, known.state.wire, state.wire, now)
        else:
            ages = self._look_out().ages()
            sessions = ages.sessions
            routes = {key: ages.paths[key[:4]] for key in state.paths if key[:4] in ages.paths}
            heard = {}
        self._known = _Known(state, predicted, sessions, routes, heard)
        judgement = judge(predicted, state)
        return {
            "judgement": judgement,
            "sessions": session_facts(state, judgement, sessions),
            "routes": route_facts(state, judgement, routes),
            "heard": heard_facts(state, self._session.lab.devices, judgement, heard),
            "agreement": agreement_fact(name, judgement),
            "trouble": None,
        }

    def _predicted(self) -> tuple[str | None, NetworkState | None]:
        """Of the step that is being played or was last."""
        past = self._session.past
        for name in reversed(list(past.names)):
            state = past.predicted.get(name)
            if state is not None:
                return name, state
        return None, None

    def _step(self) -> Fact:
        session, doing = self._session, self._doing()
        names, played = list(session.past.names), list(session.played)
        if doing is not None and len(names) > len(played):
            return {"name": names[-1], "state": "playing", "verdict": None, "by": doing}
        last = played[-1] if played else None
        return {
            "name": None if last is None else last.name,
            "state": "ended" if doing is None else "preparing",
            "verdict": None if last is None else last.verdict,
            "by": doing,
        }

    def _lab(self) -> Fact:
        session = self._session
        dumps, links = self._look_out().kernels()
        network = session.past.network
        return {
            "scenario": session.document.file.name,
            "speakers": [
                {"name": s.name, "asn": s.asn, "peers": [a.router for a in s.attachments]}
                for s in session.files.speakers
            ],
            "announced": [
                {"speaker": a.speaker, "to": a.router, "prefix": str(a.prefix)} for a in session.timeline.announced
            ],
            "links": names(links),
            "down": sorted(
                f"{device}:{link['ifname']}"
                for device, dump in dumps.items()
                for link in dump["links"]
                if "UP" not in link["flags"]
            ),
            "senders": [] if network is None else [endpoint.id for endpoint in senders(network)],
            "targets": [] if network is None else sorted(endpoint.id for endpoint in network.endpoints),
            "prefixes": [] if network is None else _prefix_names(network),
        }


def _states(state: NetworkState) -> dict[SessionKey, str]:
    return {key: session.state for key, session in state.sessions.items()}


def _prefix_names(network: Network) -> list[str]:
    """`worker.pod-cidr`, `tor1.lo`: names that stand for a prefix."""
    nodes = [f"{name}.pod-cidr" for name, device in network.devices.items() if device.pod_cidrs]
    loopbacks = [
        f"{name}.lo"
        for name, device in network.devices.items()
        if device.kind in ("router", "node", "host") and any(i.name == "lo" and i.addresses for i in device.interfaces)
    ]
    return sorted(nodes + loopbacks)
