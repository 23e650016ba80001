"""Cilium's CiliumBGPPeeringPolicy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from bgpsim.inputs.files.manifests.labels import LabelSelector, selector
from bgpsim.inputs.files.manifests.metadata import STATUS, object_name
from bgpsim.inputs.files.part import Part
from bgpsim.source import Source

_TIMES = {
    "connectRetryTime": (120, 1, 2147483647),
    "holdTime": (90, 3, 65535),
    "keepAliveTime": (30, 1, 65535),
}
"""Name in Cilium 1.13 (a duration; 1.14 appends `Seconds`) -> default, least and most, in seconds."""
_DURATION = re.compile(r"(?=\d)(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


@dataclass(frozen=True, slots=True)
class PeeringNeighbor:
    """`spec.virtualRouters[].neighbors[]`; times in seconds, defaults as in Cilium 1.14."""

    peer_address: IPv4Network | IPv6Network
    peer_asn: int
    source: Source
    peer_port: int = 179
    ebgp_multihop_ttl: int = 1
    connect_retry: int = 120
    hold_time: int = 90
    keepalive: int = 30
    graceful_restart: bool = False
    graceful_restart_time: int = 120


@dataclass(frozen=True, slots=True)
class VirtualRouter:
    local_asn: int
    export_pod_cidr: bool
    neighbors: tuple[PeeringNeighbor, ...]
    source: Source
    export_source: Source | None = None
    """The line of `exportPodCIDR`."""


@dataclass(frozen=True, slots=True)
class PeeringPolicy:
    """CiliumBGPPeeringPolicy (cilium.io/v2alpha1); `node_selector` None matches every node."""

    name: str
    node_selector: LabelSelector | None
    virtual_routers: tuple[VirtualRouter, ...]
    source: Source


def peering_policy(top: Part) -> PeeringPolicy:
    top.keys(("apiVersion", "kind", "metadata", "spec"), harmless=STATUS)
    name = object_name(top)
    if "spec" not in top:
        top.fail("`spec`")
    spec = top["spec"]
    spec.keys(("nodeSelector", "virtualRouters"))
    if "virtualRouters" not in spec:
        spec.fail("`virtualRouters`")
    parts = spec["virtualRouters"].items()
    if not parts:
        spec["virtualRouters"].fail("at least one virtual router")
    if len(parts) > 1:
        parts[1].fail("one virtual router in a policy: bgpsim runs one GoBGP per node")
    routers = tuple(_virtual_router(part) for part in parts)
    nodes = selector(spec["nodeSelector"]) if "nodeSelector" in spec else None
    return PeeringPolicy(name, nodes, routers, top["kind"].source)


def _virtual_router(part: Part) -> VirtualRouter:
    part.keys(
        ("localASN", "exportPodCIDR", "neighbors"),
        possible=("serviceSelector", "podIPPoolSelector", "serviceAdvertisements"),
    )
    if "localASN" not in part:
        part.fail("`localASN`")
    if "neighbors" not in part:
        part.fail("`neighbors`")
    export = part.get("exportPodCIDR")
    return VirtualRouter(
        local_asn=part["localASN"].asn(),
        export_pod_cidr=export is not None and export.truth(),
        neighbors=tuple(_neighbor(item) for item in part["neighbors"].items()),
        source=part.source,
        export_source=None if export is None else export.source,
    )


def _neighbor(part: Part) -> PeeringNeighbor:
    part.keys(
        (
            *("peerAddress", "peerASN", "peerPort", "eBGPMultihopTTL", "gracefulRestart"),
            *(name for time in _TIMES for name in (time, f"{time}Seconds")),
        ),
        possible=("families", "authSecretRef", "advertisedPathAttributes"),
    )
    for key in ("peerAddress", "peerASN"):
        if key not in part:
            part.fail(f"`{key}`")
    written = part["peerAddress"]
    address = written.prefix()
    if address.prefixlen != address.max_prefixlen or "/" not in written.text():
        written.fail(f"one address, with /{address.max_prefixlen}")
    hold, keepalive = _seconds(part, "holdTime"), _seconds(part, "keepAliveTime")
    if keepalive > hold:
        key = next(k for k in ("keepAliveTimeSeconds", "keepAliveTime", "holdTimeSeconds", "holdTime") if k in part)
        part[key].fail(f"a keepalive time ({keepalive}) of at most the hold time ({hold})")
    port = part["peerPort"].integer(1, 65535) if "peerPort" in part else 179
    if port != 179:
        part.list_unmodelled("peerPort")
    restart, restart_time = False, 120
    if (graceful := part.get("gracefulRestart")) is not None:
        graceful.keys(("enabled", "restartTime", "restartTimeSeconds"))
        restart = "enabled" in graceful and graceful["enabled"].truth()
        restart_time = _seconds(graceful, "restartTime", (120, 1, 4095))
        if restart:
            part.list_unmodelled("gracefulRestart")
    return PeeringNeighbor(
        peer_address=address,
        peer_asn=part["peerASN"].asn(),
        source=part.source,
        peer_port=port,
        ebgp_multihop_ttl=part["eBGPMultihopTTL"].integer(1, 255) if "eBGPMultihopTTL" in part else 1,
        connect_retry=_seconds(part, "connectRetryTime"),
        hold_time=hold,
        keepalive=keepalive,
        graceful_restart=restart,
        graceful_restart_time=restart_time,
    )


def _seconds(part: Part, name: str, bounds: tuple[int, int, int] | None = None) -> int:
    default, low, high = bounds or _TIMES[name]
    if (number := part.get(f"{name}Seconds")) is not None:
        return number.integer(low, high)
    if (duration := part.get(name)) is None:
        return default
    found = _DURATION.fullmatch(duration.scalar())
    hours, minutes, seconds = (int(text or 0) for text in found.groups()) if found else (0, 0, -1)
    time = 3600 * hours + 60 * minutes + seconds
    if not low <= time <= high:
        duration.fail(f"a time like 1m30s, of {low} to {high} seconds")
    return time
