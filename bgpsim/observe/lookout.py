"""A running lab, looked at again and again: cheap while it is at rest, close while it moves, bounded in any case.

bgpd tells in half a millisecond whether anything of its sessions or tables moved; only then the lab is read
(`observe`). What is dear to read, kernels' routes and GoBGP's tables, is remembered from reading to reading, and read
anew in the background, as seldom as its own cost demands: a share of the time, whatever the size of the tables.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Any, TypeAlias

from bgpsim.agent.protocol import Agent, LabDevice
from bgpsim.errors import LabError
from bgpsim.network.state import FlowKey, NetworkState, SessionKey
from bgpsim.network.types import FAMILIES, Family, Prefix
from bgpsim.observe.bgp import GOBGP_WORDS
from bgpsim.observe.owners import owners
from bgpsim.observe.path import PathPlane, read_paths
from bgpsim.observe.reading import observe

_SUMMARIES = ("show bgp ipv4 unicast summary json", "show bgp ipv6 unicast summary json")
_TABLES = ("show bgp ipv4 unicast json detail", "show bgp ipv6 unicast json detail")
_MOVING = ("state", "pfxRcd", "pfxSnt", "connectionsEstablished", "connectionsDropped", "inq", "outq")
"""Of each peer in a summary; what keepalives count is left out."""
_BUSY = 8.0
"""Seconds after the last move in which more may follow: FRR applies an edited route-map after 5 s."""
_LESS_PATIENCE = 3.0
"""Seconds, of four, that a walk does not wait for a neighbor that is being resolved: a step that sends probes waits for
its turn meanwhile."""
_MOST_AGED = 2000
"""Prefixes of a table whose routes' ages are asked of the router."""

Aged: TypeAlias = tuple[str, Family, Prefix, str]
"""Device, family, prefix and neighbor of a path."""


@dataclass(slots=True)
class Pace:
    """How often something is read. Times in seconds, on a monotonic clock."""

    share: float
    """Of the time, at most, that reading it may take."""
    rest: float
    """Between two readings while nothing moves."""
    _earliest: float = 0.0
    _latest: float = 0.0
    _stale: bool = True

    def stir(self) -> None:
        """Something moved: it is worth a reading."""
        self._stale = True

    def due(self, now: float, busy: bool) -> bool:
        return now >= self._earliest and (busy or self._stale or now >= self._latest)

    def read(self, now: float, cost: float) -> None:
        """It was read and took `cost` seconds until `now`."""
        self._stale = False
        self._earliest = now + cost / self.share
        self._latest = max(self._earliest, now + self.rest)


class Lookout:
    """One running lab. `look` belongs to one thread; any thread may `walk`."""

    def __init__(self, agent: Agent, devices: Mapping[str, LabDevice]) -> None:
        self._devices = devices
        paces = {"netlink.dump": Pace(0.1, 10.0), "nodes.links": Pace(0.1, 10.0), "gobgp.tables": Pace(0.3, 20.0)}
        self._remembering = _Remembering(agent, paces)
        self._agent = agent
        self._pace = Pace(0.1, 5.0)
        self._mark: Any = None
        self._moved_at = 0.0
        self._state = NetworkState()
        self._gateways: Sequence[str] | None = None

    def look(self, *, busy: bool) -> NetworkState:
        """The lab without its paths; the same object as before where nothing was read anew.

        `busy`: something is being done to the lab. Raises LabError.
        """
        now = time.monotonic()
        mark = self._look_for_moves()
        if mark != self._mark:
            self._mark, self._moved_at = mark, now
            for pace in (self._pace, *self._remembering.paces.values()):
                pace.stir()
        busy = busy or now - self._moved_at < _BUSY
        fresh = self._remembering.refresh(now, busy)
        if fresh or self._pace.due(now, busy):
            began = time.monotonic()
            self._state = carried(self._state, observe(self._remembering, self._devices, ()))
            ended = time.monotonic()
            self._pace.read(ended, ended - began)
        return self._state

    def _look_for_moves(self) -> Any:
        routers = sorted(name for name, device in self._devices.items() if device.engine == "frr")
        answers = self._agent.call("frr.show", devices=routers, commands=list(_SUMMARIES)) if routers else {}
        return {
            device: None if texts is None else [_moving(json.loads(text or "{}")) for text in texts]
            for device, texts in answers.items()
        }

    def walk(self, flows: Sequence[FlowKey]) -> PathPlane:
        """Where packets of these flows go now, with less patience than a step has. Raises LabError."""
        if self._gateways is None:
            self._gateways = self._agent.call("nodes.gateways")
        dumps, links = self.kernels()
        return read_paths(_Brief(self._agent), self._devices, self._gateways, flows, dumps, owners(dumps, links))

    def kernels(self) -> tuple[Mapping[str, Any], Sequence[Sequence[str]]]:
        """What the kernels said last (`netlink.dump`), and the links of the lab (`nodes.links`)."""
        dumps = self._remembering.call("netlink.dump", devices=sorted(self._devices))
        return dumps, self._remembering.call("nodes.links")

    def ages(self) -> Ages:
        """As routers and nodes have them; those of big tables are left out."""
        routers = sorted(name for name, device in self._devices.items() if device.engine == "frr")
        commands = [*_SUMMARIES, *_TABLES]
        found = Ages()
        answers = self._agent.call("frr.show", devices=routers, commands=commands) if routers else {}
        for device, texts in answers.items():
            told = [json.loads(text or "{}") for text in texts or ()]
            for family, summary, table in zip(FAMILIES, told[: len(_SUMMARIES)], told[len(_SUMMARIES) :], strict=True):
                found.add_frr(device, family, summary, table)
        nodes = sorted(
            name for name, device in self._devices.items() if device.role == "node" and device.engine == "gobgp"
        )
        for device, tables in self._remembering.call("gobgp.tables", devices=nodes).items():
            if tables is not None:
                found.add_gobgp(device, tables)
        return found


def carried(before: NetworkState, now: NetworkState) -> NetworkState:
    """With what could not be read as it was read last: it has not gone for that, and is not observed either.

    A stream on the wire is unread for a moment whenever an UPDATE is seen there that its speaker has not told yet.
    """
    devices, streams = now.not_observed.get("bgp", {}), now.not_observed.get("wire", {})
    if devices:
        now = replace(
            now,
            sessions={**{k: v for k, v in before.sessions.items() if k.device in devices}, **now.sessions},
            paths={**{k: v for k, v in before.paths.items() if k.device in devices}, **now.paths},
            advertised={**{k: v for k, v in before.advertised.items() if k.device in devices}, **now.advertised},
        )
    if streams:
        now = replace(now, wire={**{k: v for k, v in before.wire.items() if k.stream in streams}, **now.wire})
    return now


@dataclass(slots=True)
class Ages:
    """Since when sessions stand and paths are as they are, in seconds since the epoch."""

    sessions: dict[SessionKey, float] = field(default_factory=dict)
    paths: dict[Aged, float] = field(default_factory=dict)

    def add_frr(self, device: str, family: Family, summary: Mapping[str, Any], table: Mapping[str, Any]) -> None:
        for name, peer in summary.get("peers", {}).items():
            if peer["state"] == "Established" and "peerUptimeEstablishedEpoch" in peer:
                self.sessions[SessionKey(device, name)] = float(peer["peerUptimeEstablishedEpoch"])
        routes = table.get("routes", {})
        for prefix, paths in routes.items() if len(routes) <= _MOST_AGED else ():
            for path in paths:
                peer = path.get("peer", {})
                own = peer.get("peerId") in ("0.0.0.0", "::")
                for name in ("local",) if own else (peer.get("peerId"), peer.get("interface")):
                    if name is not None and "lastUpdate" in path:
                        self.paths[device, family, ip_network(prefix), name] = float(path["lastUpdate"]["epoch"])

    def add_gobgp(self, device: str, tables: Mapping[str, Any]) -> None:
        for neighbor in tables["neighbors"]:
            since = neighbor.get("timers", {}).get("state", {}).get("uptime", {}).get("seconds")
            if since and GOBGP_WORDS[neighbor["state"].get("session_state", 0)] == "Established":
                self.sessions[SessionKey(device, neighbor["state"]["neighbor_address"])] = float(since)
        for family in FAMILIES:
            for prefix, paths in (tables["families"][family]["rib"] or {}).items():
                for path in paths:
                    name = path.get("neighbor-ip") or "local"
                    self.paths[device, family, ip_network(prefix), name] = float(path["age"])


def _moving(summary: Mapping[str, Any]) -> Any:
    peers = summary.get("peers", {})
    return [summary.get("tableVersion"), {name: [peer.get(key) for key in _MOVING] for name, peer in peers.items()}]


class _Remembering:
    """An agent that answers some calls with what it was told last, and asks again in the background, each at its own
    pace: what is dear holds up nothing else. Implements `agent.protocol.Agent`."""

    def __init__(self, agent: Agent, paces: Mapping[str, Pace]) -> None:
        self._agent = agent
        self.paces = paces
        self._lock = threading.Lock()
        self._params: dict[str, dict[str, Any]] = {}
        self._answers: dict[str, Any] = {}
        self._asking: set[str] = set()
        self._fresh: set[str] = set()
        """Answered anew since `refresh` was called last."""
        self._error: LabError | None = None

    def refresh(self, now: float, busy: bool) -> bool:
        """Ask again what is due; whether something was answered anew meanwhile. Raises LabError where it was not."""
        with self._lock:
            error, self._error = self._error, None
            fresh = bool(self._fresh)
            self._fresh.clear()
            for method, params in self._params.items():
                if method not in self._asking and self.paces[method].due(now, busy):
                    self._asking.add(method)
                    threading.Thread(target=self._ask, args=(method, params), name=method, daemon=True).start()
        if error is not None:
            raise error
        return fresh

    def _ask(self, method: str, params: dict[str, Any]) -> None:
        began = time.monotonic()
        try:
            answer = self._agent.call(method, **params)
        except LabError as error:
            with self._lock:
                self._error = error
        else:
            with self._lock:
                self._answers[method] = answer
                self._fresh.add(method)
        ended = time.monotonic()
        with self._lock:
            self.paces[method].read(ended, ended - began)
            self._asking.discard(method)

    def call(self, method: str, /, timeout: float = 60.0, **params: Any) -> Any:
        if method not in self.paces:
            return self._agent.call(method, timeout, **params)
        # Whole: a long answer that comes in parts can be read once alone.
        params.pop("most", None)
        with self._lock:
            known = method in self._answers
            self._params[method] = params
        if not known:
            answer = self._agent.call(method, timeout, **params)
            with self._lock:
                self._answers[method] = answer
        return self._answers[method]

    def call_for_descriptors(self, method: str, /, timeout: float = 60.0, **params: Any) -> tuple[Any, tuple[int, ...]]:
        return self._agent.call_for_descriptors(method, timeout, **params)


class _Brief:
    """An agent whose probes are not waited for so long. Implements `agent.protocol.Agent`."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def call(self, method: str, /, timeout: float = 60.0, **params: Any) -> Any:
        if method == "packets.probe":
            params["limit"] -= _LESS_PATIENCE
        return self._agent.call(method, timeout, **params)

    def call_for_descriptors(self, method: str, /, timeout: float = 60.0, **params: Any) -> tuple[Any, tuple[int, ...]]:
        return self._agent.call_for_descriptors(method, timeout, **params)
