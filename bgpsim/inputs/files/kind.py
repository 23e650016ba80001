"""A kind cluster file (`kind: Cluster`, kind.x-k8s.io/v1alpha4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address, ip_network
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from bgpsim.errors import InputError
from bgpsim.inputs.files.part import Part, Problems
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
    """From `labels:`, from kubeletExtraArgs `node-labels`, and those that kubelet and kubeadm set by themselves."""
    taints: tuple[Taint, ...] = ()
    """A control plane's own `node-role.kubernetes.io/control-plane:NoSchedule` included, where there are workers."""
    node_ips: tuple[IPv4Address | IPv6Address, ...] = ()
    """kubeletExtraArgs `node-ip`; may be on no interface yet."""
    node_ip_source: Source | None = None


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


NODE_MASK = {4: 24, 6: 64}
"""kubeadm's node-cidr-mask-size, by IP version."""
CONTROL_PLANE_TAINT = "node-role.kubernetes.io/control-plane"
_KUBEADM_KINDS = (
    *("InitConfiguration", "JoinConfiguration", "ClusterConfiguration", "KubeletConfiguration"),
    "KubeProxyConfiguration",
)
_NAME = re.compile(r"[a-z0-9.-]+")
_REGISTRY = "it says where images come from, and moves no packet"
_API = "it is where the API server listens, and the lab has none"
_RUNTIME = "it is about how kubelet starts, and moves no packet"
_API_VERSION = "kind.x-k8s.io/v1alpha4"


def load_cluster(path: Path, shown: str) -> tuple[ClusterFile, tuple[Unmodelled, ...]]:
    """Read a cluster file. `shown`: its name in errors and reports. Raises InputError."""
    top = Part(read_yaml(path, shown))
    top.keys(
        ("kind", "apiVersion", "name", "networking", "nodes"),
        harmless={
            "containerdConfigPatches": _REGISTRY,
            "containerdConfigPatchesJSON6902": _REGISTRY,
            "runtimeConfig": "it opens versions of the API, and moves no packet",
        },
        possible=("featureGates", "kubeadmConfigPatches", "kubeadmConfigPatchesJSON6902"),
    )
    for key, expected in (("kind", "Cluster"), ("apiVersion", _API_VERSION)):
        if key not in top:
            top.fail(f"`{key}: {expected}`")
        if top[key].value != expected:
            top[key].fail(expected)
    name = top["name"].text() if "name" in top else "kind"
    if not _NAME.fullmatch(name):
        top["name"].fail("a name of small letters, digits, `-` and `.`")
    nodes = _nodes(name, top)
    subnets: tuple[Prefix, ...] = ()
    default_cni = True
    if (networking := top.get("networking")) is not None:
        networking.keys(
            ("podSubnet", "disableDefaultCNI"),
            harmless={
                "apiServerAddress": _API,
                "apiServerPort": _API,
                "serviceSubnet": "no service is modelled",
                "dnsSearch": "names are not modelled",
            },
            possible=("ipFamily", "kubeProxyMode"),
        )
        if (subnet := networking.get("podSubnet")) is not None:
            subnets = _subnets(subnet, len(nodes))
        if (disabled := networking.get("disableDefaultCNI")) is not None:
            default_cni = not disabled.truth()
    if default_cni:
        names = tuple(sorted(node.name for node in nodes))
        text = "kind's own CNI (disableDefaultCNI is not set)"
        top.unmodelled.append(Unmodelled((networking or top).source, None, text, "possible", names))
    return ClusterFile(shown, name, nodes, top.source, subnets, default_cni), tuple(top.unmodelled)


def _subnets(part: Part, nodes: int) -> tuple[Prefix, ...]:
    """kind writes dual stack as two prefixes with a comma between them. Each node gets a /24 (IPv6: /64) of each."""
    found: list[Prefix] = []
    for text in part.text().split(","):
        try:
            subnet = ip_network(text.strip())
        except ValueError as error:
            part.fail(f"a prefix, or two with a comma between them ({error})")
        if any(other.version == subnet.version for other in found):
            part.fail("one IPv4 prefix, one IPv6 prefix or one of each")
        mask = NODE_MASK[subnet.version]
        if subnet.prefixlen > mask or 1 << (mask - subnet.prefixlen) < nodes:
            part.fail(f"a prefix with a /{mask} for each of {nodes} nodes")
        found.append(subnet)
    return tuple(found)


def _nodes(cluster: str, top: Part) -> tuple[KindNode, ...]:
    """kind makes one control plane where no nodes are listed."""
    if "nodes" not in top:
        return (_node(cluster, "control-plane", "control-plane", None, top.source, tainted=False),)
    parts = top["nodes"].items()
    if not parts:
        top["nodes"].fail("at least one node")
    problems = Problems()
    roles: list[Literal["control-plane", "worker"]] = []
    for part in parts:
        with problems.collected():
            roles.append(_role(part))
    problems.raise_all()
    if "control-plane" not in roles:
        top["nodes"].fail("a node with role control-plane")
    workers = "worker" in roles
    counts: dict[str, int] = {}
    nodes: list[KindNode] = []
    for part, role in zip(parts, roles, strict=True):
        counts[role] = counts.get(role, 0) + 1
        # kind: the first of a role has no number.
        name = role if counts[role] == 1 else f"{role}{counts[role]}"
        with problems.collected():
            tainted = workers and role == "control-plane"
            node = _node(cluster, name, role, part, part.source, tainted=tainted)
            _check_node_ips(node, nodes)
            nodes.append(node)
    problems.raise_all()
    return tuple(nodes)


def _check_node_ips(node: KindNode, others: list[KindNode]) -> None:
    for other in others:
        for address in node.node_ips:
            if address in other.node_ips:
                source = node.node_ip_source or node.source
                raise InputError(
                    f"found the node-ip {address} on {node.name} and on {other.name}, expected it on one",
                    file=source.file,
                    line=source.line,
                )


def _role(part: Part) -> Literal["control-plane", "worker"]:
    part.keys(
        ("role", "labels", "kubeadmConfigPatches"),
        harmless={
            "image": "the embedded lab makes its own image of a node",
            "extraMounts": "they are files of the host, and the lab has none",
        },
        possible=("extraPortMappings", "kubeadmConfigPatchesJSON6902"),
    )
    if (role := part.get("role")) is None or role.value == "control-plane":
        return "control-plane"
    if role.value != "worker":
        role.fail("control-plane or worker")
    return "worker"


def _node(
    cluster: str,
    name: str,
    role: Literal["control-plane", "worker"],
    part: Part | None,
    source: Source,
    *,
    tainted: bool,
) -> KindNode:
    container = f"{cluster}-{name}"
    labels = {"kubernetes.io/hostname": container, "kubernetes.io/os": "linux"}
    if role == "control-plane":
        labels[CONTROL_PLANE_TAINT] = ""
    if part is not None and "labels" in part:
        labels |= part["labels"].texts()
    addresses: list[IPv4Address | IPv6Address] = []
    address_source = None
    patches = part["kubeadmConfigPatches"].items() if part is not None and "kubeadmConfigPatches" in part else ()
    for patch in patches:
        arguments = _kubelet_arguments(patch, name)
        if (listed := arguments.get("node-labels")) is not None:
            labels |= _labels(listed)
        if (ips := arguments.get("node-ip")) is not None:
            address_source = ips.source
            for text in ips.scalar().split(","):
                try:
                    addresses.append(ip_address(text.strip()))
                except ValueError:
                    ips.fail("an IP address")
    return KindNode(
        name=name,
        container=container,
        role=role,
        source=source,
        labels=labels,
        taints=(Taint(CONTROL_PLANE_TAINT, "", "NoSchedule"),) if tainted else (),
        node_ips=tuple(addresses),
        node_ip_source=address_source,
    )


def _kubelet_arguments(patch: Part, node: str) -> Mapping[str, Part]:
    """`nodeRegistration.kubeletExtraArgs` of a kubeadm patch: YAML inside YAML, its lines those of the outer file.

    A mapping, or from kubeadm's v1beta4 on a list of name and value.
    """
    text = patch.text()
    first = patch.document.first_line(patch.location)
    found: dict[str, Part] = {}
    for document in parse_documents(text, patch.document.file, first):
        top = Part(document, (), patch.unmodelled)
        if "kind" not in top:
            top.fail("a kubeadm patch with `kind`")
        if not isinstance(top.value, dict):
            top.fail("a kubeadm patch with `kind`")
        kind = top["kind"].value
        if kind not in _KUBEADM_KINDS:
            top["kind"].fail(" or ".join(_KUBEADM_KINDS))
        # kubeadm init makes the first control plane, join all other nodes: a patch of the other kind changes nothing.
        used = "InitConfiguration" if node == "control-plane" else "JoinConfiguration"
        if kind in ("InitConfiguration", "JoinConfiguration") and kind != used:
            top.list_unmodelled("kind", f"{node} is made with {used}", device=node, affects=(node,))
            continue
        if kind != used:
            top.list_unmodelled("kind", device=node, affects=(node,))
            continue
        top.keys(
            ("kind", "apiVersion", "nodeRegistration"),
            possible=("localAPIEndpoint", "discovery", "controlPlane", "patches", "skipPhases", "bootstrapTokens"),
            device=node,
            affects=(node,),
        )
        if (registration := top.get("nodeRegistration")) is None:
            continue
        registration.keys(
            ("kubeletExtraArgs",),
            harmless={"criSocket": _RUNTIME, "ignorePreflightErrors": _RUNTIME, "imagePullPolicy": _RUNTIME},
            possible=("taints", "name"),
            device=node,
            affects=(node,),
        )
        if (arguments := registration.get("kubeletExtraArgs")) is None:
            continue
        if isinstance(arguments.value, list):
            pairs = []
            for item in arguments.items():
                item.keys(("name", "value"))
                if "name" not in item or "value" not in item:
                    item.fail("`name` and `value`")
                pairs.append((item["name"].text(), item["value"]))
        else:
            pairs = list(arguments.entries())
        for key, value in pairs:
            if key in ("node-ip", "node-labels"):
                found[key] = value
            else:
                text = value.source.text or key
                patch.unmodelled.append(Unmodelled(value.source, node, text, "possible", (node,)))
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
