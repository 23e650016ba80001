"""All memory of a lab beside that of its routers' daemons: proportional set sizes, summed over processes.

The proportional set size (proc(5), smaps_rollup) counts a page that several processes share once in all. Everything
from the command `bgpsim run` down is the lab: the command itself with its model and report, the supervisor, the agent,
an init and a `sleep` per node, and the daemons, which any lab of these routers has.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.commands import CommandFailed
from benchmarks.figures import Parts
from benchmarks.large_labs import STEP, Written
from benchmarks.seed_lab import run_scenario

DAEMONS = ("bgpd", "zebra", "staticd", "watchfrr")
_PAUSE = 0.5
"""Seconds between two looks, each of which takes the kernel some tenths."""


@dataclass(frozen=True, slots=True)
class Look:
    """Process name -> KiB, at one moment."""

    of: Mapping[str, int]
    routers: int
    """How many bgpd there were."""

    @property
    def total(self) -> int:
        return sum(self.of.values())

    @property
    def daemons(self) -> int:
        return sum(kib for name, kib in self.of.items() if name in DAEMONS)


def measure(files: Written, routers: int) -> Look:
    """The moment at which the lab, with all its routers there, had most memory. Raises CommandFailed without one.

    While FRR starts, a vtysh per router (some 5 MiB each) reads its configuration, and daemons are still small: a lab's
    routers are there when all of these have ended.
    """
    watch = _Watch()
    try:
        run_scenario(str(files.scenario), watch.start, ("--step", STEP))
    finally:
        looks = watch.stop()
    complete = [look for look in looks if look.routers == routers and "vtysh" not in look.of]
    if not complete:
        raise CommandFailed(f"the memory of {routers} routers could not be read")
    return max(complete, key=lambda look: look.total)


def parts(look: Look, what: str) -> Parts:
    """In MiB."""
    names = {"bgpsim": "bgpsim run: model, report", "python": "supervisor", "tini": "inits", "sleep": "sleeps of nodes"}
    shown: Counter[str] = Counter()
    for name, kib in look.of.items():
        known = name if name in DAEMONS else names.get(name, "agent" if name.startswith("python") else "the rest")
        shown[known] += kib
    return Parts(what, tuple((name, kib / 1024) for name, kib in shown.most_common()), unit="MiB")


class _Watch:
    def __init__(self) -> None:
        self._looks: list[Look] = []
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, pid: int) -> None:
        self._thread = threading.Thread(target=self._watch, args=(pid,), name="memory", daemon=True)
        self._thread.start()

    def stop(self) -> list[Look]:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        return self._looks

    def _watch(self, root: int) -> None:
        while not self._ended.wait(_PAUSE):
            self._looks.append(look(root))


def look(root: int) -> Look:
    """The process and all below it."""
    names, below = _processes()
    found: Counter[str] = Counter()
    routers = 0
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        waiting += below.get(pid, ())
        kib = _pss(pid)
        if kib is not None and pid in names:
            found[names[pid]] += kib
            routers += names[pid] == "bgpd"
    return Look(found, routers)


def _processes() -> tuple[dict[int, str], dict[int, list[int]]]:
    """pid -> name, and parent -> children (proc(5), stat)."""
    names: dict[int, str] = {}
    below: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as stat:
                    before, after = stat.read().rsplit(")", 1)
            except OSError:
                continue
            names[int(entry)] = before.split("(", 1)[1]
            below.setdefault(int(after.split()[1]), []).append(int(entry))
    return names, below


def _pss(pid: int) -> int | None:
    try:
        with open(f"/proc/{pid}/smaps_rollup") as rollup:
            return next((int(line.split()[1]) for line in rollup if line.startswith("Pss:")), None)
    except OSError:
        return None  # it has ended meanwhile
