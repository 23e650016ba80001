"""Typed files and the timeline -> `Network`: what the files mean, for the model alone.

Stated choices (docs/modelled.md): addresses on management networks, pod CIDRs and pods follow the order of the files;
the lab makes the same ones in code of its own, so that a misreading on either side shows as a difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, ip_interface, ip_network
from types import MappingProxyType

from bgpsim.errors import InputError
from bgpsim.frr_series import of_image
from bgpsim.inputs.bridges import segments_of
from bgpsim.inputs.cluster import node_bgp, pods_of
from bgpsim.inputs.commands import Command, commands
from bgpsim.inputs.endpoints import endpoints_of
from bgpsim.inputs.files.binds import bound_text
from bgpsim.inputs.files.container_start import has_frr, starts_frr
from bgpsim.inputs.files.containerlab import NodeDefinition
from bgpsim.inputs.files.kind import ClusterFile, KindNode
from bgpsim.inputs.files.lab_files import LabFiles, Timeline
from bgpsim.inputs.files.node_layers import FORWARDING_OFF
from bgpsim.inputs.files.part import Problems
from bgpsim.inputs.files.speakers import ROUTER_LINK_LOCAL
from bgpsim.inputs.frr.calls import VtyshCall, vtysh_call
from bgpsim.inputs.frr.reader import FrrReader
from bgpsim.inputs.frr_files import FrrFiles
from bgpsim.inputs.frr_start import boot, lines_of, typed
from bgpsim.inputs.impairments import left_open, mark_impaired
from bgpsim.inputs.iproute import KernelSetup
from bgpsim.inputs.outages import after_a_cut, away, set_down, with_session_shut
from bgpsim.inputs.speakers import attached
from bgpsim.network.description import (
    BgpInstance,
    Device,
    Interface,
    InterfaceRef,
    KernelRoute,
    Network,
    RouteNextHop,
    Segment,
)
from bgpsim.network.types import Address
from bgpsim.source import Source, Unmodelled

_POD_GATEWAY = IPv4Address("169.254.1.1")
_TWICE = (
    "its exec lines start FRR, which the image does by itself where no `cmd` says otherwise: containerlab would ignore"
    " them; here they are what starts it (write `cmd: bash` to have it so everywhere)"
)
_BESIDE = "FRR beside a container of another kind is not modelled"


def build_network(files: LabFiles, timeline: Timeline) -> Network:
    """The whole description at one moment. Raises InputError for what the files cannot mean."""
    return _Builder(files, timeline).network()


def namespace_owner(node: NodeDefinition, files: LabFiles) -> str | None:
    """Whose network namespace a node with `network-mode: container:X` lives in: containerlab resolves it as
    `clab-<lab>-X`, then `X`. None where there is no such container."""
    known = _containers(files)
    names = (f"clab-{files.topology.name}-{node.shares}", node.shares or "")
    return next((known[name] for name in names if name in known), None)


def _containers(files: LabFiles) -> Mapping[str, str]:
    """Container -> device."""
    known = {k.container: k.name for k in (() if files.cluster is None else files.cluster.nodes)}
    return known | {name: name for name, node in files.topology.nodes.items() if node.shares is None}


class _Builder:
    def __init__(self, files: LabFiles, timeline: Timeline) -> None:
        self.files = files
        self.timeline = timeline
        self.kernels: dict[str, KernelSetup] = {}
        self.routers: dict[str, FrrReader] = {}
        self.aliases: dict[str, str] = {}
        self.segments: list[Segment] = []
        self.gateways: list[Device] = []
        self.findings: list[tuple[Source | None, str]] = []
        self.unmodelled: list[Unmodelled] = list(files.unmodelled)

    def network(self) -> Network:
        topology, cluster = self.files.topology, self.files.cluster
        own = [node for node in topology.nodes.values() if node.shares is None and not node.is_bridge]
        kind_nodes = () if cluster is None else cluster.nodes
        self._check_names(own, kind_nodes)
        for name in [node.name for node in own] + [node.name for node in kind_nodes]:
            self.kernels[name] = KernelSetup(name, {"lo": Interface("lo", mtu=65536)})
        containers = [node for node in topology.nodes.values() if not node.is_bridge]
        for node in containers:
            self.aliases[node.name] = node.name if node.shares is None else self._shared(node.name)
        on_network = {node.name: node.management_address for node in own if node.network_mode != "none"}
        self._management("clab", topology.management, on_network, topology.gateway)
        if cluster is not None:
            self._management("kind", cluster.management, {node.name: None for node in kind_nodes})
        for link in topology.links:
            for end in link.ends:
                if end.node in self.aliases:
                    ref = InterfaceRef(self.aliases[end.node], end.interface)
                    self._new_interface(ref, Interface(end.interface, mtu=link.mtu, source=link.source))
        self.segments += segments_of(topology, self.aliases)
        self._run_commands()
        pods = self._pods(cluster) if cluster is not None else ()
        bgp = self._cluster_bgp(cluster) if cluster is not None else {}
        devices: dict[str, Device] = {}
        for node in own:
            reader = self.routers[node.name]
            instance = reader.instance()
            kernel = self.kernels[node.name]
            if instance is not None and not kernel.bgpd_started:
                self.findings.append((instance.source, f"{node.name}: BGP is configured, but bgpd is not started"))
                instance = None
            if instance is not None:
                instance = replace(instance, frr=self.files.frr or of_image(node.image or ""))
            device = self._device(node.name, "router" if has_frr(node.image) else "host", node.source)
            if FORWARDING_OFF.items() <= node.sysctls.items():
                device = replace(device, forwards=False)
            devices[node.name] = replace(
                device,
                bgp=instance,
                labels=dict(node.labels),
                routes=device.routes + tuple(reader.static_routes),
                policies=reader.policies,
            )
        for kind_node in kind_nodes:
            device = self._device(kind_node.name, "node", kind_node.source)
            devices[kind_node.name] = replace(
                device,
                bgp=bgp.get(kind_node.name),
                labels=dict(kind_node.labels),
                pod_cidrs=pods_of(self.files).cidrs[kind_node.name],
            )
            devices |= {pod.name: pod for pod in pods if pod.node == kind_node.name}
        devices |= {gateway.name: gateway for gateway in self.gateways}
        for speaker in self.files.speakers:
            with_speaker = attached(speaker, devices, self.routers, self.timeline)
            devices |= with_speaker.devices
            self.segments += with_speaker.segments
        self._check_addresses(devices)
        for device_name, interface in self.timeline.interfaces_cut:
            devices[device_name] = after_a_cut(devices[device_name], interface)
        for device_name, interface in self.timeline.interfaces_down:
            devices[device_name] = set_down(devices[device_name], interface)
        mark_impaired(devices, self.timeline)
        self.unmodelled += left_open(self.timeline, self.segments)
        for device_name, neighbor in self.timeline.sessions_shut:
            devices[device_name] = with_session_shut(devices[device_name], neighbor)
        for device in tuple(devices.values()):
            if device.name in self.timeline.nodes_down or device.node in self.timeline.nodes_down:
                devices[device.name] = away(device)
        for manifest in (*self.files.manifests, *self.timeline.applied):
            self.unmodelled += manifest.unmodelled
        return Network(
            name=topology.name,
            devices=MappingProxyType(devices),
            segments=tuple(self.segments),
            endpoints=endpoints_of(devices, {node.name: node.node_ips for node in kind_nodes}),
            unmodelled=tuple(sorted(set(self.unmodelled), key=lambda u: (u.source, u.device or "", u.text))),
            findings=tuple(self.findings),
        )

    def _check_names(self, own: Sequence[NodeDefinition], kind_nodes: Sequence[KindNode]) -> None:
        """Everything in a lab has a name of its own."""
        owners: dict[str, str] = {"clab": "the management network"}
        if kind_nodes:
            owners["kind"] = "the management network"
        everything: list[tuple[str, str, Source]] = [(n.name, "a Kubernetes node", n.source) for n in kind_nodes]
        everything += [(n.name, "a containerlab node", n.source) for n in own]
        everything += [(s.name, "a speaker", s.source) for s in self.files.speakers]
        problems = Problems()
        for name, what, source in everything:
            if name in owners:
                message = f"found the name {name!r} for {what}, expected another: it is {owners[name]} already"
                problems.found.append(InputError(message, file=source.file, line=source.line))
            owners.setdefault(name, what)
        problems.raise_all()

    def _new_interface(self, end: InterfaceRef, interface: Interface) -> None:
        there = self.kernels[end.device].interfaces
        if end.interface in there:
            source, first = interface.source, there[end.interface].source
            at = "" if first is None else f" (first at {first})"
            raise InputError(
                f"found the interface {end} twice, expected it once{at}",
                file=None if source is None else source.file,
                line=None if source is None else source.line,
            )
        there[end.interface] = interface

    def _shared(self, name: str) -> str:
        node = self.files.topology.nodes[name]
        owner = namespace_owner(node, self.files)
        if owner is None:
            raise InputError(
                f"node {name}: found network-mode {node.network_mode!r}, expected one of "
                + ", ".join(f"container:{other}" for other in _containers(self.files)),
                file=node.source.file,
                line=node.source.line,
            )
        return owner

    def _management(
        self,
        name: str,
        subnet: IPv4Network,
        members: Mapping[str, IPv4Address | None],
        gateway: IPv4Address | None = None,
    ) -> None:
        """`members`: each with the address that is written for it; the others have the first ones that are free."""
        if not members:
            return
        gateway = gateway or next(subnet.hosts())
        taken = {gateway, *members.values()}
        free = (address for address in subnet.hosts() if address not in taken)
        port = Interface("br0", (ip_interface(f"{gateway}/{subnet.prefixlen}"),), mtu=1500)
        self.gateways.append(Device(name, "gateway", (port,), forwards=False))
        ends = [InterfaceRef(name, "br0")]
        for member, written in members.items():
            address = written or next(free)
            kernel = self.kernels[member]
            kernel.interfaces["eth0"] = Interface("eth0", (ip_interface(f"{address}/{subnet.prefixlen}"),), mtu=1500)
            kernel.add(KernelRoute(ip_network("0.0.0.0/0"), "unicast", (RouteNextHop(gateway, "eth0"),)))
            ends.append(InterfaceRef(member, "eth0"))
        self.segments.append(Segment(tuple(ends), management=True))

    def _run_commands(self) -> None:
        for node in self.files.topology.nodes.values():
            if node.is_bridge:
                continue
            kernel = self.kernels[self.aliases[node.name]]
            kernel.files = FrrFiles(node.binds)
            reader = FrrReader(node.name, allow_refused=self.files.allow_refused)
            self.routers[node.name] = reader
            if starts_frr(node):
                self._container_starts(node, kernel, reader)
            elif has_frr(node.image) and node.cmd is None and node.entrypoint is None:
                self.findings.append((node.source, f"{node.name}: {_TWICE}"))
            for command in commands(node.exec):
                ran, call = kernel.frr_started, vtysh_call(command)
                if call is not None or not kernel.take(command):
                    self._vtysh(command, call, node, kernel, reader)
                elif kernel.frr_started and not ran:
                    boot(kernel, reader)
            reader.starts()
            for entry in self.timeline.configured:
                if entry.device == node.name:
                    reader.type(entry.lines)
            self.unmodelled += reader.unmodelled
        for kernel in self.kernels.values():
            self.unmodelled += kernel.unmodelled
        # An interface that was deleted is on no segment any more.
        self.segments = [
            replace(s, ends=ends)
            for s in self.segments
            if len(ends := tuple(e for e in s.ends if e.device not in self.kernels or self._has(e))) > 1
        ]

    def _container_starts(self, node: NodeDefinition, kernel: KernelSetup, reader: FrrReader) -> None:
        """Its image starts FRR, before any link is there."""
        if self.aliases[node.name] != node.name:
            text, affects = node.source.text, (kernel.device,)
            self.unmodelled.append(Unmodelled(node.source, node.name, text, "possible", affects, _BESIDE))
            return
        kernel.start_frr()
        if not kernel.frr_started:
            self.findings.append((node.source, f"{node.name}: FRR is not started: /etc/frr has no file `daemons`"))
        boot(kernel, reader)

    def _vtysh(
        self,
        command: Command,
        call: VtyshCall | None,
        definition: NodeDefinition,
        kernel: KernelSetup,
        reader: FrrReader,
    ) -> None:
        node = definition.name
        bound = None if call is None or call.file is None else bound_text(definition.binds, call.file)
        in_reach = call is not None and (call.file is None or bound is not None)
        if call is not None and in_reach and kernel.frr_started and self.aliases[node] == node:
            lines = call.lines if bound is None else lines_of(bound)
            typed(kernel, reader, lines, call.how)
            return
        why = "" if call is None or in_reach else f"what {call.file} says is not known"
        if self.aliases[node] != node:
            why = _BESIDE
        elif not kernel.frr_started:
            why = "FRR is not started at this line"
        self.unmodelled.append(Unmodelled(command.source, node, command.text, "possible", (kernel.device,), why))

    def _has(self, end: InterfaceRef) -> bool:
        return end.interface in self.kernels[end.device].interfaces

    def _check_addresses(self, devices: Mapping[str, Device]) -> None:
        """One address, one owner: node-ips belong to their nodes wherever they stand."""
        owners: dict[Address, tuple[str, str, Source | None]] = {}
        problems = Problems()
        if self.files.cluster is not None:
            for node in self.files.cluster.nodes:
                owners |= dict.fromkeys(node.node_ips, (node.name, "", node.node_ip_source))
        for device in devices.values():
            for interface in device.interfaces:
                for address in interface.addresses:
                    kernel = self.kernels.get(device.name)
                    source = interface.source or device.source
                    if kernel is not None:
                        source = kernel.address_sources.get((interface.name, address), source)
                    name, other, first = owners.setdefault(address.ip, (device.name, interface.name, source))
                    if name == device.name and other in ("", interface.name):
                        owners[address.ip] = (device.name, interface.name, source)
                        continue
                    where = name if not other else f"{name}:{other}"
                    at = "" if first is None else f" (first at {first})"
                    told = source or first
                    problems.found.append(
                        InputError(
                            f"found the address {address.ip} on {device.name}:{interface.name} and on {where},"
                            f" expected it on one{at}",
                            file=None if told is None else told.file,
                            line=None if told is None else told.line,
                        )
                    )
        problems.raise_all()

    def _device(self, name: str, kind: str, source: Source) -> Device:
        kernel = self.kernels[name]
        interfaces = tuple(kernel.interfaces.values())
        assert kind in ("router", "node", "host")
        routes = tuple(kernel.routes.values())
        return Device(name, kind, interfaces, routes, source=source)  # type: ignore[arg-type]

    def _pods(self, cluster: ClusterFile) -> tuple[Device, ...]:
        placed = pods_of(self.files)
        found = []
        for node in cluster.nodes:
            kernel = self.kernels[node.name]
            for cidr in placed.cidrs[node.name]:
                kernel.add(KernelRoute(cidr, "blackhole", source=node.source))
            for number, pod in enumerate(placed.pods[node.name]):
                port = f"lxc{number}"
                self._new_interface(InterfaceRef(node.name, port), Interface(port, source=pod.source))
                routes: list[KernelRoute] = []
                for address in pod.addresses:
                    host = ip_network(address)
                    kernel.add(KernelRoute(host, "unicast", (RouteNextHop(None, port),), source=pod.source))
                    if address.version == 4:
                        routes.append(KernelRoute(ip_network(_POD_GATEWAY), "unicast", (RouteNextHop(None, "eth0"),)))
                        hop = RouteNextHop(_POD_GATEWAY, "eth0")
                        routes.append(KernelRoute(ip_network("0.0.0.0/0"), "unicast", (hop,)))
                    else:
                        hop = RouteNextHop(ROUTER_LINK_LOCAL, "eth0")
                        routes.append(KernelRoute(ip_network("::/0"), "unicast", (hop,)))
                eth0 = Interface("eth0", tuple(ip_interface(a) for a in pod.addresses))
                self.segments.append(Segment((InterfaceRef(pod.id, "eth0"), InterfaceRef(node.name, port)), pod.source))
                found.append(
                    Device(
                        pod.id,
                        "pod",
                        (Interface("lo", mtu=65536), eth0),
                        tuple(routes),
                        forwards=False,
                        labels={**node.labels, **pod.labels},
                        node=node.name,
                        source=pod.source,
                    )
                )
        return tuple(found)

    def _cluster_bgp(self, cluster: ClusterFile) -> Mapping[str, BgpInstance]:
        instances, findings = node_bgp(self.files, self.timeline, pods_of(self.files).cidrs)
        self.findings += findings
        return instances
