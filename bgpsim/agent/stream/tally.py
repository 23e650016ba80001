"""What became of each packet of a stream, kept as runs: a packet like the one before it costs no memory.

A packet is known by its pair and its slot: the n-th moment at which the stream sends. It is looked at once, some time
after it was sent, when all that will be seen of it has been seen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bgpsim.agent.sightings import TTL, Direction, Header, Sighting, Trail, follow

MOST_UNSEEN = 4000
MOST_RUNS = 400
"""Per pair; a stream that changes more often is told without its later runs, and says so."""
_MOST_TRAILS = 2000
_NO_HEADER = Header("", "", 0, 0)


@dataclass(slots=True)
class _Packet:
    sightings: list[Sighting] = field(default_factory=list)
    received: int = 0


@dataclass(slots=True)
class Run:
    """Slots one after the other whose packets had the same fate and took the same way."""

    first: int
    last: int
    received: bool
    expired: bool
    """Lost, and a device got it with the last of its TTL."""
    trail: int
    """Number in the answer's `trails`."""


@dataclass(slots=True)
class _Pair:
    sender: str
    next: int = 0
    """The first slot that was not looked at yet."""
    packets: dict[int, _Packet] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    unseen: list[list[int]] = field(default_factory=list)
    """First and last slot of which nothing was seen, within runs and between them: not sent, or refused."""
    unlisted: int = 0
    """Slots of which nothing is kept."""
    duplicates: int = 0
    late: int = 0
    """Arrivals after the packet was taken for lost."""


class Tally:
    """`senders`: the device of each pair, by the pair's number."""

    def __init__(self, senders: Sequence[str]) -> None:
        self._pairs = [_Pair(sender) for sender in senders]
        self._trails: list[Trail] = []
        self._known: dict[tuple[str, tuple[Sighting, ...]], int] = {}

    def _packet(self, pair: int, slot: int) -> _Packet | None:
        """None for one that was looked at already, or is of no pair."""
        if pair >= len(self._pairs) or slot < self._pairs[pair].next:
            return None
        return self._pairs[pair].packets.setdefault(slot, _Packet())

    def seen(self, pair: int, slot: int, device: str, interface: str, direction: Direction, ttl: int) -> None:
        packet = self._packet(pair, slot)
        if packet is not None:
            packet.sightings.append(Sighting(device, interface, direction, ttl, _NO_HEADER))

    def received(self, pair: int, slot: int) -> None:
        packet = self._packet(pair, slot)
        if packet is not None:
            packet.received += 1
        elif pair < len(self._pairs):
            self._pairs[pair].late += 1

    def complete(self, slots: int, skipped: Collection[int]) -> bool:
        """Whether every packet of the first `slots` has arrived that was sent and not looked at yet."""
        return all(
            (packet := pair.packets.get(slot)) is not None and packet.received
            for pair in self._pairs
            for slot in range(pair.next, slots)
            if slot not in skipped
        )

    def look(self, slots: int) -> None:
        """At all packets of the first `slots`: nothing more is expected of them."""
        for pair in self._pairs:
            for slot in range(pair.next, slots):
                self._add(pair, slot, pair.packets.pop(slot, None))
            pair.next = max(pair.next, slots)

    def _add(self, pair: _Pair, slot: int, packet: _Packet | None) -> None:
        if packet is None:
            if pair.unseen and pair.unseen[-1][1] == slot - 1:
                pair.unseen[-1][1] = slot
            elif len(pair.unseen) < MOST_UNSEEN:
                pair.unseen.append([slot, slot])
            else:
                pair.unlisted += 1
            return
        received = packet.received > 0
        trail = self._trail(pair.sender, packet.sightings)
        expired = not received and _expired(packet.sightings)
        pair.duplicates += max(0, packet.received - 1)
        last = pair.runs[-1] if pair.runs and not pair.unlisted else None
        if last is not None and (last.received, last.expired, last.trail) == (received, expired, trail):
            last.last = slot
        elif len(pair.runs) < MOST_RUNS:
            pair.runs.append(Run(slot, slot, received, expired, trail))
        else:
            pair.unlisted += 1

    def _trail(self, sender: str, sightings: Iterable[Sighting]) -> int:
        # Sockets are read one after the other: between devices the order is chance, within one it is not.
        key = (sender, tuple(sorted(sightings, key=lambda s: (-s.ttl, s.device))))
        if key not in self._known:
            trail = follow(*key)
            number = self._trails.index(trail) if trail in self._trails else len(self._trails)
            if number == len(self._trails):
                self._trails.append(trail)
            if len(self._known) >= _MOST_TRAILS:
                return number
            self._known[key] = number
        return self._known[key]

    def answer(self) -> dict[str, Any]:
        """{trails, pairs}. trails: {visits: [device, ingress, egress], looped}. Per pair {runs, unseen, unlisted,
        duplicates, late}; runs: [first slot, last slot, received, expired, trail]; unseen: [first slot, last slot].
        """
        return {
            "trails": [
                {"visits": [[v.device, v.ingress, v.egress] for v in trail.visits], "looped": trail.looped}
                for trail in self._trails
            ],
            "pairs": [
                {
                    "runs": [[run.first, run.last, run.received, run.expired, run.trail] for run in pair.runs],
                    "unseen": pair.unseen,
                    "unlisted": pair.unlisted,
                    "duplicates": pair.duplicates,
                    "late": pair.late,
                }
                for pair in self._pairs
            ],
        }


def _expired(sightings: Iterable[Sighting]) -> bool:
    return min((s.ttl for s in sightings if s.direction == "in"), default=TTL) <= 1
