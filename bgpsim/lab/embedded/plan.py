"""From the files to what is built: containers, links, addresses. Pure; the lab's own reading of what the files mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, ip_interface
from types import MappingProxyType
from typing import Literal

from bgpsim.errors import ImageError, InputError
from bgpsim.inputs.files.binds import Bind
from bgpsim.inputs.files.container_start import starts_frr
from bgpsim.inputs.files.containerlab import NodeDefinition
from bgpsim.inputs.files.kind import KindNode
from bgpsim.inputs.files.lab_files import LabFiles
from bgpsim.inputs.files.manifests import DaemonSet, Toleration
from bgpsim.inputs.files.speakers import ROUTER_LINK_LOCAL
from bgpsim.lab.images import ImageUse, resolve
from bgpsim.network.types import Prefix

LINK_MTU = 9500
POD_GATEWAY = "169.254.1.1"
_POD_GATEWAY_MAC = "02:00:00:00:00:01"
_DEFAULT_POD_SUBNET = IPv4Network("10.244.0.0/16")
_KIND_IMAGE = "kindest/node"
_BRIDGE = "bridge"
"""A bridge's own interface in its namespace; its ports are called as the topology says."""
_OWN_SYSCTLS = ("net.ipv4.", "net.ipv6.")
_INIT = ("/usr/bin/tini", "--", "sleep", "infinity")


@dataclass(frozen=True, slots=True)
class Container:
    """One container of the lab. `image` None: the lab's own root (a speaker's, which needs Python)."""

    name: str
    role: Literal["router", "node", "host", "pod", "speaker", "gateway", "sidecar", "bridge"]
    image: str | None
    asked: str
    hostname: str
    shares: str | None = None
    forwards: bool = True
    addresses: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    init: tuple[str, ...] = _INIT
    binds: tuple[Bind, ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    starts_frr: bool = False
    """Its image's entry point does, before any link is there."""


@dataclass(frozen=True, slots=True)
class Cable:
    a: str
    a_interface: str
    b: str
    b_interface: str
    mtu: int = LINK_MTU


@dataclass(frozen=True, slots=True)
class BuildPlan:
    containers: tuple[Container, ...]
    cables: tuple[Cable, ...]
    settings: Mapping[str, tuple[str, ...]]
    """Device -> `ip` commands, run once everything is wired."""
    aliases: Mapping[str, str]
    """containerlab node that shares a namespace -> the device whose it is."""
    pod_cidrs: Mapping[str, tuple[Prefix, ...]]
    link_local: Mapping[tuple[str, str], tuple[str, ...]]
    """(device, interface) of a speaker's link, either end -> its fixed addresses. The kernel takes a link-local address
    away with the interface and, without autoconfiguration, never brings it back (addrconf_ifdown, net/ipv6/addrconf.c).
    """


class _Plan:
    def __init__(self, files: LabFiles) -> None:
        self.files = files
        self.containers: list[Container] = []
        self.cables: list[Cable] = []
        self.settings: dict[str, list[str]] = {}
        self.aliases: dict[str, str] = {}
        self.link_local: dict[tuple[str, str], tuple[str, ...]] = {}

    def set(self, device: str, *commands: str) -> None:
        self.settings.setdefault(device, []).extend(commands)


def make_plan(files: LabFiles) -> BuildPlan:
    """Raises InputError for a container name that nothing answers to, ImageError for an unknown image."""
    plan = _Plan(files)
    kind_nodes = () if files.cluster is None else files.cluster.nodes
    pod_cidrs = _pod_cidrs(files, kind_nodes)
    own = [node for node in files.topology.nodes.values() if node.shares is None and not node.is_bridge]
    sharing = [node for node in files.topology.nodes.values() if node.shares is not None]
    for node in own:
        plan.containers.append(_own_container(node, files))
        plan.set(node.name, "link set dev lo up")
    for kind_node in kind_nodes:
        plan.containers.append(
            Container(kind_node.name, "node", resolve(_KIND_IMAGE).image, _KIND_IMAGE, kind_node.container)
        )
        plan.set(kind_node.name, "link set dev lo up")
    for node in sharing:
        device = _shared_device(node, files, kind_nodes)
        plan.aliases[node.name] = device
        image = node.image or ""
        plan.containers.append(
            Container(
                node.name,
                "sidecar",
                _image(node, files).image,
                image,
                node.name,
                shares=device,
                env=node.env,
                binds=node.binds,
                starts_frr=starts_frr(node),
            )
        )
    for name in files.topology.bridges:
        _bridge(plan, name)
    for link in files.topology.links:
        (a, b) = ((plan.aliases.get(end.node, end.node), end.interface) for end in link.ends)
        plan.cables.append(Cable(*a, *b, mtu=link.mtu))
        for (device, interface), mac in zip((a, b), link.macs, strict=True):
            if mac is not None:
                plan.set(device, f"link set dev {interface} address {mac}")
            if device in files.topology.bridges:
                plan.set(device, f"link set dev {interface} master {_BRIDGE}")
            plan.set(device, f"link set dev {interface} up")
    managed = {node.name: node.management_address for node in own if node.network_mode != "none"}
    if managed:
        _management(plan, "clab", files.topology.management, managed, files.topology.gateway)
    if files.cluster is not None:
        _management(plan, "kind", files.cluster.management, {node.name: None for node in kind_nodes})
    _pods(plan, kind_nodes, pod_cidrs)
    _speakers(plan)
    return BuildPlan(
        containers=tuple(plan.containers),
        cables=tuple(plan.cables),
        settings={device: tuple(commands) for device, commands in plan.settings.items()},
        aliases=plan.aliases,
        pod_cidrs=pod_cidrs,
        link_local=plan.link_local,
    )


def _image(node: NodeDefinition, files: LabFiles) -> ImageUse:
    try:
        return resolve(node.image or "", frr=files.frr)
    except ImageError as error:
        where = node.source
        raise ImageError(error.message, hint=error.hint, file=where.file, line=where.line) from None


def _own_container(node: NodeDefinition, files: LabFiles) -> Container:
    image = node.image or ""
    use = _image(node, files)
    role: Literal["router", "host"] = "router" if use.routes else "host"
    # Docker takes the sysctls of the network namespace alone.
    sysctls = {name.replace(".", "/"): value for name, value in node.sysctls.items() if name.startswith(_OWN_SYSCTLS)}
    return Container(
        node.name,
        role,
        use.image,
        image,
        node.name,
        env=node.env,
        binds=node.binds,
        sysctls=sysctls,
        starts_frr=starts_frr(node),
    )


def _bridge(plan: _Plan, name: str) -> None:
    """A bridge in a namespace of its own: it has no address, and sends nothing by itself."""
    plan.containers.append(Container(name, "bridge", "node", "", name, forwards=False))
    plan.set(name, f"link add {_BRIDGE} type bridge", f"link set dev {_BRIDGE} addrgenmode none up")


def _shared_device(node: NodeDefinition, files: LabFiles, kind_nodes: Sequence[KindNode]) -> str:
    """containerlab 0.79 resolves `container:X` as `clab-<lab>-X`, then `X` (facts of its own source)."""
    assert node.shares is not None
    candidates = (f"clab-{files.topology.name}-{node.shares}", node.shares)
    for name in candidates:
        for kind_node in kind_nodes:
            if kind_node.container == name:
                return kind_node.name
        for other in files.topology.nodes.values():
            if other.shares is None and name in (other.name, f"clab-{files.topology.name}-{other.name}"):
                return other.name
    raise InputError(
        f"node {node.name}: found network-mode {node.network_mode!r}, expected a container of the cluster or the "
        f"topology ({', '.join(k.container for k in kind_nodes) or 'there is no cluster'})",
        file=node.source.file,
        line=node.source.line,
    )


def _management(
    plan: _Plan,
    name: str,
    subnet: IPv4Network,
    members: Mapping[str, IPv4Address | None],
    own: IPv4Address | None = None,
) -> None:
    """A management network: a bridge in a namespace of its own that owns the gateway's address and forwards nothing.

    `members`: each with its own address, or None for the next one that is nobody's.
    """
    plan.containers.append(Container(name, "gateway", "node", "", name, forwards=False))
    gateway = next(subnet.hosts()) if own is None else own
    reserved = {gateway} | {address for address in members.values() if address is not None}
    hosts = (host for host in subnet.hosts() if host not in reserved)
    plan.set(
        name,
        "link add br0 type bridge",
        "link set dev lo up",
        f"addr add {gateway}/{subnet.prefixlen} dev br0",
        "link set dev br0 up",
    )
    for number, (member, written) in enumerate(members.items()):
        address = next(hosts) if written is None else written
        plan.cables.append(Cable(member, "eth0", name, f"port{number}", mtu=1500))
        plan.set(name, f"link set port{number} master br0 up")
        plan.set(
            member,
            "link set dev eth0 up",
            f"addr add {address}/{subnet.prefixlen} dev eth0",
            f"route add default via {gateway} dev eth0",
        )


def _pod_cidrs(files: LabFiles, kind_nodes: Sequence[KindNode]) -> Mapping[str, tuple[Prefix, ...]]:
    """Each node's part of the pod subnets, in the order of the cluster file (Kubernetes: of registration)."""
    if files.cluster is None:
        return {}
    subnets: Sequence[Prefix] = files.cluster.pod_subnets or (_DEFAULT_POD_SUBNET,)
    parts: dict[str, list[Prefix]] = {node.name: [] for node in kind_nodes}
    for subnet in subnets:
        each: Iterator[Prefix] = iter(subnet.subnets(new_prefix=24 if subnet.version == 4 else 64))
        for node, part in zip(kind_nodes, each, strict=False):
            parts[node.name].append(part)
    return {name: tuple(found) for name, found in parts.items()}


def _tolerated(key: str, value: str, effect: str, tolerations: Sequence[Toleration]) -> bool:
    return any(
        (t.key is None or t.key == key)
        and (t.operator == "Exists" or t.value == value)
        and (t.effect is None or t.effect == effect)
        for t in tolerations
    )


def _runs_on(daemon_set: DaemonSet, node: KindNode) -> bool:
    if any(node.labels.get(key) != value for key, value in daemon_set.node_selector.items()):
        return False
    return all(
        t.effect not in ("NoSchedule", "NoExecute") or _tolerated(t.key, t.value, t.effect, daemon_set.tolerations)
        for t in node.taints
    )


def _pods(plan: _Plan, kind_nodes: Sequence[KindNode], pod_cidrs: Mapping[str, tuple[Prefix, ...]]) -> None:
    """A namespace per pod, routed natively: a host route on the node, the node as the pod's gateway."""
    sets = sorted(
        (r for m in plan.files.manifests for r in m.resources if isinstance(r, DaemonSet) and not r.host_network),
        key=lambda r: (r.namespace, r.name),
    )
    for node in kind_nodes:
        cidrs = pod_cidrs[node.name]
        plan.set(node.name, *(f"route add blackhole {cidr}" for cidr in cidrs))
        placed = [daemon_set for daemon_set in sets if _runs_on(daemon_set, node)]
        for number, daemon_set in enumerate(placed):
            pod = f"pod:{daemon_set.namespace}/{daemon_set.name}@{node.name}"
            own = tuple(str(cidr[2 + number]) for cidr in cidrs)
            plan.containers.append(
                Container(
                    pod,
                    "pod",
                    "node",
                    daemon_set.image,
                    f"{daemon_set.name}-{node.name}",
                    forwards=False,
                    addresses=own,
                )
            )
            plan.cables.append(Cable(pod, "eth0", node.name, f"lxc{number}"))
            plan.set(node.name, f"link set lxc{number} address {_POD_GATEWAY_MAC} up")
            plan.set(pod, "link set dev lo up", "link set dev eth0 up")
            for address in own:
                host = ip_interface(address)
                plan.set(node.name, f"route add {host} dev lxc{number} scope link")
                plan.set(pod, f"addr add {host} dev eth0")
                if host.version == 4:
                    plan.set(
                        pod,
                        f"route add {POD_GATEWAY} dev eth0 scope link",
                        # Nobody owns the gateway's address; in Cilium a program at the interface answers for it.
                        f"neigh add {POD_GATEWAY} lladdr {_POD_GATEWAY_MAC} dev eth0 nud permanent",
                        f"route add default via {POD_GATEWAY} dev eth0",
                    )
                else:
                    plan.set(node.name, f"addr add fe80::1/64 dev lxc{number} nodad")
                    plan.set(pod, "route add default via fe80::1 dev eth0")


def _speakers(plan: _Plan) -> None:
    """A namespace per speaker, a link per router; link-local addresses alone, fixed, without autoconfiguration."""
    for speaker in plan.files.speakers:
        # ExaBGP needs Python, which the lab's own root has.
        image = "node" if speaker.engine == "gobgp" else None
        plan.containers.append(Container(speaker.name, "speaker", image, "", speaker.name, forwards=False))
        plan.set(speaker.name, "link set dev lo up")
        for link in speaker.attachments:
            plan.cables.append(Cable(speaker.name, link.speaker_interface, link.router, link.router_interface))
            beside = () if link.next_hop_beside is None else (link.next_hop_beside,)
            for device, interface, *addresses in (
                (speaker.name, link.speaker_interface, link.speaker_address, *beside),
                (link.router, link.router_interface, ROUTER_LINK_LOCAL),
            ):
                plan.link_local[device, interface] = tuple(f"{address}/64" for address in addresses)
                plan.set(
                    device,
                    f"link set dev {interface} addrgenmode none",
                    f"link set dev {interface} up",
                    *(f"addr add {address}/64 dev {interface} nodad" for address in addresses),
                )
