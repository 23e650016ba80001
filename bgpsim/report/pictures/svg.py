"""SVG, drawn in layers: routers above the nodes and hosts that they serve, pods below their nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from bgpsim.report.pictures.links import Link, label, links, shown

if TYPE_CHECKING:
    import networkx as nx

_WIDTH, _HEIGHT = 124, 44
_COLUMN, _ROW, _MARGIN = 160, 120, 40
_SWEEPS = 8
_FILL = {"router": "#dbeafe", "node": "#dcfce7", "host": "#f1f5f9", "pod": "#fef9c3", "speaker": "#fee2e2"}
_STROKE = {"established": "#15803d", "down": "#b91c1c", "none": "#64748b"}

Place = tuple[float, float]


def svg(topology: nx.MultiGraph[str], sessions: nx.DiGraph[str]) -> str:
    """One picture without scripts or outside references; it reads on light and dark pages."""
    drawn = list(links(topology, sessions))
    rows = _rows(topology, drawn)
    places = _places(rows, drawn)
    width = max(x for x, _ in places.values()) + _WIDTH / 2 + _MARGIN if places else 2 * _MARGIN
    height = len(rows) * _ROW + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" font-family="sans-serif" font-size="12">',
        f"<title>{escape(topology.name)}</title>",
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="white"/>',
        *(_link(link, places) for link in drawn),
        *(_device(topology, name, place) for name, place in places.items()),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _rows(topology: nx.MultiGraph[str], drawn: Sequence[Link]) -> list[list[str]]:
    """From the top: routers farthest from nodes and hosts first, pods last; rows in an order with few crossings."""
    import networkx as nx

    kinds = {name: topology.nodes[name]["kind"] for name in shown(topology)}
    plain: nx.Graph[str] = nx.Graph([(link.a, link.b) for link in drawn])
    plain.add_nodes_from(kinds)
    edge = [name for name, kind in kinds.items() if kind in ("node", "host")]
    away = nx.multi_source_dijkstra_path_length(plain, edge) if edge else dict.fromkeys(kinds, 1)
    depth = {}
    for name, kind in kinds.items():
        depth[name] = {"node": 0, "host": 0, "pod": -1}.get(kind, max(1, int(away.get(name, 1))))
        if kind == "speaker":
            # Above its highest router: it stands beside the fabric, not below it.
            depth[name] = 1 + max((int(away.get(peer, 1)) for peer in plain[name]), default=1)
    rows = [[n for n in kinds if depth[n] == level] for level in sorted(set(depth.values()), reverse=True)]
    for _ in range(_SWEEPS):
        rows = _swept(_swept(rows, plain)[::-1], plain)[::-1]
    return rows


def _swept(rows: Sequence[Sequence[str]], graph: nx.Graph[str]) -> list[list[str]]:
    """Each row ordered by where its neighbors in the rows before stand (the barycentre heuristic)."""
    at: dict[str, float] = {}
    swept = []
    for row in rows:
        stands = {name: index / max(1, len(row) - 1) for index, name in enumerate(row)}
        wish = {}
        for name in row:
            near = [at[other] for other in graph[name] if other in at]
            wish[name] = sum(near) / len(near) if near else stands[name]
        ordered = sorted(row, key=lambda name: (wish[name], stands[name]))
        at.update({name: (index + 0.5) / len(ordered) for index, name in enumerate(ordered)})
        swept.append(ordered)
    return swept


def _places(rows: Sequence[Sequence[str]], drawn: Sequence[Link]) -> dict[str, Place]:
    """The widest row evenly; from there outwards each device as near to those it is linked to as the others let it."""
    widest = max(range(len(rows)), key=lambda level: len(rows[level]), default=0)
    near: dict[str, list[str]] = {}
    for link in drawn:
        near.setdefault(link.a, []).append(link.b)
        near.setdefault(link.b, []).append(link.a)
    across: dict[str, float] = {}
    for level in sorted(range(len(rows)), key=lambda level: abs(level - widest)):
        free = 0.0
        for index, name in enumerate(rows[level]):
            stands = [across[other] for other in near.get(name, ()) if other in across]
            even = (index + 0.5) * len(rows[widest]) / len(rows[level])
            across[name] = max(free + 0.5, sum(stands) / len(stands) if stands else even)
            free = across[name] + 0.5
    return {
        name: (_MARGIN + _COLUMN * across[name], _MARGIN + _HEIGHT / 2 + level * _ROW)
        for level, row in enumerate(rows)
        for name in row
    }


def _link(link: Link, places: Mapping[str, Place]) -> str:
    (x1, y1), (x2, y2) = places[link.a], places[link.b]
    dash = "" if link.up and link.bgp != "down" else ' stroke-dasharray="6 5"'
    stroke = "#b91c1c" if not link.up else _STROKE[link.bgp]
    width = 2.5 if link.bgp == "established" and link.up else 1.5
    title = f"{link.a}:{link.a_interface} - {link.b}:{link.b_interface}" + ("" if link.up else ", cut")
    ends = f'x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}"'
    line = f'<line {ends} stroke="{stroke}" stroke-width="{width}"{dash}/>'
    names = "".join(
        f'<text x="{x + (far_x - x) * 0.32:.0f}" y="{y + (far_y - y) * 0.32:.0f}" text-anchor="middle" '
        f'fill="#334155" font-size="10" stroke="white" stroke-width="3" paint-order="stroke">{escape(name)}</text>'
        for name, (x, y), (far_x, far_y) in (
            (link.a_interface, places[link.a], places[link.b]),
            (link.b_interface, places[link.b], places[link.a]),
        )
    )
    return f"<g><title>{escape(title)}</title>{line}{names}</g>"


def _device(topology: nx.MultiGraph[str], name: str, place: Place) -> str:
    x, y = place
    short, what = label(topology, name)
    fill = _FILL[topology.nodes[name]["kind"]]
    box = (
        f'<rect x="{x - _WIDTH / 2:.0f}" y="{y - _HEIGHT / 2:.0f}" width="{_WIDTH}" height="{_HEIGHT}" rx="7" '
        f'fill="{fill}" stroke="#334155"/>'
    )
    return (
        f"<g><title>{escape(name)}</title>{box}"
        f'<text x="{x:.0f}" y="{y - 3:.0f}" text-anchor="middle" font-weight="bold">{escape(short)}</text>'
        f'<text x="{x:.0f}" y="{y + 13:.0f}" text-anchor="middle" fill="#475569" font-size="10">'
        f"{escape(what)}</text></g>"
    )
