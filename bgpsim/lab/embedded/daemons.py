"""The daemons of a lab's routers, known by pid: watchfrr would bring a dead bgpd back without its configuration."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable, Mapping, Sequence

from bgpsim.agent.protocol import Agent
from bgpsim.errors import DeviceDied

_OF_A_ROUTER = frozenset(
    """babeld bfdd bgpd eigrpd fabricd isisd ldpd mgmtd nhrpd ospf6d ospfd pathd pbrd pim6d pimd ripd ripngd sharpd
    staticd vrrpd watchfrr zebra""".split()
)
"""By their command names (tools/frrcommon.sh.in, DAEMONS)."""
_LOST = re.compile(r"watchfrr\[\d+\]: .* (\w+) state -> (?:down|unresponsive) : (?!initial connection)(.*)")
"""watchfrr/watchfrr.c, daemon_down: not what it says at its start, when there is no daemon yet."""
_ANEW = re.compile(r"watchfrr\[\d+\]: .*Forked background command.* restart (?!all)(\w+)")
"""One that ended before watchfrr had ever reached it."""
_STARTS = re.compile(r"watchfrr\[\d+\]: .*watchfrr \S+ starting")
_LOG_LINES = 12
_TRACE_LINES = 40
"""A crash's trace is about thirty lines, and its first one says which signal it was."""


class RouterDaemons:
    """Remembers those that run when a router has come up, and tells when one of them has ended."""

    def __init__(self) -> None:
        self._pids: dict[str, dict[str, int]] = {}

    def remember(self, agent: Agent, routers: Iterable[str]) -> None:
        """Raises DeviceDied for one that ended while its router came up: what watchfrr started is not configured."""
        running = agent.call("health.running")
        for router in routers:
            self._pids[router] = {name: int(pid) for pid, name in running[router].items() if name in _OF_A_ROUTER}
            lost = _lost(agent.call("nodes.log", device=router), self._pids[router])
            if lost is not None:
                raise DeviceDied(f"{router}: {lost}", log=_log(agent, router))

    def forget(self, router: str) -> None:
        self._pids.pop(router, None)

    def check(self, agent: Agent) -> None:
        """Raises DeviceDied for one that has ended by itself, here or among those that the lab started."""
        for ended in agent.call("daemons.ended"):
            raise DeviceDied(
                f"{ended['device']}: {ended['name']} ended by itself ({_how(ended['exit_code'])})",
                log=tuple(ended["log"]),
            )
        running = agent.call("health.running")
        for router, daemons in sorted(self._pids.items()):
            lost = [name for name, pid in sorted(daemons.items()) if running.get(router, {}).get(str(pid)) != name]
            if lost:
                raise DeviceDied(f"{router}: {_first(agent, router, lost)} ended by itself", log=_log(agent, router))


def _lost(said: Iterable[str], running: Mapping[str, int]) -> str | None:
    """What ended while a router came up, in words; told by watchfrr, whose own end nobody tells."""
    started = False
    for line in said:
        if (lost := _LOST.search(line)) is not None:
            return f"{lost[1]} ended by itself ({lost[2]})"
        if (anew := _ANEW.search(line)) is not None:
            return f"{anew[1]} ended by itself"
        started = started or _STARTS.search(line) is not None
    return "watchfrr ended by itself" if started and running and "watchfrr" not in running else None


def _first(agent: Agent, router: str, lost: Sequence[str]) -> str:
    """Where several are gone: watchfrr ends the others too when it has lost zebra, and says which one it lost."""
    if len(lost) > 1:
        for line in agent.call("nodes.log", device=router):
            said = _LOST.search(line)
            if said is not None and said[1] in lost:
                return said[1]
    return lost[0]


def _log(agent: Agent, router: str) -> tuple[str, ...]:
    """The last that its daemons said, a crash's trace included, and the daemons that are left."""
    said: list[str] = agent.call("nodes.log", device=router)
    crash = next((number for number, line in enumerate(said) if "Received signal" in line), None)
    running = agent.call("nodes.processes", device=router)
    left = ", ".join(sorted(set(running.values()))) or "nothing"
    last = said[-_LOG_LINES:] if crash is None else said[crash:][:_TRACE_LINES]
    return (*last, f"still running on {router}: {left}")


def _how(exit_code: int) -> str:
    return f"exit code {exit_code}" if exit_code >= 0 else f"killed by {signal.Signals(-exit_code).name}"
