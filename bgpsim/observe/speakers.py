"""The speakers beside the fabric: their sessions, what they heard and sent within a step, and what they dropped."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bgpsim.agent.protocol import Agent, LabDevice
from bgpsim.network.state import Session
from bgpsim.observe.wire import as_path


@dataclass(frozen=True, slots=True)
class Begun:
    """The moment from which on messages and dropped packets are told."""

    time: float
    """Seconds since the epoch, the clock of ExaBGP's events."""
    dropped: Mapping[str, int]
    """Packets per speaker until then; empty where there is no speaker."""

    @classmethod
    def now(cls, agent: Agent, devices: Mapping[str, LabDevice], *, earlier: float = 0.0) -> Begun:
        """Now, or `earlier` seconds before (what was dropped until then is what was dropped until now)."""
        speaking = any(device.role == "speaker" for device in devices.values())
        return cls(time.time() - earlier, agent.call("speaker.dropped") if speaking else {})


def since(agent: Agent, begun: Begun) -> dict[str, Any]:
    """`messages`: every UPDATE and change of state, in order; `dropped`: packets that each speaker attracted.

    Both change from run to run (the net effect of the messages does not); empty where there is no speaker.
    """
    if not begun.dropped:
        return {}
    events = agent.call("speaker.events", after=begun.time)
    messages = sorted((m for event in events for m in _message(event, begun.time)), key=lambda m: m["seconds"])
    now = agent.call("speaker.dropped")
    left_out = agent.call("speaker.left_out", after=begun.time)
    told = {"messages_left_out": left_out} if left_out else {}
    return {"messages": messages, **told, "dropped": {name: count - begun.dropped[name] for name, count in now.items()}}


def _message(event: Mapping[str, Any], begin: float) -> Iterator[dict[str, Any]]:
    """{seconds, speaker, router} with {session: up|down} or {direction, announced, withdrawn, as_path}.

    Of an UPDATE with many routes the first, and {more_routes}, how many others there are.
    """
    where = {"seconds": round(event["time"] - begin, 3), "speaker": event["speaker"], "router": event["router"]}
    message, neighbor = event["message"], event["message"].get("neighbor", {})
    if message["type"] == "state" and neighbor.get("state") in ("up", "down"):
        yield {**where, "session": neighbor["state"]}
    update = neighbor["message"].get("update") if message["type"] == "update" else None
    if update is not None:
        path = as_path(update.get("attribute", {}).get("as-path", {}))
        yield {
            **where,
            "direction": event["direction"],
            "announced": sorted(
                {_nlri(r) for by in update.get("announce", {}).values() for of in by.values() for r in of}
            ),
            "withdrawn": sorted({_nlri(r) for of in update.get("withdraw", {}).values() for r in of}),
            **({"more_routes": event["more_routes"]} if "more_routes" in event else {}),
            "as_path": [sorted(part) if isinstance(part, frozenset) else part for part in path],
        }


def _nlri(route: Any) -> str:
    return str(route["nlri"] if isinstance(route, dict) else route)


def speaker_session(told: Mapping[str, Any]) -> Session:
    """A speaker's end of a session, from an element of `speaker.alive`."""
    up = bool(told["established"])
    return Session("Established" if up else "Down", None, told["router"], word="up" if up else "down")
