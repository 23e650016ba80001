"""A containerlab topology file (`*.clab.yml`, `topo.yml`), as containerlab 0.79 reads it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from types import MappingProxyType

from bgpsim.inputs.files.binds import Bind, read_binds
from bgpsim.inputs.files.node_layers import Layers, environment, sysctls
from bgpsim.inputs.files.part import Part, Problems
from bgpsim.inputs.files.yaml_source import read_yaml
from bgpsim.source import Source, Unmodelled

MANAGEMENT_NETWORK = IPv4Network("172.20.20.0/24")
LINK_MTU = 9500
"""containerlab's own default for a veth."""
BRIDGE_KINDS = ("bridge", "ovs-bridge")


@dataclass(frozen=True, slots=True)
class ExecLine:
    """One entry of a node's `exec`: split as a shell would, run without one; `$$` is already `$`."""

    text: str
    source: Source
    lines: tuple[tuple[int, str], ...] = ()
    """The file's lines that make it up, numbered: a folded text has many."""


@dataclass(frozen=True, slots=True)
class NodeDefinition:
    """One node, with what `defaults`, `kinds` and `groups` give it already merged in."""

    name: str
    kind: str
    image: str | None
    exec: tuple[ExecLine, ...]
    source: Source
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    network_mode: str | None = None
    """`container:worker` shares that container's network namespace; `none`: not on the management network."""
    env: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    cmd: str | None = None
    entrypoint: str | None = None
    binds: tuple[Bind, ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """As written: `net.ipv4.ip_forward` -> `1`."""
    management_address: IPv4Address | None = None
    """`mgmt-ipv4`."""

    @property
    def is_bridge(self) -> bool:
        """A layer-2 segment, and no container: its links' other ends are on one network."""
        return self.kind in BRIDGE_KINDS

    @property
    def shares(self) -> str | None:
        """The container whose network namespace this node lives in, as written after `container:`."""
        if self.network_mode is not None and self.network_mode.startswith("container:"):
            return self.network_mode.removeprefix("container:")
        return None


@dataclass(frozen=True, slots=True)
class LinkEnd:
    node: str
    interface: str


@dataclass(frozen=True, slots=True)
class LinkDefinition:
    ends: tuple[LinkEnd, LinkEnd]
    source: Source
    mtu: int = LINK_MTU
    macs: tuple[str | None, str | None] = (None, None)


@dataclass(frozen=True, slots=True)
class TopologyFile:
    """`name` is the lab's name: containers are called `clab-<name>-<node>`."""

    path: str
    name: str
    nodes: Mapping[str, NodeDefinition]
    links: tuple[LinkDefinition, ...]
    source: Source
    management: IPv4Network = MANAGEMENT_NETWORK
    """Nodes without a `network-mode` get `eth0` on it: their `mgmt-ipv4`, the others' addresses from .2 on in the order
    of the file, and a default route by `gateway`."""
    management_gateway: IPv4Address | None = None
    """None: the network's first address."""

    @property
    def gateway(self) -> IPv4Address:
        return self.management_gateway or self.management.network_address + 1

    @property
    def bridges(self) -> tuple[str, ...]:
        return tuple(name for name, node in self.nodes.items() if node.is_bridge)


_LIMIT = "it limits the container's resources, and moves no packet"
_HARMLESS = {
    "cmd": "it is the process that the container idles in, and moves no packet",
    "startup-config": "containerlab reads it for other kinds of node alone",
    "enforce-startup-config": "containerlab reads it for other kinds of node alone",
    "suppress-startup-config": "containerlab reads it for other kinds of node alone",
    "startup-delay": "the lab is looked at when it is at rest",
    "dns": "it is about names, and no packet of the lab asks for one",
    "aliases": "they are names for the container, and no packet of the lab asks for one",
    "config": "it is for `containerlab config`, which sends templates",
    "healthcheck": "it asks the container how it is",
    "certificate": "it makes files for other kinds of node",
    "license": "it is for other kinds of node",
    "type": "it is for other kinds of node",
    "runtime": "the embedded lab runs the containers",
    "restart-policy": "it is about containers that end by themselves",
    "privileged": "a node has its own network in either case",
    "cap-add": "a node has its own network in either case",
    "memory": _LIMIT,
    "cpu": _LIMIT,
    "cpu-set": _LIMIT,
    "shm-size": _LIMIT,
    "position": "it places the node in a drawing",
    "user": "lines run as the lab's own user",
    "auto-remove": "it is about what is left after the lab",
    "ports": "they lead to the host, and the lab has no way there",
    "image-pull-policy": "images are made before the lab starts",
}
_POSSIBLE = (
    *("mgmt-ipv6", "stages", "devices", "extras", "mgmt_ipv6", "publish", "sandbox", "kernel", "wait-for"),
    "components",
)
_READ = (
    *("kind", "group", "image", "exec", "labels", "network-mode", "env", "env-files", "binds", "entrypoint"),
    *("sysctls", "mgmt-ipv4", "mgmt_ipv4"),
)
_KINDS = ("linux", *BRIDGE_KINDS)
_OTHER_KINDS = {
    "host": "the lab has no way out to this machine",
    "k8s-kind": "name the cluster's file in the scenario: `lab: {cluster: FILE}`",
    "ext-container": "a Kubernetes node is reached by a node with `network-mode: container:NAME`",
}
_OTHER_LINKS = {
    "host": "the lab has no way out to this machine",
    "mgmt-net": "the lab's management network has the nodes' eth0 alone",
    "macvlan": "the lab has no way out to this machine",
    "dummy": "a dummy has no other end",
    "vxlan": "the lab has no way out to another machine",
    "vxlan-stitch": "the lab has no way out to another machine",
}
"""Types of links that bgpsim does not run, and why."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_MAC = re.compile(r"[0-9a-fA-F][02468aceACE](:[0-9a-fA-F]{2}){5}")


def load_topology(path: Path, shown: str) -> tuple[TopologyFile, tuple[Unmodelled, ...]]:
    """Read a topology file. `shown`: its name in errors and reports. Raises InputError."""
    top = Part(read_yaml(path, shown))
    problems = Problems()
    with problems.collected():
        top.keys(
            ("name", "topology", "mgmt"),
            harmless={"prefix": "it names containers", "debug": "it logs"},
            possible=("settings",),
        )
    if "name" not in top:
        top.fail("a containerlab topology with `name`")
    if "topology" not in top:
        top.fail("a containerlab topology with `topology`")
    topology = top["topology"]
    with problems.collected():
        topology.keys(("nodes", "links", "kinds", "defaults", "groups"))
    if "nodes" not in topology:
        topology.fail("`nodes`")
    kinds: dict[str, Part] = {}
    groups: dict[str, Part] = {}
    with problems.collected():
        kinds = dict(topology["kinds"].entries()) if "kinds" in topology else {}
    with problems.collected():
        groups = dict(topology["groups"].entries()) if "groups" in topology else {}
    defaults = [topology["defaults"]] if "defaults" in topology else []
    for layer in (*kinds.values(), *groups.values(), *defaults):
        with problems.collected():
            if layer.value is not None:
                layer.keys(_READ, harmless=_HARMLESS, possible=_POSSIBLE)
    problems.raise_all()
    parts = dict(topology["nodes"].entries())
    nodes = {}
    for name, part in parts.items():
        with problems.collected():
            nodes[name] = _node(name, part, Layers(kinds, groups, topology.get("defaults"), path.parent))
    with problems.collected():
        for part in topology["links"].items() if "links" in topology else ():
            with problems.collected():
                _ends(part, parts)
    problems.raise_all()
    links = tuple(_link(part, parts) for part in topology["links"].items()) if "links" in topology else ()
    _check_interfaces(topology, links, nodes)
    on_network = sum(node.network_mode is None and not node.is_bridge for node in nodes.values())
    management, gateway = _management(top.get("mgmt"), on_network)
    file = TopologyFile(shown, top["name"].scalar(), nodes, links, top["name"].source, management, gateway)
    _check_management(file, parts)
    return file, tuple(top.unmodelled)


def _management(part: Part | None, members: int) -> tuple[IPv4Network, IPv4Address | None]:
    if part is None:
        return MANAGEMENT_NETWORK, None
    part.keys(
        ("ipv4-subnet", "ipv4_subnet", "ipv4-gw"),
        harmless={
            "network": "it names the network",
            "bridge": "it names the host's end of the network",
            "external-access": "behind the management network nothing answers",
            "mtu": "nothing is sent on the management network that is that long",
            "ipv6-subnet": "the lab's management network has IPv4 alone",
            "ipv6_subnet": "the lab's management network has IPv4 alone",
            "ipv6-gw": "the lab's management network has IPv4 alone",
            "ipv6-range": "the lab's management network has IPv4 alone",
        },
        possible=("ipv4-range", "driver-opts"),
    )
    if (subnet := part.get("ipv4-subnet") or part.get("ipv4_subnet")) is None or subnet.value == "auto":
        prefix: object = MANAGEMENT_NETWORK
    else:
        prefix = subnet.prefix()
    if not isinstance(prefix, IPv4Network):
        assert subnet is not None
        subnet.fail("an IPv4 prefix")
    # The network's own address, its gateway's and the broadcast address are no node's.
    if subnet is not None and prefix.num_addresses < members + 3:
        subnet.fail(f"a prefix with room for {members} nodes and a gateway")
    if (gateway := part.get("ipv4-gw")) is None:
        return prefix, None
    address = gateway.address()
    if not isinstance(address, IPv4Address) or address not in prefix:
        gateway.fail(f"an address of {prefix}")
    return prefix, address


def _check_management(file: TopologyFile, parts: Mapping[str, Part]) -> None:
    """Every `mgmt-ipv4` is on the network, and one node's alone."""
    owners = {file.gateway: "the gateway"}
    network = file.management
    problems = Problems()
    for node in file.nodes.values():
        address = node.management_address
        if address is None:
            continue
        part = parts[node.name].get("mgmt-ipv4") or parts[node.name]["mgmt_ipv4"]
        with problems.collected():
            if address not in network or address in (network.network_address, network.broadcast_address):
                part.fail(f"an address of a node on the management network {network}")
            if address in owners:
                part.fail(f"another address: it is {owners[address]}'s")
            owners[address] = node.name
    problems.raise_all()


def _node(name: str, part: Part, below: Layers) -> NodeDefinition:
    """A node; what it does not say comes from its group, its kind, then from the defaults, as containerlab has it."""
    if part.value is None:
        part.fail("a mapping with `kind` and `image`")
    if not _NAME.fullmatch(name):
        part.fail("a node whose name has letters, digits, `-`, `_` and `.` only")
    part.keys(_READ, harmless=_HARMLESS, possible=_POSSIBLE, device=name, affects=(name,))
    layers = below.of(part)
    if layers.kind is None:
        part.fail("`kind`")
    kind = layers.kind.text()
    if kind not in _KINDS:
        why = f": {_OTHER_KINDS[kind]}" if kind in _OTHER_KINDS else ""
        layers.kind.fail(f"a kind that bgpsim runs ({', '.join(_KINDS)}){why}")
    labels = layers.merged("labels")
    if kind in BRIDGE_KINDS:
        return NodeDefinition(name, kind, None, (), part.source, labels)
    image = layers.first("image")
    if image is None:
        part.fail("`image`, here or in the kind")
    lines = tuple(ExecLine(i.text().replace("$$", "$"), i.source, i.written) for i in layers.appended("exec"))
    mode = layers.first("network-mode")
    if mode is not None and mode.text() not in ("none", "bridge") and not mode.text().startswith("container:"):
        mode.fail(
            "`container:NAME`, `bridge` or `none`" + (": " + _OTHER_KINDS["host"] if mode.text() == "host" else "")
        )
    address = part.get("mgmt-ipv4") or part.get("mgmt_ipv4")
    management = None if address is None else address.address()
    if address is not None and not isinstance(management, IPv4Address):
        address.fail("an IPv4 address")
    return NodeDefinition(
        name=name,
        kind=kind,
        image=image.text(),
        exec=lines,
        source=part.source,
        labels=labels,
        network_mode=None if mode is None or mode.text() == "bridge" else mode.text(),
        env=environment(layers, below.folder),
        cmd=None if (command := layers.first("cmd")) is None else command.text(),
        entrypoint=None if (entry := layers.first("entrypoint")) is None else entry.text(),
        binds=read_binds(layers.appended("binds"), name, below.folder),
        sysctls=sysctls(layers, name),
        management_address=management if isinstance(management, IPv4Address) else None,
    )


def _link(part: Part, nodes: Collection[str]) -> LinkDefinition:
    ends, mtu = _ends(part, nodes), part.get("mtu")
    source = part["endpoints"].source
    one, other = (_mac(item) for item in part["endpoints"].items())
    # Below 1280 a kernel takes IPv6, and with it unnumbered sessions, off the link (RFC 8200 section 5).
    return LinkDefinition(ends, source, LINK_MTU if mtu is None else mtu.integer(1280, 65535), (one, other))


def _mac(part: Part) -> str | None:
    if not isinstance(part.value, dict) or (mac := part.get("mac")) is None:
        return None
    if not _MAC.fullmatch(mac.text()):
        mac.fail("a unicast MAC address (02:00:00:00:00:01)")
    return mac.text().lower()


def _ends(part: Part, nodes: Collection[str]) -> tuple[LinkEnd, LinkEnd]:
    if isinstance(part.value, dict) and "type" in part and part["type"].value != "veth":
        kind = part["type"].text()
        part["type"].fail("veth" + (f": {_OTHER_LINKS[kind]}" if kind in _OTHER_LINKS else ""))
    part.keys(
        ("endpoints", "type", "mtu"),
        harmless={"labels": "they describe the link", "vars": "they are for `containerlab config`"},
        possible=("ipv4", "ipv6"),
    )
    if "endpoints" not in part:
        part.fail("`endpoints`")
    ends = [_end(item, nodes) for item in part["endpoints"].items()]
    if len(ends) != 2:
        part["endpoints"].fail("two endpoints")
    return ends[0], ends[1]


def _end(part: Part, nodes: Collection[str]) -> LinkEnd:
    """`node:interface`, or containerlab's extended form with `node` and `interface` keys."""
    if isinstance(part.value, dict):
        part.keys(
            ("node", "interface", "mac"), harmless={"vars": "they are for `containerlab config`"},
            possible=("ipv4", "ipv6"),
        )  # fmt: skip
        if "node" not in part or "interface" not in part:
            part.fail("`node` and `interface`")
        end = LinkEnd(part["node"].text(), part["interface"].text())
    else:
        node, colon, interface = part.text().partition(":")
        if not colon or not node or not interface:
            part.fail("node:interface")
        end = LinkEnd(node, interface)
    if end.node not in nodes and end.node in _OTHER_LINKS:
        part.fail(f"a link between two nodes: {_OTHER_LINKS[end.node]}")
    if end.node not in nodes:
        close = get_close_matches(end.node, nodes, 1)
        raise part.document.error(
            f"found a link to the node {end.node!r}, expected one of {', '.join(nodes)}",
            part.location,
            hint=f"did you mean {close[0]!r}?" if close else None,
        )
    # Linux (dev_valid_name): IFNAMSIZ less its end, no slash, colon or space.
    if len(end.interface) > 15 or end.interface in (".", "..") or any(c in "/:" or c.isspace() for c in end.interface):
        part.fail("an interface name of at most 15 characters, without `/`, `:` or spaces")
    return end


def _check_interfaces(topology: Part, links: tuple[LinkDefinition, ...], nodes: Mapping[str, NodeDefinition]) -> None:
    """Two nodes in one namespace share its interfaces."""
    used: dict[tuple[str, str], int] = {}
    problems = Problems()
    for number, link in enumerate(links):
        location = (*topology.location, "links", number, "endpoints")
        for end in link.ends:
            shared = nodes[end.node].shares
            key = (end.node if shared is None else f"container:{shared}", end.interface)
            name = f"{end.node}:{end.interface}"
            if end.interface == "lo":
                found = f"found {name} at a link, expected an interface other than the loopback"
            elif end.interface == "eth0" and nodes[end.node].network_mode != "none" and not nodes[end.node].is_bridge:
                found = f"found {name} at a link, expected another interface: eth0 is on the management network"
            elif key in used:
                found = f"found {name} at two links, expected it at one (first at line {used[key]})"
            else:
                used[key] = link.source.line
                continue
            problems.found.append(topology.document.error(found, location))
    problems.raise_all()
