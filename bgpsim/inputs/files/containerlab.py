"""A containerlab topology file (`*.clab.yml`, `topo.yml`), as containerlab 0.79 reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from ipaddress import IPv4Network
from pathlib import Path
from types import MappingProxyType

from bgpsim.inputs.files.part import Part
from bgpsim.inputs.files.yaml_source import read_yaml
from bgpsim.source import Source, Unmodelled

MANAGEMENT_NETWORK = IPv4Network("172.20.20.0/24")


@dataclass(frozen=True, slots=True)
class ExecLine:
    """One entry of a node's `exec`: split as a shell would, run without one; `$$` is already `$`."""

    text: str
    source: Source


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
    """`container:worker` shares that container's network namespace."""
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


_HARMLESS = ("cmd", "memory", "cpu", "cpu-set", "group", "user", "position", "auto-remove", "ports")
"""Node settings that move no packet: which process a container idles in, limits, drawing hints."""
_POSSIBLE = (
    *("binds", "entrypoint", "startup-config", "startup-delay", "sysctls", "mgmt-ipv4", "mgmt-ipv6", "stages", "dns"),
    *("runtime", "restart-policy", "cap-add", "devices", "extras", "healthcheck", "certificate", "license", "type"),
    *("config", "env-files", "shm-size", "image-pull-policy", "enforce-startup-config", "suppress-startup-config"),
    "aliases",
)
_READ = ("kind", "image", "exec", "labels", "network-mode", "env")
_KINDS = ("linux",)


def load_topology(path: Path, shown: str) -> tuple[TopologyFile, tuple[Unmodelled, ...]]:
    """Read a topology file. `shown`: its name in errors and reports. Raises InputError."""
    top = Part(read_yaml(path, shown))
    top.keys(("name", "topology", "mgmt"), harmless=("prefix", "debug"), possible=("settings",))
    if "name" not in top:
        top.fail("a containerlab topology with `name`")
    if "topology" not in top:
        top.fail("a containerlab topology with `topology`")
    topology = top["topology"]
    topology.keys(("nodes", "links", "kinds", "defaults"), possible=("groups",))
    if "nodes" not in topology:
        topology.fail("`nodes`")
    management = MANAGEMENT_NETWORK
    if (mgmt := top.get("mgmt")) is not None:
        mgmt.keys(("ipv4-subnet",), harmless=("network", "bridge", "mtu"), possible=("ipv6-subnet", "ipv4-gw"))
        if (subnet := mgmt.get("ipv4-subnet")) is not None:
            prefix = subnet.prefix()
            if not isinstance(prefix, IPv4Network):
                subnet.fail("an IPv4 prefix")
            management = prefix
    kinds = dict(topology["kinds"].entries()) if "kinds" in topology else {}
    for part in (*kinds.values(), *([topology["defaults"]] if "defaults" in topology else [])):
        part.keys(_READ, harmless=_HARMLESS, possible=_POSSIBLE)
    nodes = {}
    for name, part in topology["nodes"].entries():
        nodes[name] = _node(name, part, kinds, topology.get("defaults"))
    links = tuple(_link(part, nodes) for part in topology["links"].items()) if "links" in topology else ()
    _check_interfaces(topology, links)
    file = TopologyFile(shown, top["name"].scalar(), nodes, links, top["name"].source, management)
    return file, tuple(top.unmodelled)


def _node(name: str, part: Part, kinds: Mapping[str, Part], defaults: Part | None) -> NodeDefinition:
    """A node; what it does not say comes from its kind, then from the defaults (containerlab's own order)."""
    if part.value is None:
        part.fail("a mapping with `kind` and `image`")
    part.keys(_READ, harmless=_HARMLESS, possible=_POSSIBLE, device=name, affects=(name,))
    kind_part = part.get("kind") or (None if defaults is None else defaults.get("kind"))
    if kind_part is None:
        part.fail("`kind`")
    kind = kind_part.text()
    if kind not in _KINDS:
        kind_part.fail(f"a kind that bgpsim runs ({', '.join(_KINDS)})")
    layers = [layer for layer in (part, kinds.get(kind), defaults) if layer is not None]

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
            lines += [ExecLine(item.text().replace("$$", "$"), item.source) for item in entries.items()]
        if (variables := layer.get("env")) is not None:
            environment |= variables.texts()
    mode = first("network-mode")
    if mode is not None and not mode.text().startswith("container:"):
        mode.fail("`container:NAME`")
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


def _link(part: Part, nodes: Mapping[str, NodeDefinition]) -> LinkDefinition:
    part.keys(("endpoints", "type"), harmless=("labels",), possible=("mtu", "vars"))
    if "type" in part and part["type"].text() != "veth":
        part["type"].fail("veth")
    if "endpoints" not in part:
        part.fail("`endpoints`")
    ends = [_end(item, nodes) for item in part["endpoints"].items()]
    if len(ends) != 2:
        part["endpoints"].fail("two endpoints")
    return LinkDefinition((ends[0], ends[1]), part["endpoints"].source)


def _end(part: Part, nodes: Mapping[str, NodeDefinition]) -> LinkEnd:
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
    if len(end.interface) > 15 or "/" in end.interface or " " in end.interface:
        part.fail("an interface name of at most 15 characters")
    return end


def _check_interfaces(topology: Part, links: tuple[LinkDefinition, ...]) -> None:
    used: dict[LinkEnd, int] = {}
    for number, link in enumerate(links):
        for end in link.ends:
            if end in used:
                raise topology.document.error(
                    f"found {end.node}:{end.interface} at two links, expected it at one (first at line {used[end]})",
                    (*topology.location, "links", number),
                )
            used[end] = link.source.line
