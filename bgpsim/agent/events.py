"""Events that a step waits for: sessions, routes and links, asked again and again until one changes as is wanted.

bgpd answers in a fraction of a millisecond, a kernel too: they are asked every few milliseconds. GoBGP's command line
takes 20 ms of a core. A session counts its own ups and downs, so none is missed; a route or a link that changes and
changes back between two looks is.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_network
from typing import Any

from bgpsim.agent.frr import FrrService
from bgpsim.agent.gobgp import GobgpService
from bgpsim.agent.namespaces import Namespaces
from bgpsim.agent.routing import RoutingSocket
from bgpsim.errors import BgpsimError, LabError

_INTERVAL = 0.003
"""Seconds between two looks at everything."""
_GOBGP_ESTABLISHED = 6


class EventService:
    """Methods `events.*`."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces
        self._frr = FrrService(namespaces)
        self._gobgp = GobgpService(namespaces)
        self._numbers = itertools.count()
        self._watches: dict[int, _Watch] = {}

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        return {"events.watch": self.watch, "events.wait": self.wait, "events.end": self.end}

    def watch(self, events: Sequence[Mapping[str, Any]]) -> int:
        """Begin; returns when each has been looked at once. An event: {kind, device, what, state, engine, via}."""
        number = next(self._numbers)
        self._watches[number] = _Watch([_Event(self._look(event), event) for event in events])
        return number

    def wait(self, watch: int, event: int, limit: float) -> dict[str, Any]:
        """{happened, now, seconds}: whether it has happened since the watch began, within `limit` seconds from now; the
        state that was seen last; when it was seen to happen, since the watch began."""
        return self._watches[watch].wait(event, limit)

    def end(self, watch: int) -> None:
        self._watches.pop(watch).end()

    def _look(self, event: Mapping[str, Any]) -> Callable[[], tuple[str, int]]:
        """What asks for the state, in the event's words, and how often it went to the wanted one."""
        device, what = event["device"], event["what"]
        if event["kind"] == "link":
            return lambda: (self._link(device, what), 0)
        if event["kind"] == "route":
            return lambda: (self._route(device, what, event["via"] if event["state"] == "best" else None), 0)
        if event["engine"] == "gobgp":
            return lambda: (self._gobgp_session(device, what), 0)
        counter = "connectionsEstablished" if event["state"] == "established" else "connectionsDropped"
        return lambda: self._frr_session(device, what, counter)

    def _link(self, device: str, interface: str) -> str:
        with self._namespaces.enter_network(device), RoutingSocket() as kernel:
            return "up" if kernel.has_carrier(interface) else "down"

    def _route(self, device: str, prefix: str, via: str | None) -> str:
        family = f"ipv{ip_network(prefix).version}"
        shown = _object(self._ask(device, f"show bgp {family} unicast {prefix} json"))
        best = next((p for p in shown.get("paths", ()) if p.get("bestpath", {}).get("overall")), None)
        if best is None:
            return "absent"
        if via is None:
            return "present"
        peer = best.get("peer", {})
        names = {peer.get("peerId"), peer.get("interface")}
        names |= {"local"} if peer.get("peerId") in ("0.0.0.0", "::") else set()
        return "best" if via in names else f"best via {peer.get('interface') or peer.get('peerId')}"

    def _frr_session(self, device: str, neighbor: str, counter: str) -> tuple[str, int]:
        shown = _object(self._ask(device, f"show bgp neighbors {neighbor} json")).get(neighbor)
        if not isinstance(shown, dict):
            return "down", 0
        return "established" if shown["bgpState"] == "Established" else "down", shown[counter]

    def _gobgp_session(self, device: str, neighbor: str) -> str:
        for told in self._gobgp.neighbors([device])[device] or ():
            if told["state"]["neighbor_address"] == neighbor:
                return "established" if told["state"].get("session_state") == _GOBGP_ESTABLISHED else "down"
        return "down"

    def _ask(self, device: str, command: str) -> str:
        return str((self._frr.show([device], [command])[device] or [""])[0])


class _Event:
    """One event: it happens when the wanted state comes after another, or the count of its coming grows."""

    def __init__(self, look: Callable[[], tuple[str, int]], asked: Mapping[str, Any]) -> None:
        self._look, self._wanted = look, asked["state"]
        self.now, self._count = look()
        self._otherwise = self.now != self._wanted
        self.happened = False
        self._began = time.monotonic()
        self.seconds: float | None = None
        """From the beginning until it was seen to happen."""

    def look(self) -> None:
        self.now, count = self._look()
        if count > self._count or (self._otherwise and self.now == self._wanted):
            self.happened, self.seconds = True, time.monotonic() - self._began
        # A bgpd that was started anew counts from the beginning.
        self._count = count
        self._otherwise = self._otherwise or self.now != self._wanted


class _Watch:
    """A thread that looks at its events until it is ended."""

    def __init__(self, events: Sequence[_Event]) -> None:
        self._events = events
        self._changed = threading.Condition()
        self._ended = False
        self._failed: BgpsimError | None = None
        threading.Thread(target=self._run, name="events", daemon=True).start()

    def _run(self) -> None:
        while not self._ended:
            for event in [event for event in self._events if not event.happened]:
                try:
                    event.look()
                except BgpsimError as error:
                    self._failed = error
                if event.happened or self._failed:
                    with self._changed:
                        self._changed.notify_all()
            if self._failed or all(event.happened for event in self._events):
                return
            time.sleep(_INTERVAL)

    def wait(self, number: int, limit: float) -> dict[str, Any]:
        event = self._events[number]
        with self._changed:
            self._changed.wait_for(lambda: event.happened or self._failed is not None, timeout=limit)
        if self._failed is not None and not event.happened:
            raise LabError(f"events could not be watched: {self._failed.message}")
        return {"happened": event.happened, "now": event.now, "seconds": event.seconds}

    def end(self) -> None:
        self._ended = True


def _object(text: str) -> dict[str, Any]:
    """Where there is nothing to show FRR may say so in words."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
