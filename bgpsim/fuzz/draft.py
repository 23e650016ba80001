"""A router while it is being drawn: what the draws look at, and where they put their lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Literal

from bgpsim.fuzz.sketch import Line, Router, Section
from bgpsim.network.types import Address, Prefix


@dataclass(frozen=True, slots=True)
class Port:
    """One end of a link to another router, with the addresses of both ends, where there are any."""

    interface: str
    far: str
    """The other router."""
    own: dict[int, Address]
    """By IP version."""
    other: dict[int, Address]


@dataclass(frozen=True, slots=True)
class Peer:
    """A neighbor, as its lines name it."""

    name: str
    internal: bool
    families: tuple[Literal["ipv4", "ipv6"], ...]
    group: str | None = None


@dataclass(slots=True)
class Draft:
    number: int
    name: str
    asn: int
    datacenter: bool = False
    """`frr defaults datacenter`."""
    born_ipv4: bool = True
    """Neighbors start with IPv4 unicast."""
    ipv6: bool = False
    """It has global IPv6 addresses."""
    commands: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    ports: list[Port] = field(default_factory=list)
    peers: list[Peer] = field(default_factory=list)
    groups: dict[str, bool] = field(default_factory=dict)
    """Peer-group -> whether it is internal."""
    prefixes: list[Prefix] = field(default_factory=list)
    """Of its own interfaces."""
    statics: list[Prefix] = field(default_factory=list)

    @property
    def loopback(self) -> IPv4Address:
        return IPv4Address("10.0.0.0") + self.number

    @property
    def loopback6(self) -> IPv6Address:
        return IPv6Address("fd00::") + self.number

    def add(self, section: Section, text: str, statement: str) -> None:
        self.lines.append(Line(section, text, statement))

    def made(self) -> Router:
        return Router(self.name, self.asn, tuple(self.commands), tuple(self.lines))

    def families(self) -> tuple[Literal["ipv4", "ipv6"], ...]:
        return ("ipv4", "ipv6") if self.ipv6 else ("ipv4",)
