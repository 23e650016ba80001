"""A steady stream of packets through a step: started, ended, and what the agent saw of it as a `Measurement`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, NamedTuple, TypeAlias

from bgpsim.agent.protocol import Agent, LabDevice
from bgpsim.network.loss import Fate, Measured, Measurement, Outage, Stretch
from bgpsim.network.state import FlowKey
from bgpsim.observe.owners import owners
from bgpsim.observe.path import Observer

FIRST_PORT = 42000
_MOST_PLACES = 5
_Slots: TypeAlias = tuple[int, int]
"""The first and the last of slots one after the other."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One that is under way."""

    flows: tuple[FlowKey, ...]
    control: FlowKey
    interval: float
    begin: float
    """Of the first slot; monotonic."""
    acted: float
    """When the step's actions may begin: what was sent before is not counted."""


def start(
    agent: Agent, devices: Mapping[str, LabDevice], flows: Sequence[FlowKey], control: FlowKey, interval: float
) -> Stream:
    """Send for all flows and the control pair, and watch at every device. Raises LabError where nothing can be sent."""
    all_flows = tuple(dict.fromkeys((*flows, control)))
    gateways = agent.call("nodes.gateways")
    observer = _observer(agent, devices, gateways)
    pairs = [
        {
            "device": observer.sender(flow),
            "source": flow.source_address,
            "target": flow.target_address,
            "port": FIRST_PORT + number,
        }
        for number, flow in enumerate(all_flows)
    ]
    began = agent.call("stream.start", devices=[*sorted(devices), *gateways], pairs=pairs, interval=interval)
    return Stream(all_flows, control, interval, began["begin"], began["now"])


def stop(agent: Agent, devices: Mapping[str, LabDevice], stream: Stream) -> Measurement:
    """End the stream; what became of its packets since the actions began."""
    observer = _observer(agent, devices, agent.call("nodes.gateways"))
    return measurement(stream, agent.call("stream.stop"), observer)


def _observer(agent: Agent, devices: Mapping[str, LabDevice], gateways: Sequence[str]) -> Observer:
    return Observer(devices, frozenset(gateways), owners({}, agent.call("nodes.links")).links, {})


class _Piece(NamedTuple):
    """Slots one after the other, none of them skipped, with one fate and way."""

    first: int
    last: int
    packets: int
    fate: Fate
    trail: int | None


def measurement(stream: Stream, told: Mapping[str, Any], observer: Observer) -> Measurement:
    """`told`: the answer of `stream.stop`."""
    sent, seen = told["sender"], told["watcher"]
    first = max(0, -int((stream.begin - stream.acted) // stream.interval))
    skipped = sorted((a, b) for a, b in sent["skipped"])
    pairs = {}
    for number, (flow, found) in enumerate(zip(stream.flows, seen["pairs"], strict=True)):
        refused = sorted((a, b) for pair, a, b, _ in sent["refused"] if pair == number)
        reader = _Reader(stream, seen["trails"], observer)
        pieces = list(_joined(reader.pieces(found, first, skipped, refused)))
        pairs[flow] = _measured(reader, pieces, found, sent["slots"])
    return Measurement(
        interval=stream.interval,
        seconds=max(0, sent["slots"] - first) * stream.interval,
        pairs=pairs,
        control=stream.control,
        gap=sent["gap"],
        skipped=sum(b - a + 1 for a, b in skipped),
        late=tuple(sent["late"]),
        overrun=tuple(seen["lost"]),
    )


def _measured(reader: _Reader, pieces: Sequence[_Piece], found: Mapping[str, Any], slots: int) -> Measured:
    return Measured(
        sent=sum(piece.packets for piece in pieces),
        received=sum(piece.packets for piece in pieces if piece.fate == "delivered"),
        duplicates=found["duplicates"],
        late=found["late"],
        outages=tuple(reader.outages(pieces, slots)),
        stretches=tuple(reader.stretches(pieces, slots)),
        complete=found["unlisted"] == 0,
    )


def _joined(pieces: Iterable[_Piece]) -> Iterator[_Piece]:
    """Pieces between which nothing was sent are one."""
    held: _Piece | None = None
    for piece in pieces:
        if held is not None and (held.fate, held.trail) == (piece.fate, piece.trail):
            held = held._replace(last=piece.last, packets=held.packets + piece.packets)
            continue
        if held is not None:
            yield held
        held = piece
    if held is not None:
        yield held


def _without(first: int, last: int, holes: Sequence[_Slots]) -> Iterator[_Slots]:
    """What is left of a range of slots; `holes` sorted."""
    for a, b in holes:
        if b < first or a > last:
            continue
        if a > first:
            yield first, a - 1
        first = b + 1
    if first <= last:
        yield first, last


@dataclass(frozen=True, slots=True)
class _Reader:
    stream: Stream
    trails: Sequence[Mapping[str, Any]]
    observer: Observer

    def _time(self, slot: int) -> float:
        """Seconds from the first action on."""
        return self.stream.begin + slot * self.stream.interval - self.stream.acted

    def pieces(
        self, found: Mapping[str, Any], begin: int, skipped: Sequence[_Slots], refused: Sequence[_Slots]
    ) -> Iterator[_Piece]:
        """What was sent from a slot on, in order; what the sender's kernel refused is told so."""
        unseen = [(a, b) for a, b in found["unseen"]]
        pieces: list[_Piece] = []
        for first, last, received, expired, trail in found["runs"]:
            fate = self._fate(received, expired, trail)
            pieces += [_Piece(a, b, b - a + 1, fate, trail) for a, b in _without(max(first, begin), last, unseen)]
        sent = [part for a, b in unseen for part in _without(max(a, begin), b, skipped)]
        for first, last in sent:
            pieces += [_Piece(a, b, b - a + 1, "unseen", None) for a, b in _without(first, last, refused)]
            common = [(max(first, a), min(last, b)) for a, b in refused if a <= last and b >= first]
            pieces += [_Piece(a, b, b - a + 1, "refused", None) for a, b in common]
        yield from sorted(pieces)

    def _fate(self, received: bool, expired: bool, trail: int) -> Fate:
        if received:
            return "delivered"
        if expired:
            return "ttl-expired"
        if self.trails[trail]["looped"]:
            return "loop"
        device, ingress, egress = self.trails[trail]["visits"][-1]
        if ingress is not None and device in self.observer.gateways:
            return "exits-network"
        if ingress is not None and device in self.observer.devices and self.observer.devices[device].role == "speaker":
            return "dropped-by-speaker"
        return "stopped" if egress is None else "vanished"

    def stretches(self, pieces: Sequence[_Piece], slots: int) -> Iterator[Stretch]:
        for piece, following in zip_longest(pieces, pieces[1:]):
            end = slots if following is None else following.first
            visits = [] if piece.trail is None else self.trails[piece.trail]["visits"]
            looped = piece.trail is not None and (
                self.trails[piece.trail]["looped"] or len({visit[0] for visit in visits}) < len(visits)
            )
            yield Stretch(
                begin=self._time(piece.first),
                seconds=(end - piece.first) * self.stream.interval,
                packets=piece.packets,
                fate=piece.fate,
                hops=self.observer.hops(visits),
                at=visits[-1][0] if visits else "",
                looped=looped,
            )

    def outages(self, pieces: Sequence[_Piece], slots: int) -> Iterator[Outage]:
        """Stretches of lost packets that follow one another are one outage."""
        held: Outage | None = None
        for stretch in self.stretches(pieces, slots):
            if stretch.fate == "delivered":
                if held is not None:
                    yield held
                held = None
                continue
            place = f"{stretch.fate} at {stretch.at}" if stretch.at else stretch.fate
            if held is None:
                held = Outage(stretch.begin, 0.0, 0, True, ())
            held = replace(
                held,
                seconds=held.seconds + stretch.seconds,
                packets=held.packets + stretch.packets,
                at=held.at if place in held.at else (*held.at, place)[:_MOST_PLACES],
            )
        if held is not None:
            yield replace(held, ended=False)
