"""The `steps:` of a scenario file -> `Step`s, each checked against the lab as the steps before have left it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
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
from bgpsim.scenario.reading.announcements import AnnouncementReader
from bgpsim.scenario.reading.device_actions import Change, DeviceActions, typed_lines
from bgpsim.scenario.reading.document import Document
from bgpsim.scenario.reading.endpoints import Endpoints, all_pairs
from bgpsim.scenario.reading.events import read_event
from bgpsim.scenario.reading.impairments import (
    after_impairment,
    after_link_up,
    after_silence,
    link_ends,
    read_impairment,
)
from bgpsim.scenario.reading.names import Names, hint, problem
from bgpsim.scenario.reading.probes import read_probe
from bgpsim.scenario.reading.problems import Problems
from bgpsim.scenario.reading.speaker_entries import SpeakerEntries
from bgpsim.scenario.reading.tables import TableReader
from bgpsim.scenario.schema import ActionsSection, ExpectSection, Pair, SilentLink
from bgpsim.scenario.timeline import (
    Action,
    Apply,
    AwaitEvent,
    Delete,
    Execute,
    Probe,
    SetInterface,
    Silence,
    Step,
)
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
    chosen_anew: set[str] = field(default_factory=set)
    """Of the step that is being read, as in `Network`."""
    folder: Path = Path()
    """The scenario file's."""
    announcements: AnnouncementReader = field(init=False)
    tables: TableReader = field(init=False)

    def __post_init__(self) -> None:
        self.announcements = AnnouncementReader(self.files.speakers, self.document.source, self.problems, self.refused)
        self.tables = TableReader(self.folder, self.announcements, self.build(self.files, self.timeline))

    def read(self, earlier: Sequence[str] = (), named: Iterable[FlowKey] = ()) -> tuple[Step, ...]:
        """All steps; what is wrong with them is in `problems`.

        `earlier`: steps that the lab was taken through before; `named`: flows that one of them has named.
        """
        containers = self.files.topology.nodes
        owners = {name: namespace_owner(node, self.files) for name, node in containers.items() if node.shares}
        lodgers = {name: owner for name, owner in owners.items() if owner is not None}
        names = Names(self.build(self.files, self.timeline), lodgers)
        steps: list[Step] = []
        seen: list[str] = []
        past = list(earlier)
        for number, section in enumerate(self.document.file.steps):
            at = ("steps", number)
            if section.name in seen:
                self.problems.found.append(
                    problem(
                        self.document.source(*at, "name"),
                        f"two steps are called '{section.name}'; expected one of each",
                    )
                )
            self.chosen_anew.clear()
            actions, interim = self._actions(section, at, names)
            perhaps: list[Timeline] = []
            for number, entry in enumerate(section.at):
                place = (*at, "at", number)
                perhaps.append(self.timeline)
                network = self.build(self.files, self.timeline)
                with self.problems.collected():
                    event = read_event(
                        entry.after, Names(network, names.lodgers), self.document.source(*place, "after")
                    )
                    actions = (*actions, AwaitEvent(event))
                more, then = self._actions(entry, place, names)
                actions, interim = (*actions, *more), (*interim, perhaps[-1], *then)
            network = replace(self.build(self.files, self.timeline), chosen_anew=frozenset(self.chosen_anew))
            if interim:
                network = replace(network, interim=tuple(self._passed(then, then in perhaps) for then in interim))
            expected = () if section.expect is None else self._expected(section.expect, at, network, past)
            flows = all_pairs(network)
            probe = Probe()
            with self.problems.collected():
                probe = read_probe(section.probe, at, self.document, network)
            source = self.document.source(*at, "name")
            steps.append(Step(section.name, source, actions, network, flows, expected, probe, self.timeline))
            seen.append(section.name)
            past.append(section.name)
        return _with_named_flows(steps, named)

    def _actions(
        self, section: ActionsSection, at: tuple[str | int, ...], names: Names
    ) -> tuple[tuple[Action, ...], tuple[Timeline, ...]]:
        """The actions, and the moments between taking something away and putting it back."""
        actions: list[Action] = []
        interim: list[Timeline] = []
        began = self.timeline
        for number, name in enumerate(section.apply):
            with self.problems.collected():
                actions += self._apply(name, self.document.source(*at, "apply", number))
        for number, name in enumerate(section.delete):
            with self.problems.collected():
                actions += self._delete(name, self.document.source(*at, "delete", number))
        self.timeline = self._devices(names).after_manifests(began, self.timeline)
        actions += self._nodes(section, at, names, interim)
        if self.timeline.nodes_down:
            names = Names(self.build(self.files, self.timeline), names.lodgers)
        downs = [(e.link, e.silent) if isinstance(e, SilentLink) else (e, False) for e in section.link_down]
        ups = [(text, False) for text in section.link_up]
        for key, up, entries in (("link-down", False, downs), ("link-up", True, ups)):
            if up and set(ups) & set(downs):
                interim.append(self.timeline)
            for number, (text, silent) in enumerate(entries):
                if self._is_of_a_refused_speaker(text):
                    continue
                source = self.document.source(*at, key, number)
                with self.problems.collected():
                    if silent:
                        actions.append(self._silence(text, names, source))
                        continue
                    device, interface = names.interface(text, source)
                    actions.append(self._set_interface(device, interface, up))
                    if up:
                        self.timeline = after_link_up(self.timeline, device, interface, names.network)
        for number, impaired in enumerate(section.impair):
            if not self._is_of_a_refused_speaker(impaired.link):
                with self.problems.collected():
                    source = self.document.source(*at, "impair", number)
                    impair = read_impairment(impaired, names, source)
                    self.timeline = after_impairment(self.timeline, impair, names.network, source)
                    actions.append(impair)
        actions += self._sessions_and_lines(section, at, names, interim)
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

    def _passed(self, timeline: Timeline, perhaps: bool) -> Network:
        return replace(self.build(self.files, timeline), perhaps=perhaps)

    def _devices(self, names: Names) -> DeviceActions:
        return DeviceActions(self.files, self.build, names.lodgers)

    def _nodes(
        self, section: ActionsSection, at: tuple[str | int, ...], names: Names, interim: list[Timeline]
    ) -> list[Action]:
        actions: list[Action] = []
        for key, up, entries in (("node-down", False, section.node_down), ("node-up", True, section.node_up)):
            if up and set(section.node_up) & set(section.node_down):
                interim.append(self.timeline)
            for number, name in enumerate(entries):
                with self.problems.collected():
                    source = self.document.source(*at, key, number)
                    actions += self._taken(self._devices(names).node(name, up, self.timeline, source), interim)
        return actions

    def _sessions_and_lines(
        self, section: ActionsSection, at: tuple[str | int, ...], names: Names, interim: list[Timeline]
    ) -> list[Action]:
        actions: list[Action] = []
        devices = self._devices(names)
        for key, up, entries in (
            ("session-down", False, section.session_down),
            ("session-up", True, section.session_up),
        ):
            if up and set(section.session_up) & set(section.session_down):
                interim.append(self.timeline)
            for number, text in enumerate(entries):
                if text.partition(":")[0] in self.refused:
                    continue
                with self.problems.collected():
                    source = self.document.source(*at, key, number)
                    actions += self._taken(devices.session(text, up, self.timeline, source), interim)
        for name, lines in section.configure.items():
            with self.problems.collected():
                typed = typed_lines(name, lines, partial(self.document.source, *at, "configure", name))
                actions += self._taken(devices.configure(typed, self.timeline), interim)
        return actions

    def _taken(self, change: Change, interim: list[Timeline]) -> tuple[Action, ...]:
        self.timeline = change.timeline
        interim += change.interim
        self.chosen_anew |= change.chosen_anew
        return change.actions

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

    def _silence(self, text: str, names: Names, source: Source) -> Action:
        device, interface, _ = link_ends(text, names, source)
        silence = Silence(device, interface)
        self.timeline = after_silence(self.timeline, silence, names.network)
        return silence

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


def _with_named_flows(steps: list[Step], before: Iterable[FlowKey]) -> tuple[Step, ...]:
    """Every flow that an expectation names is followed through every step, so that any two steps can be compared."""
    named = set(before)
    for step in steps:
        for expected in step.expected:
            if isinstance(expected, ReachExpected | ChangeExpected | DispositionExpected):
                named.update(expected.flows)
    whole = []
    for step in steps:
        there = {e.id for e in step.network.endpoints}
        able = {e.id for e in step.network.endpoints if not e.away}
        own = {f for f in named if f.source in able and (f.target in there or f.target.startswith("address:"))}
        flows = tuple(sorted({*step.flows, *own}))
        whole.append(replace(step, flows=flows))
    return tuple(whole)
