"""A kind cluster file (`kind: Cluster`, kind.x-k8s.io/v1alpha4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from types import MappingProxyType
from typing import Literal

from bgpsim.network.types import Prefix
from bgpsim.source import Source

MANAGEMENT_NETWORK = IPv4Network("172.18.0.0/16")


@dataclass(frozen=True, slots=True)
class Taint:
    key: str
    value: str
    effect: str


@dataclass(frozen=True, slots=True)
class KindNode:
    """One node. `name` is the short name used everywhere in bgpsim (`worker3`): the container's less `<cluster>-`."""

    name: str
    container: str
    """As kind calls it: `<cluster>-control-plane`, `<cluster>-worker`, `<cluster>-worker2` …"""
    role: Literal["control-plane", "worker"]
    source: Source
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """From `labels:` and from kubeletExtraArgs `node-labels`."""
    taints: tuple[Taint, ...] = ()
    """A control plane's own `node-role.kubernetes.io/control-plane:NoSchedule` included, where there are workers."""
    node_ips: tuple[IPv4Address | IPv6Address, ...] = ()
    """kubeletExtraArgs `node-ip`; may be on no interface yet."""


@dataclass(frozen=True, slots=True)
class ClusterFile:
    path: str
    name: str
    nodes: tuple[KindNode, ...]
    source: Source
    pod_subnets: tuple[Prefix, ...] = ()
    """`podSubnet`; empty: kind's default, 10.244.0.0/16."""
    default_cni: bool = True
    management: IPv4Network = MANAGEMENT_NETWORK
    """kind's own Docker network: `eth0` of each node, addresses from .2 on in the order of the file, default by .1."""
