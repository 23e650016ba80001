"""bgpsim as a library: read a scenario, predict each of its steps, compare states, look at networks as graphs.

    scenario = bgpsim.load("scenarios/cilium-bgp/baseline.yaml")
    step = scenario.steps[-1]
    prediction = bgpsim.predict(step.network, None, step.flows)
    graph = bgpsim.forwarding_graph(step.network, prediction.state, "10.1.3.2")      # a networkx DiGraph

Each name is imported when it is first used: `import bgpsim` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bgpsim.check.compare import Comparison, Mismatch, compare
    from bgpsim.check.diff import StateDiff, diff
    from bgpsim.errors import BgpsimError, InputError, LabError, ModelError
    from bgpsim.model.graphs import forwarding_graph, session_graph, topology_graph
    from bgpsim.model.prediction import Prediction, predict
    from bgpsim.network.description import Network
    from bgpsim.network.state import NetworkState
    from bgpsim.scenario.reading.loading import load
    from bgpsim.scenario.timeline import Scenario, Step

__all__ = [
    "BgpsimError",
    "Comparison",
    "InputError",
    "LabError",
    "Mismatch",
    "ModelError",
    "Network",
    "NetworkState",
    "Prediction",
    "Scenario",
    "StateDiff",
    "Step",
    "compare",
    "diff",
    "forwarding_graph",
    "load",
    "predict",
    "session_graph",
    "topology_graph",
]
_HOMES = {
    "bgpsim.check.compare": ("Comparison", "Mismatch", "compare"),
    "bgpsim.check.diff": ("StateDiff", "diff"),
    "bgpsim.errors": ("BgpsimError", "InputError", "LabError", "ModelError"),
    "bgpsim.model.graphs": ("forwarding_graph", "session_graph", "topology_graph"),
    "bgpsim.model.prediction": ("Prediction", "predict"),
    "bgpsim.network.description": ("Network",),
    "bgpsim.network.state": ("NetworkState",),
    "bgpsim.scenario.reading.loading": ("load",),
    "bgpsim.scenario.timeline": ("Scenario", "Step"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'bgpsim' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
