"""Networks as drawings: `net(links=["a:net0 -- b:net0"], routers={"a": frr(65001, "net0")})`.

A neighbor is written as its router writes it: an interface name (unnumbered) or an address.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Address, ip_address, ip_interface, ip_network

from bgpsim.model import predict
from bgpsim.network.description import (
    BgpInstance,
    Device,
    DeviceKind,
    Endpoint,
    Interface,
    InterfaceRef,
    KernelRoute,
    Neighbor,
    NeighborFamily,
    Network,
    Origination,
    Redistribution,
    RouteNextHop,
    Segment,
)
from bgpsim.network.state import FlowKey, NetworkState
from bgpsim.source import Source

LINE = Source("drawing", 1)


def neighbor(name: str, remote_as: int | str = "external", *, families: Sequence[str] = ("ipv4-unicast",), **more):
    """`net0`, `10.0.1.2`, or `fe80::2%x-injector` (a link-local address with its interface)."""
    address, _, interface = name.partition("%")
    unnumbered = ":" not in address and "." not in address
    settings = {key: more.pop(key) for key in ("default_originate", "next_hop_self", "import_accept") if key in more}
    return Neighbor(
        name=address,
        address=None if unnumbered else ip_address(address),
        interface=(address if unnumbered else interface) or None,
        remote_as=remote_as,
        families={family: NeighborFamily(**settings, source=LINE) for family in families},
        extended_nexthop=more.pop("extended_nexthop", unnumbered or bool(interface)),
        source=Source("drawing", 2, name),
        **more,
    )


def frr(asn: int, *neighbors, router_id: str | None = None, redistribute: Sequence[str] = ("connected",), **more):
    return BgpInstance(
        engine="frr",
        asn=asn,
        router_id=IPv4Address(router_id) if router_id else None,
        neighbors=tuple(n if isinstance(n, Neighbor) else neighbor(n) for n in neighbors),
        redistribute=tuple(
            Redistribution(family, protocol, LINE)
            for protocol in redistribute
            for family in ("ipv4-unicast", "ipv6-unicast")
        ),
        ebgp_requires_policy=more.pop("ebgp_requires_policy", False),
        source=Source("drawing", 3),
        **more,
    )


def gobgp(asn: int, router_id: str, peer: str, cidr: str):
    both = ("ipv4-unicast", "ipv6-unicast")
    return BgpInstance(
        engine="gobgp",
        asn=asn,
        router_id=IPv4Address(router_id),
        neighbors=(neighbor(peer, asn, families=both),),
        originated=(Origination(ip_network(cidr), source=LINE),),
        listens=False,
        installs=False,
        source=LINE,
    )


def speaker(asn: int, *peers: str, originated: Sequence[Origination] = ()):
    both = ("ipv4-unicast", "ipv6-unicast")
    return BgpInstance(
        engine="exabgp",
        asn=asn,
        router_id=IPv4Address("192.0.2.99"),
        neighbors=tuple(
            neighbor(f"fe80::1%{peer}", "external", families=both, extended_nexthop=True) for peer in peers
        ),
        originated=tuple(originated),
        installs=False,
        source=LINE,
    )


def route(text: str) -> KernelRoute:
    """`10.0.0.0/8 blackhole`, `default via 10.0.1.1`, `10.1.1.2/32 dev lxc0`, with `metric N` at the end."""
    prefix, *words = text.split()
    kind = words.pop(0) if words and words[0] in ("blackhole", "unreachable", "prohibit") else "unicast"
    pairs = dict(zip(words[::2], words[1::2], strict=True))
    hop = RouteNextHop(ip_address(pairs["via"]) if "via" in pairs else None, pairs.get("dev"))
    return KernelRoute(
        ip_network("0.0.0.0/0" if prefix == "default" else prefix),
        kind,
        (hop,) if kind == "unicast" else (),
        metric=int(pairs.get("metric", 0)),
        source=Source("drawing", 4, text),
    )


def net(
    *,
    links: Sequence[str],
    addresses: Mapping[str, str] | None = None,
    routers: Mapping[str, BgpInstance] | None = None,
    routes: Mapping[str, Sequence[str]] | None = None,
    kinds: Mapping[str, DeviceKind] | None = None,
    endpoints: Mapping[str, str] | None = None,
    down: Sequence[str] = (),
    link_local: Mapping[str, str] | None = None,
    traffic: str = "drop",
) -> Network:
    """addresses: "a:net0" -> "10.0.1.1/24 …". endpoints: id -> device. down: interfaces that are down."""
    ends = [[end.strip() for end in link.split(" -- ")] for link in links]
    names: dict[str, list[str]] = {}
    for ref in [end for link in ends for end in link] + list(addresses or {}):
        device, _, interface = ref.rpartition(":")
        if interface not in names.setdefault(device, []):
            names[device].append(interface)
    devices = {}
    for name, interfaces in names.items():
        kind = (kinds or {}).get(name, "router")
        devices[name] = Device(
            name,
            kind,
            tuple(
                Interface(
                    i,
                    tuple(ip_interface(a) for a in (addresses or {}).get(f"{name}:{i}", "").split()),
                    up=f"{name}:{i}" not in down,
                    link_local=ip_address(link_local[f"{name}:{i}"])
                    if link_local and f"{name}:{i}" in link_local
                    else None,
                    source=Source("drawing", 5, f"{name}:{i}"),
                )
                for i in interfaces
            ),
            tuple(route(text) for text in (routes or {}).get(name, ())),
            (routers or {}).get(name),
            forwards=kind not in ("pod", "speaker", "gateway"),
            traffic=traffic if kind == "speaker" else None,
        )
    segments = tuple(Segment(tuple(_ref(end) for end in link)) for link in ends)
    known = tuple(
        Endpoint(name, device, tuple(a.ip for i in devices[device].interfaces for a in i.addresses))
        for name, device in (endpoints or {}).items()
    )
    return Network("drawing", devices, segments, known)


def _ref(text: str) -> InterfaceRef:
    device, _, interface = text.rpartition(":")
    return InterfaceRef(device, interface)


def state(network: Network, before: NetworkState | None = None, flows: Sequence[FlowKey] = ()) -> NetworkState:
    return predict(network, before, flows).state


def with_down(network: Network, *refs: str) -> Network:
    """The same network with interfaces administratively down."""
    devices = dict(network.devices)
    for text in refs:
        ref = _ref(text)
        device = devices[ref.device]
        interfaces = tuple(replace(i, up=False) if i.name == ref.interface else i for i in device.interfaces)
        devices[ref.device] = replace(device, interfaces=interfaces)
    return replace(network, devices=devices)


def with_bgp(network: Network, **instances: BgpInstance | None) -> Network:
    devices = dict(network.devices)
    for name, instance in instances.items():
        devices[name.replace("_", "-")] = replace(devices[name.replace("_", "-")], bgp=instance)
    return replace(network, devices=devices)


def flow(network: Network, source: str, target: str) -> FlowKey:
    by_id = {endpoint.id: endpoint for endpoint in network.endpoints}
    there = str(by_id[target].addresses[0]) if target in by_id else target.removeprefix("address:")
    return FlowKey(source, target, str(by_id[source].addresses[0]), there)
