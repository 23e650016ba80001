"""The `steps:` of a scenario file -> `Step`s, each checked against the lab as the steps before have left it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address

from bgpsim.check.expectations import (
    ChangeExpected,
    DispositionExpected,
    Expected,
    ReachExpected,
    SameAsExpected,
    SessionsExpected,
)
from bgpsim.errors import InputError
from bgpsim.inputs.files.lab_files import LabFiles, Timeline
from bgpsim.inputs.files.manifests import ManifestFile
from bgpsim.inputs.files.speakers import Announcement, SpeakerFile
from bgpsim.network.description import Network
from bgpsim.network.state import FlowKey
from bgpsim.network.types import Prefix
from bgpsim.scenario.document import Document
from bgpsim.scenario.endpoints import Endpoints, all_pairs
from bgpsim.scenario.names import Names, hint, problem
from bgpsim.scenario.schema import AnnounceEntry, ExpectSection, Pair, PrefixSection, StepSection, WithdrawEntry
from bgpsim.scenario.timeline import Action, Announce, Apply, Delete, Execute, SetInterface, Step, Withdraw
from bgpsim.source import Source


@dataclass(slots=True)
class Problems:
    """Collects InputErrors, so that one reading tells of all."""

    found: list[InputError] = field(default_factory=list)

    @contextmanager
    def collected(self) -> Iterator[None]:
        try:
            yield
        except InputError as error:
            self.found.append(error)


@dataclass(slots=True)
class StepReader:
    """Reads the steps in order; `build` makes the network of a timeline."""

    document: Document
    files: LabFiles
    manifests: Mapping[str, ManifestFile]
    build: Callable[[LabFiles, Timeline], Network]
    problems: Problems
    timeline: Timeline = field(default_factory=Timeline)

    def read(self) -> tuple[Step, ...]:
        """All steps; what is wrong with them is in `problems`."""
        names = Names(self.build(self.files, self.timeline))
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
            actions = self._actions(section, at, names)
            network = self.build(self.files, self.timeline)
            expected = () if section.expect is None else self._expected(section.expect, at, network, seen)
            flows = all_pairs(network)
            steps.append(Step(section.name, self.document.source(*at, "name"), actions, network, flows, expected))
            seen.append(section.name)
        return _with_named_flows(steps)

    def _actions(self, section: StepSection, at: tuple[str, int], names: Names) -> tuple[Action, ...]:
        actions: list[Action] = []
        for name in section.apply:
            actions += self._apply(name)
        for number, name in enumerate(section.delete):
            with self.problems.collected():
                actions += self._delete(name, self.document.source(*at, "delete", number))
        for key, up, entries in (("link-down", False, section.link_down), ("link-up", True, section.link_up)):
            for number, text in enumerate(entries):
                with self.problems.collected():
                    device, interface = names.interface(text, self.document.source(*at, key, number))
                    actions.append(self._set_interface(device, interface, up))
        for number, withdrawn in enumerate(section.withdraw):
            with self.problems.collected():
                actions += self._withdraw(withdrawn, (*at, "withdraw", number), names)
        for number, announced in enumerate(section.announce):
            with self.problems.collected():
                actions += self._announce(announced, (*at, "announce", number), names)
        for name, lines in section.exec.items():
            with self.problems.collected():
                names.device(name, self.document.source(*at, "exec", name), ("router", "node", "host", "pod"))
                for number, line in enumerate([lines] if isinstance(lines, str) else lines):
                    source = self.document.source(*at, "exec", name, *([] if isinstance(lines, str) else [number]))
                    actions.append(Execute(name, line, source))
        return tuple(actions)

    def _apply(self, name: str) -> Iterable[Action]:
        manifest = self.manifests.get(name)
        if manifest is None:
            return  # it could not be read: that is among the problems
        applied = tuple(m for m in self.timeline.applied if m.path != manifest.path)
        self.timeline = Timeline((*applied, manifest), self.timeline.interfaces_down, self.timeline.announced)
        yield Apply(manifest)

    def _delete(self, name: str, source: Source) -> Iterable[Action]:
        manifest = self.manifests.get(name)
        if manifest is None:
            return
        if all(m.path != manifest.path for m in self.timeline.applied):
            applied = [m.path for m in self.timeline.applied]
            raise problem(
                source, f"'{name}' is not applied here; expected what a step before has applied",
                hint(name, applied, "applied manifests"),
            )  # fmt: skip
        kept = tuple(m for m in self.timeline.applied if m.path != manifest.path)
        self.timeline = Timeline(kept, self.timeline.interfaces_down, self.timeline.announced)
        yield Delete(manifest)

    def _set_interface(self, device: str, interface: str, up: bool) -> Action:
        down = tuple(end for end in self.timeline.interfaces_down if end != (device, interface))
        if not up:
            down = (*down, (device, interface))
        self.timeline = Timeline(self.timeline.applied, down, self.timeline.announced)
        return SetInterface(device, interface, up)

    def _speaker(self, name: str, source: Source) -> SpeakerFile:
        speakers = {s.name: s for s in self.files.speakers}
        if name not in speakers:
            raise problem(source, f"no speaker '{name}'; expected one of `speakers:`", hint(name, speakers, "speakers"))
        return speakers[name]

    def _routers(self, speaker: SpeakerFile, to: list[str] | None, at: tuple[str | int, ...]) -> tuple[str, ...]:
        peers = [a.router for a in speaker.attachments]
        for number, name in enumerate(to or ()):
            if name not in peers:
                raise problem(
                    self.document.source(*at, "to", number), f"'{name}' is no peer of speaker {speaker.name}",
                    hint(name, peers, f"peers of {speaker.name}"),
                )  # fmt: skip
        return tuple(to or peers)

    def _prefix(self, section: PrefixSection, at: tuple[str | int, ...], names: Names) -> Prefix:
        place = (*at, "prefix") if isinstance(section, str) else (*at, "prefix", "of")
        return names.prefix(section, self.document.source(*place))

    def _announce(self, entry: AnnounceEntry, at: tuple[str | int, ...], names: Names) -> Iterable[Action]:
        speaker = self._speaker(entry.speaker, self.document.source(*at, "speaker"))
        prefix = self._prefix(entry.prefix, at, names)
        next_hop = None if entry.next_hop is None else ip_address(entry.next_hop)
        if next_hop is not None and prefix.version == 6 and next_hop.version == 4:
            raise problem(
                self.document.source(*at, "next-hop"), f"next-hop {next_hop} is IPv4; expected IPv6 for {prefix}"
            )
        made = []
        for router in self._routers(speaker, entry.to, at):
            announcement = Announcement(
                speaker=speaker.name,
                router=router,
                prefix=prefix,
                source=self.document.source(*at),
                as_path=None if entry.as_path is None else tuple(entry.as_path),
                origin=entry.origin,
                med=entry.med,
                communities=tuple(sorted(entry.communities)),
                large_communities=tuple(sorted(entry.large_communities)),
                next_hop=next_hop,
            )
            self._announced(announcement)
            made.append(Announce(announcement))
        return made

    def _announced(self, announcement: Announcement) -> None:
        """A replaced route keeps its place: a replacement is no new session event."""
        before = self.timeline.announced
        if any(a.key == announcement.key for a in before):
            now = tuple(announcement if a.key == announcement.key else a for a in before)
        else:
            now = (*before, announcement)
        self.timeline = Timeline(self.timeline.applied, self.timeline.interfaces_down, now)

    def _withdraw(self, entry: WithdrawEntry, at: tuple[str | int, ...], names: Names) -> Iterable[Action]:
        speaker = self._speaker(entry.speaker, self.document.source(*at, "speaker"))
        routers = self._routers(speaker, entry.to, at)
        prefix = None if entry.prefix is None else self._prefix(entry.prefix, at, names)
        gone = [
            a
            for a in self.timeline.announced
            if a.speaker == speaker.name and a.router in routers and prefix in (None, a.prefix)
        ]
        if not gone:
            what = "nothing" if prefix is None else f"not {prefix}"
            raise problem(
                self.document.source(*at),
                f"speaker {speaker.name} announces {what} to {', '.join(routers)} here",
                "expected a prefix that a step before has announced and none has withdrawn",
            )
        kept = tuple(a for a in self.timeline.announced if a not in gone)
        self.timeline = Timeline(self.timeline.applied, self.timeline.interfaces_down, kept)
        return [Withdraw(a) for a in gone]

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
