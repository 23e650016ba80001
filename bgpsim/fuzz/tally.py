"""What a played network proves: facts compared, equal, explained and not, and whether it counts at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

from bgpsim.check.compare import Comparison, Mismatch, compare, is_in_table
from bgpsim.fuzz.joined import Member
from bgpsim.fuzz.known import KnownDifference
from bgpsim.model import outcomes
from bgpsim.model.groups import KEPT
from bgpsim.model.left_open import ORDER_OF_ARRIVAL, STALE_GROUP
from bgpsim.network.grouped import Grouped
from bgpsim.network.state import PLANES, NetworkState
from bgpsim.scenario.playing.recording import Outcome
from bgpsim.scenario.timeline import Step

Standing: TypeAlias = Literal["counts", "partial", "not settled", "broken", "refused", "unrepeated"]
"""counts: all was predicted and all was read. unrepeated: it differed in the lab of many, and not alone."""
MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class Difference:
    """A mismatch as the campaign's file keeps it."""

    step: str
    plane: str
    kind: str
    where: str
    field: str | None
    predicted: str
    observed: str

    @property
    def alike(self) -> tuple[str, str, str | None]:
        """What two differences of one cause have in common."""
        return (self.plane, self.kind, self.field)


@dataclass(frozen=True, slots=True)
class Result:
    """One network's. Counts are of facts, over all its steps."""

    index: int
    about: str
    routers: int
    standing: Standing
    because: str | None = None
    compared: int = 0
    equal: int = 0
    explained: int = 0
    unexplained: int = 0
    open: int = 0
    """Equal in one of several outcomes, and not the same in all of them."""
    reasons: tuple[int, int] = (0, 0)
    """Selection reasons compared: where two paths are there, and where more are."""
    planes: Mapping[str, int] = field(default_factory=dict)
    """Facts compared by plane."""
    statements: tuple[str, ...] = ()
    exercised: tuple[str, ...] = ()
    """Families of statements without which a compared fact would be another (`exercise`)."""
    by: tuple[str, ...] = ()
    """The known differences that explain something."""
    differences: tuple[Difference, ...] = ()

    @property
    def fails(self) -> bool:
        return self.standing == "counts" and self.unexplained > 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def result_from(document: Mapping[str, Any]) -> Result:
    told = dict(document)
    told["differences"] = tuple(Difference(**one) for one in told["differences"])
    for name in ("reasons", "statements", "exercised", "by"):
        told[name] = tuple(told[name])
    return Result(**told)


def tally(member: Member, index: int, outcome: Outcome, known: Sequence[KnownDifference], frr: str) -> Result:
    """`frr`: the version that ran."""
    sketch = member.sketch
    compared = equal = explained = open_facts = two = more = 0
    planes: dict[str, int] = dict.fromkeys(PLANES, 0)
    differences: list[Difference] = []
    by: set[str] = set()
    before: NetworkState | None = None
    states = {one.name: one for one in outcome.states.steps} if outcome.states else {}
    parts = {part.name: part for part in outcome.run.steps}
    for step in member.scenario.steps:
        state = states.get(step.name)
        if state is None or state.predicted is None or state.observed is None:
            break
        comparison = compare(state.predicted, state.observed)
        for plane, found in comparison.planes.items():
            planes[plane] += found.compared
            compared, equal = compared + found.compared, equal + found.equal
        why, left = _explained(comparison, step.name, sketch.statements, known, frr)
        explained += sum(why.values())
        by |= set(why)
        differences += left
        counts = _reasons(state.predicted, state.observed)
        two, more = two + counts[0], more + counts[1]
        if parts[step.name].outcomes:
            open_facts += _open(step, before, state.predicted)
        before = state.predicted
    standing, because = standing_of(outcome)
    return Result(
        index,
        sketch.about,
        len(sketch.routers),
        standing,
        because,
        compared=compared,
        equal=equal,
        explained=explained,
        unexplained=compared - equal - explained,
        open=open_facts,
        reasons=(two, more),
        planes=planes,
        statements=tuple(sorted(sketch.statements)),
        by=tuple(sorted(by)),
        differences=tuple(differences[:MOST_TOLD]),
    )


def standing_of(outcome: Outcome) -> tuple[Standing, str | None]:
    """Whether it counts, and why not."""
    run = outcome.run
    if run.error is not None:
        kinds: Mapping[str, Standing] = {"not-settled": "not settled", "refused": "refused", "exec": "refused"}
        return kinds.get(run.error.kind, "broken"), run.error.message
    certain = (ORDER_OF_ARRIVAL, *((STALE_GROUP,) if _shorter_than(outcome, KEPT) else ()))
    reservations = [one for one in run.not_modelled if one.effect == "possible" and not one.text.startswith(certain)]
    if reservations:
        return "partial", reservations[0].text
    return "counts", None


def _shorter_than(outcome: Outcome, seconds: float) -> bool:
    """Whether all of it took less: then no nexthop group was out of use for as long as that."""
    return bool(outcome.run.volatile["seconds"]["total"] < seconds)


def _explained(
    comparison: Comparison, step: str, statements: frozenset[str], known: Iterable[KnownDifference], frr: str
) -> tuple[dict[str, int], list[Difference]]:
    """Facts by the entry that explains them, and what is left."""
    able = [entry for entry in known if entry.statement in statements and frr.startswith(entry.frr)]
    facts: dict[tuple[object, ...], list[Mismatch]] = {}
    for m in comparison.mismatches:
        facts.setdefault((m.plane, m.kind, m.device, m.peer, m.family, m.prefix), []).append(m)
    why: dict[str, int] = {}
    left: list[Difference] = []
    for mismatches in facts.values():
        entries = [next((e for e in able if e.fits(m)), None) for m in mismatches]
        first = entries[0]
        if first is not None and all(entries):
            why[first.name] = why.get(first.name, 0) + 1
        else:
            left += [_told(step, m) for m in mismatches]
    return why, left


def _told(step: str, m: Mismatch) -> Difference:
    where = " ".join(part for part in (m.device, m.peer, m.family, m.prefix) if part)
    return Difference(step, m.plane, m.kind, where, m.field, m.predicted, m.observed)


def _reasons(predicted: NetworkState, observed: NetworkState) -> tuple[int, int]:
    """How many selection reasons both sides tell: where two paths are there, and where more are."""
    beside: dict[tuple[object, ...], int] = {}
    expected = Grouped.of(predicted.paths).where(is_in_table)
    for key in expected:
        beside[key[:3]] = beside.get(key[:3], 0) + 1
    two = more = 0
    for key, path in expected.items():
        seen = observed.paths.get(key)
        if seen is not None and path.best and seen.best and path.reason and seen.reason:
            two, more = two + (beside[key[:3]] == 2), more + (beside[key[:3]] > 2)
    return two, more


def _open(step: Step, before: NetworkState | None, seen: NetworkState) -> int:
    """Facts that are not the same in all outcomes of the step, the one that was seen among them."""
    first, *others = [*(one.state for one in outcomes(step.network, before, step.flows)), seen]
    varying = {
        (m.plane, m.device, m.peer, m.family, m.prefix) for other in others for m in compare(first, other).mismatches
    }
    return len(varying)
