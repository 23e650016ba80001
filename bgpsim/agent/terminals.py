"""Commands that somebody outside talks to: on a terminal of the device's own, or through pipes.

The other end of the terminal or the pipes is handed out as descriptors, so what is typed and shown passes through no
process of bgpsim's, and a reader who stops stops nobody else.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import signal
import struct
import subprocess
import termios
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bgpsim.agent.namespaces import ENVIRONMENT, Namespaces
from bgpsim.agent.server import WithDescriptors
from bgpsim.errors import LabError

# asm-generic/ioctls.h: unlock a terminal's other end, and open it, whatever mount namespace its name is in.
_TIOCSPTLCK = 0x40045431
_TIOCGPTPEER = 0x5441
_SECONDS_TO_END = 2.0


class TerminalService:
    """Methods `terminal.*`."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "terminal.open": self.open,
            "terminal.run": self.run,
            "terminal.signal": self.signal,
            "terminal.end": self.end,
        }

    def open(
        self, device: str, command: Sequence[str], rows: int, columns: int, env: Mapping[str, str] | None = None
    ) -> WithDescriptors:
        """Run a command on a new terminal of the device; its number, and the terminal's controlling end.

        The last descriptor of this and of `run` says how it ended: one byte, its exit code; 128 and the signal's number
        where a signal ended it, as shells say it.
        """
        master = os.open(self._namespaces.root(device) / "dev/pts/ptmx", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            fcntl.ioctl(master, _TIOCSPTLCK, struct.pack("i", 0))
            slave = fcntl.ioctl(master, _TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
            fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            try:
                # setsid inside: Ctrl-C is for the command, not for the nsenter that waits for it.
                number, ended = self._start(device, ["setsid", "--ctty", "--wait", *command], (slave,) * 3, env)
            finally:
                os.close(slave)
        except BaseException:
            os.close(master)
            raise
        return WithDescriptors(number, (master, ended))

    def run(self, device: str, command: Sequence[str], env: Mapping[str, str] | None = None) -> WithDescriptors:
        """Run a command with pipes; its number, and its stdin (to write), stdout and stderr (to read)."""
        pipes = [os.pipe2(os.O_CLOEXEC) for _ in range(3)]
        (stdin, to_stdin), (from_stdout, stdout), (from_stderr, stderr) = pipes
        ours, theirs = (to_stdin, from_stdout, from_stderr), (stdin, stdout, stderr)
        try:
            number, ended = self._start(device, command, theirs, env)
        except BaseException:
            for descriptor in ours:
                os.close(descriptor)
            raise
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        return WithDescriptors(number, (*ours, ended))

    def _start(
        self, device: str, command: Sequence[str], stdio: tuple[int, ...], env: Mapping[str, str] | None
    ) -> tuple[int, int]:
        process = subprocess.Popen(
            [*self._namespaces.enter_command(device), *command],
            stdin=stdio[0],
            stdout=stdio[1],
            stderr=stdio[2],
            env={**ENVIRONMENT, **(env or {})},
            start_new_session=True,
        )
        ended_read, ended_write = os.pipe2(os.O_CLOEXEC)
        with self._lock:
            number = next(self._numbers)
            self._running[number] = process
        threading.Thread(target=self._tell_end, args=(number, process, ended_write), daemon=True).start()
        return number, ended_read

    def _tell_end(self, number: int, process: subprocess.Popen[bytes], ended: int) -> None:
        code = process.wait()
        with self._lock:
            self._running.pop(number, None)
        with contextlib.suppress(BrokenPipeError):
            os.write(ended, bytes([code if code >= 0 else 128 - code]))
        os.close(ended)

    def signal(self, number: int, signal_number: int) -> None:
        """To the command and what it started in its group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process(number).pid, signal_number)

    def end(self, number: int) -> None:
        """Nobody is there any more: hang up, and kill what does not end."""
        with self._lock:
            process = self._running.get(number)
        if process is None:
            return
        for number_of_signal in (signal.SIGHUP, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number_of_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=_SECONDS_TO_END)
                return

    def _process(self, number: int) -> subprocess.Popen[bytes]:
        with self._lock:
            process = self._running.get(number)
        if process is None:
            raise LabError(f"no command {number} runs in the lab")
        return process
