"""What becomes of a steady stream of packets while a network moves: predicted per pair, and measured.

A prediction says whether packets are lost at all, not how many: how long routers take is not in the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bgpsim.network.state import FlowKey, Hop

Loss: TypeAlias = Literal["must", "may", "none"]
"""must: some packets are lost, whatever the order of events. none: no packet is. may: the model does not know."""

Fate: TypeAlias = Literal[
    "delivered",
    "loop",
    "ttl-expired",
    "dropped-by-speaker",
    "exits-network",
    "stopped",
    "vanished",
    "refused",
    "unseen",
]
"""Of one packet, by captures alone. stopped: it came in at a device and did not leave it. vanished: it left a device
and came in nowhere. refused: the sender's own kernel did not take it. unseen: no capture saw it."""


@dataclass(frozen=True, slots=True)
class LossPrediction:
    loss: Loss
    recovers: bool | None
    """Whether packets arrive once the step has settled; None where branches end differently."""
    because: str


@dataclass(frozen=True, slots=True)
class Outage:
    """Packets lost one after the other. `begin` in seconds from the step's first action on."""

    begin: float
    seconds: float
    """From the first lost packet's slot to that of the next one that arrived; of an outage that did not end, to the
    end of the stream."""
    packets: int
    ended: bool
    at: tuple[str, ...]
    """Fate and device, `stopped at tor1`, in order, without repetition."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Packets one after the other with the same fate and way."""

    begin: float
    seconds: float
    packets: int
    fate: Fate
    hops: tuple[Hop, ...]
    at: str
    looped: bool
    """A device had the packet twice, whether or not it arrived in the end."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One pair's packets from the step's first action on."""

    sent: int
    received: int
    duplicates: int
    """Of the whole stream, as is `late`."""
    late: int
    """Arrived after they had been taken for lost; counted as lost."""
    outages: tuple[Outage, ...]
    stretches: tuple[Stretch, ...]
    complete: bool = True
    """False: it changed more often than is kept."""

    @property
    def lost(self) -> int:
        return self.sent - self.received

    @property
    def lost_seconds(self) -> float:
        return sum(outage.seconds for outage in self.outages)

    @property
    def longest(self) -> float:
        return max((outage.seconds for outage in self.outages), default=0.0)

    @property
    def recovered(self) -> bool:
        """The last packets arrived."""
        return not self.outages or self.outages[-1].ended


@dataclass(frozen=True, slots=True)
class Measurement:
    """A stream through one step. Times in seconds."""

    interval: float
    seconds: float
    pairs: Mapping[FlowKey, Measured]
    """The control pair's among them."""
    control: FlowKey
    gap: float
    """The longest time between two slots of the sender."""
    skipped: int
    """Slots that had passed before their turn came: nothing was sent."""
    late: tuple[int, ...]
    """Slots that were late by less than a tenth, half, and the whole of the interval."""
    overrun: tuple[str, ...] = ()
    """Devices whose captures had no room for a packet."""
