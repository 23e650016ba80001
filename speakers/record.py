"""What an ExaBGP process has reported: the last of its messages, and what stands after all of them."""

from __future__ import annotations

import threading
import time
from array import array
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from bgpsim.speakers.standing import Standing

Event: TypeAlias = Mapping[str, Any]

MOST_EVENTS = 2000
"""So many are kept of a session, the last; a table is ten thousand and more."""
MOST_ROUTES = 64
"""Of an UPDATE that is kept for itself; of a longer one the first are."""


class Record:
    """Of one process. Any thread may ask."""

    def __init__(self, speaker: str, router: str) -> None:
        self._speaker, self._router = speaker, router
        self._lock = threading.Lock()
        self._events: deque[tuple[int, Event]] = deque(maxlen=MOST_EVENTS)
        self._times = array("d")
        self._session_begin = 0
        self._standing = {"sent": Standing(), "received": Standing()}
        self._heard_at = time.monotonic()
        self.established = False

    def take(self, message: dict[str, Any]) -> None:
        """One JSON object of ExaBGP's. Routes end with their session (RFC 4271 section 8.2.2), so a change of state
        begins a new account."""
        neighbor = message.get("neighbor", {})
        direction = "sent" if neighbor.get("direction") == "send" else "received"
        with self._lock:
            if message["type"] == "update":
                self._standing[direction].take(neighbor["message"].get("update", {}))
                self._heard_at = time.monotonic()
            event = {
                "speaker": self._speaker,
                "router": self._router,
                "time": message["time"],
                "direction": direction,
                "message": message,
                **_shortened(message),
            }
            self._events.append((len(self._times), event))
            self._times.append(message["time"])
            if message["type"] == "state":
                self.established = neighbor.get("state") == "up"
                if not self.established:
                    self._session_begin = len(self._times)
                    self._standing = {"sent": Standing(), "received": Standing()}

    def updates(self) -> list[Event]:
        """Of the session as it stands."""
        with self._lock:
            return [e for n, e in self._events if n >= self._session_begin and e["message"]["type"] == "update"]

    def events(self, after: float) -> list[Event]:
        """Those that are kept of what came from then on (seconds since the epoch)."""
        with self._lock:
            return [event for _, event in self._events if event["time"] >= after]

    def left_out(self, after: float) -> int:
        """How many are not."""
        with self._lock:
            kept = sum(1 for _, event in self._events if event["time"] >= after)
            return sum(1 for moment in self._times if moment >= after) - kept

    def standing(self) -> Iterator[Event]:
        """What stands, as UPDATEs of the session: {speaker, router, direction, message}."""
        with self._lock:
            updates = [(direction, of.updates()) for direction, of in self._standing.items()]
        for direction, of_direction in updates:
            for update in of_direction:
                yield {
                    "speaker": self._speaker,
                    "router": self._router,
                    "direction": direction,
                    "message": {"neighbor": {"message": {"update": update}}},
                }

    def sent(self, after: int) -> dict[str, int]:
        """{messages, standing, fresh}: UPDATEs sent over the session as it stands; the routes that stand after them,
        and how many of those were sent after so many messages."""
        with self._lock:
            of = self._standing["sent"]
            return {"messages": of.messages, "standing": len(of), "fresh": of.told_after(after)}

    @property
    def messages_sent(self) -> int:
        return self._standing["sent"].messages

    @property
    def silent(self) -> float:
        """Seconds since the last UPDATE, of either direction."""
        return time.monotonic() - self._heard_at


def _shortened(message: dict[str, Any]) -> dict[str, Any]:
    """An UPDATE of many routes with the first of them, and how many more it has; nothing for another message."""
    update = message.get("neighbor", {}).get("message", {}).get("update") if message["type"] == "update" else None
    if update is None:
        return {}
    listed = [routes for by in update.get("announce", {}).values() for routes in by.values()]
    listed += list(update.get("withdraw", {}).values())
    count = sum(map(len, listed))
    if count <= MOST_ROUTES:
        return {}
    for routes in listed:
        del routes[MOST_ROUTES:]
    return {"more_routes": count - sum(map(len, listed))}
