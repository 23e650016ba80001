"""The API process by itself, with a socket at one end and pipes in place of ExaBGP."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bgpsim.speakers import api_process

Relay = tuple[subprocess.Popen[bytes], socket.socket]


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Relay]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "relay.sock"))
        listener.listen(1)
        listener.settimeout(10)
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", api_process.__file__, str(tmp_path / "relay.sock")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with process:
            end, _ = listener.accept()
            end.settimeout(10)
            with end:
                yield process, end
            process.kill()


def test_lines_go_both_ways(relay: Relay) -> None:
    process, end = relay
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"done\n")
    process.stdin.flush()
    assert end.recv(100) == b"done\n"
    end.sendall(b"announce something\n")
    assert process.stdout.readline() == b"announce something\n"


def test_exabgp_is_never_blocked_by_a_reader_that_sleeps(relay: Relay) -> None:
    """Far more than a pipe and a socket hold: the write returns although nobody reads."""
    process, end = relay
    assert process.stdin is not None
    sent = b"x" * (1 << 24) + b"\n"
    process.stdin.write(sent)
    process.stdin.close()
    assert sum(len(part) for part in iter(lambda: end.recv(1 << 20), b"")) == len(sent)
    assert process.wait(timeout=10) == 0


def test_it_ends_with_its_socket(relay: Relay) -> None:
    process, end = relay
    end.shutdown(socket.SHUT_RDWR)
    assert process.wait(timeout=10) == 0
