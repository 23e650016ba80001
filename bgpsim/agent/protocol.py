"""What the outside knows of the agent and of the devices it serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class LabDevice:
    """A network namespace of the lab."""

    name: str
    role: Literal["router", "node", "host", "pod", "speaker"]
    engine: Literal["frr", "gobgp", "exabgp"] | None
    endpoint: str | None = None
    """The endpoint id of a pod or host (`pod:default/netshoot@worker`)."""
    addresses: tuple[str, ...] = ()
    """A pod's own addresses."""


class Agent(Protocol):
    """The RPC to the process inside the lab that does all system work there.

    `call` blocks; any thread may call. Raises LabError with the agent's own words when the method fails, and
    LabError("the lab ended …") when the lab is gone.
    """

    def call(self, method: str, /, timeout: float = 60.0, **params: Any) -> Any: ...
    def call_for_descriptors(self, method: str, /, timeout: float = 60.0, **params: Any) -> tuple[Any, tuple[int, ...]]:
        """As `call`, for methods that open something in the lab: the open descriptors are the caller's to close."""
