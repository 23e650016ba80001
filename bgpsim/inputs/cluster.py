"""What cluster, manifests and Cilium's resources mean: pod CIDRs, placement, and each node's BGP instance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_network

from bgpsim.errors import InputError
from bgpsim.inputs.files.kind import NODE_MASK, KindNode, Taint
from bgpsim.inputs.files.lab_files import LabFiles, Timeline
from bgpsim.inputs.files.manifests import DaemonSet, PeeringPolicy, Toleration
from bgpsim.network.description import BgpInstance, Neighbor, NeighborFamily, Origination
from bgpsim.network.types import FAMILIES, Address, Prefix
from bgpsim.source import Source

_DEFAULT_POD_SUBNET = ip_network("10.244.0.0/16")


@dataclass(frozen=True, slots=True)
class Pod:
    id: str
    addresses: tuple[Address, ...]
    labels: Mapping[str, str]
    source: Source


@dataclass(frozen=True, slots=True)
class Pods:
    """By node name."""

    cidrs: Mapping[str, tuple[Prefix, ...]]
    pods: Mapping[str, tuple[Pod, ...]]


def pods_of(files: LabFiles) -> Pods:
    """Pod CIDRs in the order of the cluster file; pods ordered by namespace and name, addresses from .2 on."""
    nodes = () if files.cluster is None else files.cluster.nodes
    subnets = () if files.cluster is None else files.cluster.pod_subnets or (_DEFAULT_POD_SUBNET,)
    cidrs = {node.name: tuple(_nth(subnet, number) for subnet in subnets) for number, node in enumerate(nodes)}
    sets = [r for m in files.manifests for r in m.resources if isinstance(r, DaemonSet) and not r.host_network]
    sets.sort(key=lambda daemon_set: (daemon_set.namespace, daemon_set.name))
    pods = {}
    for node in nodes:
        here = [daemon_set for daemon_set in sets if _placed(daemon_set, node)]
        pods[node.name] = tuple(
            Pod(
                f"pod:{daemon_set.namespace}/{daemon_set.name}@{node.name}",
                tuple(cidr.network_address + 2 + number for cidr in cidrs[node.name]),
                daemon_set.pod_labels,
                daemon_set.source,
            )
            for number, daemon_set in enumerate(here)
        )
    return Pods(cidrs, pods)


def _nth(subnet: Prefix, number: int) -> Prefix:
    mask = NODE_MASK[subnet.version]
    step = 1 << (subnet.max_prefixlen - mask)
    return ip_network((int(subnet.network_address) + number * step, mask))


def _placed(daemon_set: DaemonSet, node: KindNode) -> bool:
    """Kubernetes' scheduler: the node selector matches, and every taint that keeps pods off is tolerated."""
    selected = all(node.labels.get(key) == value for key, value in daemon_set.node_selector.items())
    barred = [taint for taint in node.taints if taint.effect != "PreferNoSchedule"]
    return selected and all(any(_tolerates(t, taint) for t in daemon_set.tolerations) for taint in barred)


def _tolerates(toleration: Toleration, taint: Taint) -> bool:
    if toleration.effect not in (None, taint.effect):
        return False
    if toleration.key is None:
        return toleration.operator == "Exists"
    return toleration.key == taint.key and (toleration.operator == "Exists" or toleration.value == taint.value)


def node_bgp(
    files: LabFiles, timeline: Timeline, cidrs: Mapping[str, tuple[Prefix, ...]]
) -> tuple[Mapping[str, BgpInstance], list[tuple[Source | None, str]]]:
    """Each selected node's instance, and what is worth saying of the policies."""
    policies: dict[str, PeeringPolicy] = {}
    for manifest in (*files.manifests, *timeline.applied):
        policies |= {r.name: r for r in manifest.resources if isinstance(r, PeeringPolicy)}
    nodes: Sequence[KindNode] = () if files.cluster is None else files.cluster.nodes
    instances: dict[str, BgpInstance] = {}
    findings: list[tuple[Source | None, str]] = []
    matched: set[str] = set()
    for node in nodes:
        chosen = [p for p in policies.values() if p.node_selector is None or p.node_selector.matches(node.labels)]
        matched |= {policy.name for policy in chosen}
        if len(chosen) > 1:
            names = ", ".join(sorted(policy.name for policy in chosen))
            findings.append((chosen[1].source, f"policies {names} match node {node.name}: Cilium clears its sessions"))
        elif chosen:
            instances[node.name] = _instance(chosen[0], node, cidrs[node.name], files.cilium)
    findings += [
        (policy.source, f"policy {policy.name} matches no node")
        for policy in policies.values()
        if policy.name not in matched
    ]
    return instances, findings


def _instance(policy: PeeringPolicy, node: KindNode, cidrs: tuple[Prefix, ...], cilium: str) -> BgpInstance:
    """Cilium's pkg/bgpv1: one GoBGP server per virtual router, which dials and never listens."""
    router = policy.virtual_routers[0]
    rejects = tuple(int(part) for part in cilium.split(".")[:2]) >= (1, 16)
    family = NeighborFamily(import_accept=not rejects)
    neighbors = tuple(
        Neighbor(
            name=str(neighbor.peer_address.network_address),
            address=neighbor.peer_address.network_address,
            interface=None,
            remote_as=neighbor.peer_asn,
            families=dict.fromkeys(FAMILIES, family),
            hold_time=neighbor.hold_time,
            keepalive=neighbor.keepalive,
            connect_retry=neighbor.connect_retry,
            ebgp_ttl=neighbor.ebgp_multihop_ttl,
            source=neighbor.source,
            sources=(neighbor.source, router.source),
        )
        for neighbor in router.neighbors
    )
    router_id = next((ip for ip in node.node_ips if isinstance(ip, IPv4Address)), None)
    if router_id is None:
        raise InputError(
            f"node {node.name}: found no IPv4 node-ip, expected one: policy {policy.name} needs it as the router ID",
            file=node.source.file,
            line=node.source.line,
        )
    originated = tuple(Origination(cidr, source=router.export_source) for cidr in cidrs)
    return BgpInstance(
        engine="gobgp",
        asn=router.local_asn,
        router_id=router_id,
        neighbors=neighbors,
        originated=originated if router.export_pod_cidr else (),
        ebgp_requires_policy=False,
        listens=False,
        installs=False,
        source=router.source,
    )
