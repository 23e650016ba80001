"""A lab as a picture: its topology with the sessions on it, as SVG, Mermaid, DOT or GraphML."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import networkx as nx

    Draw: TypeAlias = Callable[[nx.MultiGraph[str], nx.DiGraph[str]], str]


def draw(form: str, topology: nx.MultiGraph[str], sessions: nx.DiGraph[str]) -> str:
    """`form`: one of `FORMS`. The graphs are those of `bgpsim.model.graphs`."""
    from bgpsim.report.pictures import svg, text

    forms: Mapping[str, Draw] = {"svg": svg.svg, "mermaid": text.mermaid, "dot": text.dot, "graphml": text.graphml}
    return forms[form](topology, sessions)


FORMS: Mapping[str, str] = MappingProxyType(
    {".svg": "svg", ".mmd": "mermaid", ".dot": "dot", ".gv": "dot", ".graphml": "graphml"}
)
"""A file's suffix -> the form it holds."""
