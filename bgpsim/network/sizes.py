"""What becomes of a packet of a given size that must not be fragmented."""

from __future__ import annotations

from typing import NamedTuple

from bgpsim.network.state import FlowKey


class SizeKey(NamedTuple):
    flow: FlowKey
    size: int
    """Bytes of the IP packet, header and all."""


class SizeFate(NamedTuple):
    outcome: str
    """arrived; too-big: the sender's own kernel refuses it; fragmentation-needed: a device says so (RFC 1191,
    RFC 4443 packet too big); dropped: it is gone and nobody says why; else a disposition, whatever the size."""
    at: str
    """The device that had it last."""

    def __str__(self) -> str:
        return f"{self.outcome} at {self.at}"
