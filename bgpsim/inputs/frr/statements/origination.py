"""`network` and `redistribute`, and static routes: what a router puts in by itself, as far as modelled."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Literal, cast

from bgpsim.inputs.frr import values
from bgpsim.inputs.frr.configuration import Configuration
from bgpsim.inputs.frr.grammar.statement import Apply, Said, Statement, modelled
from bgpsim.inputs.frr.route_options import InstanceRoutes
from bgpsim.inputs.frr.statements.neighbor import OF_A_FAMILY
from bgpsim.inputs.frr.statics import StaticLine, ZebraLines
from bgpsim.inputs.frr.values import NotTaken, Refused, Unknown
from bgpsim.network.description import Origination, Redistribution, RouteKind, RouteNextHop
from bgpsim.network.policies import Use
from bgpsim.network.types import Prefix


def _network(router: Configuration, said: Said) -> None:
    """One line for a prefix, the last said; as a backdoor it originates nothing."""
    if said.has("label-index"):
        raise Unknown("label-index is not modelled")
    networks, backdoors = router.bgp.networks, router.bgp.part(InstanceRoutes).backdoors
    prefix = prefix_of(said)
    there = networks.pop(prefix, None) is not None or prefix in backdoors
    backdoors.discard(prefix)
    if said.has("backdoor") and not said.negated:
        backdoors.add(prefix)
    elif not said.negated:
        networks[prefix] = Origination(prefix, source=said.source, route_map=_map(said))
    elif not there:
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
    for word in ("from", "vrf", "label", "table", "nexthop-vrf", "color"):
        if said.has(word):
            raise Unknown(f"static routes with `{word}` are not modelled")
    line = StaticLine(
        prefix_of(said),
        *_next_hop(said),
        distance=said.number("distance") if "distance" in said else 1,
        tag=said.number("tag") if "tag" in said else 0,
        onlink=said.has("onlink"),
    )
    if said.negated:
        router.statics.remove(line)
    else:
        router.statics.add(line, said.source)


def _via_default(version: int) -> Apply:
    def apply(router: Configuration, said: Said) -> None:
        versions = router.part(ZebraLines).via_default
        (versions.discard if said.negated else versions.add)(version)

    return apply


def _next_hop(said: Said) -> tuple[RouteKind, RouteNextHop | None]:
    interface = said.text("interface") if "interface" in said else None
    if said.has("blackhole") or (interface or "").lower() in ("null0", "blackhole"):
        return "blackhole", None
    if said.has("reject") or (interface or "").lower() == "reject":
        return "unreachable", None
    if interface is not None and "gateway" not in said and values.looks_like_address(interface):
        raise Unknown(f"{interface} is no IP address, and FRR takes it for an interface's name")
    return "unicast", RouteNextHop(said.address("gateway") if "gateway" in said else None, interface)


def prefix_of(said: Said) -> Prefix:
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
_P6 = "X:X::X:X/M$prefix [from X:X::X:X/M]"
_OF_ALL = "tag (1-4294967295)$tag|(1-255)$distance|vrf WORD|label WORD|table (1-4294967295)"
_OF_HOP = f"{_OF_ALL}|nexthop-vrf WORD|color (1-4294967295)"

STATEMENTS: tuple[Statement, ...] = (
    modelled(
        ("ipv4-unicast", "bgp"),
        "[no] network <A.B.C.D/M$prefix|A.B.C.D$address [mask A.B.C.D$mask]>"
        " [{route-map WORD$map|label-index (0-1048560)|backdoor}]",
        _network,
        "network 10.9.0.0/16",
        "network 10.9.0.0/16 route-map OUT",
        "network 10.9.0.0/16 backdoor",
        "network 10.9.0.0 mask 255.255.0.0",
        refused=("network 10.9.0.0/33",),
    ),
    modelled(
        "ipv6-unicast",
        "[no] network X:X::X:X/M$prefix [{route-map WORD$map|label-index (0-1048560)}]",
        _network,
        "network 2001:db8::/32",
    ),
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
        f"[no] ip route {_P4} <A.B.C.D$gateway|INTERFACE$interface> [{{{_OF_HOP}}}]",
        _static,
        "ip route 10.9.0.0/16 10.0.1.2",
        "ip route 10.9.0.0 255.255.0.0 net0",
        "ip route 10.9.0.0/16 Null0",
        "ip route 10.9.0.0/16 10.0.1.2 200",
        "ip route 10.9.0.0/16 10.0.1.2 tag 5 200",
        refused=("ip route 10.9.0.0/33 10.0.1.2",),
        daemons=("staticd",),
    ),
    modelled(
        "config",
        f"[no] ip route {_P4} A.B.C.D$gateway INTERFACE$interface [{{{_OF_HOP}|onlink}}]",
        _static,
        "ip route 10.9.0.0/16 10.0.1.2 net0",
        "ip route 10.9.0.0/16 10.0.1.2 net0 onlink",
        daemons=("staticd",),
    ),
    modelled(
        "config",
        f"[no] ip route {_P4} <reject|blackhole> [{{{_OF_ALL}}}]",
        _static,
        "ip route 10.9.0.0/16 blackhole",
        "ip route 10.9.0.0/16 blackhole 200",
        refused=("ip route 10.9.0.0/33 blackhole",),
        daemons=("staticd",),
    ),
    modelled(
        "config",
        f"[no] ipv6 route {_P6} <X:X::X:X$gateway|INTERFACE$interface> [{{{_OF_HOP}}}]",
        _static,
        "ipv6 route 2001:db8:9::/48 2001:db8::2",
        "ipv6 route 2001:db8:9::/48 2001:db8::2 200",
        daemons=("staticd",),
    ),
    modelled(
        "config",
        f"[no] ipv6 route {_P6} X:X::X:X$gateway INTERFACE$interface [{{{_OF_HOP}|onlink}}]",
        _static,
        "ipv6 route 2001:db8:9::/48 fe80::2 net0",
        "ipv6 route 2001:db8:9::/48 fe80::2 net0 200",
        daemons=("staticd",),
    ),
    modelled(
        "config",
        f"[no] ipv6 route {_P6} <reject|blackhole> [{{{_OF_ALL}}}]",
        _static,
        "ipv6 route 2001:db8:9::/48 blackhole",
        "ipv6 route 2001:db8:9::/48 blackhole 200",
        refused=("ipv6 route 2001:db8::/129 blackhole",),
        daemons=("staticd",),
    ),
    modelled(
        "config",
        "[no] ip nht resolve-via-default",
        _via_default(4),
        "ip nht resolve-via-default",
        daemons=("zebra",),
    ),
    modelled(
        "config",
        "[no] ipv6 nht resolve-via-default",
        _via_default(6),
        "ipv6 nht resolve-via-default",
        daemons=("zebra",),
    ),
)
