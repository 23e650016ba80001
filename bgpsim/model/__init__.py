"""The model: what a Network comes to rest in. Pure: no I/O, no clock, the same answer for the same question."""

from bgpsim.model.graphs import forwarding_graph, session_graph, topology_graph
from bgpsim.model.outcomes import outcome_with, outcomes
from bgpsim.model.prediction import Prediction, Tie, predict
from bgpsim.model.propagation import Problem, Solution, Solver, WorklistSolver

__all__ = [
    "Prediction",
    "Problem",
    "Solution",
    "Solver",
    "Tie",
    "WorklistSolver",
    "forwarding_graph",
    "outcome_with",
    "outcomes",
    "predict",
    "session_graph",
    "topology_graph",
]
