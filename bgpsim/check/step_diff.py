"""Two named states, or two steps with a predicted and an observed state each, one against the other.

This is what `bgpsim diff` renders, whichever two they are: of reports, of files, of a lab that runs:

    StepDiff("tor1 as planned", "tor1 now", observed=state_pair(planned, seen))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bgpsim.check.diff import StateDiff, diff
from bgpsim.network.state import NetworkState
from bgpsim.network.topology import Topology


@dataclass(frozen=True, slots=True)
class StatePair:
    before: NetworkState
    after: NetworkState
    change: StateDiff


@dataclass(frozen=True, slots=True)
class StepDiff:
    """`before` and `after` are names. `topology` is that of afterwards, for the drawing."""

    before: str
    after: str
    predicted: StatePair | None = None
    observed: StatePair | None = None
    topology: Topology | None = None

    @property
    def differs(self) -> bool:
        return any(not pair.change.empty for _, pair in self.views())

    @property
    def unread(self) -> tuple[str, ...]:
        return tuple(sorted({what for _, pair in self.views() for what in pair.change.unread}))

    def views(self) -> Sequence[tuple[str, StatePair]]:
        """What there is to read, each with its title: once, where prediction and lab changed alike."""
        predicted, observed = self.predicted, self.observed
        if predicted is None or observed is None:
            return [(title, p) for title, p in (("predicted", predicted), ("observed", observed)) if p is not None]
        if _told_alike(predicted.change) == _told_alike(observed.change):
            # The prediction knows why.
            return [("predicted and observed", predicted)]
        return [("predicted", predicted), ("observed", observed)]


def _told_alike(change: StateDiff) -> StateDiff:
    """Without what a router may keep to itself: FRR does not say how many prefixes it received before policy."""
    return replace(change, counters=tuple(c for c in change.counters if c.counter != "received"))


@dataclass(frozen=True, slots=True)
class Differences:
    """All that `bgpsim diff A B` found."""

    a: str
    b: str
    steps: tuple[StepDiff, ...]
    only_a: tuple[str, ...] = ()
    """Steps (`SCENARIO/STEP`) that the other side does not have."""
    only_b: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What could not be compared, and why."""

    @property
    def differ(self) -> bool:
        return bool(self.only_a or self.only_b) or any(step.differs for step in self.steps)

    @property
    def unread(self) -> tuple[str, ...]:
        return tuple(sorted({what for step in self.steps for what in step.unread}))


def state_pair(before: NetworkState, after: NetworkState) -> StatePair:
    return StatePair(before, after, diff(before, after))
