"""`expect:`."""

from __future__ import annotations

from pydantic import Field

from bgpsim.network.state import Disposition
from bgpsim.scenario.schema.section import Name, Section


class SessionsSection(Section):
    """Every session between the named routers (of a single one: every session it has) is in this state."""

    established: list[Name] = Field(default=[])
    down: list[Name] = Field(default=[])


class Pair(Section):
    """Senders and targets: `pod:namespace/workload@node`, `host:`, `node:`, `label:key=value`, `*`, `address:…`."""

    from_: Name
    to: Name


class DispositionPair(Pair):
    """What becomes of the packets."""

    is_: Disposition


class ExpectSection(Section):
    """What must hold at the end of the step, in the lab (and, for `plan`, in the prediction)."""

    sessions: SessionsSection | None = None
    reach: list[Pair] = Field(default=[], description="delivered, in both directions")
    disposition: list[DispositionPair] = Field(default=[], description="what becomes of packets in this direction")
    lost: list[Pair] | None = Field(
        default=None, description="exactly these were delivered at the end of the step before and are not now"
    )
    gained: list[Pair] | None = Field(default=None, description="exactly these were not delivered and are now")
    same_as: Name | None = Field(default=None, description="all planes are as at the end of that earlier step")
