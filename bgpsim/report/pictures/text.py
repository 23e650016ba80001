"""Mermaid, DOT and GraphML."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from bgpsim.report.pictures.links import Link, label, links, shown

if TYPE_CHECKING:
    import networkx as nx


def mermaid(topology: nx.MultiGraph[str], sessions: nx.DiGraph[str]) -> str:
    """A flowchart: thick lines carry a session that is established, dotted ones are cut or have a session down."""
    number = {name: f"d{n}" for n, name in enumerate(shown(topology))}
    lines = ["flowchart TD"]
    for name in number:
        short, what = label(topology, name)
        lines.append(f'    {number[name]}["{_entities(short)}<br/>{_entities(what)}"]')
    for link in links(topology, sessions):
        lines.append(f'    {number[link.a]} {_line(link)}|"{_ends(link)}"| {number[link.b]}')
    return "\n".join(lines) + "\n"


def _line(link: Link) -> str:
    if not link.up or link.bgp == "down":
        return "-.-"
    return "===" if link.bgp == "established" else "---"


def _ends(link: Link) -> str:
    return _entities(f"{link.a_interface} - {link.b_interface}" + ("" if link.up else " (cut)"))


def _entities(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


def dot(topology: nx.MultiGraph[str], sessions: nx.DiGraph[str]) -> str:
    """For Graphviz."""
    lines = [f"graph {_quoted(topology.name)} {{", "  node [shape=box, style=rounded];"]
    for name in shown(topology):
        lines.append(f"  {_quoted(name)} [label={_quoted(chr(10).join(label(topology, name)))}];")
    style = {"established": "bold", "down": "dashed", "none": "solid"}
    for link in links(topology, sessions):
        told = f"taillabel={_quoted(link.a_interface)}, headlabel={_quoted(link.b_interface)}"
        told += f", style={style[link.bgp] if link.up else 'dotted'}"
        lines.append(f"  {_quoted(link.a)} -- {_quoted(link.b)} [{told}];")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def graphml(topology: nx.MultiGraph[str], sessions: nx.DiGraph[str]) -> str:
    """For Gephi, yEd, networkx: nodes with kind and asn, edges with both interfaces, up and bgp."""
    import networkx as nx

    graph: nx.MultiGraph[str] = nx.MultiGraph(name=topology.name)
    for name in shown(topology):
        told = topology.nodes[name]
        graph.add_node(name, kind=told["kind"], **({"asn": told["asn"]} if told["asn"] else {}))
    for link in links(topology, sessions):
        told = {"source_interface": link.a_interface, "target_interface": link.b_interface}
        graph.add_edge(link.a, link.b, **told, up=link.up, bgp=link.bgp)
    written = io.BytesIO()
    nx.write_graphml(graph, written, prettyprint=True)
    return written.getvalue().decode() + "\n"
