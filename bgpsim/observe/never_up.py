"""What bgpd shows of a session in its running configuration alone, and that decides whether it will come up.

Sessions that their own configuration keeps down are at rest at once, and not after attempts that take minutes.

Two ends with different passwords exchange no packet (RFC 2385: what does not fit is dropped in silence), and two ends
that do not dial never meet. bgpd tells neither in `show bgp neighbors`, but its `show running-config` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

Key = tuple[str, str]
_BGP_PORT = "179"


@dataclass(frozen=True, slots=True)
class Said:
    """What one end's router says of it. `dials`: it connects by itself. `shut`: of a group. `anywhere`: an external
    peer need not be on a connected network."""

    password: str | None = field(default=None, repr=False)
    dials: bool = True
    shut: bool = False
    anywhere: bool = False


@dataclass(frozen=True, slots=True)
class Listening:
    """A listen range of a router."""

    device: str
    range: IPv4Network | IPv6Network
    said: Said

    def holds(self, address: str) -> bool:
        return ip_address(address) in self.range


@dataclass(frozen=True, slots=True)
class Running:
    """What the routers' running configurations say of their sessions."""

    of: Mapping[Key, Said]
    listening: tuple[Listening, ...] = ()

    def fits(self, one: Key, other: Key) -> bool:
        """False: these two ends never come together. True where one of them is unknown."""
        a, b = self.of.get(one), self.of.get(other)
        return a is None or b is None or (a.password == b.password and (a.dials or b.dials))

    def anywhere(self, end: Key) -> bool:
        """Whether the end tries though its peer is on no connected network."""
        return self.of.get(end, Said()).anywhere

    def caller(self, device: str, addresses: Iterable[str], end: Key) -> str | None:
        """Which of these addresses, of somebody who dials as `end` says, a router takes connections from."""
        said = self.of.get(end, Said())
        ranges = [
            one
            for one in self.listening
            if one.device == device and one.said.password == said.password and not one.said.shut
        ]
        return next((a for a in addresses if said.dials and any(one.holds(a) for one in ranges)), None)


def read_running(answers: Mapping[str, str]) -> Running:
    """`answers`: by device, bgpd's to `show running-config`."""
    of: dict[Key, Said] = {}
    listening: list[Listening] = []
    for device, text in answers.items():
        said, groups, ranges = _neighbors(text)
        of |= {(device, name): one for name, one in said.items()}
        listening += [Listening(device, ip_network(prefix), groups.get(group, Said())) for prefix, group in ranges]
    return Running(of, tuple(listening))


def _neighbors(text: str) -> tuple[dict[str, Said], dict[str, Said], list[tuple[str, str]]]:
    """Neighbors with their groups' words under their own, groups, and listen ranges with their groups."""
    groups: dict[str, Said] = {}
    member: dict[str, str] = {}
    own: dict[str, list[list[str]]] = {}
    ranges: list[tuple[str, str]] = []
    anywhere = False
    for line in text.splitlines():
        match line.split():
            case ["bgp", "disable-ebgp-connected-route-check"]:
                anywhere = True
            case ["bgp", "listen", "range", prefix, "peer-group", group]:
                ranges.append((prefix, group))
            case ["neighbor", name, "peer-group"]:
                groups[name] = Said()
            case ["neighbor", name, "peer-group", group] | ["neighbor", name, "interface", "peer-group", group]:
                member[name] = group
                own.setdefault(name, [])
            case ["neighbor", name, *words]:
                own.setdefault(name, []).append(words)
    plain = Said(anywhere=anywhere)
    made = {name: _after(replace(groups[name], anywhere=anywhere), own.pop(name, [])) for name in groups}
    return {name: _after(made.get(member.get(name, ""), plain), lines) for name, lines in own.items()}, made, ranges


def _after(said: Said, lines: Iterable[list[str]]) -> Said:
    for words in lines:
        match words:
            case ["password", *password]:
                said = replace(said, password=" ".join(password))
            case ["disable-connected-check"]:
                said = replace(said, anywhere=True)
            case ["shutdown", *_]:
                said = replace(said, shut=True)
            case ["passive"]:
                said = replace(said, dials=False)
            case ["port", port] if port != _BGP_PORT:
                said = replace(said, dials=False)
    return said
