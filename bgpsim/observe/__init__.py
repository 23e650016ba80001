"""What the agent returns -> an observed NetworkState, one reader per plane."""

from bgpsim.observe.reading import observe

__all__ = ["observe"]
