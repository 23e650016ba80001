"""`at:` on a running lab: the agent watches from the step's beginning, and the runner acts when it says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bgpsim.agent.protocol import Agent
from bgpsim.errors import LabError
from bgpsim.scenario.timeline import Action, AwaitEvent, Event

EVENT_TIMEOUT = 60.0
"""Seconds from the moment when nothing else is to be done; three hold times of 9 s and GoBGP's dial fit in."""


@dataclass(frozen=True, slots=True)
class Watch:
    """The events that one step waits for."""

    agent: Agent
    number: int | None
    events: tuple[Event, ...]
    told: list[dict[str, Any]] = field(default_factory=list)
    """{event, seconds}: when each was seen, since the step began; changes from run to run."""

    def wait_for(self, event: Event) -> None:
        """Returns at once when it has happened since the step began. Raises LabError when it does not come."""
        limit = EVENT_TIMEOUT
        seen = self.agent.call(
            "events.wait", timeout=limit + 30, watch=self.number, event=self.events.index(event), limit=limit
        )
        if not seen["happened"]:
            source = event.source
            raise LabError(
                f"the event did not come within {limit:.0f} s: {event} (last seen: {seen['now']})",
                hint="an event is a change within the step: what was so before does not count",
                file=source.file,
                line=source.line,
            )
        self.told.append({"event": str(event), "seconds": seen["seconds"]})


@contextmanager
def watching(agent: Agent, actions: Sequence[Action]) -> Iterator[Watch]:
    """From now on; what happens while the step's first actions are done is not missed."""
    events = tuple(action.event for action in actions if isinstance(action, AwaitEvent))
    number = agent.call("events.watch", events=[event.asked() for event in events]) if events else None
    try:
        yield Watch(agent, number, events)
    finally:
        if number is not None:
            agent.call("events.end", watch=number)
