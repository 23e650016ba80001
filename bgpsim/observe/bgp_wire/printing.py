"""BGP messages out of captured frames, in scapy's words: what `--decode` prints.

A capture may begin in the middle of a session. Then messages are read from where one begins, AS numbers are taken to
have four octets and routes no path ids, and the heading says that no OPEN was seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from bgpsim.agent.bgp_account import has_path_ids
from bgpsim.agent.bgp_messages import (
    KINDS,
    MARKER,
    OPEN,
    UPDATE,
    BadMessage,
    FamilyNumbers,
    Message,
    Open,
    parse_open,
    split,
)
from bgpsim.agent.tcp_segments import SYN, ByteStream, Segment, segment_of
from bgpsim.observe.bgp_wire.scapy_bgp import update_packet, whole

_ETHERNET = 14
"""Octets of an Ethernet header."""
_ETHERTYPES = (b"\x08\x00", b"\x86\xdd")


class Captured(NamedTuple):
    """An Ethernet frame."""

    time: int
    """Nanoseconds since the epoch."""
    where: str
    """The interface at which it was seen; a frame seen at two is told at each."""
    data: bytes


@dataclass(slots=True)
class _Direction:
    stream: ByteStream = field(default_factory=ByteStream)
    buffer: bytearray = field(default_factory=bytearray)
    open: Open | None = None


def printed(captured: Iterable[Captured]) -> Iterator[str]:
    """A text per BGP message: time (UTC), interface, addresses and kind, then its fields."""
    directions: dict[tuple[object, ...], _Direction] = {}
    for frame in captured:
        segment = segment_of(frame.data[_ETHERNET:]) if frame.data[12:_ETHERNET] in _ETHERTYPES else None
        if segment is None:
            continue
        ends = (segment.source, segment.source_port, segment.target, segment.target_port)
        here = directions.setdefault((frame.where, *ends), _Direction())
        back = directions.setdefault((frame.where, *ends[2:], *ends[:2]), _Direction())
        for message in _messages(here, segment):
            if message.kind == OPEN:
                here.open = parse_open(message.body)
            yield f"{_heading(frame, segment, message, here, back)}\n{_fields(message, here, back)}"


def _messages(here: _Direction, segment: Segment) -> list[Message]:
    if segment.flags & SYN:
        here.stream, here.buffer, here.open = ByteStream(), bytearray(), None
        here.stream.syn(segment.sequence)
        return []
    if not here.stream.begun:
        at = segment.payload.find(MARKER)
        if at < 0:
            return []
        here.stream.syn((segment.sequence + at - 1) % (1 << 32))
        segment = segment._replace(sequence=(segment.sequence + at) % (1 << 32), payload=segment.payload[at:])
    here.buffer += here.stream.take(segment.sequence, segment.payload)
    try:
        return list(split(here.buffer))
    except BadMessage:
        here.stream, here.buffer = ByteStream(), bytearray()
        return []


def _heading(frame: Captured, segment: Segment, message: Message, here: _Direction, back: _Direction) -> str:
    time = datetime.fromtimestamp(frame.time / 10**9, UTC).strftime("%H:%M:%S.%f")
    note = ""
    if message.kind == UPDATE and (here.open is None or back.open is None):
        note = " (no OPEN was seen: AS numbers taken to have 4 octets, routes no path ids)"
    way = f"{segment.source} > {segment.target}"
    return f"{time} {frame.where} {way} {KINDS[message.kind].upper()}{note}"


def _fields(message: Message, here: _Direction, back: _Direction) -> str:
    if message.kind != UPDATE:
        length = len(MARKER) + 3 + len(message.body)
        return str(whole(MARKER + length.to_bytes(2, "big") + bytes([message.kind]) + message.body).show(dump=True))

    def add_path(family: FamilyNumbers) -> bool:
        return has_path_ids(here.open, back.open, family)

    wide = here.open is None or back.open is None or (here.open.four_octet_as and back.open.four_octet_as)
    try:
        return str(update_packet(message.body, wide, add_path).show(dump=True))
    except BadMessage as error:
        return f"{error}\n"
