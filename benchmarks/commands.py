"""Run one command to its end: how long it took, what it printed when, and how much memory it had."""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_LOOK = 0.005
"""Seconds between two looks at a process's memory."""
ROOT = Path(__file__).resolve().parent.parent


class CommandFailed(Exception):
    """A command that is measured did not do its work, so that there is nothing to measure."""


@dataclass(frozen=True, slots=True)
class Finished:
    started: float
    """On the monotonic clock."""
    seconds: float
    lines: tuple[tuple[float, str], ...]
    """Each line of its output, and the seconds from its start until it was there."""
    peak_kib: int
    """Its largest resident set. Not from getrusage(2), whose ru_maxrss a child keeps from its parent over execve."""
    exit_code: int
    errors: str
    """The end of what it said on stderr."""

    @property
    def output(self) -> str:
        return "\n".join(line for _, line in self.lines)


class _Peak:
    """Looks at a process's high-water mark (proc(5), VmHWM) until it ends: the kernel keeps it no longer."""

    def __init__(self, pid: int) -> None:
        self.kib = 0
        self._status = Path(f"/proc/{pid}/status")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="peak", daemon=True)

    def __enter__(self) -> _Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.is_set():
            try:
                lines = self._status.read_text().splitlines()
            except OSError:
                return
            self.kib = max([self.kib, *(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))])
            self._ended.wait(_LOOK)


def run(command: Sequence[str | Path], *, running: Callable[[int], None] | None = None, check: bool = True) -> Finished:
    """`running` is told the pid once. `check`: raise CommandFailed where the exit code is not 0."""
    with tempfile.TemporaryFile() as errors:
        started = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT)
        assert process.stdout is not None
        try:
            if running is not None:
                running(process.pid)
            with _Peak(process.pid) as peak, process.stdout as output:
                lines = tuple((time.monotonic() - started, line.decode().rstrip("\n")) for line in output)
                process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
        seconds = time.monotonic() - started
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip()[-600:]
    if check and process.returncode != 0:
        raise CommandFailed(f"{Path(command[0]).name}: exit code {process.returncode}: {said}")
    return Finished(started, seconds, lines, peak.kib, process.returncode, said)
