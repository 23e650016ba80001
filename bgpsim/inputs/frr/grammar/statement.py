"""What the registry says of one statement, and what a line of it has said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, Literal, TypedDict, Unpack

from bgpsim.inputs.frr.grammar.matching import Match
from bgpsim.inputs.frr.grammar.modes import FAMILY_MODES, Mode
from bgpsim.inputs.frr.grammar.tokens import Value
from bgpsim.network.types import Address, Family, Prefix
from bgpsim.source import Source

if TYPE_CHECKING:
    from bgpsim.inputs.frr.configuration import Configuration

Answer = Literal["modelled", "none", "possible"]
"""modelled; or listed, because it can move no packet (none), or may (possible)."""
Daemon = Literal["bgpd", "zebra", "staticd", "bfdd", "vtysh", "other"]
Apply = Callable[["Configuration", "Said"], None]
"""Takes a line into a router's configuration. Raises Refused for a value that no router accepts, NotTaken for a line
that a router refuses as things stand there, Unknown for what is not modelled."""
VERSIONS = ("8.4", "10.3")
ROUTING: tuple[Daemon, ...] = ("zebra", "bgpd", "staticd", "bfdd")
_OF_MODE: dict[Mode, tuple[Daemon, ...]] = {
    "bgp": ("bgpd",),
    "ipv4-unicast": ("bgpd",),
    "ipv6-unicast": ("bgpd",),
    "bfd": ("bfdd",),
    "bfd-peer": ("bfdd",),
    "bfd-profile": ("bfdd",),
    "interface": ("zebra",),
    "route-map": ("bgpd",),
}


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of FRR. Its syntax is `inputs/frr/grammar/syntax.py`'s; several modes may know it."""

    modes: tuple[Mode, ...]
    syntax: str
    answer: Answer
    examples: tuple[str, ...]
    """Lines that a router accepts, in the first of the modes."""
    apply: Apply | None = None
    undo: str | None = None
    """The syntax of what follows `no`; None where the syntax begins with `[no]`, or there is none."""
    why: str = ""
    enters: Mode | None = None
    refused: tuple[str, ...] = ()
    """Lines with a value that no router accepts."""
    before: tuple[str, ...] = ()
    """Lines that the examples need before them, beside what their mode has (PREAMBLES)."""
    daemons: tuple[Daemon, ...] = ()
    """Whose configuration files may have it; none: its mode's daemon's."""
    versions: tuple[str, ...] = VERSIONS

    @property
    def of(self) -> tuple[Daemon, ...]:
        return self.daemons or _OF_MODE.get(self.modes[0], ("vtysh",))

    @property
    def forms(self) -> tuple[str, ...]:
        return (self.syntax,) if self.undo is None else (self.syntax, f"no {self.undo}")


@dataclass(frozen=True, slots=True)
class Said:
    """One line of a statement."""

    statement: Statement
    match: Match
    mode: Mode
    source: Source

    @property
    def negated(self) -> bool:
        return "no" in self.match.keywords

    @property
    def family(self) -> Family:
        """FRR takes a line of a family outside of one for IPv4's, hidden, from before there were families."""
        return FAMILY_MODES.get(self.mode, "ipv4-unicast")

    def has(self, keyword: str) -> bool:
        """Whether the line has it, abbreviated or not."""
        return keyword in self.match.keywords

    def __contains__(self, name: str) -> bool:
        """Whether the line has a value of that name."""
        return name in self.match.values

    def text(self, name: str) -> str:
        """A value as a router spells it; several words joined. Raises KeyError where it is absent."""
        value = self.match.values[name]
        return " ".join(str(word) for word in value) if isinstance(value, tuple) else str(value)

    def value(self, name: str) -> Value:
        value = self.match.values[name]
        assert not isinstance(value, tuple)
        return value

    def several(self, name: str) -> tuple[Value, ...]:
        """Of a token that repeats; none where it is absent."""
        value = self.match.values.get(name, ())
        return value if isinstance(value, tuple) else (value,)

    def number(self, name: str) -> int:
        value = self.match.values[name]
        assert isinstance(value, int)
        return value

    def address(self, name: str) -> Address:
        value = self.match.values[name]
        assert isinstance(value, IPv4Address | IPv6Address)
        return value

    def prefix(self, name: str) -> Prefix:
        value = self.match.values[name]
        assert isinstance(value, IPv4Network | IPv6Network)
        return value


PREAMBLES: dict[Mode, tuple[str, ...]] = {
    "config": (),
    "bgp": (
        "router bgp 65000",
        "neighbor FABRIC peer-group",
        "neighbor FABRIC remote-as external",
        "neighbor 10.0.1.2 remote-as 65001",
    ),
    "interface": ("interface net0",),
    "route-map": ("route-map OUT permit 10",),
    "bfd": ("bfd",),
    "bfd-peer": ("bfd", "peer 10.0.1.2"),
    "bfd-profile": ("bfd", "profile fast"),
}
PREAMBLES["ipv4-unicast"] = (*PREAMBLES["bgp"], "address-family ipv4 unicast")
PREAMBLES["ipv6-unicast"] = (*PREAMBLES["bgp"], "address-family ipv6 unicast")
"""What stands before a mode's examples, from `configure terminal` on."""


class More(TypedDict, total=False):
    """What a statement may have besides: see Statement."""

    undo: str | None
    enters: Mode | None
    refused: tuple[str, ...]
    before: tuple[str, ...]
    daemons: tuple[Daemon, ...]
    versions: tuple[str, ...]


def modelled(
    modes: Mode | tuple[Mode, ...], syntax: str, apply: Apply, *examples: str, **more: Unpack[More]
) -> Statement:
    """In the prediction."""
    in_modes = modes if isinstance(modes, tuple) else (modes,)
    return Statement(in_modes, syntax, "modelled", examples, apply, **more)


def listed(
    effect: Literal["none", "possible"],
    why: str,
    modes: Mode | tuple[Mode, ...],
    *statements: tuple[str, ...],
    **more: Unpack[More],
) -> tuple[Statement, ...]:
    """Several with one reason. Each of `statements`: the syntax, then its examples."""
    in_modes = modes if isinstance(modes, tuple) else (modes,)
    return tuple(
        Statement(in_modes, syntax, effect, tuple(examples), why=why, **more) for syntax, *examples in statements
    )
