"""When a lab has come to rest: an event, and never "it looks like the prediction".

A lab is at rest when nothing has moved for a quiet window (`activity.wait` of the agent), and no session has yet to
change by itself. Which those are is asked of the lab alone:

- a session whose both ends have a live BGP process, each other configured and a way there comes up, or has failed two
  complete attempts since the last event;
- one that stands at one end alone, or whose way is gone, goes down when its hold time is over;
- one whose far end runs no BGP tries for ever, and is at rest while it does;
- one that is shut, over its prefix limit, passive at both ends or has two passwords is at rest at once.

The timers of the daemons that this minds are in `bgpsim/daemon_timers.py`.

What the lab did to its links (`observe.impairments`) is asked too, for kernels do not see it: nothing passes a silent
one; a delay makes the window longer; where packets are lost, none must be on its way for another time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any, Literal

from bgpsim.agent.protocol import Agent, LabDevice
from bgpsim.daemon_timers import ACTS_ON_HOLD, SPEAKER_HOLD, SPEAKERS
from bgpsim.observe.bgp import GOBGP_WORDS
from bgpsim.observe.impairments import link_states
from bgpsim.observe.never_up import Running, read_running
from bgpsim.observe.owners import Owners, owners

ATTEMPTS = 2
"""Complete attempts after which a session that could be there is taken not to come."""
HOLD_MARGIN = ACTS_ON_HOLD.seconds
_MAX_HOPS = 32


@dataclass(frozen=True, slots=True)
class Settled:
    """`because` says what was still open when time ran out."""

    how: Literal["quiet", "timeout"]
    because: str | None
    seconds: float
    """The whole wait."""
    quiet: float
    """The part of `seconds`, at their end, in which nothing moved: the window, and what it took to see it over."""


@dataclass(frozen=True, slots=True)
class End:
    """One end of a configured session, as its own BGP process tells it."""

    device: str
    neighbor: str
    state: str
    """The process's own word."""
    established: bool
    queued: bool
    """Messages wait to be read or sent."""
    shut: bool
    opens: int
    """OPEN messages sent so far: one for each attempt that came as far as a connection."""
    retry: float
    """Seconds between two attempts."""
    hold: float
    """Seconds; negotiated where the session stands."""
    connected_only: bool
    """It tries only while its peer is on a connected network or behind a static route of FRR's (FRR's external
    neighbors with TTL 1)."""
    ttl: int
    """Of its packets: how many links they may cross."""
    far: str | None
    """The device at the other end; None where nobody owns the address."""
    link: frozenset[tuple[str, str]] | None
    """Both ends of the link that an unnumbered or link-local session runs over; None for a routed one."""
    interval: float = 0.0
    """Seconds for which it may keep routes back that it has to send."""

    @property
    def key(self) -> tuple[str, str]:
        return (self.device, self.neighbor)


def wait_settled(agent: Agent, devices: Mapping[str, LabDevice], *, quiet: float, timeout: float) -> Settled:
    """Returns once settled, or after `timeout` seconds, and the hold times that silent links make it wait for.

    `quiet`: the window, in seconds on a monotonic clock.
    """
    watched = {
        "kernels": sorted(n for n, d in devices.items() if d.role in ("router", "node", "host")),
        "routers": sorted(n for n, d in devices.items() if d.engine == "frr"),
        "nodes": sorted(n for n, d in devices.items() if d.role == "node" and d.engine == "gobgp"),
    }
    links = link_states(agent)
    quiet += 2 * links.delay
    held = 0.0
    started = moved_at = time.monotonic()
    opens: dict[tuple[str, str], int] = {}
    mark: str | None = None
    waiting: tuple[str, ...] = ()
    window = quiet
    running: Running | None = None
    while True:
        left = timeout + held - (time.monotonic() - started)
        if left <= 0:
            return Settled("timeout", ", ".join(waiting) or "time ran out", time.monotonic() - started, 0.0)
        seen = agent.call("activity.wait", timeout=left + 30, **watched, quiet=window, limit=left, known=mark)
        now = time.monotonic()
        if not seen["quiet"]:
            because = ", ".join(waiting) or f"{seen['last'] or 'something'} kept changing"
            return Settled("timeout", because, now - started, 0.0)
        ends, lab = _look(agent, devices, seen["sessions"], links.silent)
        if seen["moved"] or not opens:
            moved_at = now - seen["still"]
            opens = {end.key: end.opens for end in ends}
        if running is None and any(not end.established and not end.shut for end in ends):
            answers = agent.call("frr.show", devices=watched["routers"], commands=["show running-config"])
            running = read_running({name: told[0] for name, told in answers.items() if told is not None})
        if running is not None:
            ends = tuple(replace(e, connected_only=False) if running.anywhere(e.key) else e for e in ends)
            ends += _listeners(ends, running, lab.addresses)
        waiting = still_to_change(ends, lab.reaches, opens, now - moved_at, running)
        if links.silent:
            # A hold time may be longer than any usual wait, and nothing else ends such a session.
            held = max([held, *(end.hold + HOLD_MARGIN for end in ends if end.established and not lab.reaches(end))])
        if links.lossy:
            speaking = sorted(name for name, device in devices.items() if device.engine is not None)
            again = agent.call("impairments.retransmitting", devices=speaking)
            waiting += tuple(f"{name} sends again what was lost" for name in again)
        busy = {who: silent for who, silent in lab.hushed.items() if silent < quiet}
        if busy and not waiting:
            # A router has sent all, and its speaker has not read it all: ExaBGP takes 0.2 ms for a route.
            waiting = tuple(f"{speaker} hears from {router}" for speaker, router in sorted(busy))
            window = quiet - min(busy.values())
        if not waiting:
            return Settled("quiet", None, now - started, now - moved_at)
        mark = seen["mark"]


_STATIC = 196
"""RTPROT_ZSTATIC (zebra/rt_netlink.h): a static route of FRR's."""


class _Reaches:
    """Follows packets from device to device by each kernel's own lookup, over links that have carrier and are not
    silent."""

    def __init__(
        self,
        agent: Agent,
        known: Owners,
        carrier: frozenset[tuple[str, str]],
        hushed: Mapping[tuple[str, str], float],
    ) -> None:
        """`hushed`: by speaker and router, seconds since the last UPDATE of their session."""
        self._agent, self._known, self.carrier, self.hushed = agent, known, carrier, hushed

    def addresses(self, device: str) -> tuple[str, ...]:
        return tuple(address for address, owner in self._known.devices.items() if owner == device)

    def reaches(self, end: End) -> bool:
        """Whether packets to the neighbor's address arrive at its device."""
        if end.link is not None:
            return end.link <= self.carrier
        at, target = end.device, end.neighbor
        for hop in range(_MAX_HOPS):
            (route,) = self._agent.call("netlink.lookup", queries=[{"device": at, "target": target}])
            if route.get("kind") == "local":
                return at == end.far and hop <= end.ttl
            if route.get("kind") != "unicast" or (at, route["interface"]) not in self.carrier:
                return False
            if hop == 0 and end.connected_only and route["via"] is not None and not self._static(at, target):
                return False
            gateway = route["via"] or target
            if ip_address(gateway).is_link_local:
                following = self._known.links.get((at, route["interface"]), (None,))[0]
            else:
                following = self._known.devices.get(gateway)
            if following is None:
                return False
            at = following
        return False

    def _static(self, device: str, target: str) -> bool:
        return bool(self._agent.call("netlink.installed_by", device=device, target=target) == _STATIC)


def _look(
    agent: Agent,
    devices: Mapping[str, LabDevice],
    sessions: Mapping[str, Mapping[str, Any]],
    silent: frozenset[tuple[str, str]],
) -> tuple[tuple[End, ...], _Reaches]:
    dumps = agent.call("netlink.dump", devices=sorted(n for n, d in devices.items() if d.role != "pod"), routes=False)
    known = owners(dumps, agent.call("nodes.links"))
    carrier = frozenset(
        (name, link["ifname"]) for name, dump in dumps.items() for link in dump["links"] if "LOWER_UP" in link["flags"]
    )
    ends = [
        _end(name, devices[name].engine == "frr", neighbor, told, known)
        for name, of in sessions.items()
        for neighbor, told in of.items()
    ]
    hushed = {}
    if any(device.role == "speaker" for device in devices.values()):
        for told in agent.call("speaker.alive"):
            if told["speaker"] not in devices:
                continue
            ends.append(_speaker_end(told, known))
            hushed[told["speaker"], told["router"]] = told["silent"]
    return tuple(ends), _Reaches(agent, known, carrier - silent, hushed)


def _end(device: str, frr: bool, neighbor: str, told: Mapping[str, Any], known: Owners) -> End:
    far, link = _far(device, neighbor, known)
    ttl = told["hops"] if told["external"] else 255
    return End(
        device,
        neighbor,
        state=GOBGP_WORDS[int(word)] if (word := told["word"]).isdecimal() else word,
        established=told["established"],
        queued=told["queued"],
        shut=told["shut"],
        opens=told["opens"],
        # FRR 8.4 never dials a link-local address (bgpd/bgp_nht.c, "Unable to locate ifindex"): its speaker must.
        retry=math.inf if frr and _is_link_local(neighbor) else told["retry"],
        hold=told["hold"],
        # GoBGP looks at no route: a loopback of the next router is one link away, and TTL 1 gets there.
        connected_only=frr and ttl <= 1,
        ttl=ttl,
        far=far,
        link=link,
        interval=told["interval"],
    )


def _listeners(ends: Iterable[End], running: Running, addresses: Callable[[str], tuple[str, ...]]) -> tuple[End, ...]:
    """The ends that a listen range has for those who have not connected yet: bgpd shows none."""
    every = tuple(ends)
    known = {(end.device, end.far) for end in every}
    found = []
    for end in every:
        if end.far is None or end.established or end.shut or (end.far, end.device) in known:
            continue
        caller = running.caller(end.far, addresses(end.device), end.key)
        if caller is not None:
            found.append(
                replace(
                    end, device=end.far, neighbor=caller, far=end.device, state="listening", opens=0, retry=math.inf
                )
            )
    return tuple(found)


def _speaker_end(told: Mapping[str, Any], known: Owners) -> End:
    speaker, router = told["speaker"], told["router"]
    between = (frozenset((near, far)) for near, far in known.links.items() if (near[0], far[0]) == (speaker, router))
    return End(
        speaker,
        router,
        state="up" if told["established"] else "down",
        established=told["established"],
        queued=False,
        shut=not told["alive"],
        opens=0,
        retry=SPEAKERS[told["program"]].seconds,
        hold=SPEAKER_HOLD.seconds,
        connected_only=True,
        ttl=1,
        far=router,
        link=next(between, None),
    )


def _far(device: str, neighbor: str, known: Owners) -> tuple[str | None, frozenset[tuple[str, str]] | None]:
    """The device at the other end, and the link of a session that runs over one link."""
    near: tuple[str, str] | None = (device, neighbor)
    if _is_link_local(neighbor):
        owner = known.on_link(neighbor, device)
        near = None if owner is None else known.links.get(owner)
    elif _is_address(neighbor):
        return known.devices.get(neighbor), None
    far = None if near is None else known.links.get(near)
    if near is None or far is None:
        return None, None
    return far[0], frozenset((near, far))


def _is_address(neighbor: str) -> bool:
    """Else it is an interface."""
    try:
        ip_address(neighbor)
    except ValueError:
        return False
    return True


def _is_link_local(neighbor: str) -> bool:
    return _is_address(neighbor) and ip_address(neighbor).is_link_local


def still_to_change(
    ends: Iterable[End],
    reaches: Callable[[End], bool],
    opens: Mapping[tuple[str, str], int],
    elapsed: float,
    running: Running | None = None,
) -> tuple[str, ...]:
    """What is sure to change by itself, in words. `opens` as they were at the last event, `elapsed` seconds ago.
    `running`: what the routers' configurations say, if they were asked."""
    every = sorted(ends, key=lambda end: end.key)
    waiting = []
    for end in every:
        others = [other for other in every if (other.device, other.far, other.link) == (end.far, end.device, end.link)]
        if end.established and end.queued:
            waiting.append(f"{end.device} {end.neighbor} has messages queued")
        elif end.established:
            alike = [e for e in every if (e.device, e.far, e.link) == (end.device, end.far, end.link) and e.established]
            standing = sum(other.established for other in others)
            if standing >= len(alike) and reaches(end):
                if elapsed <= end.interval:
                    waiting.append(f"{end.device} {end.neighbor} may keep routes back for {end.interval:.0f} s")
                continue
            if elapsed <= end.hold + HOLD_MARGIN:
                waiting.append(f"{end.device} {end.neighbor} waits for its hold time")
            continue
        open_ends = (other for other in others if not other.shut and not other.established)
        if end.shut or not any(running is None or running.fits(end.key, other.key) for other in open_ends):
            continue
        group = [end, *others]
        if max(e.opens - opens.get(e.key, 0) for e in group) >= ATTEMPTS:
            continue
        if elapsed > ATTEMPTS * min(e.retry for e in group):
            continue
        if reaches(end) and all(reaches(other) for other in others):
            waiting.append(f"{end.device} {end.neighbor} is {end.state} and may come up")
    return tuple(waiting)
