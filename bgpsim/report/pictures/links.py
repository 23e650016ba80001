"""What a picture shows of each link: its two ends, whether it is up, and the BGP sessions between their devices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import networkx as nx

Bgp = Literal["established", "down", "none"]


@dataclass(frozen=True, slots=True)
class Link:
    a: str
    b: str
    a_interface: str
    b_interface: str
    up: bool
    bgp: Bgp


def links(topology: nx.MultiGraph[str], sessions: nx.DiGraph[str]) -> Iterator[Link]:
    """In the topology's order, without the management networks."""
    for a, b, told in topology.edges(data=True):
        if told["management"]:
            continue
        ends = [sessions.edges[pair] for pair in ((a, b), (b, a)) if sessions.has_edge(*pair)]
        states = {end["state"] for end in ends}
        bgp: Bgp = "none" if not states else "established" if states == {"Established"} else "down"
        yield Link(a, b, told["ends"][a], told["ends"][b], told["up"], bgp)


def shown(topology: nx.MultiGraph[str]) -> tuple[str, ...]:
    """The devices that are drawn: all but the management networks' far ends."""
    return tuple(name for name, told in topology.nodes(data=True) if told["kind"] != "gateway")


def label(topology: nx.MultiGraph[str], name: str) -> tuple[str, str]:
    """A device's name, short, and what it is: its AS, or its kind."""
    told = topology.nodes[name]
    short = name.rsplit("/", 1)[-1].split("@")[0] if told["kind"] == "pod" else name
    return short, f"AS {told['asn']}" if told["asn"] else told["kind"]
