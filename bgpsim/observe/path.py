"""The path plane: where packets really went, from what every device saw of marked probes.

Dispositions from packets alone: delivered, dropped-by-speaker, exits-network, loop. A packet that came in at a device
and did not leave: the device's ICMP error tells no-route (code 0) from neighbor-unresolved (code 1); without one it was
dropped in silence, and the device's own routes tell a blackhole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address, ip_network
from typing import Any

from bgpsim.agent.protocol import Agent, LabDevice
from bgpsim.network.state import Disposition, FlowKey, Forwarding, ForwardingPath, Hop

FLOWS = 8
"""Probes per pair, each with a source port of its own."""
_UNREACHABLE: Mapping[tuple[int, int], Disposition] = {
    (3, 0): "no-route",
    (3, 1): "neighbor-unresolved",
    (3, 13): "unreachable",
    (11, 0): "ttl-expired",
    (1, 0): "no-route",
    (1, 3): "neighbor-unresolved",
}
"""ICMP (type, code) of RFC 792 and RFC 4443."""


def read_paths(
    agent: Agent,
    devices: Mapping[str, LabDevice],
    gateways: Sequence[str],
    flows: Sequence[FlowKey],
    dumps: Mapping[str, Mapping[str, Any]],
) -> dict[FlowKey, Forwarding]:
    """Send probes for all flows at once, and follow each. `gateways`: the far ends of management networks."""
    pairs = [{"device": f.source, "source": f.source_address, "target": f.target_address} for f in flows]
    if not pairs:
        return {}
    seen = agent.call("packets.probe", devices=[*sorted(devices), *gateways], pairs=pairs, flows=FLOWS)
    sightings: dict[tuple[int, int], list[Mapping[str, Any]]] = {}
    for sighting in seen:
        sightings.setdefault((sighting["pair"], sighting["flow"]), []).append(sighting)
    found = {}
    for number, flow in enumerate(flows):
        walks = {_walk(sightings.get((number, probe), []), flow, devices, gateways, dumps) for probe in range(FLOWS)}
        paths = tuple(sorted(walks, key=lambda path: (str(path.hops), path.disposition)))
        dispositions = {path.disposition for path in paths}
        disposition: Disposition = dispositions.pop() if len(dispositions) == 1 else "partial"
        evidence = "capture+kernel" if disposition in ("blackhole", "no-route") else "capture"
        found[flow] = Forwarding(disposition, paths, complete=len(paths) == 1, flows=FLOWS, evidence=evidence)
    return found


def _walk(
    seen: Sequence[Mapping[str, Any]],
    flow: FlowKey,
    devices: Mapping[str, LabDevice],
    gateways: Sequence[str],
    dumps: Mapping[str, Mapping[str, Any]],
) -> ForwardingPath:
    """The hops of one probe, in the order of its TTL: sockets are read one after the other, so times do not order."""
    probes = [s for s in seen if "icmp" not in s]
    probes.sort(key=lambda s: (-s["ttl"], not s["out"]))
    hops: list[Hop] = []
    arrived = None
    visited: set[tuple[str, str | None]] = set()
    for sighting in probes:
        device, interface = sighting["device"], sighting["interface"]
        role = devices[device].role if device in devices else "gateway"
        if role == "pod":
            if not sighting["out"]:
                arrived = device
            continue
        pod_side = interface.startswith("lxc")
        if sighting["out"]:
            if hops and hops[-1].device == device and hops[-1].egress is None:
                hops[-1] = Hop(device, hops[-1].ingress, None if pod_side else interface)
        else:
            ingress = None if pod_side else interface
            hops.append(Hop(device, ingress, None))
            if (device, ingress) in visited:
                return ForwardingPath(tuple(hops), "loop", device)
            visited.add((device, ingress))
    at = hops[-1].device if hops else flow.source
    return ForwardingPath(tuple(hops), _disposition(seen, flow, arrived, at, devices, gateways, dumps), at)


def _disposition(
    seen: Sequence[Mapping[str, Any]],
    flow: FlowKey,
    arrived: str | None,
    at: str,
    devices: Mapping[str, LabDevice],
    gateways: Sequence[str],
    dumps: Mapping[str, Mapping[str, Any]],
) -> Disposition:
    if arrived is not None and flow.target_address in devices[arrived].addresses:
        return "delivered"
    if at in gateways:
        return "exits-network"
    if at in devices and devices[at].role == "speaker":
        return "dropped-by-speaker"
    for sighting in seen:
        if "icmp" in sighting:
            return _UNREACHABLE.get((sighting["icmp"][0], sighting["icmp"][1]), "filtered")
    # Not every error gets through (the kernel limits them per peer): then the device's own routes tell.
    best = _longest(at, flow.target_address, dumps)
    if best is None:
        return "no-route"
    return "blackhole" if best.get("type") == "blackhole" else "neighbor-unresolved"


def _longest(device: str, target: str, dumps: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The device's own route for an address: longest prefix, then lowest metric."""
    address = ip_address(target)
    family = "ipv4-unicast" if address.version == 4 else "ipv6-unicast"
    default = "0.0.0.0/0" if address.version == 4 else "::/0"
    routes: Sequence[Mapping[str, Any]] = dumps.get(device, {}).get("routes", {}).get(family, ())
    fitting: list[tuple[int, int, int, Mapping[str, Any]]] = []
    for route in routes:
        prefix = ip_network(default if route["dst"] == "default" else route["dst"])
        if address in prefix:
            fitting.append((-prefix.prefixlen, route.get("metric", 0), len(fitting), route))
    return min(fitting)[3] if fitting else None
