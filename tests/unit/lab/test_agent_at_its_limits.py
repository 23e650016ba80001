"""An agent that is stopped, ends, or has run out of something: what the caller is told, and how soon."""

from __future__ import annotations

import errno
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

import pytest

from bgpsim.agent.client import AgentClient
from bgpsim.agent.namespaces import Namespaces
from bgpsim.agent.server import Server
from bgpsim.agent.stream.service import StreamService
from bgpsim.errors import LabError, ProcessStopped
from bgpsim.lab.embedded.supervision import Supervision


class Watch:
    def __init__(self, stopped: str | None) -> None:
        self._stopped = stopped

    def stopped(self) -> str | None:
        return self._stopped

    def end(self) -> str:
        return "its agent was killed by SIGKILL"


class Broken:
    def methods(self) -> Mapping[str, Callable[..., Any]]:
        return {"b.full": self.full, "b.hold": self.hold, "b.quick": lambda: 1}

    def __init__(self) -> None:
        self.holding, self.go_on = threading.Semaphore(0), threading.Event()

    def full(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def hold(self) -> None:
        self.holding.release()
        self.go_on.wait(10)


def served(service: Broken) -> AgentClient:
    ours, theirs = socket.socketpair()
    server = Server()
    server.register(service)
    threading.Thread(target=server.serve, args=(theirs,), daemon=True).start()
    return AgentClient(ours)


def test_an_agent_that_is_stopped_is_named_long_before_the_time_limit() -> None:
    ours, theirs = socket.socketpair()
    client = AgentClient(ours, Watch("its agent is stopped (SIGSTOP)"))
    begun = time.monotonic()
    with theirs, pytest.raises(ProcessStopped, match=r"^the lab does not answer: its agent is stopped \(SIGSTOP\)$"):
        client.call("x.y", timeout=60)
    assert time.monotonic() - begun < 10
    client.close()


def test_an_agent_that_is_slow_is_waited_for_until_the_time_limit() -> None:
    ours, theirs = socket.socketpair()
    client = AgentClient(ours, Watch(None))
    with theirs, pytest.raises(LabError, match=r"^the lab's agent did not answer x.y within 0 s$"):
        client.call("x.y", timeout=0.1)
    client.close()


def test_how_the_lab_ended_is_told() -> None:
    ours, theirs = socket.socketpair()
    client = AgentClient(ours, Watch(None))
    theirs.close()
    with pytest.raises(LabError, match=r"^the lab ended by itself: its agent was killed by SIGKILL$"):
        client.call("x.y")
    client.close()


def test_what_has_run_out_is_no_bug() -> None:
    client = served(Broken())
    with pytest.raises(LabError, match=r"^the lab's agent: no space left on device: the disk is full \(b.full\)$"):
        client.call("b.full")
    client.close()


def test_a_request_for_which_no_thread_can_be_started_is_refused_and_the_agent_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = Broken()
    client = served(service)
    held = threading.Thread(target=client.call, args=("b.hold",))
    held.start()
    service.holding.acquire()

    def fails(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", fails)
        with pytest.raises(LabError, match="no more processes or threads can be started"):
            client.call("b.quick")
    service.go_on.set()
    held.join()
    assert client.call("b.quick") == 1
    client.close()


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("sys.exit(0)", "its supervisor ended"),
        ("sys.exit(64 + 9)", "its agent was killed by SIGKILL"),
        ("sys.exit(128 + 15)", "its PID 1 was killed by SIGTERM"),
        ("os.kill(os.getpid(), 9)", "its supervisor was killed by SIGKILL"),
    ],
)
def test_the_supervisors_exit_code_says_which_of_them_ended(code: str, says: str) -> None:
    with subprocess.Popen([sys.executable, "-c", f"import os, sys; {code}"]) as process:
        watch = Supervision(process, lambda: ("nothing of note",))
        process.wait()
        assert watch.end() == watch.ended() == says


def test_an_agent_that_ran_out_while_it_started_has_said_of_what() -> None:
    log = ("Traceback (most recent call last):", "OSError: [Errno 24] Too many open files: '/lab/source/x.py'")
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.exit(1)"]) as process:
        assert Supervision(process, lambda: log).end() == "its agent ended: too many open files"


def test_half_a_stream_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of its processes ended before both were ready: what was begun is over, and there is nothing to stop."""
    closed = []

    class Process:
        def __init__(self, name: str) -> None:
            self.name = name

        def tell(self, what: object) -> None: ...
        def hear(self, limit: float) -> None:
            if self.name == "sender":
                raise LabError("the stream's sender ended by itself")

        def close(self) -> None:
            closed.append(self.name)

    monkeypatch.setattr("bgpsim.agent.stream.service._Process", Process)
    service = StreamService(Namespaces())
    with pytest.raises(LabError, match="sender ended by itself"):
        service.start([], [], 0.01)
    assert closed == ["sender", "watcher"]
    with pytest.raises(LabError, match="no stream is under way"):
        service.stop()


def test_a_command_beside_a_stopped_process_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of `Namespaces.run`, in this process's own namespaces."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"]) as other:
        namespaces = Namespaces()
        namespaces.add("here", other.pid)
        monkeypatch.setattr("bgpsim.agent.namespaces.container", lambda pid: nullcontext())
        monkeypatch.setattr(namespaces, "processes", lambda name: {other.pid: "python"})
        assert namespaces.run("here", ["cat"], stdin="x" * 100_000).stdout == "x" * 100_000
        assert namespaces.run("here", ["sh", "-c", "echo early; sleep 1.5; exit 3"]).returncode == 3
        with pytest.raises(LabError, match="did not end within 1 s") as late:
            namespaces.run("here", ["sh", "-c", "echo said; sleep 30"], timeout=1.2)
        assert late.value.log == ("said",)
        other.send_signal(19)
        begun = time.monotonic()
        with pytest.raises(ProcessStopped, match=r"^here: its init is stopped \(SIGSTOP\)$"):
            namespaces.run("here", ["sleep", "30"])
        assert time.monotonic() - begun < 10
        other.kill()
