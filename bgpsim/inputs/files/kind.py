"""A kind cluster file (`kind: Cluster`, kind.x-k8s.io/v1alpha4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address, ip_network
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from bgpsim.errors import InputError
from bgpsim.inputs.files.part import Part
from bgpsim.inputs.files.yaml_source import parse_documents, read_yaml
from bgpsim.network.types import Prefix
from bgpsim.source import Source, Unmodelled

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


CONTROL_PLANE_TAINT = "node-role.kubernetes.io/control-plane"
_API_VERSION = "kind.x-k8s.io/v1alpha4"


def load_cluster(path: Path, shown: str) -> tuple[ClusterFile, tuple[Unmodelled, ...]]:
    """Read a cluster file. `shown`: its name in errors and reports. Raises InputError."""
    top = Part(read_yaml(path, shown))
    top.keys(
        ("kind", "apiVersion", "name", "networking", "nodes"),
        harmless=("containerdConfigPatches", "containerdConfigPatchesJSON6902", "runtimeConfig"),
        possible=("featureGates", "kubeadmConfigPatches", "kubeadmConfigPatchesJSON6902"),
    )
    for key, expected in (("kind", "Cluster"), ("apiVersion", _API_VERSION)):
        if key not in top:
            top.fail(f"`{key}: {expected}`")
        if top[key].value != expected:
            top[key].fail(expected)
    name = top["name"].text() if "name" in top else "kind"
    subnets: tuple[Prefix, ...] = ()
    default_cni = True
    if (networking := top.get("networking")) is not None:
        networking.keys(
            ("podSubnet", "disableDefaultCNI"),
            harmless=("apiServerAddress", "apiServerPort", "serviceSubnet", "dnsSearch"),
            possible=("ipFamily", "kubeProxyMode"),
        )
        if (subnet := networking.get("podSubnet")) is not None:
            subnets = _subnets(subnet)
        if (disabled := networking.get("disableDefaultCNI")) is not None:
            default_cni = not disabled.truth()
    parts = top["nodes"].items() if "nodes" in top else ()
    nodes = _nodes(name, parts)
    return ClusterFile(shown, name, nodes, top.source, subnets, default_cni), tuple(top.unmodelled)


def _subnets(part: Part) -> tuple[Prefix, ...]:
    """kind writes dual stack as two prefixes with a comma between them."""
    found = []
    for text in part.text().split(","):
        try:
            found.append(ip_network(text.strip()))
        except ValueError as error:
            part.fail(f"a prefix, or two with a comma between them ({error})")
    return tuple(found)


def _nodes(cluster: str, parts: tuple[Part, ...]) -> tuple[KindNode, ...]:
    roles = [_role(part) for part in parts]
    workers = "worker" in roles
    counts: dict[str, int] = {}
    nodes = []
    for part, role in zip(parts, roles, strict=True):
        counts[role] = counts.get(role, 0) + 1
        # kind: the first of a role has no number.
        name = role if counts[role] == 1 else f"{role}{counts[role]}"
        nodes.append(_node(cluster, name, role, part, tainted=workers and role == "control-plane"))
    return tuple(nodes)


def _role(part: Part) -> Literal["control-plane", "worker"]:
    part.keys(
        ("role", "labels", "kubeadmConfigPatches"),
        harmless=("image", "extraMounts"),
        possible=("extraPortMappings", "kubeadmConfigPatchesJSON6902"),
    )
    if (role := part.get("role")) is None or role.value == "control-plane":
        return "control-plane"
    if role.value != "worker":
        role.fail("control-plane or worker")
    return "worker"


def _node(cluster: str, name: str, role: Literal["control-plane", "worker"], part: Part, *, tainted: bool) -> KindNode:
    labels = dict(part["labels"].texts()) if "labels" in part else {}
    addresses: list[IPv4Address | IPv6Address] = []
    for patch in part["kubeadmConfigPatches"].items() if "kubeadmConfigPatches" in part else ():
        arguments = _kubelet_arguments(patch, name)
        if (listed := arguments.get("node-labels")) is not None:
            labels |= _labels(listed)
        if (ips := arguments.get("node-ip")) is not None:
            for text in ips.scalar().split(","):
                try:
                    addresses.append(ip_address(text.strip()))
                except ValueError:
                    ips.fail("an IP address")
    return KindNode(
        name=name,
        container=f"{cluster}-{name}",
        role=role,
        source=part.source,
        labels=labels,
        taints=(Taint(CONTROL_PLANE_TAINT, "", "NoSchedule"),) if tainted else (),
        node_ips=tuple(addresses),
    )


def _kubelet_arguments(patch: Part, node: str) -> Mapping[str, Part]:
    """`nodeRegistration.kubeletExtraArgs` of a kubeadm patch: YAML inside YAML, its lines those of the outer file.

    A mapping, or from kubeadm's v1beta4 on a list of name and value.
    """
    text = patch.text()
    # A literal block's first line is the one below its `|`.
    first = patch.document.line(patch.location) + 1
    found: dict[str, Part] = {}
    for document in parse_documents(text, patch.document.file, first):
        top = Part(document, (), patch.unmodelled)
        if "kind" not in top:
            top.fail("a kubeadm patch with `kind`")
        if top["kind"].value not in ("InitConfiguration", "JoinConfiguration"):
            text_ = top["kind"].source.text
            patch.unmodelled.append(Unmodelled(top["kind"].source, node, text_, "possible", (node,)))
            continue
        top.keys(("kind", "apiVersion", "nodeRegistration"), possible=("localAPIEndpoint", "discovery", "controlPlane"))
        if (registration := top.get("nodeRegistration")) is None:
            continue
        registration.keys(("kubeletExtraArgs",), harmless=("criSocket", "ignorePreflightErrors"), possible=("taints",))
        if (arguments := registration.get("kubeletExtraArgs")) is None:
            continue
        if isinstance(arguments.value, list):
            pairs = []
            for item in arguments.items():
                item.keys(("name", "value"))
                pairs.append((item["name"].text(), item["value"]))
        else:
            pairs = list(arguments.entries())
        for key, value in pairs:
            if key in ("node-ip", "node-labels"):
                found[key] = value
            else:
                patch.unmodelled.append(Unmodelled(value.source, node, f"{key}: {value.value}", "possible", (node,)))
    return found


def _labels(part: Part) -> dict[str, str]:
    """kubelet's `--node-labels`: key=value, with commas between them."""
    labels = {}
    for pair in part.scalar().split(","):
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise InputError(
                f"found {pair!r} in node-labels, expected key=value", file=part.source.file, line=part.source.line
            )
        labels[key.strip()] = value.strip()
    return labels
