"""report.json (`bgpsim.report/1`) as pydantic models: what scripts rest on.

All that changes from run to run stands under `volatile`; the rest is byte-equal between runs, keys and lists sorted.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import Field

from bgpsim.report.change_parts import DiffPart
from bgpsim.report.part import Line, Part
from bgpsim.report.probe_parts import ProbePart
from bgpsim.report.table_parts import TablesPart

SCHEMA = "bgpsim.report/1"
Verdict: TypeAlias = Literal["pass", "fail", "error", "inconclusive", "interrupted"]


class ErrorVolatile(Part):
    log: list[str] = Field(default_factory=list, description="the last log lines of what broke: pids, times")


class ErrorPart(Part):
    kind: str
    message: str
    file: str | None = None
    line: int | None = None
    hint: str | None = None
    others: list[str] = Field(default_factory=list, description="further problems found in the same reading")
    volatile: ErrorVolatile = Field(default_factory=ErrorVolatile)


class ImagePart(Part):
    device: str
    asked: str
    used: str


class StandInPart(Part):
    stands_for: str = Field(alias="for")
    by: str


class ExecFailurePart(Part):
    device: str
    command: str
    exit_code: int
    output: str
    file: str | None
    line: int | None


class RejectedLinePart(Part):
    device: str
    text: str
    answer: str
    file: str | None
    line: int | None


class LabPart(Part):
    backend: Literal["embedded", "containerlab"]
    rootless: bool
    images: list[ImagePart] = Field(default_factory=list)
    stand_ins: list[StandInPart] = Field(default_factory=list)
    induced: list[str] = Field(default_factory=list)
    exec_failures: list[ExecFailurePart] = Field(default_factory=list)
    rejected_lines: list[RejectedLinePart] = Field(default_factory=list)


class NotModelledPart(Part):
    file: str
    line: int
    device: str | None
    text: str
    effect: Literal["none", "possible"]
    affects: list[str]
    why: str = ""


class Settled(Part):
    how: Literal["quiet", "timeout"]
    because: str | None = None


class PredictedSessionState(Part):
    state: Literal["Established", "Down"]
    because: str | None


class ObservedSessionState(Part):
    state: Literal["Established", "Down"]


class Count(Part):
    """null: this router does not say, or nothing was predicted."""

    predicted: int | None
    observed: int | None


class FamilyPart(Part):
    accepted: Count
    received: Count
    sent: Count


class SessionPart(Part):
    """One end of a session."""

    device: str
    peer: str | None
    neighbor: str
    type: Literal["ebgp", "ibgp"] | None
    interface: str | None
    predicted: PredictedSessionState | None
    observed: ObservedSessionState | None
    families: dict[str, FamilyPart]


class PlanePart(Part):
    status: Literal["compared", "empty", "not_observed"]
    because: str | None = None
    compared: int = 0
    equal: int = 0
    missing: int = 0
    unexpected: int = 0
    differs: int = 0
    not_observed: int = 0


class MismatchPart(Part):
    plane: Literal["bgp", "fib", "path", "wire"]
    kind: Literal["missing", "unexpected", "differs"]
    device: str
    peer: str | None
    family: str | None
    prefix: str | None
    field: str | None
    predicted: str
    observed: str
    because: list[Line]


class MismatchGroupPart(Part):
    """Many routes of which the same is to be said."""

    routes: int
    examples: list[str] = Field(description="the first of their prefixes")
    count: int = Field(description="mismatches of all these routes, listed in `mismatches` or not")
    first: list[MismatchPart] = Field(description="those of the first route")


class EndpointPart(Part):
    id: str
    address: str


class HopPart(Part):
    device: str
    ingress: str | None = Field(alias="in")
    egress: str | None = Field(alias="out")


class PathPart(Part):
    hops: list[HopPart]
    disposition: str
    at: str
    ttl: int | None = Field(default=None, description="TTL left on arrival, of 64; null where nothing arrived")


class PredictedForwarding(Part):
    disposition: str
    paths: list[PathPart]
    because: list[Line] = Field(default_factory=list)


class ForwardingVolatile(Part):
    paths: list[PathPart]
    complete: bool


class ObservedForwarding(Part):
    """`paths` and `complete` move to `volatile` where ECMP is not forced and there is more than one branch."""

    disposition: str
    paths: list[PathPart] | None = None
    complete: bool | None = None
    flows: int
    evidence: str
    volatile: ForwardingVolatile | None = None


class ReachabilityPart(Part):
    """One ordered pair."""

    sender: EndpointPart = Field(alias="from")
    target: EndpointPart = Field(alias="to")
    predicted: PredictedForwarding | None
    observed: ObservedForwarding | None
    agrees: bool | None


class ExpectationVolatile(Part):
    seen: str | None = Field(default=None, description="what was seen, in figures that differ from run to run")


class ExpectationPart(Part):
    text: str
    verdict: Literal["pass", "fail", "inconclusive"]
    seen: str
    volatile: ExpectationVolatile = Field(default_factory=ExpectationVolatile)


class OutcomePart(Part):
    """One of the states that BGP leaves open."""

    id: str
    facts: list[str] = Field(description="which path is best where only the order of arrival tells")


class StepPart(Part):
    name: str
    verdict: Verdict
    settled: Settled | None
    sessions: list[SessionPart] = Field(default_factory=list)
    planes: dict[str, PlanePart] = Field(default_factory=dict)
    mismatches: list[MismatchPart] = Field(default_factory=list)
    mismatch_groups: list[MismatchGroupPart] = Field(
        default_factory=list, description="ten and more routes of which the same is to be said, told once"
    )
    mismatches_left_out: int = Field(
        default=0, description="of more than a thousand: how many are in no list, but in `planes` and `mismatch_groups`"
    )
    reachability: list[ReachabilityPart] = Field(default_factory=list)
    diff: DiffPart | None = None
    outcomes: list[OutcomePart] = Field(
        default_factory=list,
        description="where there are several, by component (`2.1`: the first of component 2) where choices do not touch"
        " each other; `volatile.outcome` has the ids of those that were seen",
    )
    expectations: list[ExpectationPart] = Field(default_factory=list)
    actions: list[str] = Field(default_factory=list, description="what the step did, in order")
    probe: ProbePart | None = Field(default=None, description="what `probe:` asked for; `volatile.probe` has figures")
    tables: TablesPart | None = Field(default=None, description="the predicted tables, in `bgpsim plan --json`")
    volatile: dict[str, Any] = Field(default_factory=dict)


class RunPart(Part):
    """One scenario file."""

    scenario: str
    file: str
    verdict: Verdict
    confidence: Literal["full", "partial"]
    error: ErrorPart | None
    lab: LabPart | None
    not_modelled: list[NotModelledPart] = Field(default_factory=list)
    findings: list[Line] = Field(default_factory=list, description="not errors, but worth saying")
    steps: list[StepPart] = Field(default_factory=list)
    volatile: dict[str, Any] = Field(default_factory=dict)


class Report(Part):
    schema_: Literal["bgpsim.report/1"] = Field(default="bgpsim.report/1", alias="schema")
    verdict: Verdict
    exit_code: int
    states: str | None = Field(default=None, description="the file beside this one that holds the whole states")
    runs: list[RunPart]


def report_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of report.json."""
    schema = Report.model_json_schema(by_alias=True, mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
