"""`network` and `redistribute`, and static routes: what a router puts in by itself, as far as modelled."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Literal, cast

from bgpsim.inputs.frr import values
from bgpsim.inputs.frr.configuration import Configuration
from bgpsim.inputs.frr.grammar.statement import Said, Statement, modelled
from bgpsim.inputs.frr.statements.neighbor import OF_A_FAMILY
from bgpsim.inputs.frr.values import NotTaken, Refused, Unknown
from bgpsim.network.description import Origination, Redistribution, RouteKind, RouteNextHop
from bgpsim.network.policies import Use
from bgpsim.network.types import Prefix


def _network(router: Configuration, said: Said) -> None:
    networks = router.bgp.networks
    prefix = _prefix(said)
    if not said.negated:
        networks[prefix] = Origination(prefix, source=said.source, route_map=_map(said))
    elif networks.pop(prefix, None) is None:
        raise NotTaken("there is no such network at this line")


def _redistribute(router: Configuration, said: Said) -> None:
    protocol = cast("Literal['connected', 'static', 'kernel']", said.text("protocol"))
    there = router.bgp.redistribute
    if said.negated:
        there.pop((said.family, protocol), None)
    else:
        metric = said.number("metric") if "metric" in said else None
        there[said.family, protocol] = Redistribution(said.family, protocol, said.source, metric, _map(said))


def _map(said: Said) -> Use | None:
    return Use(said.text("map"), said.source) if "map" in said else None


def _static(router: Configuration, said: Said) -> None:
    prefix, kind, hop = _prefix(said), *_next_hop(said)
    if said.negated:
        router.statics.remove(prefix, kind, hop)
    else:
        router.statics.add(prefix, kind, hop, said.source)


def _next_hop(said: Said) -> tuple[RouteKind, RouteNextHop | None]:
    interface = said.text("interface") if "interface" in said else None
    if said.has("blackhole") or (interface or "").lower() in ("null0", "blackhole"):
        return "blackhole", None
    if said.has("reject") or (interface or "").lower() == "reject":
        return "unreachable", None
    if interface is not None and "gateway" not in said and values.looks_like_address(interface):
        raise Unknown(f"{interface} is no IP address, and FRR takes it for an interface's name")
    return "unicast", RouteNextHop(said.address("gateway") if "gateway" in said else None, interface)


def _prefix(said: Said) -> Prefix:
    """`10.0.0.0/8`, `10.0.0.0 255.0.0.0`, or an address alone with the length of its class (lib/prefix.c,
    apply_classful_mask_ipv4)."""
    if "prefix" in said:
        return said.prefix("prefix")
    address = said.value("address")
    assert isinstance(address, IPv4Address)
    if "mask" not in said:
        first = int(address) >> 24
        return IPv4Network((address, 8 if first < 128 else 16 if first < 192 else 24), strict=False)
    try:
        return IPv4Network(f"{address}/{said.text('mask')}", strict=False)
    except ValueError:
        raise Refused(f"found {said.text('mask')!r}, expected a network mask") from None


_P4 = "<A.B.C.D/M$prefix|A.B.C.D$address A.B.C.D$mask>"

STATEMENTS: tuple[Statement, ...] = (
    modelled(
        ("ipv4-unicast", "bgp"),
        "[no] network <A.B.C.D/M$prefix|A.B.C.D$address [mask A.B.C.D$mask]> [route-map WORD$map]",
        _network,
        "network 10.9.0.0/16",
        "network 10.9.0.0/16 route-map OUT",
        "network 10.9.0.0 mask 255.255.0.0",
        refused=("network 10.9.0.0/33",),
    ),
    modelled("ipv6-unicast", "[no] network X:X::X:X/M$prefix [route-map WORD$map]", _network, "network 2001:db8::/32"),
    modelled(
        OF_A_FAMILY,
        "[no] redistribute <connected|static|kernel>$protocol [{route-map WORD$map|metric (0-4294967295)$metric}]",
        _redistribute,
        "redistribute connected",
        "redistribute connected metric 5 route-map OUT",
        "redistribute static",
        "redistribute kernel",
    ),
    modelled(
        "config",
        f"[no] ip route {_P4} <blackhole|reject|A.B.C.D$gateway|INTERFACE$interface>",
        _static,
        "ip route 10.9.0.0/16 blackhole",
        "ip route 10.9.0.0/16 10.0.1.2",
        "ip route 10.9.0.0 255.255.0.0 net0",
        refused=("ip route 10.9.0.0/33 blackhole",),
        daemons=("staticd",),
    ),
    modelled(
        "config",
        f"[no] ip route {_P4} A.B.C.D$gateway INTERFACE$interface",
        _static,
        "ip route 10.9.0.0/16 10.0.1.2 net0",
        daemons=("staticd",),
    ),
    modelled(
        "config",
        "[no] ipv6 route X:X::X:X/M$prefix <blackhole|reject|X:X::X:X$gateway|INTERFACE$interface>",
        _static,
        "ipv6 route 2001:db8:9::/48 2001:db8::2",
        refused=("ipv6 route 2001:db8::/129 blackhole",),
        daemons=("staticd",),
    ),
    modelled(
        "config",
        "[no] ipv6 route X:X::X:X/M$prefix X:X::X:X$gateway INTERFACE$interface",
        _static,
        "ipv6 route 2001:db8:9::/48 fe80::2 net0",
        daemons=("staticd",),
    ),
)
