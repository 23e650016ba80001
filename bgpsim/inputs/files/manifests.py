"""Kubernetes manifests: Cilium's BGP resources and the workloads that give pods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from types import MappingProxyType
from typing import Literal, TypeAlias

from bgpsim.source import Source, Unmodelled


@dataclass(frozen=True, slots=True)
class LabelExpression:
    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """A Kubernetes label selector; an empty one matches everything."""

    match_labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    match_expressions: tuple[LabelExpression, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Kubernetes' own rule: all terms must hold; NotIn and DoesNotExist hold where the key is missing."""
        if any(labels.get(key) != value for key, value in self.match_labels.items()):
            return False
        for term in self.match_expressions:
            there = term.key in labels
            inside = there and labels[term.key] in term.values
            holds = {"In": inside, "NotIn": not inside, "Exists": there, "DoesNotExist": not there}[term.operator]
            if not holds:
                return False
        return True


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


@dataclass(frozen=True, slots=True)
class Toleration:
    key: str | None
    operator: Literal["Exists", "Equal"]
    value: str
    effect: str | None


@dataclass(frozen=True, slots=True)
class DaemonSet:
    """apps/v1 DaemonSet: one pod on each node that its selector matches and whose taints it tolerates."""

    name: str
    namespace: str
    pod_labels: Mapping[str, str]
    source: Source
    node_selector: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    tolerations: tuple[Toleration, ...] = ()
    host_network: bool = False
    image: str = ""


Resource: TypeAlias = PeeringPolicy | DaemonSet


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """One file, in the order of its documents. Other kinds, and fields not read, are in `unmodelled`."""

    path: str
    resources: tuple[Resource, ...]
    unmodelled: tuple[Unmodelled, ...] = ()
