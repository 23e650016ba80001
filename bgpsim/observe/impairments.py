"""What the lab did to its links, as far as it matters for reading it: kernels do not see it.

A silent interface has carrier, and every kernel would send by it; a lossy one loses a probe that says nothing about
routing then; a delay is time that everything takes longer. All of it is the lab's own account of what it did, and never
the prediction's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from bgpsim.agent.protocol import Agent

End: TypeAlias = tuple[str, str]
"""Device and interface: what leaves by it."""

_ALL = 100.0
_MICROSECOND = 1e-6
_MOST_TRIES = 12
_DOUBT = 1e-6
"""So seldom may all tries of one probe be lost by chance."""


@dataclass(frozen=True, slots=True)
class LinkStates:
    """Interfaces that are not as they were wired."""

    silent: frozenset[End] = frozenset()
    lossy: Mapping[End, float] = field(default_factory=dict)
    """Loss from 0 to 1, without both."""
    delay: float = 0.0
    """Seconds: the sum of all delays, with jitter, which no way through the lab can exceed without a loop."""

    @property
    def tries(self) -> int:
        """How often a packet must be sent until it is sure to have got through, or a dozen times."""
        return min(self._enough, _MOST_TRIES)

    @property
    def certain(self) -> bool:
        """Whether a packet that never got through in so many tries was not lost by chance."""
        return self._enough <= _MOST_TRIES

    @property
    def _enough(self) -> int:
        if not self._loss:
            return 1
        if self._loss >= 1:
            return _MOST_TRIES + 1
        return math.ceil(math.log(_DOUBT) / math.log(self._loss))

    @property
    def _loss(self) -> float:
        """Of a packet that crosses every lossy interface."""
        return 1 - math.prod(1 - loss for loss in self.lossy.values())

    def takes(self, probe: Mapping[str, Any]) -> End | None:
        """The silent or lossy interface by which a probe was sent last and came no further; None for any other end."""
        device, _, egress = probe["visits"][-1]
        kernel = probe["kernel"]
        if probe["received"] is not None or probe["looped"] or probe["refused"] == "EPERM":
            return None
        unresolved = False
        if egress is None and kernel is not None and kernel["kind"] == "unicast":
            # A frame is thrown away before captures see it go: the kernel's own lookup says by what it went.
            stopped = kernel["forwards"] is False or kernel["carrier"] is False
            egress = None if stopped else kernel["interface"]
            unresolved = kernel["neighbor"] in ("INCOMPLETE", "FAILED")
        if egress is None:
            return None
        end = (device, egress)
        if end in self.silent:
            # Whether or not the kernel has noticed by now that its neighbor does not answer.
            return end
        return end if end in self.lossy and not unresolved and not probe["errors"] else None


def link_states(agent: Agent) -> LinkStates:
    """Asked of the agent. Raises DeviceDied where the relay has ended."""
    return read(agent.call("impairments.list"))


def read(told: Sequence[Mapping[str, Any]]) -> LinkStates:
    """`told`: as `impairments.list` has it."""
    return LinkStates(
        silent=frozenset((i["device"], i["interface"]) for i in told if i["silent"] or i["loss"] >= _ALL),
        lossy={
            (i["device"], i["interface"]): i["loss"] / 100 for i in told if 0 < i["loss"] < _ALL and not i["silent"]
        },
        delay=sum(i["delay"] + i["jitter"] for i in told) * _MICROSECOND,
    )


_QUIET, _LIMIT = 0.4, 4.0
"""`packets.probe`'s own, in seconds."""


def send_until_through(
    agent: Agent, devices: Sequence[str], pairs: Sequence[Mapping[str, Any]], states: LinkStates
) -> list[dict[str, Any]]:
    """`packets.probe` of these pairs, with those probes sent again that a lossy link took, as often as it makes sense.

    A probe that was lost by chance tells nothing of where the network sends packets.
    """
    waits = {"quiet": _QUIET + states.delay, "limit": _LIMIT + 2 * states.delay}
    found: dict[tuple[int, int], dict[str, Any]] = {}
    again = [dict(pair) for pair in pairs]
    numbers = list(range(len(pairs)))
    for _ in range(states.tries):
        for probe in agent.call("packets.probe", devices=devices, pairs=again, **waits):
            number = numbers[probe["pair"]]
            found[number, probe["port"]] = {**probe, "pair": number}
        lost: dict[int, list[int]] = {}
        for (number, port), probe in found.items():
            if states.takes(probe) in states.lossy:
                lost.setdefault(number, []).append(port)
        numbers = sorted(lost)
        again = [{**pairs[number], "ports": sorted(lost[number])} for number in numbers]
        if not again:
            break
    return list(found.values())
