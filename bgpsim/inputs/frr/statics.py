"""Static routes of an FRR configuration while their lines are read -> KernelRoute."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bgpsim.inputs.frr.values import NotTaken, Unknown
from bgpsim.network.description import KernelRoute, RouteKind, RouteNextHop
from bgpsim.network.policies import Use
from bgpsim.network.types import Prefix
from bgpsim.source import Source


@dataclass(frozen=True, slots=True)
class StaticLine:
    """What one line says. Routes of one prefix that differ in distance or tag are several (staticd: path-list)."""

    prefix: Prefix
    kind: RouteKind
    next_hop: RouteNextHop | None
    distance: int = 1
    tag: int = 0
    onlink: bool = False

    def is_of(self, route: KernelRoute) -> bool:
        return (route.prefix, route.distance, route.tag) == (self.prefix, self.distance, self.tag)

    @property
    def hops(self) -> tuple[RouteNextHop, ...]:
        return () if self.next_hop is None else (self.next_hop,)


@dataclass
class ZebraLines:
    """`ip nht resolve-via-default`: for the IP versions that it was said for."""

    via_default: set[int] = field(default_factory=set)
    bgp_maps: dict[int, Use] = field(default_factory=dict)
    """`ip protocol bgp route-map`, likewise."""


class StaticRoutes:
    """One router's, in the order of their lines."""

    def __init__(self) -> None:
        self._routes: list[KernelRoute] = []

    @property
    def routes(self) -> tuple[KernelRoute, ...]:
        return tuple(self._routes)

    def add(self, line: StaticLine, source: Source) -> None:
        """One route with several next hops, as staticd installs it. A prefix is dropped in one way, the last said.

        Raises NotTaken for a blackhole beside a next hop (staticd/static_nb_config.c)."""
        for number, there in enumerate(self._routes):
            if not line.is_of(there):
                continue
            if (there.kind == "unicast") != (line.kind == "unicast"):
                raise NotTaken("a route has no blackhole and next hops at once")
            together = tuple(dict.fromkeys((*there.next_hops, *line.hops)))
            onlink = there.onlink or line.onlink
            self._routes[number] = replace(there, kind=line.kind, next_hops=together, onlink=onlink)
            return
        self._routes.append(
            KernelRoute(
                *(line.prefix, line.kind, line.hops, "static", 20),
                onlink=line.onlink,
                source=source,
                distance=line.distance,
                tag=line.tag,
            )
        )

    def remove(self, line: StaticLine) -> None:
        """One next hop goes, and the route with its last one. Raises Unknown where there is no such route: a router
        says so, and goes on."""
        left: list[KernelRoute] = []
        for route in self._routes:
            hit = line.is_of(route) and route.kind == line.kind and set(line.hops) <= set(route.next_hops)
            others = tuple(hop for hop in route.next_hops if hop not in line.hops)
            if not hit:
                left.append(route)
            elif others:
                left.append(replace(route, next_hops=others))
        if left == self._routes:
            raise Unknown("there is no such route at this line")
        self._routes = left
