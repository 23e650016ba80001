"""The `steps:` of a scenario file -> `Step`s, each checked against the lab as the steps before have left it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from bgpsim.check.expectations import (
    ChangeExpected,
    DispositionExpected,
    Expected,
    ReachExpected,
    SameAsExpected,
    SessionsExpected,
)
from bgpsim.inputs.build import namespace_owner
from bgpsim.inputs.files.lab_files import LabFiles, Timeline
from bgpsim.inputs.files.manifests import ManifestFile
from bgpsim.network.description import Network
from bgpsim.network.state import FlowKey
from bgpsim.scenario.announcements import AnnouncementReader
from bgpsim.scenario.document import Document
from bgpsim.scenario.endpoints import Endpoints, all_pairs
from bgpsim.scenario.names import Names, hint, problem
from bgpsim.scenario.problems import Problems
from bgpsim.scenario.schema import ExpectSection, Pair, StepSection
from bgpsim.scenario.speaker_entries import SpeakerEntries
from bgpsim.scenario.tables import TableReader
from bgpsim.scenario.timeline import Action, Apply, Delete, Execute, SetInterface, Step
from bgpsim.source import Source


@dataclass(slots=True)
class StepReader:
    """Reads the steps in order; `build` makes the network of a timeline.

    `refused`: speakers with a problem of their own, which are not in `files`. What names them is passed over.
    """

    document: Document
    files: LabFiles
    manifests: Mapping[str, ManifestFile]
    build: Callable[[LabFiles, Timeline], Network]
    problems: Problems
    refused: frozenset[str] = frozenset()
    timeline: Timeline = field(default_factory=Timeline)
    folder: Path = Path()
    """The scenario file's."""
    announcements: AnnouncementReader = field(init=False)
    tables: TableReader = field(init=False)

    def __post_init__(self) -> None:
        self.announcements = AnnouncementReader(self.files.speakers, self.document.source, self.problems, self.refused)
        self.tables = TableReader(self.folder, self.announcements, self.build(self.files, self.timeline))

    def read(self) -> tuple[Step, ...]:
        """All steps; what is wrong with them is in `problems`."""
        containers = self.files.topology.nodes
        owners = {name: namespace_owner(node, self.files) for name, node in containers.items() if node.shares}
        lodgers = {name: owner for name, owner in owners.items() if owner is not None}
        names = Names(self.build(self.files, self.timeline), lodgers)
        steps: list[Step] = []
        seen: list[str] = []
        for number, section in enumerate(self.document.file.steps):
            at = ("steps", number)
            if section.name in seen:
                self.problems.found.append(
                    problem(
                        self.document.source(*at, "name"),
                        f"two steps are called '{section.name}'; expected one of each",
                    )
                )
            actions, interim = self._actions(section, at, names)
            network = self.build(self.files, self.timeline)
            if interim:
                network = replace(network, interim=tuple(self.build(self.files, then) for then in interim))
            expected = () if section.expect is None else self._expected(section.expect, at, network, seen)
            flows = all_pairs(network)
            steps.append(Step(section.name, self.document.source(*at, "name"), actions, network, flows, expected))
            seen.append(section.name)
        return _with_named_flows(steps)

    def _actions(
        self, section: StepSection, at: tuple[str, int], names: Names
    ) -> tuple[tuple[Action, ...], tuple[Timeline, ...]]:
        """The actions, and the moments between taking something away and putting it back."""
        actions: list[Action] = []
        interim: list[Timeline] = []
        for number, name in enumerate(section.apply):
            with self.problems.collected():
                actions += self._apply(name, self.document.source(*at, "apply", number))
        for number, name in enumerate(section.delete):
            with self.problems.collected():
                actions += self._delete(name, self.document.source(*at, "delete", number))
        for key, up, entries in (("link-down", False, section.link_down), ("link-up", True, section.link_up)):
            if up and set(section.link_up) & set(section.link_down):
                interim.append(self.timeline)
            for number, text in enumerate(entries):
                if self._is_of_a_refused_speaker(text):
                    continue
                with self.problems.collected():
                    device, interface = names.interface(text, self.document.source(*at, key, number))
                    actions.append(self._set_interface(device, interface, up))
        speaking = SpeakerEntries(self.announcements, self.tables, names, self.timeline)
        for number, withdrawn in enumerate(section.withdraw):
            actions += speaking.withdraw(withdrawn, (*at, "withdraw", number))
        without = speaking.now
        for key, entries_of in (("replace", section.replace), ("announce", section.announce)):
            for number, announced in enumerate(entries_of):
                actions += speaking.announce(announced, (*at, key, number), replacing=key == "replace")
        self.timeline = speaking.now
        if speaking.put_back(actions):
            interim.append(without)
        for name, lines in section.exec.items():
            with self.problems.collected():
                device, lodger = names.container(name, self.document.source(*at, "exec", name))
                for number, line in enumerate([lines] if isinstance(lines, str) else lines):
                    source = self.document.source(*at, "exec", name, *([] if isinstance(lines, str) else [number]))
                    with self.problems.collected():
                        _check_words(line, source)
                        actions.append(Execute(device, line, source, lodger))
        return tuple(actions), tuple(interim)

    def _apply(self, name: str, source: Source) -> Iterable[Action]:
        self._needs_cluster(name, source)
        manifest = self.manifests.get(name)
        if manifest is None:
            return  # it could not be read: that is among the problems
        applied = tuple(m for m in self.timeline.applied if m.path != manifest.path)
        self.timeline = replace(self.timeline, applied=(*applied, manifest))
        yield Apply(manifest)

    def _needs_cluster(self, name: str, source: Source) -> None:
        if self.files.cluster is None:
            raise problem(source, f"'{name}' is for a cluster, and this lab has none; expected a `cluster:` in `lab:`")

    def _delete(self, name: str, source: Source) -> Iterable[Action]:
        self._needs_cluster(name, source)
        manifest = self.manifests.get(name)
        if manifest is None:
            return
        applied = self.timeline.applied
        missing = sorted(manifest.identities - {identity for m in applied for identity in m.identities})
        if missing or not (manifest.identities or any(m.path == manifest.path for m in applied)):
            what = "".join(f"{kind} {object_name} of " for kind, _, object_name in missing[:1])
            raise problem(
                source, f"{what}'{name}' is not applied here; expected what a step before has applied",
                hint(name, [m.path for m in applied], "applied manifests"),
            )  # fmt: skip
        left = tuple(m.without(manifest.identities) for m in applied if m.path != manifest.path)
        self.timeline = replace(self.timeline, applied=left)
        yield Delete(manifest)

    def _set_interface(self, device: str, interface: str, up: bool) -> Action:
        end = (device, interface)
        down = tuple(other for other in self.timeline.interfaces_down if other != end)
        cut = tuple(other for other in self.timeline.interfaces_cut if other != end)
        if up:
            self.timeline = replace(self.timeline, interfaces_down=down)
        else:
            self.timeline = replace(self.timeline, interfaces_down=(*down, end), interfaces_cut=(*cut, end))
        return SetInterface(device, interface, up)

    def _is_of_a_refused_speaker(self, interface: str) -> bool:
        """Either end of its link, which is not there: a router's end is called `x-…` (attachments.py)."""
        device, _, name = interface.rpartition(":")
        return device in self.refused or (bool(self.refused) and name.startswith("x-"))

    def _expected(
        self, section: ExpectSection, at: tuple[str, int], network: Network, earlier: list[str]
    ) -> tuple[Expected, ...]:
        found: list[Expected] = []
        place = (*at, "expect")
        names, ends = Names(network), Endpoints(network)
        if section.sessions is not None:
            for key, state, devices in (
                ("established", "Established", section.sessions.established),
                ("down", "Down", section.sessions.down),
            ):
                if not devices:
                    continue
                for number, name in enumerate(devices):
                    if name in self.refused:
                        continue
                    with self.problems.collected():
                        names.device(
                            name, self.document.source(*place, "sessions", key, number), ("router", "node", "speaker")
                        )
                text = f"sessions of {', '.join(devices)} are {key}"
                found.append(SessionsExpected(text, tuple(devices), state))
        for number, pair in enumerate(section.reach):
            with self.problems.collected():
                flows = ends.both_ways(pair.from_, pair.to, self.document.source(*place, "reach", number))
                found.append(ReachExpected(f"{pair.from_} and {pair.to} reach each other", flows))
        for number, fate in enumerate(section.disposition):
            with self.problems.collected():
                flows = ends.one_way(fate.from_, fate.to, self.document.source(*place, "disposition", number))
                found.append(DispositionExpected(f"{fate.from_} to {fate.to} is {fate.is_}", flows, fate.is_))
        for key, pairs in (("lost", section.lost), ("gained", section.gained)):
            if pairs is None:
                continue
            if not earlier:
                self.problems.found.append(
                    problem(self.document.source(*place, key), f"{key}: there is no step before the first")
                )
                continue
            changed = self._changed(pairs, ends, (*place, key))
            spelled = ", ".join(f"{p.from_} to {p.to}" for p in pairs) or "nothing"
            found.append(ChangeExpected(f"exactly {key}: {spelled}", changed, gained=key == "gained"))
        if section.same_as is not None:
            if section.same_as not in earlier:
                self.problems.found.append(
                    problem(
                        self.document.source(*place, "same-as"),
                        f"same-as: no step before is called '{section.same_as}'",
                        hint(section.same_as, earlier, "steps before"),
                    )
                )
            else:
                found.append(SameAsExpected(f"all is as at the end of “{section.same_as}”", section.same_as))
        return tuple(found)

    def _changed(self, pairs: list[Pair], ends: Endpoints, at: tuple[str | int, ...]) -> tuple[FlowKey, ...]:
        flows: set[FlowKey] = set()
        for number, pair in enumerate(pairs):
            with self.problems.collected():
                flows.update(ends.one_way(pair.from_, pair.to, self.document.source(*at, number)))
        return tuple(sorted(flows))


def _check_words(line: str, source: Source) -> None:
    """A line is split as a shell would, and run without one."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise problem(source, f"exec line {line!r}: {str(error).lower()}; expected words as a shell has them") from None
    if not words:
        raise problem(source, f"exec line {line!r} is empty; expected a command")


def _with_named_flows(steps: list[Step]) -> tuple[Step, ...]:
    """Every flow that an expectation names is followed through every step, so that any two steps can be compared."""
    named: set[FlowKey] = set()
    for step in steps:
        for expected in step.expected:
            if isinstance(expected, ReachExpected | ChangeExpected | DispositionExpected):
                named.update(expected.flows)
    whole = []
    for step in steps:
        there = {e.id for e in step.network.endpoints}
        own = {f for f in named if f.source in there and (f.target in there or f.target.startswith("address:"))}
        flows = tuple(sorted({*step.flows, *own}))
        whole.append(Step(step.name, step.source, step.actions, step.network, flows, step.expected))
    return tuple(whole)
