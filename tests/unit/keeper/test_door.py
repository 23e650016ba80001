"""The keeper's door at its limits, and requests that are none."""

from __future__ import annotations

import json
import os
import resource
import socket
import struct
import threading
from pathlib import Path

import pytest

from bgpsim.agent.rpc import Connection
from bgpsim.keeper.door import Door


@pytest.fixture
def listener(tmp_path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(tmp_path / "control"))
    made.listen(8)
    return made


def connected(listener: socket.socket) -> socket.socket:
    stream = socket.socket(socket.AF_UNIX)
    stream.connect(listener.getsockname())
    return stream


def refused(stream: socket.socket) -> str:
    answer = Connection(stream).receive()
    assert answer is not None
    return str(answer["error"]["message"])


def test_a_client_for_whom_no_descriptor_is_left_is_told_so_and_the_next_is_taken_in(listener: socket.socket) -> None:
    welcomed = threading.Event()

    def welcome(stream: socket.socket) -> None:
        stream.close()
        welcomed.set()

    door = Door(listener, welcome)
    with listener, connected(listener) as first, connected(listener) as second:
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        highest = max(int(entry) for entry in os.listdir("/proc/self/fd"))
        fillers = [os.open("/dev/null", os.O_RDONLY) for _ in range(3)]
        holes = [n for n in range(highest) if not os.path.exists(f"/proc/self/fd/{n}")]
        fillers += [os.open("/dev/null", os.O_RDONLY) for _ in holes]
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(fillers) + 1, before[1]))
        try:
            door.take_in()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
            for filler in fillers:
                os.close(filler)
        assert refused(first) == "the lab's keeper: too many open files"
        assert not welcomed.is_set()
        door.take_in()
        assert welcomed.wait(5)
        assert second.recv(1) == b""


def test_a_client_for_whom_no_thread_can_be_started_is_told_so(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    door = Door(listener, lambda stream: None)
    with listener, connected(listener) as client:
        client.shutdown(socket.SHUT_WR)
        monkeypatch.setattr(threading.Thread, "start", fails)
        door.take_in()
        assert refused(client) == "the lab's keeper: no more processes or threads can be started"


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack("!I", 4) + b"null",
        struct.pack("!I", 2) + b"[]",
        struct.pack("!I", 4) + b"\xff\xfe\xfd\xfc",
        struct.pack("!I", 1001) + b" " * 999 + b"{}",
    ],
)
def test_what_is_no_request_ends_the_conversation(octets: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(octets)
        assert Connection(ours, longest=1000).receive() is None


def test_a_request_of_the_longest_length_is_one() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        octets = json.dumps({"op": "x" * 980}).encode()
        theirs.sendall(struct.pack("!I", len(octets)) + octets)
        assert Connection(ours, longest=len(octets)).receive() == {"op": "x" * 980}
