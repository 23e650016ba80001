"""What stands on every BGP session, by its packets alone: connections, their OPENs, and the net effect of UPDATEs.

Each packet is looked at once and kept no longer. A connection is the two byte streams between two ends; a new SYN at
the same addresses and ports begins a new one. It is a session once both ends have sent OPEN and KEEPALIVE, and none
after a NOTIFICATION, a FIN or a RST from either (RFC 4271 section 8.2.2): with it go its routes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from bgpsim.agent.bgp_messages import (
    KEEPALIVE,
    KINDS,
    NOTIFICATION,
    OPEN,
    UPDATE,
    BadMessage,
    FamilyNumbers,
    Message,
    Open,
    RouteKey,
    parse_open,
    parse_update,
    split,
)
from bgpsim.agent.tcp_segments import ACK, FIN, RST, SYN, ByteStream, Segment, segment_of

_KEPT = 4
"""Connections between the same two addresses that are no session: attempts, collisions."""
_SESSIONS = 2
"""Sessions between the same two addresses: the last one's end may not have been on the wire (a link was cut)."""
_WAITING = 1 << 14
"""UPDATEs that may wait for the other end's OPEN, which comes before them unless it was not captured."""

End: TypeAlias = tuple[str, int]
"""Address and port."""
Made: TypeAlias = tuple[bytes, bytes]
"""Attributes and MP_REACH_NLRI's next hop."""


class Seen(NamedTuple):
    """A packet as it left a device."""

    time: int
    """Nanoseconds since the epoch."""
    device: str
    interface: str
    data: bytes


@dataclass(slots=True)
class _Side:
    """One direction of a connection: what one end sent."""

    device: str
    interface: str
    stream: ByteStream = field(default_factory=ByteStream)
    buffer: bytearray = field(default_factory=bytearray)
    open: Open | None = None
    open_body: bytes = b""
    alive: bool = False
    """It has sent a KEEPALIVE: it takes the other's OPEN."""
    waiting: list[Message] = field(default_factory=list)
    """UPDATEs that came before the other side's OPEN was read."""
    routes: dict[tuple[int, int], dict[bytes, Made]] = field(default_factory=dict)
    """AFI and path id -> prefix -> what it was announced with: a route is a slot, and no object of its own."""

    def announce(self, route: RouteKey, prefix: bytes, made: Made) -> None:
        self.routes.setdefault((route.afi, route.path_id), {})[prefix] = made

    def withdraw(self, route: RouteKey) -> None:
        table = self.routes.get((route.afi, route.path_id), {})
        if table.pop(route.prefix, None) is not None and not table:
            del self.routes[route.afi, route.path_id]


class _Connection:
    def __init__(self, time: int) -> None:
        self.begun = time
        self.ended = False
        self.sides: dict[End, _Side] = {}

    def other(self, end: End) -> _Side | None:
        return next((side for of, side in self.sides.items() if of != end), None)

    @property
    def established(self) -> bool:
        sides = self.sides.values()
        return len(sides) == 2 and not self.ended and all(side.open and side.alive for side in sides)


class Account:
    """Give it packets in the order of their times; ask it what stands.

    `scope`: where link-local addresses are to be told apart, the link that a device's interface is on; both of its ends
    give the same. `part`: of the lab that a device is in, where parts that no link joins may have the same addresses.
    """

    def __init__(self, scope: Callable[[str, str], Any], part: Callable[[str], Any] = lambda device: None) -> None:
        self._scope, self._part = scope, part
        self._connections: dict[Any, _Connection] = {}
        self._counts: dict[tuple[str, str, str], Counter[str]] = {}
        self._shared: dict[Made, Made] = {}
        self._prefixes: dict[bytes, bytes] = {}
        """Both by themselves: one object for equal ones, on whatever sessions they stand."""

    def take(self, packets: Iterable[Seen]) -> None:
        for packet in packets:
            segment = segment_of(packet.data)
            if segment is not None:
                self._segment(packet, segment)

    def lose(self, device: str, count: int) -> None:
        """So many packets that the device sent were not captured: nothing that it sends now is whole."""
        for connection in self._connections.values():
            for side in connection.sides.values():
                if side.device == device:
                    side.stream.breaks(f"the capture at {device} lost {count} packets")

    def _segment(self, packet: Seen, segment: Segment) -> None:
        sender, receiver = (segment.source, segment.source_port), (segment.target, segment.target_port)
        local = segment.source.startswith("fe80:") or segment.target.startswith("fe80:")
        within = self._scope(packet.device, packet.interface) if local else self._part(packet.device)
        key = (("link" if local else "part", within), *sorted((sender, receiver)))
        connection = self._connections.get(key)
        known = None if connection is None else connection.sides.get(sender)
        first = bool(segment.flags & SYN)
        anew = first and known is not None and known.stream.begun and known.stream.first != segment.sequence
        if connection is None or anew or (first and not segment.flags & ACK and connection.ended):
            self._connections.pop(key, None)
            connection = self._connections[key] = _Connection(packet.time)
            self._forget(key)
        side = connection.sides.get(sender)
        if side is None:
            side = connection.sides[sender] = _Side(packet.device, packet.interface)
        elif side.device != packet.device:
            return  # a router on the way sends it on
        self._bytes(connection, sender, side, segment)

    def _bytes(self, connection: _Connection, sender: End, side: _Side, segment: Segment) -> None:
        other = connection.other(sender)
        sequence = segment.sequence
        if segment.flags & SYN:
            if not side.stream.begun:
                side.stream.syn(sequence)
            sequence += 1
        if segment.flags & ACK and other is not None:
            other.stream.acknowledge(segment.acknowledged)
        side.buffer += side.stream.take(sequence % (1 << 32), segment.payload)
        try:
            for message in split(side.buffer):
                self._message(connection, sender, side, message)
        except BadMessage as error:
            side.stream.breaks(str(error))
            side.buffer.clear()
        if segment.flags & (FIN | RST):
            connection.ended = True

    def _message(self, connection: _Connection, sender: End, side: _Side, message: Message) -> None:
        other = connection.other(sender)
        target = next((end[0] for end in connection.sides if end != sender), "")
        counted = self._counts.setdefault((side.device, side.interface, target), Counter())
        counted[KINDS[message.kind]] += 1
        if message.kind == OPEN:
            side.open, side.open_body = parse_open(message.body), message.body
            if other is not None:
                waiting, other.waiting = other.waiting, []
                for update in waiting:
                    self._update(other, side, update)
        elif message.kind == KEEPALIVE:
            side.alive = True
        elif message.kind == NOTIFICATION:
            connection.ended = True
        elif message.kind == UPDATE:
            if other is None or other.open is None:
                side.waiting.append(message)
                if len(side.waiting) > _WAITING:
                    side.stream.breaks("the OPEN of the other end was not seen")
                    side.waiting.clear()
            else:
                self._update(side, other, message)

    def _update(self, side: _Side, other: _Side, message: Message) -> None:
        update = parse_update(message.body, lambda family: has_path_ids(side.open, other.open, family))
        for route in update.withdrawn:
            side.withdraw(route)
        for next_hop, routes in update.announced:
            made = (update.attributes, next_hop)
            made = self._shared.setdefault(made, made)
            for route in routes:
                side.announce(route, self._prefixes.setdefault(route.prefix, route.prefix), made)

    def _forget(self, newest: Any) -> None:
        """What was before between the same two addresses, but for the last ones."""
        ends = _addresses(newest)
        same = [key for key in self._connections if _addresses(key) == ends]
        sessions = [key for key in same if self._connections[key].established]
        others = [key for key in same if key not in sessions]
        for key in (*sessions[:-_SESSIONS], *others[:-_KEPT]):
            del self._connections[key]

    def counts(self) -> list[Mapping[str, Any]]:
        """Messages since the beginning: {device, interface, target, counts}, `counts` by kind."""
        return [
            {"device": device, "interface": interface, "target": target, "counts": dict(sorted(counted.items()))}
            for (device, interface, target), counted in sorted(self._counts.items())
        ]

    def sessions(self) -> Iterator[Mapping[str, Any]]:
        """What each end of each session has sent until now, the older session between two ends first.

        Each {device, interface, peer, source, target, begun, problem, open, answer, routes}: problem: why the stream is
        not whole, or None; open, answer: the OPENs of this end and of the other, in hexadecimal; routes: [attributes,
        next_hop, afi, nlri] in hexadecimal, nlri always with path ids.
        """
        self._forget_unused()
        established = sorted((c for c in self._connections.values() if c.established), key=lambda c: c.begun)
        # Their routes as they are now, in few bytes: as text, which takes many, each session's when it is read.
        standing = [
            (_about(connection, end), _grouped(side.routes))
            for connection in established
            for end, side in connection.sides.items()
        ]
        return ({**about, "routes": _texts(groups)} for about, groups in standing)

    def _forget_unused(self) -> None:
        tables = [of for c in self._connections.values() for s in c.sides.values() for of in s.routes.values()]
        self._shared = {made: made for table in tables for made in table.values()}
        self._prefixes = {prefix: prefix for table in tables for prefix in table}


def has_path_ids(sender: Open | None, receiver: Open | None, family: FamilyNumbers) -> bool:
    """Whether what `sender` sends of a family has path ids (RFC 7911 section 4): it may send, the other receive."""
    if sender is None or receiver is None:
        return False
    return bool(sender.add_path.get(family, 0) & 2) and bool(receiver.add_path.get(family, 0) & 1)


def _addresses(key: Any) -> tuple[Any, ...]:
    scope, one, other = key
    return (scope, *sorted((one[0], other[0])))


def _about(connection: _Connection, end: End) -> Mapping[str, Any]:
    """All of `Account.sessions` but the routes."""
    side = connection.sides[end]
    target, other = next((of, other) for of, other in connection.sides.items() if of != end)
    return {
        "device": side.device,
        "interface": side.interface,
        "peer": other.device,
        "source": end[0],
        "target": target[0],
        "begun": connection.begun,
        "problem": side.stream.problem(),
        "open": side.open_body.hex(),
        "answer": other.open_body.hex(),
    }


def _grouped(routes: Mapping[tuple[int, int], Mapping[bytes, Made]]) -> Mapping[tuple[int, Made], bytearray]:
    """AFI and what they were announced with -> NLRI with path ids."""
    groups: dict[tuple[int, Made], bytearray] = {}
    for (afi, path_id), table in routes.items():
        octets = path_id.to_bytes(4, "big")
        for prefix, made in table.items():
            group = groups.setdefault((afi, made), bytearray())
            group += octets
            group += prefix
    return groups


def _texts(groups: Mapping[tuple[int, Made], bytearray]) -> list[list[Any]]:
    return [[attributes.hex(), hop.hex(), afi, nlri.hex()] for (afi, (attributes, hop)), nlri in groups.items()]
