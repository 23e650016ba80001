"""What the kernel forwards by: static routes and the BGP routes that zebra installs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from bgpsim.model.rib import BGP_METRIC, PrefixTable, StaticRoute
from bgpsim.network.description import Device, RouteKind
from bgpsim.network.state import FibKey, FibNextHop, FibRoute
from bgpsim.network.types import Prefix, family_of
from bgpsim.source import Source

OBSERVED_KINDS = ("router", "node", "host")
"""Devices whose kernel tables are facts; those of pods, speakers and gateways are the lab's own making."""


@dataclass(frozen=True, slots=True)
class InstalledRoute:
    """A best path (with its multipath companions) as zebra gives it to the kernel."""

    prefix: Prefix
    next_hops: frozenset[FibNextHop]
    metric: int
    """The path's own metric for those who resolve next hops through it: its MED."""
    sources: tuple[Source, ...]
    kind: RouteKind = "unicast"
    """An aggregate is a blackhole."""


def kernel_table(
    device: Device,
    routes: Iterable[StaticRoute],
    installed: Collection[InstalledRoute],
    held: Mapping[Prefix, frozenset[FibNextHop]],
) -> dict[FibKey, FibRoute]:
    """One device's main table. Link-local, multicast, local and broadcast routes are no part of it anywhere.

    `held`: the next hops that the kernel really has of zebra's routes, which may be fewer (bgpsim/model/groups.py).
    """
    table: dict[FibKey, FibRoute] = {}
    taken = {bgp.prefix for bgp in installed}
    for route in routes:
        if not route.in_kernel or (route.of_frr and route.prefix in taken):
            continue
        hops = held[route.prefix] if route.of_frr else frozenset(route.next_hops)
        if hops or route.kind != "unicast":
            key = FibKey(device.name, family_of(route.prefix), route.prefix, route.metric)
            table.setdefault(key, FibRoute(route.kind, route.protocol, hops, route.linkdown, route.sources))
    for bgp in installed:
        if held[bgp.prefix] or bgp.kind != "unicast":
            key = FibKey(device.name, family_of(bgp.prefix), bgp.prefix, BGP_METRIC)
            table.setdefault(key, FibRoute(bgp.kind, "bgp", held[bgp.prefix], sources=bgp.sources))
    return table


class Fibs:
    """Longest-prefix-match over the kernel tables of all devices; of equal prefixes the lowest metric wins."""

    def __init__(self, routes: Mapping[FibKey, FibRoute]) -> None:
        self.routes = routes
        self._tables: dict[str, PrefixTable[FibRoute]] = {}
        for key in sorted(routes, key=lambda key: key.metric, reverse=True):
            self._tables.setdefault(key.device, PrefixTable()).set(key.prefix, routes[key])

    def table(self, device: str) -> PrefixTable[FibRoute]:
        return self._tables.get(device) or PrefixTable()
