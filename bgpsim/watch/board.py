"""What the screen shows: the keeper's events, taken in one after the other. Knows neither textual nor the keeper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Event: TypeAlias = Mapping[str, Any]
Key: TypeAlias = tuple[Any, ...]

FRESH = 10.0
"""Seconds in which a change is marked."""
LEFT_SHOWN = 30.0
"""Seconds in which what has left is still shown."""
_KEYS: Mapping[str, tuple[str, ...]] = {
    "session": ("device", "neighbor"),
    "route": ("device", "family", "prefix", "neighbor", "path_id"),
    "heard": ("speaker", "router", "direction", "family", "prefix", "path_id"),
    "path": ("from", "to", "addresses"),
}


@dataclass(slots=True)
class Row:
    """One session, route or route heard."""

    fact: Event
    since: float | None
    """Since when it is as it is, in seconds since the epoch; None where nobody knows."""
    changed: float | None = None
    """When the last change was seen; None for what was there from the beginning."""
    change: Literal["arrived", "left", "changed"] | None = None

    def mark(self, now: float) -> str:
        """`+` arrived, `-` left, `~` changed, a blank where that is long ago."""
        if self.change == "left":
            return "-"
        fresh = self.changed is not None and now - self.changed < FRESH
        return {"arrived": "+", "changed": "~"}.get(self.change or "", " ") if fresh else " "


@dataclass(slots=True)
class Board:
    lab: Event = field(default_factory=dict)
    step: Event = field(default_factory=dict)
    agreement: Event = field(default_factory=dict)
    sessions: dict[Key, Row] = field(default_factory=dict)
    routes: dict[Key, Row] = field(default_factory=dict)
    heard: dict[Key, Row] = field(default_factory=dict)
    paths: dict[Key, Event] = field(default_factory=dict)
    walks: int = 0
    trouble: str | None = None
    ended: Event | None = None
    last: float = 0.0
    """When anything was heard of the lab."""

    def take(self, event: Event) -> None:
        kind = event["event"]
        self.last = max(self.last, event.get("time", 0.0))
        match kind:
            case "session" | "route" | "heard":
                self._take_row(self._rows(kind), _key(event), event, by_state=kind == "session")
            case "path":
                of_pair = {k: p for k, p in self.paths.items() if (p["from"], p["to"]) == (event["from"], event["to"])}
                self.paths = {**of_pair, _key(event): event}
            case "lab":
                self.lab = event
            case "step":
                self.step = event
            case "agreement":
                self.agreement = event
            case "trouble":
                self.trouble = event["message"]
            case "ended":
                self.ended = event
            case "pulse":
                self.walks = event["walks"]

    def forget(self, now: float) -> None:
        """What left long ago."""
        for rows in (self.sessions, self.routes, self.heard):
            for key in [k for k, row in rows.items() if row.change == "left" and now - (row.changed or 0) > LEFT_SHOWN]:
                del rows[key]

    def planes(self) -> dict[str, tuple[int, int]]:
        """Equal and compared, per plane; the pair's paths among them."""
        counts = {plane: (of["equal"], of["compared"]) for plane, of in self.agreement.get("planes", {}).items()}
        judged = [path["predicted"] for path in self.paths.values() if path["predicted"] is not None]
        return {**counts, "path": (sum(judged), len(judged))} if judged else counts

    @property
    def agrees(self) -> bool | None:
        """None where nothing is predicted."""
        counts = self.planes()
        return all(equal == compared for equal, compared in counts.values()) if counts else None

    def _rows(self, kind: str) -> dict[Key, Row]:
        return {"session": self.sessions, "route": self.routes, "heard": self.heard}[kind]

    def _take_row(self, rows: dict[Key, Row], key: Key, event: Event, *, by_state: bool) -> None:
        known, change = rows.get(key), event["change"]
        if event.get("first"):
            rows[key] = Row(event, event.get("since"))
            return
        if change == "prediction" and known is not None:
            known.fact = event
            return
        if by_state and change == "changed" and known is not None and "state" not in event["was"]:
            # Its counters moved, or its router's word alternates: it is as old as it was.
            known.fact = event
            return
        rows[key] = Row(event, event["time"], event["time"], change)


def _key(event: Event) -> Key:
    return tuple(str(event[name]) for name in _KEYS[event["event"]])
