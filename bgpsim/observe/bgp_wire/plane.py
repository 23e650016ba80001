"""What the capture says of every session -> facts of the wire plane.

A session that its own router does not call Established carries nothing: a link that was cut may have kept its end from
the wire. One that it calls Established, and whose connection was not seen whole, is not observed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Literal, NamedTuple, TypeAlias

from bgpsim.agent.bgp_messages import parse_open, routes
from bgpsim.agent.protocol import LabDevice
from bgpsim.errors import LabError
from bgpsim.network.grouped import Grouped, Place, prefix_of
from bgpsim.network.state import Attributes, Session, SessionKey, WireKey, numbered, wire_stream
from bgpsim.network.types import Family, Prefix
from bgpsim.observe.owners import Owners

_FAMILIES: Mapping[int, Family] = {1: "ipv4-unicast", 2: "ipv6-unicast"}


Facts: TypeAlias = dict[Place, dict[Prefix, Attributes]]
"""As in `Grouped`."""


class Stream(NamedTuple):
    """What one end of a session sends, under the names of `WireKey`."""

    device: str
    direction: Literal["received", "sent"]
    neighbor: str

    @property
    def text(self) -> str:
        return wire_stream(*self)


@dataclass
class WirePlane:
    facts: Grouped[WireKey, Attributes] = field(default_factory=lambda: Grouped({}))
    not_observed: dict[str, str] = field(default_factory=dict)


def read_wire(
    captured: Iterable[Mapping[str, Any]],
    sessions: Mapping[SessionKey, Session],
    devices: Mapping[str, LabDevice],
    owners: Owners,
) -> WirePlane:
    """`captured`: `bgp_capture.sessions`, read one by one; `sessions`: as the routers themselves tell them."""
    up = {key: session for key, session in sorted(sessions.items()) if session.state == "Established"}
    seen: dict[SessionKey, tuple[Stream, Facts | str]] = {}
    prefixes = _Prefixes()
    for of in captured:
        if of["device"] not in devices:
            continue  # it was taken away since
        key = session_key(of, sessions, devices)
        if key in up:
            stream = stream_of(key, of["peer"], devices)
            # The last one between two ends is the session.
            seen[key] = (stream, of["problem"] or _facts(stream, of, owners, prefixes))
    plane = WirePlane()
    tables: Facts = {}
    for key, session in up.items():
        unseen = (stream_of(key, session.peer, devices), "no connection of it was seen from its SYN on")
        stream, facts = seen.get(key, unseen)
        if isinstance(facts, str):
            plane.not_observed[stream.text] = facts
        else:
            for place, table in facts.items():
                tables.setdefault(place, table).update(table)
    plane.facts = numbered(Grouped(tables), lambda attributes: attributes)
    return plane


def session_key(
    of: Mapping[str, Any], sessions: Mapping[SessionKey, Session], devices: Mapping[str, LabDevice]
) -> SessionKey:
    """The session end, as its router calls it: a neighbor by its address, else by the interface towards it."""
    device = of["device"]
    if devices[device].role == "speaker":
        return SessionKey(device, of["peer"])
    by_interface = SessionKey(device, of["interface"])
    by_address = SessionKey(device, of["target"])
    return by_interface if by_address not in sessions and by_interface in sessions else by_address


def stream_of(key: SessionKey, peer: str | None, devices: Mapping[str, LabDevice]) -> Stream:
    """Where one end is a speaker, it is that end's stream, in either direction."""
    if (
        peer is not None
        and peer in devices
        and devices[peer].role == "speaker"
        and devices[key.device].role != "speaker"
    ):
        return Stream(peer, "received", key.device)
    return Stream(key.device, "sent", key.neighbor)


class _Prefixes(dict[tuple[int, bytes], Prefix]):
    """By AFI and octets: its length in bits, then as many as these need; the bits after its length mean nothing."""

    def __missing__(self, at: tuple[int, bytes]) -> Prefix:
        afi, octets = at
        kind, size = (IPv4Network, 4) if afi == 1 else (IPv6Network, 16)
        # By its text, so that it is the one object that all tables have.
        prefix = self[at] = prefix_of(str(kind((octets[1:].ljust(size, b"\0"), octets[0]), strict=False)))
        return prefix


def _facts(stream: Stream, of: Mapping[str, Any], owners: Owners, prefixes: _Prefixes) -> Facts | str:
    """All or nothing: where something cannot be decoded, what it is."""
    from bgpsim.observe.bgp_wire.attributes import decode  # scapy's import takes 0.2 s

    own, other = parse_open(bytes.fromhex(of["open"])), parse_open(bytes.fromhex(of["answer"]))
    wide = own.four_octet_as and other.four_octet_as

    def spell(address: str) -> str:
        return owners.between(of["device"], of["peer"], address)

    tables: dict[tuple[int, int], dict[Prefix, Attributes]] = {}
    for attributes, next_hop, afi, nlri in of["routes"]:
        try:
            made = decode(bytes.fromhex(attributes), bytes.fromhex(next_hop), wide, spell)
        except LabError as error:
            return error.message
        for route in routes(afi, bytes.fromhex(nlri), True):
            tables.setdefault((afi, route.path_id), {})[prefixes[afi, route.prefix]] = made
    return {
        WireKey(*stream, _FAMILIES[afi], None, path_id): table  # type: ignore[arg-type]
        for (afi, path_id), table in tables.items()
    }


def contradicted(plane: WirePlane, told: Mapping[WireKey, Attributes], speakers: Iterable[str]) -> None:
    """ExaBGP's own account of a speaker's sessions is a second way to know: where it says otherwise, neither counts."""
    names = frozenset(speakers)
    seen = {place: of for place, of in plane.facts.tables.items() if place[0] in names}
    account = Grouped.of(told).tables
    different: dict[str, list[str]] = {}
    for place in sorted({**seen, **account}, key=str):
        here, there = seen.get(place, {}), account.get(place, {})
        if here != there:
            stream = wire_stream(*place[:3])
            unequal = sorted(str(p) for p in {**here, **there} if here.get(p) != there.get(p))
            different.setdefault(stream, []).extend(unequal)
    for stream in sorted(set(different) - set(plane.not_observed)):
        plane.not_observed[stream] = f"the capture and ExaBGP differ on {', '.join(different[stream][:3])}"
    plane.facts = Grouped(
        {place: of for place, of in plane.facts.tables.items() if wire_stream(*place[:3]) not in plane.not_observed}
    )
