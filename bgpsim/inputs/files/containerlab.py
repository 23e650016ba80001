"""A containerlab topology file (`*.clab.yml`, `topo.yml`), as containerlab 0.79 reads it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from ipaddress import IPv4Network
from pathlib import Path
from types import MappingProxyType

from bgpsim.inputs.files.part import Part, Problems
from bgpsim.inputs.files.yaml_source import read_yaml
from bgpsim.source import Source, Unmodelled

MANAGEMENT_NETWORK = IPv4Network("172.20.20.0/24")
LINK_MTU = 9500
"""containerlab's own default for a veth."""


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


@dataclass(frozen=True, slots=True)
class TopologyFile:
    """`name` is the lab's name: containers are called `clab-<name>-<node>`."""

    path: str
    name: str
    nodes: Mapping[str, NodeDefinition]
    links: tuple[LinkDefinition, ...]
    source: Source
    management: IPv4Network = MANAGEMENT_NETWORK
    """Nodes without a `network-mode` get `eth0` on it, addresses from .2 on in the order of the file, default by .1."""


_LIMIT = "it limits the container's resources, and moves no packet"
_HARMLESS = {
    "cmd": "it is the process that the container idles in, and moves no packet",
    "memory": _LIMIT,
    "cpu": _LIMIT,
    "cpu-set": _LIMIT,
    "shm-size": _LIMIT,
    "group": "it places the node in a drawing",
    "position": "it places the node in a drawing",
    "user": "lines run as the lab's own user",
    "auto-remove": "it is about what is left after the lab",
    "ports": "they lead to the host, and the lab has no way there",
    "image-pull-policy": "images are made before the lab starts",
}
_POSSIBLE = (
    *("binds", "entrypoint", "startup-config", "startup-delay", "sysctls", "mgmt-ipv4", "mgmt-ipv6", "stages", "dns"),
    *("runtime", "restart-policy", "cap-add", "devices", "extras", "healthcheck", "certificate", "license", "type"),
    *("config", "env-files", "enforce-startup-config", "suppress-startup-config", "aliases", "privileged"),
    *("mgmt_ipv4", "mgmt_ipv6", "publish", "sandbox", "kernel", "wait-for", "components"),
)
_READ = ("kind", "image", "exec", "labels", "network-mode", "env")
_KINDS = ("linux",)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


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
        topology.keys(("nodes", "links", "kinds", "defaults"), possible=("groups",))
    if "nodes" not in topology:
        topology.fail("`nodes`")
    kinds: dict[str, Part] = {}
    with problems.collected():
        kinds = dict(topology["kinds"].entries()) if "kinds" in topology else {}
    for layer in (*kinds.values(), *([topology["defaults"]] if "defaults" in topology else [])):
        with problems.collected():
            if layer.value is not None:
                layer.keys(_READ, harmless=_HARMLESS, possible=_POSSIBLE)
    problems.raise_all()
    parts = dict(topology["nodes"].entries())
    nodes = {}
    for name, part in parts.items():
        with problems.collected():
            nodes[name] = _node(name, part, kinds, topology.get("defaults"))
    with problems.collected():
        for part in topology["links"].items() if "links" in topology else ():
            with problems.collected():
                _ends(part, parts)
    problems.raise_all()
    links = tuple(_link(part, parts) for part in topology["links"].items()) if "links" in topology else ()
    _check_interfaces(topology, links, nodes)
    on_network = sum(node.network_mode is None for node in nodes.values())
    management = _management(top.get("mgmt"), on_network)
    file = TopologyFile(shown, top["name"].scalar(), nodes, links, top["name"].source, management)
    return file, tuple(top.unmodelled)


def _management(part: Part | None, members: int) -> IPv4Network:
    if part is None:
        return MANAGEMENT_NETWORK
    part.keys(
        ("ipv4-subnet",),
        harmless={"network": "it names the network", "bridge": "it names the host's end of the network"},
        possible=("ipv6-subnet", "ipv4-gw", "ipv6-gw", "ipv4-range", "ipv6-range", "mtu", "external-access"),
    )
    if (subnet := part.get("ipv4-subnet")) is None:
        return MANAGEMENT_NETWORK
    prefix = subnet.prefix()
    if not isinstance(prefix, IPv4Network):
        subnet.fail("an IPv4 prefix")
    # The network's own address, its gateway's and the broadcast address are no node's.
    if prefix.num_addresses < members + 3:
        subnet.fail(f"a prefix with room for {members} nodes and a gateway")
    return prefix


def _node(name: str, part: Part, kinds: Mapping[str, Part], defaults: Part | None) -> NodeDefinition:
    """A node; what it does not say comes from its kind, then from the defaults (containerlab's own order)."""
    if part.value is None:
        part.fail("a mapping with `kind` and `image`")
    if not _NAME.fullmatch(name):
        part.fail("a node whose name has letters, digits, `-`, `_` and `.` only")
    part.keys(_READ, harmless=_HARMLESS, possible=_POSSIBLE, device=name, affects=(name,))
    kind_part = part.get("kind") or (None if defaults is None else defaults.get("kind"))
    if kind_part is None:
        part.fail("`kind`")
    kind = kind_part.text()
    if kind not in _KINDS:
        kind_part.fail(f"a kind that bgpsim runs ({', '.join(_KINDS)})")
    layers = [layer for layer in (part, kinds.get(kind), defaults) if layer is not None and layer.value is not None]

    def first(key: str) -> Part | None:
        return next((found for layer in layers if (found := layer.get(key)) is not None), None)

    image = first("image")
    if image is None:
        part.fail("`image`, here or in the kind")
    lines: list[ExecLine] = []
    environment: dict[str, str] = {}
    # containerlab appends a node's exec lines to those of the layers below it, and merges env likewise.
    for layer in reversed(layers):
        if (entries := layer.get("exec")) is not None:
            lines += [ExecLine(i.text().replace("$$", "$"), i.source, i.written) for i in entries.items()]
        if (variables := layer.get("env")) is not None:
            environment |= variables.texts()
    mode = first("network-mode")
    if mode is not None and mode.text() != "none" and not mode.text().startswith("container:"):
        mode.fail("`container:NAME` or `none`")
    return NodeDefinition(
        name=name,
        kind=kind,
        image=image.text(),
        exec=tuple(lines),
        source=part.source,
        labels=part["labels"].texts() if "labels" in part else {},
        network_mode=None if mode is None else mode.text(),
        env=environment,
        cmd=None if (command := first("cmd")) is None else command.text(),
    )


def _link(part: Part, nodes: Collection[str]) -> LinkDefinition:
    ends, mtu = _ends(part, nodes), part.get("mtu")
    if mtu is None:
        return LinkDefinition(ends, part["endpoints"].source)
    # Below 1280 a kernel takes IPv6, and with it unnumbered sessions, off the link (RFC 8200 section 5).
    return LinkDefinition(ends, part["endpoints"].source, mtu.integer(1280, 65535))


def _ends(part: Part, nodes: Collection[str]) -> tuple[LinkEnd, LinkEnd]:
    part.keys(("endpoints", "type", "mtu"), harmless={"labels": "they describe the link"}, possible=("vars",))
    if "type" in part and part["type"].text() != "veth":
        part["type"].fail("veth")
    if "endpoints" not in part:
        part.fail("`endpoints`")
    ends = [_end(item, nodes) for item in part["endpoints"].items()]
    if len(ends) != 2:
        part["endpoints"].fail("two endpoints")
    return ends[0], ends[1]


def _end(part: Part, nodes: Collection[str]) -> LinkEnd:
    """`node:interface`, or containerlab's extended form with `node` and `interface` keys."""
    if isinstance(part.value, dict):
        part.keys(("node", "interface"), possible=("mac", "ipv4", "ipv6"))
        if "node" not in part or "interface" not in part:
            part.fail("`node` and `interface`")
        end = LinkEnd(part["node"].text(), part["interface"].text())
    else:
        node, colon, interface = part.text().partition(":")
        if not colon or not node or not interface:
            part.fail("node:interface")
        end = LinkEnd(node, interface)
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
            elif end.interface == "eth0" and nodes[end.node].network_mode != "none":
                found = f"found {name} at a link, expected another interface: eth0 is on the management network"
            elif key in used:
                found = f"found {name} at two links, expected it at one (first at line {used[key]})"
            else:
                used[key] = link.source.line
                continue
            problems.found.append(topology.document.error(found, location))
    problems.raise_all()
