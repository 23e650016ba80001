"""The wait for GoBGP's random dial, seen from outside and alike for the lab and its floor.

A GoBGP that only dials waits a random 5 to 9 seconds before it does, whatever is asked of it. The wait is the time
from the start of the last gobgpd process to its TCP connection with its router, or the last of all if another one
came later. Both moments are the kernel's: the process's start time, and a connection to port 179 that stands in the
node's /proc/PID/net/tcp. So neither side's own word is needed, and what either does before (start the nodes one by
one) or after (exchange routes, notice it) is not taken off.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass

_LOOK_FOR_PROCESSES = 0.1
_LOOK_FOR_CONNECTIONS = 0.02
_ESTABLISHED = "01"
_BGP = ":00B3"


@dataclass(frozen=True, slots=True)
class Dial:
    """On the monotonic clock."""

    started: float
    connected: float

    @property
    def seconds(self) -> float:
        return self.connected - self.started


class DialWatch:
    """Watches the gobgpd processes below one process until they all have a connection."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._dial: Dial | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, pid: int) -> None:
        self._thread = threading.Thread(target=self._watch, args=(pid,), daemon=True)
        self._thread.start()

    def result(self) -> Dial | None:
        """None where not all of them were seen to connect."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        return self._dial

    def _watch(self, root: int) -> None:
        speakers: set[int] = set()
        while len(speakers) < self._expected:
            if self._stop.wait(_LOOK_FOR_PROCESSES):
                return
            speakers = {pid for pid in _named("gobgpd") if _descends(pid, root)}
        started = max(map(_start_time, speakers))
        connected: dict[int, float] = {}
        while len(connected) < self._expected:
            for pid in speakers - connected.keys():
                if has_session(_read(f"/proc/{pid}/net/tcp")):
                    connected[pid] = time.monotonic()
            if self._stop.wait(_LOOK_FOR_CONNECTIONS):
                return
        self._dial = Dial(started, max(connected.values()))


def has_session(table: str) -> bool:
    """Whether this /proc/PID/net/tcp has an established connection to a BGP port (proc(5))."""
    rows = (line.split() for line in table.splitlines()[1:])
    return any(row[2].endswith(_BGP) and row[3] == _ESTABLISHED for row in rows)


def _read(path: str) -> str:
    """Empty for a process that has ended."""
    try:
        with open(path) as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""


def _named(name: str) -> list[int]:
    return [
        int(entry) for entry in os.listdir("/proc") if entry.isdigit() and _read(f"/proc/{entry}/comm") == f"{name}\n"
    ]


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on."""
    return _read(f"/proc/{pid}/stat").rpartition(")")[2].split()


def _descends(pid: int, root: int) -> bool:
    while pid > 1:
        if pid == root:
            return True
        fields = _stat(pid)
        pid = int(fields[1]) if fields else 0
    return False


def _start_time(pid: int) -> float:
    """When the process was forked, to a hundredth of a second, on the monotonic clock."""
    fields = _stat(pid)
    since_boot = int(fields[19]) / os.sysconf("SC_CLK_TCK") if fields else time.clock_gettime(time.CLOCK_BOOTTIME)
    return since_boot - (time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic())
