"""Whether anything moves in the lab: kernel events, BGP sessions, tables and queues, watched without a busy loop.

The kernel tells of routes, links and addresses by itself (rtnetlink multicast groups). bgpd is asked ten times a
second by its own socket, which costs it a fraction of a millisecond; GoBGP, whose command line takes 20 ms of a core,
twice a second. What alternates for ever is left out: the words of a session that is down, timers, keepalives.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import selectors
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pyroute2.netlink.rtnl import (
    RTM_DELADDR,
    RTM_DELLINK,
    RTM_DELROUTE,
    RTM_NEWADDR,
    RTM_NEWLINK,
    RTM_NEWROUTE,
    RTMGRP_IPV4_IFADDR,
    RTMGRP_IPV4_ROUTE,
    RTMGRP_IPV6_IFADDR,
    RTMGRP_IPV6_ROUTE,
    RTMGRP_LINK,
)

from bgpsim.agent.frr import FrrService
from bgpsim.agent.gobgp import GobgpService
from bgpsim.agent.namespaces import Namespaces
from bgpsim.agent.routing import Messages
from bgpsim.daemon_timers import CONNECT_RETRY, GOBGP_DIAL, HOLD
from bgpsim.errors import LabError

_GROUPS = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE
_EVENTS = {
    RTM_NEWLINK: "a link",
    RTM_DELLINK: "a link",
    RTM_NEWADDR: "an address",
    RTM_DELADDR: "an address",
    RTM_NEWROUTE: "a route",
    RTM_DELROUTE: "a route",
}
_CLONED = 0x200
"""RTM_F_CLONED of linux/rtnetlink.h, which pyroute2 has no name for: a cache entry, no route."""
_FRR_INTERVAL = 0.1
_LONGEST_INTERVAL = 0.4
_MOST_OF_TIME = 0.25
"""The part of its time that looking may take: sixty routers take 40 ms, and need the processor themselves."""
_GOBGP_INTERVAL = 0.5
_COMMANDS = (
    "show bgp neighbors json",
    "show bgp ipv4 unicast summary json",
    "show bgp ipv6 unicast summary json",
)
_ESTABLISHED = 6
"""SESSION_STATE_ESTABLISHED of GoBGP's API."""
_MOVING = ("established", "ups", "downs", "updates", "prefixes", "queued")
"""The facts of a session whose change is an event."""


class ActivityService:
    """Methods `activity.*`."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces
        self._frr = FrrService(namespaces)
        self._gobgp = GobgpService(namespaces)

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        return {"activity.wait": self.wait}

    def wait(
        self,
        kernels: Sequence[str],
        routers: Sequence[str],
        nodes: Sequence[str],
        quiet: float,
        limit: float,
        known: str | None = None,
    ) -> dict[str, Any]:
        """Until nothing has moved for `quiet` seconds, `limit` at most.

        `known`: the `mark` of an earlier answer; a difference from it counts as a move. Returns {quiet, moved, still,
        last, mark, sessions}: `quiet` is False when the limit came first, `still` says for how many seconds nothing has
        moved (since the call where nothing did at all), `last` what moved last, and `sessions` per device whose BGP
        process answers and per neighbor what it says (see `_frr_session`, `_gobgp_session`).
        """
        with contextlib.ExitStack() as stack:
            monitors = self._monitors(kernels, stack)
            sessions = _Sessions(self._frr, self._gobgp, routers, nodes)
            begin = since = time.monotonic()
            sessions.look(everything=True)
            last = "BGP" if known is not None and known != sessions.mark() else None
            asked_gobgp = time.monotonic()
            took = 0.0
            while True:
                now = time.monotonic()
                if now - since >= quiet:
                    # GoBGP is asked seldom: the window counts only if it has not moved either.
                    if not sessions.look(everything=True):
                        return {"quiet": True, "still": now - since, **sessions.answer(last)}
                    last, since = sessions.moved, time.monotonic()
                if now - begin >= limit:
                    return {"quiet": False, "still": now - since, **sessions.answer(last)}
                told, at = _await_event(monitors, min(max(_FRR_INTERVAL, took / _MOST_OF_TIME), _LONGEST_INTERVAL))
                begun = time.monotonic()
                everything = begun - asked_gobgp >= _GOBGP_INTERVAL
                changed = sessions.look(everything=everything)
                if everything:
                    asked_gobgp = time.monotonic()
                else:
                    took = time.monotonic() - begun
                if changed:
                    last, since = told or sessions.moved, time.monotonic()
                elif told is not None:
                    last, since = told, at

    def _monitors(self, kernels: Sequence[str], stack: contextlib.ExitStack) -> selectors.BaseSelector:
        selector = stack.enter_context(selectors.DefaultSelector())
        for device in kernels:
            with self._namespaces.enter_network(device):
                kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
                monitor = stack.enter_context(socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE))
            monitor.bind((0, _GROUPS))
            selector.register(monitor, selectors.EVENT_READ, device)
        return selector


def _await_event(monitors: selectors.BaseSelector, interval: float) -> tuple[str | None, float]:
    """What the kernels tell within `interval` seconds, and when they told something last; takes all of the interval, so
    that bgpd is not asked more often.

    The first event is what is told; what follows counts unread, for a full table is ten thousand of them.
    """
    at = time.monotonic()
    end = at + interval
    seen = None
    while (left := end - time.monotonic()) > 0:
        for key, _ in monitors.select(left):
            monitor = key.fileobj
            assert isinstance(monitor, socket.socket)
            try:
                while True:
                    part = monitor.recv(1 << 16)
                    seen = seen or event(key.data, part)
                    if seen is not None:
                        at = time.monotonic()
            except BlockingIOError:
                continue
            except OSError:
                # ENOBUFS, netlink(7)
                seen, at = f"{key.data}: more events than the kernel could keep", time.monotonic()
    return seen, at


def event(device: str, part: bytes) -> str | None:
    """What a datagram of a device's kernel tells, in words; None for what is no event."""
    for message in Messages().parse(part):
        name = _EVENTS.get(message["header"]["type"])
        if name is not None and not (name == "a route" and message["flags"] & _CLONED):
            return f"{device}: {name} changed"
    return None


class _Sessions:
    """What the BGP processes say of their sessions and tables, look by look."""

    def __init__(self, frr: FrrService, gobgp: GobgpService, routers: Sequence[str], nodes: Sequence[str]) -> None:
        self._frr, self._gobgp = frr, gobgp
        self._routers, self._nodes = routers, nodes
        self._of: dict[str, dict[str, dict[str, Any]] | None] = {}
        self._tables: dict[str, Any] = {}
        self.moved: str | None = None

    def look(self, *, everything: bool) -> bool:
        """Whether anything moved since the last look; `everything`: GoBGP is asked too."""
        before = self._facts()
        answers = self._frr.show(self._routers, _COMMANDS) if self._routers else {}
        for device, texts in answers.items():
            self._of[device] = None if texts is None else _frr_sessions(device, texts[0])
            self._tables[device] = None if texts is None else [_version(device, text) for text in texts[1:]]
        if everything and self._nodes:
            for device, neighbors in self._gobgp.neighbors(self._nodes).items():
                self._of[device] = None if neighbors is None else dict(map(_gobgp_session, neighbors))
        after = self._facts()
        if before == after:
            return False
        different = sorted(device for device in {*before, *after} if before.get(device) != after.get(device))
        self.moved = f"{', '.join(different)}: BGP"
        return True

    def _facts(self) -> dict[str, Any]:
        return {
            device: [
                self._tables.get(device),
                None if of is None else {n: [s[f] for f in _MOVING] for n, s in of.items()},
            ]
            for device, of in self._of.items()
        }

    def mark(self) -> str:
        return hashlib.sha256(json.dumps(self._facts(), sort_keys=True).encode()).hexdigest()

    def answer(self, last: str | None) -> dict[str, Any]:
        return {
            "moved": last is not None,
            "last": last,
            "mark": self.mark(),
            "sessions": {device: of for device, of in self._of.items() if of is not None},
        }


def _version(device: str, text: str) -> Any:
    summary = _object(device, text)
    return summary.get("tableVersion")


def _object(device: str, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        raise LabError(f"{device}: bgpd's answer is not JSON: {text[:80]!r}") from None
    if not isinstance(found, dict):
        raise LabError(f"{device}: bgpd's answer is not an object: {text[:80]!r}")
    return found


def _frr_sessions(device: str, text: str) -> dict[str, dict[str, Any]]:
    try:
        return {name: _frr_session(s) for name, s in _object(device, text).items() if isinstance(s, dict)}
    except KeyError as error:
        raise LabError(f"{device}: `show bgp neighbors json` has no {error}") from None


def _frr_session(shown: Mapping[str, Any]) -> dict[str, Any]:
    """`show bgp neighbors json` (bgpd/bgp_vty.c): counts since bgpd began; hold time in seconds."""
    stats = shown["messageStats"]
    families = shown.get("addressFamilyInfo", {})
    return {
        "word": shown["bgpState"],
        "established": shown["bgpState"] == "Established",
        # Over its prefix limit it neither dials nor accepts, as if it were shut.
        "shut": bool(shown.get("adminShutDown") or shown.get("prefixesConfigExceedMax")),
        "ups": shown["connectionsEstablished"],
        "downs": shown["connectionsDropped"],
        "updates": stats["updatesSent"] + stats["updatesRecv"],
        "queued": bool(stats["depthInq"] or stats["depthOutq"]),
        "prefixes": {f: [of.get("acceptedPrefixCounter"), of.get("sentPrefixCounter")] for f, of in families.items()},
        "opens": stats["opensSent"],
        "retry": float(shown.get("connectRetryTimer", CONNECT_RETRY.seconds))
        + shown.get("bgpTimerDelayOpenTimeMsecs", 0) / 1000,
        "interval": shown.get("minBtwnAdvertisementRunsTimerMsecs", 0) / 1000,
        "hold": shown.get("bgpTimerHoldTimeMsecs", 1000 * HOLD.seconds) / 1000,
        "external": bool(shown.get("nbrExternalLink")),
        "hops": shown.get("externalBgpNbrMaxHopsAway", 255),
    }


def _gobgp_session(neighbor: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """An element of `gobgp neighbor -j` (api/gobgp.proto, Peer); what is zero is left out there."""
    state, conf = neighbor["state"], neighbor["conf"]
    counts = state.get("messages", {})
    established = state.get("session_state") == _ESTABLISHED
    return state["neighbor_address"], {
        "word": str(state.get("session_state", 0)),
        "established": established,
        "shut": bool(state.get("admin_state")),
        "ups": 0,
        "downs": state.get("flops", 0),
        # Its router counts the same messages, and is asked more often.
        "updates": 0,
        "queued": any(state.get("queues", {}).values()),
        "prefixes": {},
        "opens": counts.get("sent", {}).get("open", 0),
        "retry": GOBGP_DIAL.seconds,
        "interval": 0.0,
        "hold": float(neighbor.get("timers", {}).get("state", {}).get("negotiated_hold_time") or 90),
        "external": conf.get("peer_asn") != conf.get("local_asn"),
        "hops": neighbor.get("ebgp_multihop", {}).get("multihop_ttl") or 1,
    }
