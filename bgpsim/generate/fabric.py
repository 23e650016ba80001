"""A fabric of routers before it is text: who stands where, and what is cabled to what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from bgpsim.errors import InputError

MOST_NODES = 200
"""Routers and hosts together: each has an address on containerlab's management network, a /24."""


@dataclass(frozen=True, slots=True)
class Router:
    """One FRR router with unnumbered sessions on `fabric`; `host` is the interface to its host, if it has one."""

    name: str
    asn: int
    loopback: IPv4Address
    fabric: tuple[str, ...]
    host: Host | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """An end of traffic behind one router: the router has .1 of the subnet, the host .2."""

    name: str
    router_interface: str
    subnet: IPv4Network

    @property
    def gateway(self) -> IPv4Interface:
        return IPv4Interface((self.subnet[1], self.subnet.prefixlen))

    @property
    def address(self) -> IPv4Interface:
        return IPv4Interface((self.subnet[2], self.subnet.prefixlen))


@dataclass(frozen=True, slots=True)
class Cable:
    """Two ends, each (node, interface)."""

    a: tuple[str, str]
    b: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Fabric:
    """`about`: comment lines on what it is, for the head of its files."""

    name: str
    about: tuple[str, ...]
    routers: tuple[Router, ...]
    cables: tuple[Cable, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A router as a rule places it: its AS, its loopback, and the host behind it, if there is one."""

    asn: int
    loopback: IPv4Address
    host: str | None = None


def wired(name: str, about: Sequence[str], places: Mapping[str, Place], links: Sequence[tuple[str, str]]) -> Fabric:
    """Give each router interfaces net0, net1 … in the order of the links, the last one to its host.

    The hosts' subnets are 10.1.0.0/24, 10.1.1.0/24 … in the order of the places. Raises InputError for a fabric with
    more nodes than a lab has addresses for.
    """
    nodes = len(places) + sum(place.host is not None for place in places.values())
    if nodes > MOST_NODES:
        raise InputError(f"{name}: found {nodes} routers and hosts, expected {MOST_NODES} at most")
    interfaces: dict[str, list[str]] = {router: [] for router in places}

    def port(router: str) -> tuple[str, str]:
        interfaces[router].append(f"net{len(interfaces[router])}")
        return router, interfaces[router][-1]

    cables = [Cable(port(a), port(b)) for a, b in links]
    subnets = IPv4Network("10.1.0.0/16").subnets(new_prefix=24)
    routers = []
    for router, place in places.items():
        fabric = tuple(interfaces[router])
        host = None
        if place.host is not None:
            host = Host(place.host, port(router)[1], next(subnets))
            cables.append(Cable((router, host.router_interface), (host.name, "net0")))
        routers.append(Router(router, place.asn, place.loopback, fabric, host))
    return Fabric(name, tuple(about), tuple(routers), tuple(cables))
