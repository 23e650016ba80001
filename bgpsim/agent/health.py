"""Whether the lab is well: no process is stopped, and its disk has room.

A stopped process keeps its sockets open and answers nothing, so that whoever asks it waits for a time limit that says
nothing of the cause.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bgpsim.agent.namespaces import Namespaces
from bgpsim.errors import LabError, ProcessStopped
from bgpsim.process_state import STOPPED, state_of

_DISK = "/nodes"
"""Where the nodes' own files lie in the embedded lab; it is not there in another one."""
_OWN_NAMES = {
    b"bgpsim.agent.relay": "the relay",
    b"bgpsim.agent.stream.sender": "the stream's sender",
    b"bgpsim.agent.stream.watcher": "the stream's watcher",
}


class HealthService:
    """Methods `health.*`."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        return {"health.check": self.check, "health.running": self.running}

    def running(self) -> dict[str, dict[str, str]]:
        """Per device, its live processes: pid -> command name. One look at /proc for all of them."""
        of: dict[str, dict[str, str]] = {name: {} for name in self._namespaces.names()}
        for device, pid in _members(self._namespaces):
            state = None if device is None else state_of(pid)
            if device is not None and state is not None and state.letter != "Z":
                of[device][str(pid)] = state.name
        return of

    def check(self) -> None:
        """Raises ProcessStopped for a process that a signal stopped, LabError for a disk without room."""
        stopped = sorted(filter(None, (_stopped(self._namespaces, *member) for member in _members(self._namespaces))))
        if stopped:
            raise ProcessStopped(f"{stopped[0]} {STOPPED}", hint="others too: " + ", ".join(stopped[1:]) or None)
        try:
            room = os.statvfs(_DISK).f_bavail
        except FileNotFoundError:
            return
        if room == 0:
            raise LabError("no space left on device: the lab's disk is full", hint="the files of its nodes fill it")


def _members(namespaces: Namespaces) -> Iterator[tuple[str | None, int]]:
    """Every process that the agent sees, with its device; None: the lab's own."""
    own = os.readlink("/proc/self/ns/pid")
    devices = {}
    for name in namespaces.names():
        try:
            devices[os.readlink(f"/proc/{namespaces.pid(name)}/ns/pid")] = name
        except (FileNotFoundError, ProcessLookupError):
            continue
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            of = os.readlink(f"/proc/{entry}/ns/pid")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if of in devices:
            yield devices[of], int(entry)
        elif of == own:
            yield None, int(entry)


def _stopped(namespaces: Namespaces, device: str | None, pid: int) -> str | None:
    """Its name, where it is stopped and that is anybody's affair."""
    state = state_of(pid)
    # What waits in the lab for a daemon that it started (nsenter) stops with it, and says less.
    if state is None or not state.stopped or state.on_terminal or state.name == "nsenter":
        return None
    if device is None:
        return "the lab's PID 1" if pid == 1 else _own_name(pid, state.name)
    return f"{device}: {'its init' if pid == namespaces.pid(device) else _own_name(pid, state.name)}"


def _own_name(pid: int, name: str) -> str:
    """Of Python programs the command's name says nothing."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return name
    for word, own in _OWN_NAMES.items():
        if word in words:
            return own
    if any(word.endswith(b"api_process.py") for word in words):
        return "ExaBGP's API process"
    return "ExaBGP" if b"exabgp" in words else name
