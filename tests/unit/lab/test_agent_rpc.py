"""The agent's RPC over a socket pair: replies out of order, errors by kind, a side that is gone."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from bgpsim.agent.client import AgentBug, AgentClient
from bgpsim.agent.namespaces import Namespaces
from bgpsim.agent.server import Server, Service
from bgpsim.errors import DeviceDied, LabError


class Letters:
    """`slow` answers only when `quick` was called."""

    def __init__(self) -> None:
        self._called = threading.Event()

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        return {"t.quick": self.quick, "t.slow": self.slow, "t.dies": self.dies, "t.bug": self.bug}

    def quick(self, text: str) -> str:
        self._called.set()
        return text.upper()

    def slow(self) -> bool:
        return self._called.wait(5)

    def dies(self) -> None:
        raise DeviceDied("tor0: bgpd ended by itself", log=("a", "b"))

    def bug(self) -> None:
        raise ZeroDivisionError("nobody expected this")


@pytest.fixture
def served() -> Iterator[tuple[Server, AgentClient, socket.socket]]:
    ours, theirs = socket.socketpair()
    server = Server()
    server.register(Letters())
    threading.Thread(target=server.serve, args=(theirs,), daemon=True).start()
    client = AgentClient(ours)
    yield server, client, theirs
    client.close()


Served = tuple[Server, AgentClient, socket.socket]


def test_a_slow_request_does_not_hold_up_a_quick_one(served: Served) -> None:
    _, client, _ = served
    answers: list[Any] = []
    waiting = threading.Thread(target=lambda: answers.append(client.call("t.slow")))
    waiting.start()
    assert client.call("t.quick", text="a" * 300_000) == "A" * 300_000
    waiting.join()
    assert answers == [True]


def test_errors_keep_their_kind_and_log(served: Served) -> None:
    _, client, _ = served
    with pytest.raises(DeviceDied) as died:
        client.call("t.dies")
    assert (died.value.message, died.value.log) == ("tor0: bgpd ended by itself", ("a", "b"))
    with pytest.raises(AgentBug, match="nobody expected this"):
        client.call("t.bug")
    with pytest.raises(LabError, match="has no method"):
        client.call("t.nothing")


def test_slow_services_are_loaded_when_one_is_asked_for_and_each_waited_for_alone(served: Served) -> None:
    server, client, _ = served
    begun, may_go_on = threading.Event(), threading.Event()

    class Late:
        def methods(self) -> Mapping[str, Callable[..., Any]]:
            return {"late.answer": lambda: 42}

    class Later:
        def methods(self) -> Mapping[str, Callable[..., Any]]:
            return {"later.answer": lambda: 43}

    def load() -> Iterator[Service]:
        begun.set()
        yield Late()
        may_go_on.wait(5)
        yield Later()
        raise ImportError("no module named heavy")

    server.register_when_asked(load)
    assert client.call("t.quick", text="x") == "X"
    assert not begun.is_set()
    assert client.call("late.answer") == 42
    assert not may_go_on.is_set()
    may_go_on.set()
    assert client.call("later.answer") == 43
    with pytest.raises(LabError) as missing:
        client.call("heavy.answer")
    assert "ImportError: no module named heavy" in missing.value.log


def test_a_lab_that_is_gone_ends_the_call(served: Served) -> None:
    _, client, theirs = served
    ended: list[str] = []

    def call() -> None:
        try:
            client.call("t.slow")
        except LabError as error:
            ended.append(error.message)

    waiting = threading.Thread(target=call)
    waiting.start()
    theirs.shutdown(socket.SHUT_RDWR)
    waiting.join(5)
    assert ended == ["the lab ended by itself"]
    with pytest.raises(LabError, match="the lab ended by itself"):
        client.call("t.quick", text="x")


def test_an_unknown_device_is_named_with_those_that_are_there() -> None:
    namespaces = Namespaces()
    namespaces.add("tor0", 1)
    with pytest.raises(LabError, match="no device 'tor9' in the lab; there are tor0"):
        namespaces.pid("tor9")
