"""Nodes that lose their power and are made anew. Runs inside the lab.

A node without power sends nothing more: its processes are stopped first, then its links go down (the neighbors lose
carrier, their interfaces stay), then it is killed. `docker stop` would let bgpd close its sessions, and would take the
neighbors' ends of the links away with it. The links' ends wait in the old network namespace, which a process that
does nothing holds, until the new node gets them: with their addresses, MAC and neighbors' ends gone or kept as after a
cold start.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bgpsim.agent.namespaces import ENVIRONMENT, Namespaces
from bgpsim.agent.processes import DaemonService
from bgpsim.errors import LabError
from bgpsim.lab.embedded.nodes import NodeService, ip_batch, place_of

_PATIENCE = 10.0
"""Seconds until a killed node's init must be gone."""


class PowerService:
    """Methods `power.*`."""

    def __init__(self, namespaces: Namespaces, nodes: NodeService, daemons: DaemonService) -> None:
        self._namespaces, self._nodes, self._daemons = namespaces, nodes, daemons
        self._holders: dict[str, subprocess.Popen[bytes]] = {}

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        return {"power.off": self.off, "power.on": self.on}

    def off(self, device: str, others: Sequence[str]) -> None:
        """Take a device away with the containers that live on it (pods, containers in its network namespace)."""
        members = (device, *others)
        inits = [self._namespaces.pid(name) for name in members]
        for name in members:
            _signal(self._namespaces.processes(name), signal.SIGSTOP)
        with self._namespaces.enter_network(device):
            _all_links_down()
            # A process starts in the network namespace of the thread that starts it.
            holder = subprocess.Popen(["sleep", "infinity"], env=ENVIRONMENT, stdin=subprocess.DEVNULL)
        _signal(inits, signal.SIGKILL)
        for name in members:
            # A PID namespace ends when all of it is reaped: what started a daemon from outside must not be in the way.
            self._daemons.forget(name)
        deadline = time.monotonic() + _PATIENCE
        while any(map(_is_there, inits)):
            if time.monotonic() > deadline:
                raise LabError(f"{device} did not end within {_PATIENCE:.0f} s")
            time.sleep(0.001)
        for name in members:
            self._nodes.forget(name)
        self._holders[device] = holder
        self._namespaces.add(device, holder.pid)

    def on(self, nodes: Sequence[Mapping[str, Any]], links: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Make the device (the first of `nodes`) and its containers anew, and give it its links' ends back.

        `links` as `nodes.wire`, all that have an end at one of these. Returns those that had to be made anew, since
        they were deleted or had both ends here.
        """
        device = nodes[0]["name"]
        holder = self._holders.pop(device)
        with self._namespaces.enter_network(device):
            kept = {link["ifname"] for link in _links()}
        for node in nodes:
            shutil.rmtree(place_of(node["name"]), ignore_errors=True)
        # Until the first of them is made, the name stands for what holds the old namespace.
        self._nodes.create(nodes)
        new = self._namespaces.pid(device)
        moved, made = [], []
        for link in links:
            ends = ((link["a"], link["a_interface"]), (link["b"], link["b_interface"]))
            own = [interface for name, interface in ends if name == device and interface in kept]
            if own and not all(name in {node["name"] for node in nodes} for name, _ in ends):
                moved.append(f"link set dev {own[0]} netns {new}")
            else:
                made.append(link)
        ip_batch(["nsenter", "-t", str(holder.pid), "-n", "--", "ip", "-batch", "-"], moved)
        self._nodes.connect(made)
        holder.kill()
        holder.wait()
        return made


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _is_there(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _links() -> list[dict[str, Any]]:
    done = subprocess.run(["ip", "-j", "link"], capture_output=True, text=True, env=ENVIRONMENT, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    return found


def _all_links_down() -> None:
    """Of the calling thread's network namespace, in one go."""
    ip_batch(["ip", "-batch", "-"], [f"link set dev {link['ifname']} down" for link in _links()])
