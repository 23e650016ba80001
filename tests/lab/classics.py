"""Small networks inside one AS, each as a reader of the RFC would draw it: several stand in one lab, apart.

A network `n` has the addresses 10.n.0.0/16: its router number i the router ID 10.n.255.i, and the link between i and j
(i < j) 10.n.ij.0/24 with host parts i and j.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from variants import router


@dataclass(frozen=True, slots=True)
class Router:
    """`asn`: its own; `bgp`: statements of `router bgp` after its neighbors; `own`: addresses of its loopback."""

    asn: int
    bgp: str = ""
    own: Sequence[str] = ()
    config: str = ""
    """Statements before BGP."""
    first: str = ""


@dataclass(frozen=True, slots=True)
class Network:
    """`routers` by number; `sessions` between two that have a link, with a statement for each end's neighbor."""

    number: int
    prefix: str
    routers: Mapping[int, Router]
    sessions: Sequence[tuple[int, int]]
    neighbor: Mapping[tuple[int, int], str] = field(default_factory=dict)
    """(router, neighbor) -> statements after `neighbor ADDRESS`, one a line."""
    speaks: Mapping[int, int] = field(default_factory=dict)
    """The AS number that others have for a router, where it is not its own (a confederation's)."""

    def name(self, number: int) -> str:
        return f"{self.prefix}{number}"

    def address(self, number: int, other: int) -> str:
        low, high = sorted((number, other))
        return f"10.{self.number}.{low * 10 + high}.{number}"

    def interface(self, other: int) -> str:
        return f"to{other}"

    def nodes(self) -> list[str]:
        return [self._node(number, what) for number, what in self.routers.items()]

    def links(self) -> list[tuple[str, str]]:
        return [
            (f"{self.name(one)}:{self.interface(other)}", f"{self.name(other)}:{self.interface(one)}")
            for one, other in self.sessions
        ]

    def _node(self, number: int, what: Router) -> str:
        peers = [b if a == number else a for a, b in self.sessions if number in (a, b)]
        addresses = {self.interface(p): f"{self.address(number, p)}/24" for p in peers}
        first = "\n".join([f"ip addr add {own} dev lo" for own in what.own] + what.first.splitlines())
        lines = [f"bgp router-id 10.{self.number}.255.{number}"]
        # What is there before the first neighbor tells what its AS number means.
        lines += [line for line in what.bgp.strip().splitlines() if "confederation" in line]
        for peer in peers:
            of = self.routers[peer].asn if self._inside(number, peer) else self.speaks.get(peer, self.routers[peer].asn)
            lines.append(f"neighbor {self.address(peer, number)} remote-as {of}")
            extra = self.neighbor.get((number, peer), "").strip().splitlines()
            lines += [f"neighbor {self.address(peer, number)} {line.strip()}" for line in extra]
        lines += [line for line in what.bgp.strip().splitlines() if "confederation" not in line]
        lines += [f"network {own}" for own in what.own]
        return router(self.name(number), what.asn, addresses, "\n".join(lines), first=first, config=what.config)

    def _inside(self, one: int, other: int) -> bool:
        """Both in one confederation (or none is in any)."""
        return (one in self.speaks) == (other in self.speaks)
