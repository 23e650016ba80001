"""Daemons that the lab starts in a device and watches: GoBGP, ExaBGP."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bgpsim.agent.namespaces import Namespaces
from bgpsim.errors import DeviceDied, LabError


class DaemonService:
    """Methods `daemons.*`. A daemon is known by its device and name."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces
        self._daemons: dict[tuple[str, str], tuple[subprocess.Popen[bytes], Path]] = {}

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "daemons.start": self.start,
            "daemons.stop": self.stop,
            "daemons.await_socket": self.await_socket,
            "daemons.ended": self.ended,
        }

    def start(self, device: str, name: str, argv: Sequence[str], log: str) -> None:
        """Start it; its output goes to `log` in the device's root."""
        path = self._namespaces.root(device) / log.lstrip("/")
        self._daemons[device, name] = (self._namespaces.spawn(device, argv, path), path)

    def stop(self, device: str, name: str) -> None:
        """SIGTERM, so that it says goodbye to its peers, then SIGKILL after 5 s."""
        process, _ = self._daemons.pop((device, name))
        own = [pid for pid, command in self._namespaces.processes(device).items() if command == name]
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in own:
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    continue
            try:
                process.wait(timeout=5)
                return
            except subprocess.TimeoutExpired:
                continue
        raise LabError(f"{device}: {name} did not end")

    def forget(self, device: str) -> None:
        """The device was taken away, and its daemons with it."""
        for key in [key for key in self._daemons if key[0] == device]:
            process, _ = self._daemons.pop(key)
            # `nsenter`, which stops with what it has started and does not go on by itself.
            process.kill()
            process.wait()

    def await_socket(self, device: str, name: str, path: str, timeout: float = 20.0) -> None:
        """Until the daemon accepts connections on a Unix socket of the device's root."""
        process, log = self._daemons[device, name]
        place = f"{self._namespaces.root(device)}{path}"
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise DeviceDied(f"{device}: {name} ended at once", log=_last_lines(log))
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                try:
                    probe.connect(place)
                    return
                except OSError:
                    time.sleep(0.005)
        raise LabError(f"{device}: {name} did not open {path} within {timeout:.0f} s", log=_last_lines(log))

    def ended(self) -> list[Mapping[str, Any]]:
        """The daemons that ended by themselves: device, name, exit code, last log lines."""
        return [
            {"device": device, "name": name, "exit_code": process.returncode, "log": list(_last_lines(log))}
            for (device, name), (process, log) in sorted(self._daemons.items())
            if process.poll() is not None
        ]


def _last_lines(log: Path, count: int = 12) -> tuple[str, ...]:
    try:
        return tuple(log.read_text(errors="replace").splitlines()[-count:])
    except OSError:
        return ()
