"""A containerlab topology file (`*.clab.yml`, `topo.yml`), as containerlab 0.79 reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from types import MappingProxyType

from bgpsim.source import Source

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
