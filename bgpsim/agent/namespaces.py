"""The devices of a lab as the agent sees them: a name and the process whose namespaces it is."""

from __future__ import annotations

import errno
import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from bgpsim.agent.kernel import container, network_namespace
from bgpsim.errors import DeviceDied, LabError, ProcessStopped
from bgpsim.process_state import STOPPED, state_of

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8", "TERM": "dumb"}

_LOOKS_EVERY = 1.0
"""Seconds between two looks at whether something in a device is stopped, while a command there goes on."""
_PF_EXITING = 0x4
"""include/linux/sched.h"""


class Namespaces:
    """Device name -> pid of its init, in the agent's own PID namespace."""

    def __init__(self) -> None:
        self._pids: dict[str, int] = {}
        self.probing = threading.Lock()
        """Held by who sends probes or traces: their sockets stand in every namespace, and two would be in each other's
        way."""

    def add(self, name: str, pid: int) -> None:
        self._pids[name] = pid

    def remove(self, name: str) -> None:
        self._pids.pop(name, None)

    def names(self) -> tuple[str, ...]:
        return tuple(self._pids)

    def pid(self, name: str) -> int:
        """Raises LabError for a name that is not there."""
        try:
            return self._pids[name]
        except KeyError:
            raise LabError(f"no device {name!r} in the lab; there are {', '.join(sorted(self._pids))}") from None

    def root(self, name: str) -> Path:
        """The device's root file system, seen from the agent."""
        return Path(f"/proc/{self.pid(name)}/root")

    @contextmanager
    def enter_network(self, name: str) -> Iterator[None]:
        """Sockets that the calling thread opens within the block belong to the device.

        Raises DeviceDied where the device's init is gone, and its namespace with it.
        """
        with ExitStack() as stack:
            try:
                stack.enter_context(network_namespace(self.pid(name)))
            except (FileNotFoundError, ProcessLookupError):
                raise DeviceDied(f"{name} ended by itself: its init is gone") from None
            yield

    def enter_command(self, name: str) -> list[str]:
        """What stands before a command line to run it in all of the device's namespaces."""
        return ["nsenter", "-t", str(self.pid(name)), "-m", "-u", "-i", "-n", "-p", "--"]

    def run(
        self,
        name: str,
        argv: Sequence[str],
        *,
        stdin: str | None = None,
        timeout: float = 60.0,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a device to its end; stderr is mixed into stdout as it comes.

        What it leaves behind may go on writing and is not waited for: FRR 10's daemons keep the output of their start.

        Exit code 127 where there is no such command. Raises DeviceDied where the device's init is gone, LabError when
        it takes longer than `timeout` seconds, and ProcessStopped when something in the device is stopped, which it may
        wait for without end (it is killed then).
        """
        deadline = time.monotonic() + timeout
        # Not a pipe: one that nobody reads any more would end or hold up what still writes to it.
        with os.fdopen(os.memfd_create("output"), "rb") as output:
            try:
                process = self._start(name, argv, stdin is not None, output.fileno(), {**ENVIRONMENT, **(env or {})})
            except (FileNotFoundError, PermissionError) as error:
                said = f"{argv[0]}: {error.strerror}\n"
                return subprocess.CompletedProcess(argv, 126 if isinstance(error, PermissionError) else 127, said)
            with process:
                try:
                    self._to_its_end(process, name, argv, stdin, timeout, deadline, output)
                finally:
                    process.kill()
            return subprocess.CompletedProcess(argv, process.returncode, _text(output))

    def _to_its_end(
        self,
        process: subprocess.Popen[str],
        name: str,
        argv: Sequence[str],
        stdin: str | None,
        timeout: float,
        deadline: float,
        output: BinaryIO,
    ) -> None:
        while True:
            left = deadline - time.monotonic()
            try:
                process.communicate(stdin, timeout=max(0.0, min(left, _LOOKS_EVERY)))
                return
            except subprocess.TimeoutExpired:
                stdin = None  # what was not written yet is remembered there
                self.check_not_stopped(name)
                if left > _LOOKS_EVERY:
                    continue
                raise LabError(
                    f"{name}: {' '.join(argv)[:200]} did not end within {timeout:.0f} s",
                    log=tuple(_text(output).splitlines()[-5:]),
                ) from None

    def _start(
        self, name: str, argv: Sequence[str], speaks: bool, output: int, env: Mapping[str, str]
    ) -> subprocess.Popen[str]:
        try:
            with container(self.pid(name)):
                return subprocess.Popen(
                    argv,
                    stdin=subprocess.PIPE if speaks else subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    text=True,
                    errors="replace",
                    env=env,
                )
        except OSError as error:
            # ESRCH from setns; ENOMEM from fork where the init of the PID namespace is on its way out (kernel/pid.c).
            if error.errno in (errno.ESRCH, errno.ENOMEM) and not self.alive(name):
                raise DeviceDied(f"{name} ended by itself: its init is gone") from None
            raise

    def spawn(
        self, name: str, argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a daemon in a device; its output goes to `log` (a path of the agent's)."""
        with log.open("ab") as output:
            return subprocess.Popen(
                [*self.enter_command(name), *argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**ENVIRONMENT, **(env or {})},
                start_new_session=True,
            )

    def alive(self, name: str) -> bool:
        """Whether the device's init still runs."""
        try:
            with open(f"/proc/{self.pid(name)}/stat") as stat:
                # proc_pid_stat(5), from the third field on: the first is the state, the seventh the kernel's flags.
                fields = stat.read().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            return False
        # An init that is killed stays until the kernel has ended everything else in its PID namespace.
        return fields[0] != "Z" and not int(fields[6]) & _PF_EXITING

    def check_not_stopped(self, name: str) -> None:
        """Raises ProcessStopped where a process of the device is stopped, and not by somebody at a terminal."""
        for pid in self.processes(name):
            state = state_of(pid)
            if state is not None and state.stopped and not state.on_terminal:
                what = "its init" if pid == self.pid(name) else state.name
                raise ProcessStopped(f"{name}: {what} {STOPPED}")

    def processes(self, name: str) -> dict[int, str]:
        """Live processes in the device's PID namespace: pid (the agent's view) -> command name."""
        own = os.readlink(f"/proc/{self.pid(name)}/ns/pid")
        found: dict[int, str] = {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                if os.readlink(f"/proc/{entry}/ns/pid") == own:
                    with open(f"/proc/{entry}/stat") as stat:
                        before, after = stat.read().rsplit(")", 1)
                    if after.split()[0] != "Z":
                        found[int(entry)] = before.split("(", 1)[1]
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        return found


def _text(output: BinaryIO) -> str:
    """All that was written to a file by others, who share its position, as a text stream would give it."""
    said = os.pread(output.fileno(), os.fstat(output.fileno()).st_size, 0).decode(errors="replace")
    return said.replace("\r\n", "\n").replace("\r", "\n")
