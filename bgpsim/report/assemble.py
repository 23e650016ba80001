"""States, comparisons and lab facts -> parts of the report document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bgpsim.check.alike import EXAMPLES, Alike, Gathered, gathered
from bgpsim.check.compare import Comparison, Mismatch, path_agrees
from bgpsim.check.diff import PairChange, RouteChange, SessionChange, StateDiff
from bgpsim.check.expectations import ExpectationResult
from bgpsim.network.state import (
    FamilyCounters,
    FlowKey,
    Forwarding,
    ForwardingPath,
    NetworkState,
    Session,
)
from bgpsim.network.types import Family, Prefix
from bgpsim.report import document as doc
from bgpsim.report.change_parts import (
    AttributeChangePart,
    PairChangePart,
    ReachabilityDiff,
    RouteChangePart,
    RouteGroupPart,
    RoutesDiff,
    SessionChangePart,
    StateDiffPart,
)
from bgpsim.report.part import Line
from bgpsim.source import Source, Unmodelled

PROBE_TTL = 64


def lines(sources: Iterable[Source]) -> list[Line]:
    return [Line(text=s.text, file=s.file, line=s.line) for s in sorted(set(sources))]


def not_modelled(statements: Iterable[Unmodelled]) -> list[doc.NotModelledPart]:
    return [
        doc.NotModelledPart(
            file=u.source.file,
            line=u.source.line,
            device=u.device,
            text=u.text,
            effect=u.effect,
            affects=sorted(u.affects),
            why=u.why,
        )
        for u in sorted(set(statements), key=lambda u: (u.source, u.device or "", u.text))
    ]


def sessions(predicted: NetworkState, observed: NetworkState | None) -> list[doc.SessionPart]:
    """One row per end, of either state."""
    seen = {} if observed is None else observed.sessions
    rows = []
    for key in sorted(set(predicted.sessions) | set(seen)):
        here, there = predicted.sessions.get(key), seen.get(key)
        known = here or there
        assert known is not None
        rows.append(
            doc.SessionPart(
                device=key.device,
                peer=known.peer,
                neighbor=key.neighbor,
                type=known.type,
                interface=known.interface,
                predicted=None if here is None else doc.PredictedSessionState(state=here.state, because=here.because),
                observed=None if there is None else doc.ObservedSessionState(state=there.state),
                families=_families(here, there),
            )
        )
    return rows


def _families(here: Session | None, there: Session | None) -> dict[str, doc.FamilyPart]:
    mine: Mapping[Family, FamilyCounters] = {} if here is None else here.families
    other: Mapping[Family, FamilyCounters] = {} if there is None else there.families
    absent = FamilyCounters()

    def count(family: Family, name: str) -> doc.Count:
        return doc.Count(
            predicted=getattr(mine.get(family, absent), name), observed=getattr(other.get(family, absent), name)
        )

    return {
        family: doc.FamilyPart(
            accepted=count(family, "accepted"), received=count(family, "received"), sent=count(family, "sent")
        )
        for family in sorted(set(mine) | set(other))
    }


def planes(comparison: Comparison) -> dict[str, doc.PlanePart]:
    return {
        plane: doc.PlanePart(
            status=result.status,
            because=result.because,
            compared=result.compared,
            equal=result.equal,
            missing=result.missing,
            unexpected=result.unexpected,
            differs=result.differs,
            not_observed=result.not_observed,
        )
        for plane, result in comparison.planes.items()
    }


def mismatches(found: Sequence[Mismatch]) -> list[doc.MismatchPart]:
    return [
        doc.MismatchPart(
            plane=m.plane,
            kind=m.kind,
            device=m.device,
            peer=m.peer,
            family=m.family,
            prefix=m.prefix,
            field=m.field,
            predicted=m.predicted,
            observed=m.observed,
            because=lines(m.because),
        )
        for m in found
    ]


def mismatch_groups(groups: Sequence[Alike[Mismatch]]) -> list[doc.MismatchGroupPart]:
    return [
        doc.MismatchGroupPart(
            routes=len(group.routes),
            examples=list(group.routes[:EXAMPLES]),
            count=group.count,
            first=mismatches(group.facts),
        )
        for group in groups
    ]


def gathered_mismatches(found: Sequence[Mismatch]) -> Gathered[Mismatch]:
    """A mismatch of a pair of endpoints, or of a session, is about no route."""
    return gathered(
        found,
        lambda m: None if m.plane == "path" else m.prefix,
        lambda m: (m.plane, m.kind, m.device, m.peer, m.family, m.field),
    )


def path_part(path: ForwardingPath) -> doc.PathPart:
    arrives = path.disposition.startswith("delivered")
    return doc.PathPart(
        hops=[doc.HopPart(device=h.device, ingress=h.ingress, egress=h.egress) for h in path.hops],
        disposition=path.disposition,
        at=path.at,
        ttl=PROBE_TTL - len(path.hops) if arrives else None,
    )


def _paths(forwarding: Forwarding) -> list[doc.PathPart]:
    return [path_part(path) for path in sorted(forwarding.paths, key=lambda p: (str(p.hops), p.disposition, p.at))]


def _observed(forwarding: Forwarding, predicted: Forwarding | None) -> doc.ObservedForwarding:
    """With one predicted branch and one seen the path is a fact; with several, hashing chose."""
    chosen = not forwarding.complete and (len(forwarding.paths) > 1 or predicted is None or len(predicted.paths) > 1)
    paths = _paths(forwarding)
    common = {"disposition": forwarding.disposition, "flows": forwarding.flows, "evidence": forwarding.evidence}
    if chosen:
        volatile = doc.ForwardingVolatile(paths=paths, complete=forwarding.complete)
        return doc.ObservedForwarding.model_validate(common | {"volatile": volatile})
    return doc.ObservedForwarding.model_validate(common | {"paths": paths, "complete": True})


def reachability(predicted: NetworkState, observed: NetworkState | None) -> list[doc.ReachabilityPart]:
    seen: Mapping[FlowKey, Forwarding] = {} if observed is None else observed.forwarding
    rows = []
    for flow in sorted(set(predicted.forwarding) | set(seen)):
        here, there = predicted.forwarding.get(flow), seen.get(flow)
        rows.append(
            doc.ReachabilityPart(
                sender=doc.EndpointPart(id=flow.source, address=flow.source_address),
                target=doc.EndpointPart(id=flow.target, address=flow.target_address),
                predicted=None
                if here is None
                else doc.PredictedForwarding(
                    disposition=here.disposition,
                    paths=_paths(here),
                    because=lines(s for path in here.paths for s in path.sources),
                ),
                observed=None if there is None else _observed(there, here),
                agrees=None if here is None or there is None else path_agrees(here, there),
            )
        )
    return rows


def route_changes(found: Sequence[RouteChange]) -> list[RouteChangePart]:
    return [
        RouteChangePart(
            plane=r.plane,
            device=r.device,
            prefix=r.prefix,
            peer=r.peer,
            before=r.before,
            after=r.after,
            attributes=[AttributeChangePart(name=a.name, before=a.before, after=a.after) for a in r.attributes],
        )
        for r in found
    ]


def session_changes(found: Sequence[SessionChange]) -> list[SessionChangePart]:
    return [
        SessionChangePart.model_validate(
            {
                "device": s.key.device,
                "neighbor": s.key.neighbor,
                "peer": s.peer,
                "before": s.before,
                "after": s.after,
                "because": s.because,
            }
        )
        for s in found
    ]


def state_diff(change: StateDiff) -> StateDiffPart:
    several = gathered(
        change.routes, lambda r: r.prefix, lambda r: (r.before is None, r.after is None, r.plane, r.device, r.peer)
    )
    listed = {id(r) for r in several.listed}

    def pairs(found: Sequence[PairChange]) -> list[PairChangePart]:
        return [
            PairChangePart(sender=p.flow.source, target=p.flow.target, before=p.before, after=p.after) for p in found
        ]

    return StateDiffPart(
        sessions=session_changes(change.sessions),
        routes=RoutesDiff(
            added=route_changes([r for r in change.added if id(r) in listed]),
            removed=route_changes([r for r in change.removed if id(r) in listed]),
            changed=route_changes([r for r in change.changed if id(r) in listed]),
            counts={word: len(getattr(change, word)) for word in ("added", "removed", "changed")},
            groups=[
                RouteGroupPart(
                    routes=len(group.routes),
                    examples=list(group.routes[:EXAMPLES]),
                    count=group.count,
                    first=route_changes(group.facts),
                )
                for group in several.groups
            ],
            left_out=several.left_out,
        ),
        reachability=ReachabilityDiff(lost=pairs(change.lost), gained=pairs(change.gained), moved=pairs(change.moved)),
    )


def expectations(results: Sequence[ExpectationResult]) -> list[doc.ExpectationPart]:
    return [doc.ExpectationPart(text=r.text, verdict="pass" if r.holds else "fail", seen=r.seen) for r in results]


def outcomes(states: Sequence[NetworkState], tables: Iterable[tuple[str, Prefix]]) -> list[doc.OutcomePart]:
    """The states in which the ties of these destinations (device, prefix) may end, numbered from 1."""
    parts = []
    for number, state in enumerate(states, start=1):
        best = {(k.device, k.prefix): k.neighbor for k, path in state.paths.items() if path.best}
        facts = [f"{of[0]} {of[1]}: best from {best[of]}" for of in sorted(tables, key=str) if of in best]
        parts.append(doc.OutcomePart(id=str(number), facts=facts))
    return parts
