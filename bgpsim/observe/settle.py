"""When a lab has come to rest: an event, and never "it looks like the prediction".

A lab is at rest when nothing has changed for a quiet window (sessions, tables, queues, kernel routes), and every
session whose both ends could have it is up. Which those are is asked of the lab: both ends run BGP, each has the other
configured, and the kernel says that the way there is up.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bgpsim.agent.protocol import Agent, LabDevice
from bgpsim.observe.owners import Owners, owners

_SUMMARIES = ("show bgp ipv4 unicast summary json", "show bgp ipv6 unicast summary json")
_PEER_FACTS = ("state", "pfxRcd", "pfxSnt", "inq", "outq", "connectionsEstablished", "connectionsDropped")
_DOWN_WORDS = ("Idle", "Connect", "Active", "OpenSent", "OpenConfirm")
_INTERVAL = 0.2
"""Seconds between two looks."""


@dataclass(frozen=True, slots=True)
class Settled:
    """`because` says what was still moving when time ran out."""

    how: Literal["quiet", "timeout"]
    because: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class _Look:
    facts: Mapping[tuple[str, ...], object]
    pending: tuple[str, ...]
    """Sessions that could be up and are not, or are up at one end alone; and queues that are not empty."""


def wait_settled(agent: Agent, devices: Mapping[str, LabDevice], *, quiet: float, timeout: float = 60.0) -> Settled:
    """Returns once settled, or after `timeout` seconds. `quiet`: the window, in seconds on a monotonic clock."""
    started = time.monotonic()
    last, since = _look(agent, devices), time.monotonic()
    while True:
        now = time.monotonic()
        if not last.pending and now - since >= quiet:
            return Settled("quiet", None, now - started)
        if now - started >= timeout:
            because = ", ".join(last.pending) or "tables or routes kept changing"
            return Settled("timeout", because, now - started)
        time.sleep(_INTERVAL)
        look = _look(agent, devices)
        if look.facts != last.facts or look.pending != last.pending:
            since = time.monotonic()
        last = look


def _look(agent: Agent, devices: Mapping[str, LabDevice]) -> _Look:
    routers = sorted(name for name, device in devices.items() if device.engine == "frr")
    nodes = sorted(name for name, device in devices.items() if device.engine == "gobgp")
    forwarding = sorted(name for name, device in devices.items() if device.role in ("router", "node", "host"))
    dumps = agent.call("netlink.dump", devices=forwarding)
    known = owners(dumps, agent.call("nodes.links"))
    facts: dict[tuple[str, ...], object] = {
        (name, "routes"): json.dumps(dump["routes"], sort_keys=True) for name, dump in dumps.items()
    }
    ends: dict[tuple[str, str], _End] = {}
    queued: list[str] = []
    for name, answers in agent.call("frr.show", devices=routers, commands=_SUMMARIES).items():
        for answer in answers or ():
            summary = json.loads(answer or "{}")
            facts[name, "version", str(len(facts))] = summary.get("tableVersion")
            for neighbor, peer in summary.get("peers", {}).items():
                # A session that is down alternates between its words for ever.
                words = {**peer, "state": "Down" if peer["state"] in _DOWN_WORDS else peer["state"]}
                facts[name, neighbor, str(len(facts))] = tuple(words.get(fact) for fact in _PEER_FACTS)
                ends[name, neighbor] = _End(peer["state"], _far(name, neighbor, peer.get("idType"), known, dumps))
                if peer.get("inq") or peer.get("outq"):
                    queued.append(f"{name} {neighbor} has messages queued")
    for name, neighbors in agent.call("gobgp.neighbors", devices=nodes).items():
        for neighbor in neighbors or ():
            address = neighbor["state"]["neighbor_address"]
            established = neighbor["state"].get("session_state") == 6
            facts[name, address] = established
            ends[name, address] = _End("Established" if established else "Active", known.device(address))
    return _Look(facts, tuple(sorted([*_pending(ends), *queued])))


@dataclass(frozen=True, slots=True)
class _End:
    state: str
    far: str | None
    """The device at the other end; None where nobody is, or the way there is down."""


def _far(
    device: str, neighbor: str, kind: str | None, known: Owners, dumps: Mapping[str, Mapping[str, Any]]
) -> str | None:
    if kind != "interface":
        return known.device(neighbor, device)
    far = known.links.get((device, neighbor))
    if far is None:
        return None
    for end in ((device, neighbor), far):
        if end[0] not in dumps:
            return None
        link = next((link for link in dumps[end[0]]["links"] if link["ifname"] == end[1]), None)
        if link is None or "LOWER_UP" not in link["flags"]:
            return None
    return far[0]


def _pending(ends: Mapping[tuple[str, str], _End]) -> list[str]:
    """Ends that are not Established though the other device has this one as a neighbor too."""
    configured = {(device, end.far) for (device, _), end in ends.items()}
    return [
        f"{device} {neighbor} is {end.state}"
        for (device, neighbor), end in ends.items()
        if end.state != "Established" and end.far is not None and (end.far, device) in configured
    ]
