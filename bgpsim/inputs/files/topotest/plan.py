"""What a test builds, in the order of its lines: routers, switches and hosts, and the links between them.

Interfaces are named as topotest names them (tests/topotests/lib/topogen.py, TopoGear.new_link): `r1-eth0`, `r1-eth1` …
in the order in which links are added; one with a name of its own takes no number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from bgpsim.errors import InputError
from bgpsim.source import Source, Unmodelled

GearKind = Literal["router", "switch", "host"]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(slots=True)
class Gear:
    """topotest's word for what a link can end at."""

    name: str
    kind: GearKind
    source: Source
    address: str | None = None
    """A host's, with its length: `192.0.2.1/24`."""
    default: str | None = None
    """A host's default route, as `ip route` takes it: `via 192.0.2.254`."""
    next_link: int = 0

    def new_link(self) -> str:
        name = f"{self.name}-eth{self.next_link}"
        self.next_link += 1
        return name


@dataclass(frozen=True, slots=True)
class PlannedLink:
    ends: tuple[tuple[str, str], tuple[str, str]]
    source: Source


@dataclass(slots=True)
class Plan:
    """Filled by who reads a script or a JSON file. Raises InputError at the line that cannot be meant."""

    file: str
    gears: dict[str, Gear] = field(default_factory=dict)
    links: list[PlannedLink] = field(default_factory=list)
    unmodelled: list[Unmodelled] = field(default_factory=list)
    configurations: dict[str, str] = field(default_factory=dict)
    """Router -> the frr.conf that a JSON topology describes."""
    integrated: bool | None = None
    """Whether the test loads frr.conf; None: it does not say."""

    def fail(self, source: Source, message: str) -> InputError:
        return InputError(message, file=source.file, line=source.line)

    def add(self, name: str, kind: GearKind, source: Source) -> Gear:
        if not _NAME.fullmatch(name):
            raise self.fail(source, f"found the name {name!r}, expected letters, digits, `-`, `_` and `.`")
        if name in self.gears:
            first = self.gears[name].source
            raise self.fail(source, f"found {name!r} twice, expected each name once (first at line {first.line})")
        self.gears[name] = gear = Gear(name, kind, source)
        return gear

    def gear(self, name: str, source: Source) -> Gear:
        if name not in self.gears:
            there = ", ".join(self.gears) or "none is there yet"
            raise self.fail(source, f"found a link to {name!r}, expected a router, switch or host ({there})")
        return self.gears[name]

    def link(
        self, one: Gear, other: Gear, source: Source, own_name: str | None = None, other_name: str | None = None
    ) -> None:
        """`own_name` and `other_name`: the interfaces' names, where the test gives them."""
        ends = ((one, own_name or one.new_link()), (other, other_name or other.new_link()))
        for gear, interface in ends:
            if len(interface) > 15 or not interface or "/" in interface or interface.split() != [interface]:
                raise self.fail(source, f"found the interface {interface!r}, expected at most 15 characters")
            for link in self.links:
                if (gear.name, interface) in link.ends:
                    at = f"(first at line {link.source.line})"
                    raise self.fail(source, f"found {gear.name}:{interface} at two links, expected it at one {at}")
        self.links.append(PlannedLink(((one.name, ends[0][1]), (other.name, ends[1][1])), source))

    def from_mapping(self, switches: dict[str | None, tuple[str, ...]], source_of: dict[str | None, Source]) -> None:
        """topogen's dictionary: switch -> `router`, `router:interface` or `router:interface:port`. Routers are made
        first, in its order, then switches, then links (Topogen.add_topology_from_dict)."""
        for switch, entries in switches.items():
            for entry in entries:
                name = entry.split(":")[0]
                if name not in self.gears:
                    self.add(name, "router", source_of[switch])
        for switch in switches:
            if switch is not None and switch not in self.gears:
                self.add(switch, "switch", source_of[switch])
        for switch, entries in switches.items():
            if switch is None:
                continue
            for entry in entries:
                name, interface, port = (*entry.split(":"), "", "")[:3]
                self.link(self.gears[switch], self.gears[name], source_of[switch], port or None, interface or None)

    def list(self, source: Source, why: str, effect: Literal["none", "possible"] = "possible") -> None:
        self.unmodelled.append(Unmodelled(source, None, source.text, effect, (), why))
