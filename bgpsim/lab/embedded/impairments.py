"""What was done to links short of taking them down, and what the report says of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias

from bgpsim.agent.protocol import Agent
from bgpsim.inputs.files.impairments import Impairment
from bgpsim.lab.base import LabFacts, StandIn

End: TypeAlias = tuple[str, str]
"""Device and interface."""


class Impairments:
    """Asks the agent for it, and remembers what the report must say: whatever was done stays said."""

    def __init__(self) -> None:
        self._induced: dict[str, None] = {}
        self._relayed: dict[str, None] = {}
        """Why it was not netem."""

    def impair(self, agent: Agent, ends: Iterable[End], impairment: Impairment) -> None:
        for device, interface in ends:
            if impairment.nothing:
                agent.call("impairments.clear", device=device, interface=interface)
                continue
            done = agent.call(
                "impairments.set",
                device=device,
                interface=interface,
                delay=impairment.delay,
                jitter=impairment.jitter,
                loss=impairment.loss,
                rate=impairment.rate,
            )
            if done["means"] == "relay":
                self._relayed[done["because"]] = None
                what = (
                    f"{device} has the interface {done['relay']}, by which what leaves by {interface} goes to a relay"
                )
            else:
                what = f"{device} has the queueing discipline netem at {interface}"
            self._induced[what] = None

    def silence(self, agent: Agent, ends: Iterable[End]) -> None:
        """At each end a filter that drops what leaves; both ends keep carrier."""
        agent.call("impairments.silence", ends=list(ends), silent=True)

    def lift_silence(self, agent: Agent, ends: Iterable[End]) -> None:
        agent.call("impairments.silence", ends=list(ends), silent=False)

    def check(self, agent: Agent) -> None:
        """Raises DeviceDied where the relay has ended."""
        if self._relayed:
            agent.call("impairments.list")

    def told(self, facts: LabFacts) -> LabFacts:
        return replace(
            facts,
            stand_ins=(
                *facts.stand_ins,
                *(StandIn("netem", f"a relay in the path: {because}") for because in self._relayed),
            ),
            induced=(*facts.induced, *self._induced),
        )
