"""The report of one run as it grows: what was predicted and seen, what makes it doubtful, and the verdict of it all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bgpsim.check.diff import diff
from bgpsim.check.expectations import ExpectationResult, evaluate
from bgpsim.lab.base import CommandResult, Lab, LabFacts
from bgpsim.model import Prediction
from bgpsim.network.description import Network
from bgpsim.network.state import NetworkState
from bgpsim.network.topology import topology_of
from bgpsim.report import assemble
from bgpsim.report import document as doc
from bgpsim.report.change_parts import DiffPart, StateDiffPart
from bgpsim.report.masking import masked_part
from bgpsim.report.part import Line
from bgpsim.report.states import RunStates, StepStates
from bgpsim.scenario.playing.bundle import Evidence, gather, write
from bgpsim.scenario.playing.verdicts import FAIL, INCONCLUSIVE, error_part, highest, verdict_of
from bgpsim.scenario.timeline import Apply, Execute, Scenario, Step
from bgpsim.source import Unmodelled


class Listener(Protocol):
    """Is told of everything as it happens; the terminal, or nobody."""

    def scenario(self, name: str, file: str) -> None: ...
    def before(self, step: doc.StepPart) -> None:
        """Where a running lab is: what is as it was then need not be told again."""

    def working(self, text: str) -> AbstractContextManager[Callable[[str], None]]: ...
    def lab(self, lab: doc.LabPart, seconds: float) -> None: ...
    def step(self, step: doc.StepPart) -> None: ...
    def verdict(self, run: doc.RunPart) -> None: ...


@dataclass(slots=True)
class Past:
    """The steps that a lab was taken through, the one that is being played last, and both states at their ends."""

    names: list[str] = field(default_factory=list)
    predicted: MutableMapping[str, NetworkState] = field(default_factory=dict)
    observed: MutableMapping[str, NetworkState] = field(default_factory=dict)
    network: Network | None = None
    """Of the step that is being played, or was last."""
    network_before: Network | None = None
    """Of the one before it."""

    def begin(self, name: str) -> None:
        """A name means the last step of that name; one before keeps its place as `NAME (before)`."""
        if name in self.names:
            earlier = f"{name} (before)"
            while earlier in self.names:
                earlier += " (before)"
            self.names[self.names.index(name)] = earlier
            for states in (self.predicted, self.observed):
                if name in states:
                    states[earlier] = states.pop(name)
        self.names.append(name)

    @property
    def observed_before(self) -> NetworkState | None:
        """What was seen at the end of the step before the one that is being played, where it ended."""
        return self.observed.get(self.names[-2]) if len(self.names) > 1 else None

    @property
    def before(self) -> NetworkState | None:
        """The prediction that the next step starts from."""
        return self.predicted[self.names[-1]] if self.names else None


@dataclass(slots=True)
class Record:
    """The report of one run so far; a lab that stays has its `past` from run to run."""

    scenario: Scenario
    strict: bool
    past: Past = field(default_factory=Past)
    started: float = field(default_factory=time.monotonic)
    bring_up: float | None = None
    facts: LabFacts | None = None
    failures: list[CommandResult] = field(default_factory=list)
    """Lines of `exec` steps that failed."""
    unmodelled: set[Unmodelled] = field(default_factory=set)
    steps: list[doc.StepPart] = field(default_factory=list)
    error: doc.ErrorPart | None = None
    codes: list[int] = field(default_factory=list)
    bundle: Path | None = None
    """Where to put the failure bundle; None: among the temporary files, where there must be one."""
    bundled: bool = False
    """There must be one, whatever comes out."""
    evidence: Evidence | None = None

    def fails(self, error: BaseException) -> None:
        part, code = error_part(error)
        self.codes.append(code)
        self.error = self.error or part

    def doubts(self, part: doc.ErrorPart) -> None:
        """Something makes the run inconclusive; the first such thing is the one that is told."""
        self.codes.append(INCONCLUSIVE)
        self.error = self.error or part


@dataclass(frozen=True, slots=True)
class Outcome:
    run: doc.RunPart
    exit_code: int
    states: RunStates | None = None
    """None where another process holds them: a lab that stays."""


def note_prediction(record: Record, step: Step, prediction: Prediction) -> None:
    """The step begins."""
    past = record.past
    past.begin(step.name)
    past.network_before, past.network = past.network, step.network
    record.past.predicted[step.name] = prediction.state
    record.unmodelled.update(record.scenario.files.unmodelled, step.network.unmodelled, prediction.unmodelled)
    for action in step.actions:
        if isinstance(action, Apply):
            record.unmodelled.update(action.manifest.unmodelled)
        if isinstance(action, Execute):
            record.unmodelled.add(
                Unmodelled(
                    action.source,
                    action.device,
                    action.command,
                    "possible",
                    (action.device,),
                    "what a step types on a device is outside the model",
                )
            )


def gather_evidence(record: Record, lab: Lab) -> None:
    """Before the lab is closed: where the run is inconclusive, or a bundle was asked for."""
    if record.bundled or INCONCLUSIVE in record.codes:
        record.evidence = gather(lab)


def evaluated(step: Step, states: Mapping[str, NetworkState], names: Sequence[str]) -> list[ExpectationResult]:
    return [evaluate(expected, states, tuple(names)) for expected in step.expected]


def change_of(record: Record) -> DiffPart | None:
    """Against the step before, where there is one."""
    names = record.past.names
    if len(names) < 2:
        return None

    def change(states: Mapping[str, NetworkState]) -> StateDiffPart | None:
        if names[-1] not in states or names[-2] not in states:
            return None
        return assemble.state_diff(diff(states[names[-2]], states[names[-1]], sent=False))

    return DiffPart(against=names[-2], predicted=change(record.past.predicted), observed=change(record.past.observed))


def _failures(record: Record) -> list[CommandResult]:
    """Every `exec` line that failed, of the topology and of steps, once."""
    known = () if record.facts is None else record.facts.exec_failures
    seen: dict[tuple[str, str, object], CommandResult] = {}
    for result in (*known, *record.failures):
        seen.setdefault((result.device, result.command, result.source), result)
    return [seen[key] for key in sorted(seen, key=str)]


def lab_part(record: Record) -> doc.LabPart:
    facts = record.facts
    assert facts is not None
    return doc.LabPart(
        backend=facts.backend,
        rootless=facts.rootless,
        images=[
            doc.ImagePart(device=i.device, asked=i.asked, used=i.used)
            for i in sorted(set(facts.images), key=lambda i: (i.device, i.asked))
        ],
        stand_ins=[
            doc.StandInPart.model_validate({"for": s.stands_for, "by": s.by})
            for s in sorted(set(facts.stand_ins), key=lambda s: (s.stands_for, s.by))
        ],
        induced=sorted(set(facts.induced)),
        exec_failures=[
            doc.ExecFailurePart(
                device=f.device,
                command=f.command,
                exit_code=f.exit_code,
                output=f.output,
                file=f.source.file if f.source else None,
                line=f.source.line if f.source else None,
            )
            for f in _failures(record)
        ],
        rejected_lines=[
            doc.RejectedLinePart(
                device=r.device,
                text=r.line,
                answer=r.answer,
                file=r.source.file if r.source else None,
                line=r.source.line if r.source else None,
            )
            for r in sorted(set(facts.rejected_lines), key=str)
        ],
    )


def judge_lab(record: Record) -> None:
    """A lab that did not load what it was given has proved nothing."""
    if record.facts is None:
        return
    if not record.scenario.files.allow_refused:
        for rejected in sorted(set(record.facts.rejected_lines), key=str)[:1]:
            source = rejected.source
            record.doubts(
                doc.ErrorPart(
                    kind="refused",
                    message=f"{rejected.device} refused a configuration line: {rejected.line}",
                    file=source.file if source else None,
                    line=source.line if source else None,
                    hint="if that is meant, the scenario says lab: {allow-refused: true}",
                    volatile=doc.ErrorVolatile(log=rejected.answer.splitlines()[-5:]),
                )
            )
    if record.strict:
        for failure in _failures(record)[:1]:
            source = failure.source
            record.doubts(
                doc.ErrorPart(
                    kind="exec",
                    message=f"{failure.device}: an exec line failed, rc {failure.exit_code}: {failure.command}",
                    file=source.file if source else None,
                    line=source.line if source else None,
                    volatile=doc.ErrorVolatile(log=failure.output.splitlines()[-5:]),
                )
            )


def _findings(scenario: Scenario) -> list[Line]:
    found = {finding for step in scenario.steps for finding in step.network.findings}
    lines = {(text, None if s is None else s.file, None if s is None else s.line) for s, text in found}
    if scenario.files.ecmp == "forced":
        lines.add(("ECMP is forced: layer-4 hashing with a seed per router", None, None))
    return [Line(text=text, file=file, line=line) for text, file, line in sorted(lines, key=str)]


def outcome(record: Record, listener: Listener) -> Outcome:
    steps = [FAIL for step in record.steps if step.verdict == "fail"]
    code = highest([*record.codes, *steps])
    not_modelled = assemble.not_modelled(record.unmodelled)
    seconds = {"total": time.monotonic() - record.started}
    if record.bring_up is not None:
        seconds["bring_up"] = record.bring_up
    versions = {} if record.facts is None or record.facts.versions is None else dict(record.facts.versions)
    part = doc.RunPart(
        scenario=record.scenario.name,
        file=record.scenario.file,
        verdict=verdict_of(code),
        confidence="partial" if any(u.effect == "possible" for u in not_modelled) else "full",
        error=record.error,
        lab=None if record.facts is None else lab_part(record),
        not_modelled=not_modelled,
        findings=_findings(record.scenario),
        steps=record.steps,
        volatile={"seconds": seconds, "versions": versions},
    )
    part = masked_part(part)
    if record.evidence is not None:
        try:
            part.volatile["bundle"] = str(write(record.bundle, record.evidence, record.scenario, part, code))
        except OSError as error:
            part.volatile["bundle"] = f"could not be written: {error.strerror}"
    listener.verdict(part)
    return Outcome(part, code, states_of(record))


def states_of(record: Record) -> RunStates:
    """Of the record's own steps."""
    past = record.past
    steps = (
        StepStates(s.name, past.predicted.get(s.name), past.observed.get(s.name), topology_of(s.network))
        for s in record.scenario.steps
        if s.name in past.predicted
    )
    return RunStates(record.scenario.name, record.scenario.file, tuple(steps))
