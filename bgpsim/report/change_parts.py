"""What a step changed against the one before, as parts of report.json."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bgpsim.report.part import Part


class AttributeChangePart(Part):
    """One attribute, flag or field that is not what it was; an empty text: it is not there."""

    name: str
    before: str
    after: str


class RouteChangePart(Part):
    plane: str
    device: str
    prefix: str
    peer: str | None
    before: str | None
    after: str | None
    attributes: list[AttributeChangePart] = Field(default_factory=list, description="what differs, of a changed one")


class SessionChangePart(Part):
    """One end of a session; null: it is not configured."""

    device: str
    neighbor: str
    peer: str | None
    before: Literal["Established", "Down"] | None
    after: Literal["Established", "Down"] | None
    because: str | None = Field(default=None, description="why it is down now, where that is known (predicted)")


class PairChangePart(Part):
    sender: str = Field(alias="from")
    target: str = Field(alias="to")
    before: str
    after: str


class RouteGroupPart(Part):
    """Many routes that changed alike."""

    routes: int
    examples: list[str] = Field(description="the first of their prefixes")
    count: int = Field(description="changes of all these routes, listed or not")
    first: list[RouteChangePart] = Field(description="those of the first route")


class RoutesDiff(Part):
    """Of very many changes not all are listed: `counts` has all, `groups` what they have in common."""

    added: list[RouteChangePart] = Field(default_factory=list)
    removed: list[RouteChangePart] = Field(default_factory=list)
    changed: list[RouteChangePart] = Field(default_factory=list)
    counts: dict[str, int] = Field(default_factory=dict, description="added, removed, changed")
    groups: list[RouteGroupPart] = Field(default_factory=list)
    left_out: int = Field(default=0, description="changes that are not listed")


class ReachabilityDiff(Part):
    lost: list[PairChangePart] = Field(default_factory=list)
    gained: list[PairChangePart] = Field(default_factory=list)
    moved: list[PairChangePart] = Field(default_factory=list)


class StateDiffPart(Part):
    sessions: list[SessionChangePart] = Field(default_factory=list)
    routes: RoutesDiff
    reachability: ReachabilityDiff


class DiffPart(Part):
    """Against the step before; `observed` is null in a plan."""

    against: str
    predicted: StateDiffPart | None
    observed: StateDiffPart | None
