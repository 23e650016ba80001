"""`import bgpsim` is the library: all of its public names, from files to graphs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import networkx as nx
import pytest

import bgpsim

BASELINE = Path(__file__).parents[2] / "scenarios" / "cilium-bgp" / "baseline.yaml"


def test_every_public_name_is_there() -> None:
    assert dir(bgpsim) == sorted(bgpsim.__all__)
    for name in bgpsim.__all__:
        assert getattr(bgpsim, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = bgpsim.nothing


def test_from_files_to_graphs() -> None:
    scenario = bgpsim.load(BASELINE)
    fabric, peers = scenario.steps
    before = bgpsim.predict(fabric.network, None, fabric.flows)
    after = bgpsim.predict(peers.network, before.state, peers.flows)
    assert bgpsim.compare(after.state, after.state).agrees
    change = bgpsim.diff(before.state, after.state)
    assert (len(change.lost), len(change.gained)) == (0, 6)
    graph = bgpsim.forwarding_graph(peers.network, after.state, "10.1.3.2")
    assert isinstance(graph, nx.DiGraph)
    assert nx.shortest_path(graph, "worker", "worker3") == ["worker", "tor0", "router0", "tor1", "worker3"]
    assert bgpsim.session_graph(peers.network, after.state).edges["tor0", "router0"]["state"] == "Established"
    assert "router0" in bgpsim.topology_graph(peers.network)


def test_importing_it_imports_nothing_else() -> None:
    code = "import sys, bgpsim; sys.exit(any(m.startswith('bgpsim.') for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
