"""Ends a keeper that does not answer, and with it its lab. It is known by its pid and its start."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from bgpsim.errors import LabError
from bgpsim.keeper.places import Card, start_of
from bgpsim.process_state import children_of, is_stopped

_GRACE = 10.0
"""Seconds that it may take to close its lab by itself."""
_PATIENCE = 10.0
"""Seconds from its death to its lab's end."""
_POLL = 0.02


def end_keeper(card: Card) -> None:
    """Returns when neither the keeper nor a process of its lab is left. Raises LabError where one stays."""
    labs = [(pid, start_of(pid)) for pid in children_of(card.keeper)] if card.keeper_lives() else []
    for number, seconds in ((signal.SIGTERM, _GRACE), (signal.SIGKILL, _PATIENCE)):
        if number == signal.SIGTERM and is_stopped(card.keeper):
            continue
        if card.keeper_lives():
            os.kill(card.keeper, number)
        if _within(seconds, lambda: not card.keeper_lives()):
            break
    if card.keeper_lives():
        raise LabError(f"the keeper (pid {card.keeper}) does not end")
    _end_supervisors(labs)


def _end_supervisors(labs: list[tuple[int, int | None]]) -> None:
    """They end by themselves, for the life-line has; but one that is stopped does not see it."""

    def left() -> list[int]:
        return [pid for pid, started in labs if started is not None and start_of(pid) == started]

    for pid in left():
        if not _within(_PATIENCE / 2, lambda pid=pid: pid not in left()):  # type: ignore[misc]
            os.kill(pid, signal.SIGKILL)
    if not _within(_PATIENCE, lambda: not left()):
        raise LabError(f"the lab's supervisor (pid {left()[0]}) does not end")


def _within(seconds: float, holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True
