"""The fib plane: the kernel's main table, by netlink."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Any

from bgpsim.errors import LabError
from bgpsim.network.description import RouteKind
from bgpsim.network.state import FibKey, FibNextHop, FibRoute
from bgpsim.network.types import FAMILIES, Family
from bgpsim.observe.owners import Owners

_KINDS: Mapping[str, RouteKind] = {
    "unicast": "unicast",
    "blackhole": "blackhole",
    "unreachable": "unreachable",
    "prohibit": "prohibit",
}
_PROTOCOLS = {"196": "static", "zstatic": "static"}
"""RTPROT_ZSTATIC, FRR's static routes (zebra/rt_netlink.h), which iproute2 names only where FRR's list is installed."""


def read_fib(dumps: Mapping[str, Mapping[str, Any]], owners: Owners) -> dict[FibKey, FibRoute]:
    """Link-local and multicast prefixes are left out: they say nothing about routing (docs/modelled.md)."""
    found: dict[FibKey, FibRoute] = {}
    for device, dump in dumps.items():
        for family in FAMILIES:
            for route in dump["routes"][family]:
                found.update(_route(device, family, route, owners))
    return found


def _route(device: str, family: Family, route: Mapping[str, Any], owners: Owners) -> Iterator[tuple[FibKey, FibRoute]]:
    default = "0.0.0.0/0" if family == "ipv4-unicast" else "::/0"
    prefix = ip_network(default if route["dst"] == "default" else route["dst"])
    if prefix.is_multicast or (prefix.version == 6 and prefix.is_link_local):
        return
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
    key = FibKey(device, family, prefix, route.get("metric", 0))
    protocol = str(route.get("protocol", "boot"))
    yield key, FibRoute(kind, _PROTOCOLS.get(protocol, protocol), frozenset(hops), bool(hops) and all(linkdown))
