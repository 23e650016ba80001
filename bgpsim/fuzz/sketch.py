"""A random network before it is files: plain values, so that it can be drawn, made smaller and written.

Names carry the network's prefix already; everything else is the same whatever the prefix.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Section: TypeAlias = Literal["config", "bgp", "ipv4", "ipv6"]
"""Where a line stands: in `configure terminal`, in `router bgp`, in one of its address families."""


@dataclass(frozen=True, slots=True)
class Line:
    """A statement of a router's configuration; `text` may be a block of several lines, which stand and go together."""

    section: Section
    text: str
    statement: str
    """The family of statements that it is of (`draws.DRAWS`, `sessions.STATEMENTS`)."""


@dataclass(frozen=True, slots=True)
class Router:
    name: str
    asn: int
    commands: tuple[str, ...]
    """`ip` lines, before FRR starts."""
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Host:
    """An end of traffic, with its link to a router at the interface `net0`."""

    name: str
    commands: tuple[str, ...]


End: TypeAlias = tuple[str, str]
"""Device and interface."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """`settings`: the keys of `speakers:` in a scenario file, `peers` apart."""

    name: str
    peers: tuple[str, ...]
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a step. `key` as in a scenario file; `device` as it names it (a speaker's for announcements).

    `value`: for `link-down` and `link-up` the interface, for `session-down` and `session-up` the neighbor, for
    `configure` the lines, for `announce`, `replace` and `withdraw` the other keys of the entry.
    """

    key: Literal["link-down", "link-up", "session-down", "session-up", "configure", "announce", "replace", "withdraw"]
    device: str
    value: Any
    statement: str | None = None
    """Of lines that are typed, the family that they are of."""


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class Sketch:
    name: str
    about: str
    """One line: what was drawn."""
    routers: tuple[Router, ...]
    hosts: tuple[Host, ...]
    links: tuple[tuple[End, End], ...]
    speakers: tuple[Speaker, ...]
    steps: tuple[Step, ...]

    @property
    def statements(self) -> frozenset[str]:
        """The families of statements that stand in it, at boot or typed later."""
        boot = {line.statement for router in self.routers for line in router.lines}
        typed = {action.statement for step in self.steps for action in step.actions if action.statement is not None}
        return frozenset(boot | typed)
