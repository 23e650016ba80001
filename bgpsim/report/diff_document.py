"""`bgpsim diff --json` (`bgpsim.diff/1`) as pydantic models; docs/reading-a-report.md publishes the keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from bgpsim.check.diff import CounterChange, PairChange
from bgpsim.check.gathering import Group, gathered
from bgpsim.check.step_diff import Differences, StatePair, StepDiff
from bgpsim.network.state import Forwarding
from bgpsim.report import assemble
from bgpsim.report import document as doc
from bgpsim.report.change_parts import RouteChangePart, RoutesDiff, SessionChangePart
from bgpsim.report.part import Part


class WayPart(Part):
    """Where packets of a pair go; no `paths` where hashing chose some of several."""

    disposition: str
    paths: list[doc.PathPart]


class ChangedPairPart(Part):
    """One ordered pair; null: it is not followed there."""

    sender: doc.EndpointPart = Field(alias="from")
    target: doc.EndpointPart = Field(alias="to")
    before: WayPart | None
    after: WayPart | None


class ReachabilityChangePart(Part):
    lost: list[ChangedPairPart]
    gained: list[ChangedPairPart]
    moved: list[ChangedPairPart]
    gone: list[ChangedPairPart] = Field(description="an endpoint is not there any more")
    new: list[ChangedPairPart]


class CounterChangePart(Part):
    device: str
    neighbor: str
    family: str
    counter: Literal["accepted", "received", "sent"]
    before: int
    after: int


class GroupPart(Part):
    """Prefixes that changed alike at the same places: read `begins` first."""

    prefixes: list[str]
    begins: RouteChangePart
    session: SessionChangePart | None = Field(description="the session that came or went with them")
    places: str


class ChangePart(Part):
    sessions: list[SessionChangePart]
    routes: RoutesDiff = Field(description="paths of tables (plane bgp) and kernel routes (plane fib)")
    groups: list[GroupPart] = Field(description="the routes, and what speakers sent, gathered by cause")
    advertised: list[RouteChangePart] = Field(description="entries of Adj-RIBs-Out")
    wire: list[RouteChangePart] = Field(description="routes on the wire")
    counters: list[CounterChangePart]
    reachability: ReachabilityChangePart
    unread: list[str] = Field(description="what one of the two could not tell, and is not compared")


class StepDiffPart(Part):
    """`predicted` or `observed` is null where one of the two sides has none."""

    before: str
    after: str
    differs: bool
    predicted: ChangePart | None
    observed: ChangePart | None


class DiffReport(Part):
    schema_: Literal["bgpsim.diff/1"] = Field(default="bgpsim.diff/1", alias="schema")
    a: str
    b: str
    differ: bool
    only_in_a: list[str]
    only_in_b: list[str]
    notes: list[str]
    steps: list[StepDiffPart]


def document(found: Differences) -> DiffReport:
    return DiffReport(
        a=found.a,
        b=found.b,
        differ=found.differ,
        only_in_a=list(found.only_a),
        only_in_b=list(found.only_b),
        notes=list(found.notes),
        steps=[_step(step) for step in found.steps],
    )


def _step(step: StepDiff) -> StepDiffPart:
    return StepDiffPart(
        before=step.before,
        after=step.after,
        differs=step.differs,
        predicted=None if step.predicted is None else _change(step.predicted),
        observed=None if step.observed is None else _change(step.observed),
    )


def _change(pair: StatePair) -> ChangePart:
    change = pair.change
    routes = assemble.route_changes
    return ChangePart(
        sessions=assemble.session_changes(change.sessions),
        routes=RoutesDiff(added=routes(change.added), removed=routes(change.removed), changed=routes(change.changed)),
        groups=[_group(group) for group in gathered(change)],
        advertised=routes(change.advertised),
        wire=routes(change.wire),
        counters=[_counter(counter) for counter in change.counters],
        reachability=ReachabilityChangePart(
            lost=_pairs(change.lost),
            gained=_pairs(change.gained),
            moved=_pairs(change.moved),
            gone=_pairs(change.gone),
            new=_pairs(change.new),
        ),
        unread=list(change.unread),
    )


def _group(group: Group) -> GroupPart:
    return GroupPart(
        prefixes=list(group.prefixes),
        begins=assemble.route_changes([group.begins])[0],
        session=None if group.session is None else assemble.session_changes([group.session])[0],
        places=group.places_text(),
    )


def _counter(change: CounterChange) -> CounterChangePart:
    return CounterChangePart.model_validate(
        {
            "device": change.key.device,
            "neighbor": change.key.neighbor,
            "family": change.family,
            "counter": change.counter,
            "before": change.before,
            "after": change.after,
        }
    )


def _pairs(found: Sequence[PairChange]) -> list[ChangedPairPart]:
    return [
        ChangedPairPart(
            sender=doc.EndpointPart(id=p.flow.source, address=p.flow.source_address),
            target=doc.EndpointPart(id=p.flow.target, address=p.flow.target_address),
            before=None if p.was is None else _way(p.was),
            after=None if p.now is None else _way(p.now),
        )
        for p in found
    ]


def _way(forwarding: Forwarding) -> WayPart:
    paths = [assemble.path_part(path) for path in forwarding.paths] if forwarding.complete else []
    return WayPart(disposition=forwarding.disposition, paths=paths)
