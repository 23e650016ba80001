"""The processes that soak started, whichever became of their parents, and which of them is which."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from bgpsim.keeper.places import start_of
from bgpsim.process_state import children_of, state_of

_PR_SET_CHILD_SUBREAPER = 36
_MODULES = {
    "supervisor": "bgpsim.lab.embedded.seal",
    "agent": "bgpsim.lab.embedded.inside",
    "relay": "bgpsim.agent.relay",
    "sender": "bgpsim.agent.stream.sender",
    "watcher": "bgpsim.agent.stream.watcher",
    "keeper": "bgpsim.keeper.process",
}
_COMMANDS = ("tini", "watchfrr", "zebra", "bgpd", "staticd", "gobgpd")


def adopt() -> None:
    """Whatever this process's descendants leave behind becomes its child: nothing can hide."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def family(pid: int) -> Iterator[int]:
    """Its descendants, those that have ended left out."""
    children: set[int] = set()
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                children |= {int(child) for child in (task / "children").read_text().split()}
    for child in sorted(children):
        state = state_of(child)
        if state is not None and state.letter != "Z":
            yield child
        yield from family(child)


def take_in(mine: frozenset[int] = frozenset()) -> None:
    """Ended orphans of descendants; `mine` are asked by somebody else."""
    for child in children_of(os.getpid()):
        if child not in mine:
            try:
                os.waitpid(child, os.WNOHANG)
            except ChildProcessError:
                continue


def left(seconds: float) -> tuple[str, ...]:
    """Command lines of descendants that are still there after so long."""
    deadline = time.monotonic() + seconds
    while True:
        take_in()
        there = list(family(os.getpid()))
        if not there or time.monotonic() > deadline:
            return tuple(f"process {pid} {' '.join(words(pid))[:120]}" for pid in there)
        time.sleep(0.05)


def of_role(root: int, role: str) -> list[int]:
    """The processes below `root` that are a `bgpd`, the `agent` …

    Of a role that is there once it is the oldest: what it forks looks as it does until it runs something else.
    """
    found = [pid for pid in family(root) if _is(pid, role)]
    return found if role in _COMMANDS else sorted(found, key=lambda pid: start_of(pid) or 0)[:1]


def _is(pid: int, role: str) -> bool:
    argv = words(pid)
    state = state_of(pid)
    if state is None or state.name == "nsenter" or not argv:
        return False
    if role in _COMMANDS:
        return state.name == role
    if role == "PID 1":
        # A fork of the supervisor, and PID 1 of the namespace that is the agent's.
        return _MODULES["supervisor"] in argv and _numbers(pid)[1:] == [1]
    if role == "supervisor":
        return _MODULES["supervisor"] in argv and len(_numbers(pid)) == 1
    if role == "exabgp":
        return "exabgp" in argv
    if role == "API process":
        return any(word.endswith("api_process.py") for word in argv) and "exabgp" not in argv
    return _MODULES.get(role) in argv


def device_of(pid: int) -> str | None:
    """The device of the lab that has a root of its own and this process in it."""
    try:
        found = re.search(r"upperdir=/nodes/([^,/]+)/upper", Path(f"/proc/{pid}/mountinfo").read_text())
    except OSError:
        return None
    return found[1].replace("%", "/") if found else None


def words(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    except OSError:
        return []


def _numbers(pid: int) -> list[int]:
    """In each PID namespace, the outermost first."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return []
    found = re.search(r"^NSpid:\t(.*)$", text, re.M)
    return [int(number) for number in found[1].split()] if found else []
