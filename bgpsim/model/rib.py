"""Routes that exist without BGP, and the longest-prefix-match table.

Two views of the same routes: the kernel's main table (what forwards) and zebra's RIB (what BGP redistributes and
resolves next hops through). They differ where FRR says so: a host address on `lo` is connected for zebra and stands in
the kernel's local table only; a connected route without carrier stays in the kernel, marked `linkdown`, and leaves
zebra (zebra/connected.c), while a route that somebody else put into the kernel stays in zebra as long as its interface
is up (measured on 8.4.4). FRR's own static routes are where zebra puts them: in the kernel while they are usable and no
better route for the prefix is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv6Address
from typing import Generic, TypeVar

from bgpsim.model.wiring import LOOPBACK, Wiring, link_local_text
from bgpsim.network.description import Device, InterfaceRef, KernelRoute, RouteKind, RouteNextHop
from bgpsim.network.state import FibNextHop
from bgpsim.network.types import Address, Prefix
from bgpsim.source import Source

IPV6_DEFAULT_METRIC = 1024
"""What the kernel makes of metric 0 in an IPv6 route (IP6_RT_PRIO_USER)."""
IPV6_CONNECTED_METRIC = 256
"""IP6_RT_PRIO_ADDRCONF."""
BGP_METRIC = 20
"""zebra gives every route it installs this kernel metric."""

Value = TypeVar("Value")


class PrefixTable(Generic[Value]):
    """Values by prefix, with longest match first. Both families in one table."""

    def __init__(self) -> None:
        self._values: dict[tuple[int, int], dict[int, tuple[Prefix, Value]]] = {}

    def set(self, prefix: Prefix, value: Value) -> None:
        self._values.setdefault((prefix.version, prefix.prefixlen), {})[int(prefix.network_address)] = (prefix, value)

    def remove(self, prefix: Prefix) -> None:
        self._values.get((prefix.version, prefix.prefixlen), {}).pop(int(prefix.network_address), None)

    def get(self, prefix: Prefix) -> Value | None:
        found = self._values.get((prefix.version, prefix.prefixlen), {}).get(int(prefix.network_address))
        return found[1] if found else None

    def matches(self, address: Address) -> Iterator[tuple[Prefix, Value]]:
        """All prefixes that hold the address, longest first."""
        bits = address.max_prefixlen
        number = int(address)
        for length in range(bits, -1, -1):
            level = self._values.get((address.version, length))
            if level:
                found = level.get(number >> (bits - length) << (bits - length))
                if found:
                    yield found


@dataclass(frozen=True, slots=True)
class StaticRoute:
    """A route that is there without BGP."""

    prefix: Prefix
    kind: RouteKind
    protocol: str
    metric: int
    next_hops: tuple[FibNextHop, ...]
    connected: bool
    in_kernel: bool
    """False: only zebra calls it a route (a host address on `lo`), or nobody (one that was lost with its interface)."""
    operative: bool
    """zebra uses it: a connected route's interface, or one next hop's of a static route, has carrier."""
    linkdown: bool
    sources: tuple[Source, ...]
    distance: int = 0
    tag: int = 0
    gateways: tuple[str, ...] = ()
    """As they were written, which is how zebra tells of the route; `next_hops` are what they resolve to."""

    @property
    def lost(self) -> bool:
        """The kernel has dropped it with its interface, which is up again."""
        return not (self.in_kernel or self.connected or self.of_frr)

    @property
    def of_frr(self) -> bool:
        """`ip route` of FRR's configuration."""
        return self.protocol == "static"

    @property
    def near(self) -> bool:
        """Good enough for what must be connected (zebra/zebra_rnh.c, rnh_check_re_nexthops)."""
        return self.connected or self.of_frr

    @property
    def rib_metric(self) -> int:
        """As zebra tells BGP: the kernel's metric of its own routes and of connected ones is none of theirs."""
        return 0 if self.connected or self.of_frr else self.metric


def static_routes(wiring: Wiring, device: Device) -> tuple[StaticRoute, ...]:
    """Connected routes, then kernel routes whose next hop an interface that is up can reach, then FRR's own, which may
    resolve through any of these."""
    connected = tuple(_connected(wiring, device))
    covering: PrefixTable[StaticRoute] = PrefixTable()
    for route in connected:
        covering.set(route.prefix, route)
    kernel = (_kernel(wiring, device, route, covering) for route in device.routes if route.protocol != "static")
    routes = connected + tuple(route for route in kernel if route is not None)
    routes += _of_frr(wiring, device, routes)
    best = {route.prefix: route for route in sorted(filter(_operative, routes), key=preference, reverse=True)}
    return tuple(
        replace(route, in_kernel=best.get(route.prefix) is route) if route.of_frr else route for route in routes
    )


def _operative(route: StaticRoute) -> bool:
    return route.operative


def preference(route: StaticRoute) -> tuple[object, ...]:
    """zebra's, the best first (zebra_rib.c, rib_choose_best)."""
    return (not route.connected, route.of_frr, route.distance, route.metric)


def _connected(wiring: Wiring, device: Device) -> Iterator[StaticRoute]:
    for interface in device.interfaces:
        ref = InterfaceRef(device.name, interface.name)
        if not interface.up:
            continue
        carrier = wiring.carrier(ref)
        for address in interface.addresses:
            if address.ip.is_link_local and address.version == 6:
                continue
            prefix: Prefix = address.network
            four = prefix.version == 4
            # net/ipv4/fib_frontend.c: a /32 has no prefix route, and those of lo go to the local table.
            in_kernel = not four or (interface.name != LOOPBACK and prefix.prefixlen < 32)
            yield StaticRoute(
                prefix=prefix,
                kind="unicast",
                protocol="kernel",
                metric=0 if four else IPV6_CONNECTED_METRIC,
                next_hops=(FibNextHop(None, interface.name),),
                connected=True,
                in_kernel=in_kernel,
                operative=carrier,
                linkdown=not carrier,
                sources=(interface.source,) if interface.source else (),
            )


def _kernel(
    wiring: Wiring, device: Device, route: KernelRoute, covering: PrefixTable[StaticRoute]
) -> StaticRoute | None:
    hops = []
    for hop in route.next_hops:
        found = _kernel_next_hop(wiring, device, hop, covering)
        if found is not None:
            hops.append(found)
    if route.kind == "unicast" and not hops:
        return None
    carriers = [wiring.carrier(InterfaceRef(device.name, hop.interface)) for hop in hops if hop.interface]
    metric = route.metric
    if metric == 0 and route.prefix.version == 6:
        metric = IPV6_DEFAULT_METRIC
    return StaticRoute(
        prefix=route.prefix,
        kind=route.kind,
        protocol=route.protocol,
        metric=metric,
        next_hops=tuple(hops),
        connected=False,
        in_kernel=not route.lost,
        operative=not route.lost,
        linkdown=bool(carriers) and not any(carriers),
        sources=(route.source,) if route.source else (),
    )


def _kernel_next_hop(
    wiring: Wiring, device: Device, hop: RouteNextHop, covering: PrefixTable[StaticRoute]
) -> FibNextHop | None:
    """The kernel looks up the interface when the route is added; with the interface down the route is gone."""
    interface = hop.interface
    if interface is None and hop.address is not None:
        for _, route in covering.matches(hop.address):
            interface = route.next_hops[0].interface
            break
    if interface is None or not wiring.up(InterfaceRef(device.name, interface)):
        return None
    return _named(wiring, device, hop.address, interface)


def _of_frr(wiring: Wiring, device: Device, others: tuple[StaticRoute, ...]) -> tuple[StaticRoute, ...]:
    """FRR's own static routes, which resolve through each other too: again until nothing changes."""
    found: tuple[StaticRoute, ...] = ()
    lines = [route for route in device.routes if route.protocol == "static"]
    for _ in range(len(lines) + 1):
        table: PrefixTable[StaticRoute] = PrefixTable()
        for route in sorted(filter(_operative, (*others, *found)), key=preference, reverse=True):
            table.set(route.prefix, route)
        again = tuple(_static(wiring, device, line, table) for line in lines)
        if again == found:
            break
        found = again
    return found


def _static(wiring: Wiring, device: Device, line: KernelRoute, table: PrefixTable[StaticRoute]) -> StaticRoute:
    hops: list[FibNextHop] = []
    gateways = []
    for hop in line.next_hops:
        resolved = _active(wiring, device, line, hop, table)
        hops += [other for other in resolved if other not in hops]
        gateways += [str(hop.address)] if resolved and hop.address is not None and not hop.address.is_link_local else []
    return StaticRoute(
        prefix=line.prefix,
        kind=line.kind,
        protocol=line.protocol,
        metric=line.metric,
        next_hops=tuple(hops),
        connected=False,
        in_kernel=False,
        operative=line.kind != "unicast" or bool(hops),
        linkdown=False,
        sources=(line.source,) if line.source else (),
        distance=line.distance,
        tag=line.tag,
        gateways=tuple(gateways),
    )


def _active(
    wiring: Wiring, device: Device, line: KernelRoute, hop: RouteNextHop, table: PrefixTable[StaticRoute]
) -> list[FibNextHop]:
    """What zebra makes of one next hop; nothing while it cannot be used (zebra_nhg.c, nexthop_active)."""
    if hop.interface is not None and not wiring.carrier(InterfaceRef(device.name, hop.interface)):
        return []
    if hop.address is None or (hop.interface is not None and (line.onlink or hop.address.is_link_local)):
        assert hop.interface is not None
        return [_named(wiring, device, hop.address, hop.interface)]
    for prefix, route in table.matches(hop.address):
        if prefix.prefixlen == 0 and hop.address.version not in device.resolve_via_default:
            return []
        if prefix == line.prefix and prefix.prefixlen < prefix.max_prefixlen:
            return []
        if route.connected:
            interface = hop.interface or route.next_hops[0].interface
            return [FibNextHop(str(hop.address), interface)]
        return [n if n.via is not None else FibNextHop(str(hop.address), n.interface) for n in route.next_hops]
    return []


def _named(wiring: Wiring, device: Device, address: Address | None, interface: str) -> FibNextHop:
    if isinstance(address, IPv6Address) and address.is_link_local:
        owner = wiring.link_local_owner(InterfaceRef(device.name, interface), address)
        return FibNextHop(link_local_text(owner) if owner else str(address), interface)
    return FibNextHop(str(address) if address is not None else None, interface)


class Rib:
    """zebra's view of one device's static routes: per prefix the one it selects (zebra_rib.c, rib_choose_best)."""

    def __init__(self, routes: tuple[StaticRoute, ...], believed: frozenset[Prefix] = frozenset()) -> None:
        """`believed`: lost routes that zebra takes for good ones, and puts no other in their place."""
        self.routes = routes
        self.believed = believed & {r.prefix for r in routes if r.lost}
        self.table: PrefixTable[StaticRoute] = PrefixTable()
        for route in sorted((r for r in routes if r.operative), key=preference, reverse=True):
            self.table.set(route.prefix, route)

    def connected_to(self, address: Address) -> StaticRoute | None:
        """The connected route that is the longest match of the address."""
        for _, route in self.table.matches(address):
            return route if route.connected else None
        return None

    def selected(self) -> Iterator[StaticRoute]:
        for route in self.routes:
            if self.table.get(route.prefix) is route:
                yield route
