"""Where the screen's events come from, and where what is typed goes to: a keeper, or in tests a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from bgpsim.keeper.client import KeeperClient, connect
from bgpsim.report import document as doc
from bgpsim.watch.lines import Line


class Feed(Protocol):
    """Each method may be called from a thread of its own."""

    name: str

    def events(self, pair: tuple[str, str] | None) -> Iterator[dict[str, Any]]:
        """Until the lab has ended, or `close`. Raises BgpsimError."""

    def choose(self, pair: tuple[str, str] | None) -> None:
        """Follow another pair."""

    def play(self, line: Line, tell: Callable[[str], None]) -> doc.RunPart:
        """Blocks until the step has ended; `tell` hears what is being done. Raises BgpsimError."""

    def close(self) -> None:
        """Who is blocked in another method comes back at once."""


class KeeperFeed:
    """A lab that stays."""

    def __init__(self, name: str, interval: float) -> None:
        self.name = name
        self._interval = interval
        self._watching: KeeperClient | None = None
        self._playing: set[KeeperClient] = set()

    def events(self, pair: tuple[str, str] | None) -> Iterator[dict[str, Any]]:
        with connect(self.name) as client:
            self._watching = client
            yield from client.watch(self._interval, pair)

    def choose(self, pair: tuple[str, str] | None) -> None:
        if self._watching is not None:
            self._watching.watch_pair(pair)

    def play(self, line: Line, tell: Callable[[str], None]) -> doc.RunPart:
        with connect(self.name) as client:
            self._playing.add(client)
            try:
                return client.play([dict(line.step)], line.said, _Heard(tell)).run
            finally:
                self._playing.discard(client)

    def close(self) -> None:
        for client in [self._watching, *self._playing]:
            if client is not None:
                client.close()


class _Heard:
    """A `Listener` (`bgpsim.scenario.recording`) that passes on what is being done."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    def scenario(self, name: str, file: str) -> None: ...

    def before(self, step: doc.StepPart) -> None:
        """It is on the screen."""

    @contextmanager
    def working(self, text: str) -> Iterator[Callable[[str], None]]:
        self._tell(text)
        yield self._tell

    def lab(self, lab: doc.LabPart, seconds: float) -> None: ...
    def step(self, step: doc.StepPart) -> None: ...
    def verdict(self, run: doc.RunPart) -> None: ...
