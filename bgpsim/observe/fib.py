"""The fib plane: the kernel's main table, by netlink."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bgpsim.errors import LabError
from bgpsim.network.description import RouteKind
from bgpsim.network.grouped import Grouped, Growing, prefix_of
from bgpsim.network.state import FibKey, FibNextHop, FibRoute
from bgpsim.network.types import Family, Prefix
from bgpsim.observe.owners import Owners

_KINDS: Mapping[str, RouteKind] = {
    "unicast": "unicast",
    "blackhole": "blackhole",
    "unreachable": "unreachable",
    "prohibit": "prohibit",
}
_PROTOCOLS = {"196": "static", "zstatic": "static"}
"""RTPROT_ZSTATIC, FRR's static routes (zebra/rt_netlink.h), which iproute2 names only where FRR's list is installed."""


_LOOKED_AT = ("type", "protocol", "gateway", "via", "dev", "weight", "flags", "nexthops")


def read_fib(
    tables: Iterable[tuple[str, Family, Iterable[Mapping[str, Any]]]], owners: Owners
) -> Grouped[FibKey, FibRoute]:
    """`tables`: device, family and routes in iproute2's JSON.

    Link-local and multicast prefixes are left out: they say nothing about routing (docs/modelled.md).
    """
    found: Growing[FibKey, FibRoute] = Growing()
    known: dict[tuple[object, ...], FibRoute] = {}
    for device, family, routes in tables:
        for route in routes:
            prefix = destination(family, route)
            if prefix.is_multicast or (prefix.version == 6 and prefix.is_link_local):
                continue
            values = (device, *map(str, map(route.get, _LOOKED_AT)))
            if values not in known:
                known[values] = _route(device, route, owners)
            found[FibKey(device, family, prefix, route.get("metric", 0))] = known[values]
    return found.grouped()


def destination(family: Family, route: Mapping[str, Any]) -> Prefix:
    default = "0.0.0.0/0" if family == "ipv4-unicast" else "::/0"
    return prefix_of(default if route["dst"] == "default" else route["dst"])


def _route(device: str, route: Mapping[str, Any], owners: Owners) -> FibRoute:
    """Of all that it says, `_LOOKED_AT` is what counts."""
    kind = _KINDS.get(route.get("type", "unicast"))
    if kind is None:
        raise LabError(f"{device}: the kernel has a route of an unknown type: {route}")
    hops = []
    linkdown = []
    several = route.get("nexthops", ())
    for hop in several or ([route] if kind == "unicast" else []):
        flags = {*route.get("flags", ()), *hop.get("flags", ())}
        if several and "dead" in flags:
            # Of an interface that is down: the kernel remembers it, and uses the others (net/ipv4/fib_semantics.c).
            continue
        via = hop.get("gateway") or hop.get("via", {}).get("host")
        interface = hop.get("dev")
        text = None if via is None else owners.next_hop(via, device, interface)
        hops.append(FibNextHop(text, interface, hop.get("weight", 1)))
        linkdown.append("linkdown" in flags)
    protocol = str(route.get("protocol", "boot"))
    return FibRoute(kind, _PROTOCOLS.get(protocol, protocol), frozenset(hops), bool(hops) and all(linkdown))
