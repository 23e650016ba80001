"""Whether a process runs, is stopped or has ended, by its own `/proc/PID/stat` (proc_pid_stat(5))."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

STOPPED = "is stopped (SIGSTOP)"
"""What every message says of a stopped process."""


@dataclass(frozen=True, slots=True)
class ProcessState:
    name: str
    letter: str
    """R, S, D …; T where a signal stopped it, Z where it has ended and nobody has taken it in."""
    on_terminal: bool
    """It has a controlling terminal: a shell there may stop it (Ctrl-Z), and that is nobody else's affair."""

    @property
    def stopped(self) -> bool:
        return self.letter == "T"


def state_of(pid: int) -> ProcessState | None:
    """None where there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    before, after = text.rsplit(")", 1)
    fields = after.split()
    return ProcessState(before.split("(", 1)[1], fields[0], fields[4] != "0")


def is_stopped(pid: int) -> bool:
    found = state_of(pid)
    return found is not None and found.stopped


def children_of(pid: int) -> list[int]:
    """Of its main thread, the oldest first; none where it has ended or the kernel does not tell."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
