"""Run one command to its end: how long it took, what it printed when, and how much memory it had."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

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
    """The largest resident set of it and of the processes that it waited for. Not less than that of this process when
    it was started: a child begins with its parent's (getrusage(2), ru_maxrss, is kept over execve)."""

    exit_code: int
    errors: str
    """The end of what it said on stderr."""

    @property
    def output(self) -> str:
        return "\n".join(line for _, line in self.lines)


def run(command: Sequence[str | Path], *, running: Callable[[int], None] | None = None, check: bool = True) -> Finished:
    """`running` is told the pid once. `check`: raise CommandFailed where the exit code is not 0."""
    with tempfile.TemporaryFile() as errors:
        started = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT)
        assert process.stdout is not None
        try:
            if running is not None:
                running(process.pid)
            with process.stdout as output:
                lines = tuple((time.monotonic() - started, line.decode().rstrip("\n")) for line in output)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
        seconds = time.monotonic() - started
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip()[-600:]
    if check and process.returncode != 0:
        raise CommandFailed(f"{Path(command[0]).name}: exit code {process.returncode}: {said}")
    return Finished(started, seconds, lines, usage.ru_maxrss, process.returncode, said)
