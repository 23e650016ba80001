"""What has become of a lab's three processes (outer supervisor, PID 1, agent), seen from outside."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence

from bgpsim.exhaustion import exhausted_by_log
from bgpsim.lab.embedded.seal import AGENT_SIGNALLED, FIRST_PROCESS_SIGNALLED
from bgpsim.process_state import STOPPED, children_of, is_stopped

_END_SECONDS = 2.0
"""The supervisor's end follows that of what it waits for at once."""


class Supervision:
    """Watches the outer supervisor; the other two are its child and its child's first child."""

    def __init__(self, process: subprocess.Popen[bytes], log: Callable[[], Sequence[str]]) -> None:
        """`log`: the last lines that they wrote."""
        self._process = process
        self._log = log

    def stopped(self) -> str | None:
        """The first of them that a signal has stopped, in words; None where none is."""
        return next((f"{name} {STOPPED}" for name, pid in self._there() if is_stopped(pid)), None)

    def ended(self) -> str | None:
        """How the supervisor ended; None while it is there."""
        code = self._process.poll()
        return None if code is None else self._how(code)

    def end(self) -> str:
        """How the lab ended, once its agent is gone."""
        try:
            return self._how(self._process.wait(_END_SECONDS))
        except subprocess.TimeoutExpired:
            return self.stopped() or "its agent is gone"

    def _how(self, code: int) -> str:
        """The seal's exit code (`bgpsim.lab.embedded.seal`)."""
        if code < 0:
            return f"its supervisor was killed by {_signal(-code)}"
        if code > FIRST_PROCESS_SIGNALLED:
            return f"its PID 1 was killed by {_signal(code - FIRST_PROCESS_SIGNALLED)}"
        if code > AGENT_SIGNALLED:
            return f"its agent was killed by {_signal(code - AGENT_SIGNALLED)}"
        ran_out = exhausted_by_log(self._log())
        return "its supervisor ended" if ran_out is None else f"its agent ended: {ran_out}"

    def _there(self) -> Iterator[tuple[str, int]]:
        yield "its supervisor", self._process.pid
        for first in children_of(self._process.pid)[:1]:
            yield "its PID 1", first
            for agent in children_of(first)[:1]:
                yield "its agent", agent


def _signal(number: int) -> str:
    return signal.Signals(number).name
