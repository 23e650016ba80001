"""A lab that stays, and the timeline that it keeps: what was done to it through bgpsim is predicted, step by step.

What somebody types in it is not: it shows as a difference, here called drift, until it is undone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from bgpsim.errors import InputError, LabError
from bgpsim.inputs.files.lab_files import LabFiles, Timeline
from bgpsim.inputs.files.yaml_source import YamlSource, parse_documents, read_yaml
from bgpsim.lab.base import Lab, LabFacts
from bgpsim.model.graphs import session_graph, topology_graph
from bgpsim.network.state import FlowKey
from bgpsim.network.topology import topology_of
from bgpsim.report import document as doc
from bgpsim.report.pictures import draw
from bgpsim.report.states import RunStates, StepStates
from bgpsim.scenario.document import Document, read_usable, usable
from bgpsim.scenario.loading import LabSoFar, fingerprint, load_document, up_to
from bgpsim.scenario.older_states import OlderStates
from bgpsim.scenario.recording import Listener, Outcome, Past, Record, gather_evidence, judge_lab, outcome
from bgpsim.scenario.runner import bring_up, play
from bgpsim.scenario.timeline import Scenario, Step

FIRST_STEP = "lab up"


@dataclass(frozen=True, slots=True)
class PlayedStep:
    """One line of a lab's timeline."""

    name: str
    verdict: str
    actions: tuple[str, ...]
    at: float
    """Seconds since the epoch, when it had ended."""


@dataclass(slots=True)
class LabSession:
    """One lab and what was done to it. Not for several threads: writers take turns."""

    file: str
    """As the user named it."""
    folder: Path
    document: Document
    files: LabFiles
    lab: Lab
    past: Past = field(default_factory=lambda: Past(predicted=OlderStates(), observed=OlderStates()))
    timeline: Timeline = field(default_factory=Timeline)
    named: frozenset[FlowKey] = frozenset()
    played: list[PlayedStep] = field(default_factory=list)
    last: doc.StepPart | None = None
    """The last step that ended."""
    facts: LabFacts | None = None

    def start(self, listener: Listener, *, first_step: bool) -> Outcome:
        """Bring it up; with `first_step` wait until it is at rest and compare, as `FIRST_STEP`.

        What goes wrong is in the outcome; a lab that did not come up is closed.
        """
        scenario = self._read(self._by_hand([{"name": FIRST_STEP}], FIRST_STEP))
        record = Record(scenario, strict=False, past=self.past)
        listener.scenario(scenario.name, self.file)
        try:
            bring_up(record, self.lab, listener)
        except (Exception, KeyboardInterrupt) as error:
            record.fails(error)
            gather_evidence(record, self.lab)
            return outcome(record, listener)
        self.facts = record.facts
        return self._play(record, listener, strict=False, wanted=lambda: True, none=not first_step)

    def read_steps(self, steps: list[dict[str, Any]], said: str) -> Scenario:
        """Steps given by hand, each a mapping as in a scenario file; `said` is what was typed. Raises InputError."""
        taken = set(self.past.names)
        for step in steps:
            step["name"] = _free(str(step.get("name", said)), taken)
            taken.add(step["name"])
        try:
            return self._read(self._by_hand(steps, said))
        except InputError as error:
            raise _without_place(error) from None

    def read_file(self, path: Path, shown: str, step: str | None = None) -> Scenario:
        """A scenario file whose lab is this one, up to `step`. Raises InputError where its lab is another."""
        document = read_usable(path, shown)
        if fingerprint(document, path.parent) != fingerprint(self.document, self.folder):
            raise InputError(
                f"its `lab:` and `speakers:` are not those that the lab runs on; expected those of {self.file},"
                " as they were when it came up",
                file=shown,
            )
        scenario = self._read(document, path.parent)
        return scenario if step is None else up_to(scenario, step)

    def play(self, scenario: Scenario, listener: Listener, *, strict: bool, wanted: Callable[[], bool]) -> Outcome:
        """Take the lab through these steps; `wanted` is asked before each."""
        record = Record(scenario, strict, past=self.past, facts=self.lab.facts)
        listener.scenario(scenario.name, scenario.file)
        if self.last is not None:
            listener.before(self.last)
        return self._play(record, listener, strict=strict, wanted=wanted)

    def states(self) -> RunStates:
        """Both states at the end of every step so far."""
        past = self.past
        topology = None if self.past.network is None else topology_of(self.past.network)
        steps = (StepStates(name, past.predicted.get(name), past.observed.get(name), topology) for name in past.names)
        return RunStates(self.document.file.name, self.file, tuple(steps))

    def picture(self, form: str) -> str:
        """The lab as it was seen last: `form` is one of `bgpsim.report.pictures.FORMS`."""
        if self.past.network is None:
            raise LabError("no step of this lab has ended yet; nothing was seen of it")
        state = self.past.observed[self.past.names[-1]]
        return draw(form, topology_graph(self.past.network), session_graph(self.past.network, state))

    def _play(
        self, record: Record, listener: Listener, *, strict: bool, wanted: Callable[[], bool], none: bool = False
    ) -> Outcome:
        record.strict = strict
        try:
            if not none:
                play(record, self.lab, listener, wanted=wanted, ended=self._note)
        except (Exception, KeyboardInterrupt) as error:
            record.fails(error)
            for part in record.steps[-1:]:
                if part.settled is None:
                    # It broke off: what it has done of what it should is not in the timeline, and shows as drift.
                    self._note(None, part)
        record.facts = self.lab.facts
        self.named = self.named.union(*(step.flows for step in record.scenario.steps))
        judge_lab(record)
        gather_evidence(record, self.lab)
        return outcome(record, listener)

    def _note(self, step: Step | None, part: doc.StepPart) -> None:
        if step is not None:
            self.timeline, self.last = step.timeline, part
        self.played.append(PlayedStep(part.name, part.verdict, tuple(part.actions), time.time()))

    def _read(self, document: Document, folder: Path | None = None) -> Scenario:
        so_far = LabSoFar(self.timeline, tuple(self.past.names), self.files, self.named)
        return load_document(document, folder or self.folder, so_far)

    def _by_hand(self, steps: list[dict[str, Any]], said: str) -> Document:
        whole = {**self.document.text.value, "steps": steps}
        (text,) = parse_documents(yaml.safe_dump(whole, sort_keys=False, width=10_000), said)
        return usable(text)


def open_session(path: Path, shown: str, make_lab: Callable[[LabFiles], Lab]) -> LabSession:
    """Read a scenario file, or a topology alone; nothing starts. Raises InputError."""
    document = usable(_as_scenario(read_yaml(path, shown)))
    scenario = load_document(document, path.parent)
    return LabSession(shown, path.parent, document, scenario.files, make_lab(scenario.files))


def _as_scenario(text: YamlSource) -> YamlSource:
    """A containerlab topology stands for a scenario of it and nothing else."""
    value = text.value
    if not isinstance(value, dict) or "topology" not in value or "lab" in value:
        return text
    name = Path(text.file).name
    scenario = {"name": str(value.get("name", name)), "lab": {"topology": name}, "steps": [{"name": FIRST_STEP}]}
    return replace(text, value=scenario, lines={}, scalars={})


def _without_place(error: InputError) -> InputError:
    """What was typed has no file and no line."""
    return InputError(error.message, hint=error.hint, others=tuple(_without_place(other) for other in error.others))


def _free(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name} ({number})" in taken:
        number += 1
    return f"{name} ({number})"
