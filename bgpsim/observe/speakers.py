"""What was said within a step: counts of every session's messages, each message of the speakers beside the fabric, and
what these dropped."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from bgpsim.agent.protocol import Agent, LabDevice
from bgpsim.network.state import Session
from bgpsim.observe.bgp_wire import prepare
from bgpsim.observe.wire import as_path


@dataclass(frozen=True, slots=True)
class Begun:
    """The moment from which on messages and dropped packets are told."""

    time: float
    """Seconds since the epoch, the clock of ExaBGP's events."""
    dropped: Mapping[str, int]
    """Packets per speaker until then; empty where there is no speaker."""
    counts: Mapping[str, Mapping[str, int]] | None = None
    """BGP messages until then, by session end and kind; None where nobody may speak BGP."""

    @classmethod
    def now(cls, agent: Agent, devices: Mapping[str, LabDevice], *, earlier: float = 0.0) -> Begun:
        """Now, or `earlier` seconds before (what was dropped until then is what was dropped until now)."""
        speaking = any(device.role == "speaker" for device in devices.values())
        captured = any(device.role in ("router", "node", "speaker") for device in devices.values())
        if captured:
            prepare()
        before = ({} if earlier else _counts(agent)) if captured else None
        return cls(time.time() - earlier, agent.call("speaker.dropped") if speaking else {}, before)


def since(agent: Agent, begun: Begun) -> dict[str, Any]:
    """`message_counts`: BGP messages by session end and kind. Where there is a speaker also `messages`: every UPDATE
    and change of state of its sessions, in order; `dropped`: packets that each speaker attracted.

    All change from run to run; the net effect of the messages does not.
    """
    told = {} if begun.counts is None else {"message_counts": _since(begun.counts, _counts(agent))}
    if not begun.dropped:
        return told
    events = agent.call("speaker.events", after=begun.time)
    messages = sorted((m for event in events for m in _message(event, begun.time)), key=lambda m: m["seconds"])
    now = agent.call("speaker.dropped")
    left_out = agent.call("speaker.left_out", after=begun.time)
    told |= {"messages_left_out": left_out} if left_out else {}
    return told | {"messages": messages, "dropped": {name: n - begun.dropped[name] for name, n in now.items()}}


def _counts(agent: Agent) -> dict[str, dict[str, int]]:
    """`tor0 to net0`, or to an address -> kind of message -> how many were sent since the lab came up."""
    found: dict[str, dict[str, int]] = {}
    for of in agent.call("bgp_capture.counts"):
        towards = of["interface"] if ip_address(of["target"]).is_link_local else of["target"]
        kinds = found.setdefault(f"{of['device']} to {towards}", {})
        for kind, count in of["counts"].items():
            kinds[kind] = kinds.get(kind, 0) + count
    return found


def _since(before: Mapping[str, Mapping[str, int]], now: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """What has come since, without what has not."""
    more = {name: {k: n - before.get(name, {}).get(k, 0) for k, n in kinds.items()} for name, kinds in now.items()}
    return {name: left for name, kinds in sorted(more.items()) if (left := {k: n for k, n in kinds.items() if n})}


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
