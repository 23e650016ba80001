"""Many networks in one lab: their files put together, and each one's own part of the lab that is made of them.

No link joins two of them, and their devices have names of their own; addresses repeat. A network's part is read by
itself (`observe` and `wait_settled` are given its devices alone), so that nobody takes another's address for its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bgpsim.agent.protocol import Agent, LabDevice
from bgpsim.errors import DeviceDied, LabError
from bgpsim.fuzz.files import lab_files
from bgpsim.fuzz.sketch import Sketch
from bgpsim.inputs.files.impairments import Impairment
from bgpsim.inputs.files.lab_files import LabFiles, TypedLines
from bgpsim.inputs.files.manifests import ManifestFile
from bgpsim.inputs.files.route_table import AnnouncedTable
from bgpsim.inputs.files.speakers import Announcement
from bgpsim.lab.base import CommandResult, Lab, LabFacts
from bgpsim.scenario.reading.loading import load
from bgpsim.scenario.timeline import Scenario
from bgpsim.source import Source


@dataclass(frozen=True, slots=True)
class Member:
    """A network of a lab, as its scenario reads."""

    sketch: Sketch
    scenario: Scenario

    @property
    def names(self) -> frozenset[str]:
        sketch = self.sketch
        return frozenset(one.name for of in (sketch.routers, sketch.hosts, sketch.speakers) for one in of)


def read(sketch: Sketch, folder: Path, image: str) -> Member:
    """The sketch's scenario, by way of its files, which are left in `folder`. Raises InputError, ModelError."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in lab_files(sketch, image).items():
        (folder / name).write_text(text, encoding="utf-8")
    return Member(sketch, load(folder / "scenario.yaml", "scenario.yaml"))


def together(members: Sequence[Member]) -> LabFiles:
    """The files of one lab with all of them; at least one."""
    parts = [member.scenario.files for member in members]
    first = parts[0].topology
    topology = replace(
        first,
        name="fuzz",
        nodes={name: node for part in parts for name, node in part.topology.nodes.items()},
        links=tuple(link for part in parts for link in part.topology.links),
    )
    return replace(parts[0], topology=topology, speakers=tuple(one for part in parts for one in part.speakers))


class LabPart:
    """One network's part of a lab. Implements `bgpsim.lab.base.Lab`; `close` leaves the lab to the others."""

    def __init__(self, lab: Lab, names: frozenset[str]) -> None:
        self._lab, self._names = lab, names

    @property
    def agent(self) -> Agent:
        return self._lab.agent

    @property
    def devices(self) -> Mapping[str, LabDevice]:
        return {name: device for name, device in self._lab.devices.items() if name in self._names}

    @property
    def facts(self) -> LabFacts:
        facts = self._lab.facts
        return replace(
            facts,
            images=tuple(one for one in facts.images if one.device in self._names),
            induced=tuple(text for text in facts.induced if text.partition(" ")[0] in self._names),
            exec_failures=tuple(one for one in facts.exec_failures if one.device in self._names),
            rejected_lines=tuple(one for one in facts.rejected_lines if one.device in self._names),
        )

    @property
    def lodgers(self) -> tuple[str, ...]:
        return ()

    @property
    def supervisor(self) -> int | None:
        return self._lab.supervisor

    @property
    def ended(self) -> str | None:
        return self._lab.ended

    def log_lines(self) -> tuple[str, ...]:
        return self._lab.log_lines()

    def bring_up(self, progress: Callable[[str], None]) -> None:
        raise LabError("a part of a lab comes up with the whole")

    def check_alive(self) -> None:
        """What ended on another network's device is that one's trouble."""
        try:
            self._lab.check_alive()
        except DeviceDied as died:
            if died.message.partition(":")[0].partition(" ")[0] in self._names:
                raise

    def close(self) -> None: ...

    def apply(self, manifest: ManifestFile) -> None:
        self._lab.apply(manifest)

    def delete(self, manifest: ManifestFile) -> None:
        self._lab.delete(manifest)

    def set_interface(self, device: str, interface: str, *, up: bool) -> None:
        self._lab.set_interface(device, interface, up=up)

    def silence(self, device: str, interface: str) -> None:
        self._lab.silence(device, interface)

    def impair(self, device: str, interface: str, impairment: Impairment, *, both: bool = True) -> None:
        self._lab.impair(device, interface, impairment, both=both)

    def set_node(self, device: str, *, up: bool) -> None:
        self._lab.set_node(device, up=up)

    def set_session(self, device: str, neighbor: str, source: Source, *, up: bool) -> None:
        self._lab.set_session(device, neighbor, source, up=up)

    def configure(self, typed: TypedLines) -> None:
        self._lab.configure(typed)

    def execute(self, device: str, command: str, source: Source | None = None) -> CommandResult:
        return self._lab.execute(device, command, source)

    def announce(self, announcement: Announcement) -> None:
        self._lab.announce(announcement)

    def withdraw(self, announcement: Announcement) -> None:
        self._lab.withdraw(announcement)

    def announce_table(self, table: AnnouncedTable) -> None:
        self._lab.announce_table(table)

    def withdraw_table(self, table: AnnouncedTable) -> None:
        self._lab.withdraw_table(table)
