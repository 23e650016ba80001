"""Static routes of an FRR configuration while their lines are read -> KernelRoute."""

from __future__ import annotations

from dataclasses import replace

from bgpsim.inputs.frr.values import NotTaken, Unknown
from bgpsim.network.description import KernelRoute, RouteKind, RouteNextHop
from bgpsim.network.types import Prefix
from bgpsim.source import Source


class StaticRoutes:
    """One router's, in the order of their lines."""

    def __init__(self) -> None:
        self._routes: list[KernelRoute] = []

    @property
    def routes(self) -> tuple[KernelRoute, ...]:
        return tuple(self._routes)

    def add(self, prefix: Prefix, kind: RouteKind, next_hop: RouteNextHop | None, source: Source) -> None:
        """One route with several next hops, as staticd installs it. A prefix is dropped in one way, the last said.

        Raises NotTaken for a blackhole beside a next hop (staticd/static_nb_config.c)."""
        hops = () if next_hop is None else (next_hop,)
        for number, there in enumerate(self._routes):
            if there.prefix != prefix:
                continue
            if (there.kind == "unicast") != (kind == "unicast"):
                raise NotTaken("a route has no blackhole and next hops at once")
            together = tuple(dict.fromkeys((*there.next_hops, *hops)))
            self._routes[number] = replace(there, kind=kind, next_hops=together)
            return
        self._routes.append(KernelRoute(prefix, kind, hops, "static", 20, source=source))

    def remove(self, prefix: Prefix, kind: RouteKind, next_hop: RouteNextHop | None) -> None:
        """One next hop goes, and the route with its last one. Raises Unknown where there is no such route: a router
        says so, and goes on."""
        hops = () if next_hop is None else (next_hop,)
        left: list[KernelRoute] = []
        for route in self._routes:
            hit = route.prefix == prefix and route.kind == kind and set(hops) <= set(route.next_hops)
            others = tuple(hop for hop in route.next_hops if hop not in hops)
            if not hit:
                left.append(route)
            elif others:
                left.append(replace(route, next_hops=others))
        if left == self._routes:
            raise Unknown("there is no such route at this line")
        self._routes = left
