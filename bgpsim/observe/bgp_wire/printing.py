"""BGP messages out of captured packets, in scapy's words: what `--decode` prints.

A capture may begin in the middle of a session. Then messages are read from where one begins, AS numbers are taken to
have four octets and routes no path ids, and the heading says that no OPEN was seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

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
from bgpsim.observe.pcap import Captured

_ETHERTYPES = (b"\x08\x00", b"\x86\xdd")


@dataclass(slots=True)
class _Direction:
    stream: ByteStream = field(default_factory=ByteStream)
    buffer: bytearray = field(default_factory=bytearray)
    open: Open | None = None


def printed(packets: Iterable[Captured], *, frames: bool) -> Iterator[str]:
    """A text per BGP message: time, device, addresses and kind, then its fields. `frames`: with Ethernet headers."""
    directions: dict[tuple[object, ...], _Direction] = {}
    for packet in packets:
        data = packet.data
        if frames:
            if data[12:14] not in _ETHERTYPES:
                continue
            data = data[14:]
        segment = segment_of(data)
        if segment is None:
            continue
        # At one end of a link a packet is seen once, in one direction.
        ends = (segment.source, segment.source_port, segment.target, segment.target_port)
        here = directions.setdefault((packet.device, *ends), _Direction())
        back = directions.setdefault((packet.device, *ends[2:], *ends[:2]), _Direction())
        for message in _messages(here, segment):
            if message.kind == OPEN:
                here.open = parse_open(message.body)
            yield f"{_heading(packet, segment, message, here, back)}\n{_fields(message, here, back)}"


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


def _heading(packet: Captured, segment: Segment, message: Message, here: _Direction, back: _Direction) -> str:
    time = datetime.fromtimestamp(packet.time / 10**9, UTC).strftime("%H:%M:%S.%f")
    note = ""
    if message.kind == UPDATE and (here.open is None or back.open is None):
        note = " (no OPEN was seen: AS numbers taken to have 4 octets, routes no path ids)"
    way = f"{segment.source} > {segment.target}"
    return f"{time} {packet.device}:{packet.interface} {way} {KINDS[message.kind].upper()}{note}"


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
