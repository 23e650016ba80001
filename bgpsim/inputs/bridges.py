"""Links and bridges of a topology -> layer-2 segments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import networkx as nx

from bgpsim.inputs.files.containerlab import TopologyFile
from bgpsim.network.description import InterfaceRef, Segment


def segments_of(topology: TopologyFile, devices: Mapping[str, str]) -> Iterator[Segment]:
    """`devices`: node -> whose network namespace its interfaces are in. A bridge's segment stands where its first link
    does; bridges that are linked are one segment."""
    bridges: nx.Graph[str] = nx.Graph()
    bridges.add_nodes_from(topology.bridges)
    for link in topology.links:
        one, other = (end.node for end in link.ends)
        if one in bridges and other in bridges:
            bridges.add_edge(one, other)
    whole = {name: frozenset(part) for part in nx.connected_components(bridges) for name in part}
    told: set[frozenset[str]] = set()
    for link in topology.links:
        bridge = next((whole[end.node] for end in link.ends if end.node in whole), None)
        if bridge is None:
            yield Segment(tuple(InterfaceRef(devices[end.node], end.interface) for end in link.ends), link.source)
        elif bridge not in told:
            told.add(bridge)
            ports = [
                InterfaceRef(devices[end.node], end.interface)
                for other in topology.links
                if any(far.node in bridge for far in other.ends)
                for end in other.ends
                if end.node not in bridge
            ]
            yield Segment(tuple(ports), link.source, bridged=True)
