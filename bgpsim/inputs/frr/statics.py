"""`ip route` and `ipv6 route` of an FRR configuration, and their `no` forms."""

from __future__ import annotations

from dataclasses import replace

from bgpsim.inputs.frr import values
from bgpsim.inputs.frr.values import Refused, Unknown
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

    def add(self, version: str, text: str, next_hop: str, interface: str | None, source: Source) -> None:
        """`version`: ip or ipv6. Raises Refused for a value that no router accepts, Unknown for another form."""
        prefix, kind, hops = _parts(version, text, next_hop, interface)
        for number, there in enumerate(self._routes):
            if there.prefix == prefix and there.kind == kind == "unicast":
                # One route with several next hops, as staticd installs it.
                together = tuple(dict.fromkeys((*there.next_hops, *hops)))
                self._routes[number] = replace(there, next_hops=together)
                return
        self._routes.append(KernelRoute(prefix, kind, hops, "static", 20, source=source))

    def remove(self, version: str, text: str, next_hop: str, interface: str | None = None) -> None:
        """One next hop goes, and the route with its last one. Raises Unknown where there is no such route."""
        prefix, kind, hops = _parts(version, text, next_hop, interface)
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


def _parts(
    version: str, text: str, next_hop: str, interface: str | None
) -> tuple[Prefix, RouteKind, tuple[RouteNextHop, ...]]:
    prefix = values.prefix(text)
    if (prefix.version == 4) != (version == "ip"):
        raise Refused(f"found {text!r}, expected an {'IPv4' if version == 'ip' else 'IPv6'} prefix")
    kind: RouteKind = "unicast"
    hops: tuple[RouteNextHop, ...] = ()
    # vtysh completes a keyword before it takes a word for an interface's name: `b` is blackhole.
    if interface is None and ("blackhole".startswith(next_hop) or next_hop.lower() in ("blackhole", "null0")):
        kind = "blackhole"
    elif interface is None and ("reject".startswith(next_hop) or next_hop.lower() == "reject"):
        kind = "unreachable"
    elif values.looks_like_address(next_hop):
        hops = (RouteNextHop(values.address(next_hop), interface),)
    elif interface is None:
        hops = (RouteNextHop(None, next_hop),)
    else:
        raise Unknown
    return prefix, kind, hops
