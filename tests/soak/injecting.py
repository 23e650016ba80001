"""One fault, done to one process."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.soak.faults import Fault

PAUSE = 3.0
"""Seconds that a paused command is stopped."""
_FEW = 5
"""Descriptors below this are in use for as long as a process of bgpsim's lives, so that there is no other one."""
_PAGE = os.sysconf("SC_PAGE_SIZE")


def inject(fault: Fault, pid: int) -> Callable[[], None]:
    """Do it; returns what takes it back, where it is to be taken back.

    Raises OSError where the process has ended meanwhile.
    """
    match fault.how:
        case "kill":
            os.kill(pid, signal.SIGKILL)
        case "terminate":
            os.kill(pid, signal.SIGTERM)
        case "interrupt":
            os.kill(pid, signal.SIGINT)
        case "stop" | "pause":
            os.kill(pid, signal.SIGSTOP)
            return lambda: _again(pid)
        case "disk":
            _fill(pid)
        case "descriptors":
            before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (min(_FEW, _lowest_free(pid)), before[1]))
            return lambda: _limit(pid, resource.RLIMIT_NOFILE, before)
        case "processes":
            before = resource.prlimit(pid, resource.RLIMIT_NPROC)
            resource.prlimit(pid, resource.RLIMIT_NPROC, (1, before[1]))
        case _:
            raise ValueError(fault.how)
    return lambda: None


def _lowest_free(pid: int) -> int:
    used = {int(entry) for entry in os.listdir(f"/proc/{pid}/fd")}
    return next(number for number in range(len(used) + 1) if number not in used)


def _again(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def _limit(pid: int, which: int, value: tuple[int, int]) -> None:
    with contextlib.suppress(OSError):
        resource.prlimit(pid, which, value)


def _fill(agent: int) -> None:
    """The tmpfs of the nodes' files becomes as small as what is in it, inside the lab's own namespaces."""
    disk = os.statvfs(f"/proc/{agent}/root/nodes")
    used = (disk.f_blocks - disk.f_bfree) * disk.f_frsize
    keep = () if os.geteuid() == 0 else ("--preserve-credentials",)
    mount = ("mount", "-o", f"remount,size={max(_PAGE, used)}", "/nodes")
    done = subprocess.run(
        ["nsenter", "-t", str(agent), "-U", "-m", *keep, "--", *mount],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise OSError(0, done.stderr.strip())


def crowd(keeper: int, control: Path) -> contextlib.ExitStack:
    """As many clients as the keeper has descriptors for, and its limit so low that a few are enough."""
    stack = contextlib.ExitStack()
    before = resource.prlimit(keeper, resource.RLIMIT_NOFILE)
    limit = max(int(entry) for entry in os.listdir(f"/proc/{keeper}/fd")) + 4
    resource.prlimit(keeper, resource.RLIMIT_NOFILE, (limit, before[1]))
    stack.callback(_limit, keeper, resource.RLIMIT_NOFILE, before)
    deadline = time.monotonic() + 10
    while len(os.listdir(f"/proc/{keeper}/fd")) < limit and time.monotonic() < deadline:
        _connected(stack, control)
        time.sleep(0.1)
    return stack


def _connected(stack: contextlib.ExitStack, control: Path) -> socket.socket:
    stream = stack.enter_context(socket.socket(socket.AF_UNIX))
    folder = os.open(control.parent, os.O_PATH)
    try:
        stream.connect(f"/proc/self/fd/{folder}/{control.name}")
    finally:
        os.close(folder)
    return stream


def bother(what: str, control: Path) -> contextlib.ExitStack:
    """A client of a keeper's control socket that behaves badly until the stack is closed."""
    stack = contextlib.ExitStack()

    request = json.dumps({"op": "status"}).encode()
    whole = struct.pack("!I", len(request)) + request
    match what:
        case "slow":
            for _ in range(8):
                stream = _connected(stack, control)
                stream.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    for _ in range(100_000):
                        stream.send(whole)
        case "half a request":
            for part in (b"", b"\0", whole[:4], whole[:-3]):
                _connected(stack, control).sendall(part)
        case "garbage":
            for part in (b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\x04null", b"\0\0\0\x02[]", b"\0\0\0\x04\xff\xfe\xfd\xfc"):
                with contextlib.suppress(OSError):
                    _connected(stack, control).sendall(part * 3)
        case "endless":
            stream = _connected(stack, control)
            stream.settimeout(2.0)
            with contextlib.suppress(OSError):
                stream.sendall(struct.pack("!I", (1 << 32) - 1))
                for _ in range(64):
                    stream.sendall(b"x" * (1 << 20))
    return stack
