"""EmbeddedLab: the Lab protocol on one rootless process tree."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from bgpsim.agent.protocol import Agent, LabDevice
from bgpsim.errors import DeviceDied, LabError, ProcessStopped
from bgpsim.inputs.files.binds import bound_text
from bgpsim.inputs.files.container_start import starts_frr
from bgpsim.inputs.files.containerlab import NodeDefinition
from bgpsim.inputs.files.impairments import Impairment
from bgpsim.inputs.files.lab_files import LabFiles, TypedLines
from bgpsim.inputs.files.manifests import ManifestFile
from bgpsim.inputs.files.route_table import AnnouncedTable
from bgpsim.inputs.files.speakers import Announcement
from bgpsim.lab.base import AttachSpeakers, CommandResult, ImageUse, LabFacts, Speakers
from bgpsim.lab.embedded.bound_files import as_request, left_out
from bgpsim.lab.embedded.daemons import RouterDaemons
from bgpsim.lab.embedded.entry_points import COMMAND, after_start, before_links
from bgpsim.lab.embedded.impairments import Impairments
from bgpsim.lab.embedded.kubernetes import ClusterBgp, desired
from bgpsim.lab.embedded.outage import Outages, as_link
from bgpsim.lab.embedded.parallel import in_parallel
from bgpsim.lab.embedded.plan import BuildPlan, Cable, Container, make_plan
from bgpsim.lab.embedded.refusals import refused_at_boot, refused_by_vtysh
from bgpsim.lab.embedded.sandbox import Sandbox, check_host
from bgpsim.lab.embedded.segments import segments
from bgpsim.lab.embedded.speaker_needs import check_extras
from bgpsim.lab.embedded.stand_ins import stand_ins
from bgpsim.lab.embedded.vtysh import type_lines
from bgpsim.lab.images import Image, ensure, resolve
from bgpsim.source import Source

_EXEC_TIMEOUT = 120.0
"""Seconds for one `exec` line; containerlab has no limit, a lab that hangs helps nobody."""
_LOG_LINES = 12
_START_OF_FRR = re.compile(r"\bfrr(init\.sh)?\b.*\b(re)?start\b")


class EmbeddedLab:
    """See `bgpsim.lab.base.Lab`. Nothing starts before `bring_up`; errors in the files come from the constructor."""

    def __init__(self, files: LabFiles, store: Path, attach: AttachSpeakers | None = None) -> None:
        check_extras(files.speakers)
        self._files = files
        self._attach = attach
        self._store = store
        self._plan: BuildPlan = make_plan(files)
        self._sandbox: Sandbox | None = None
        self._cluster: ClusterBgp | None = None
        self._speakers: Speakers | None = None
        self._applied: list[ManifestFile] = []
        self._daemons = RouterDaemons()
        self._images: Mapping[str, Image] = {}
        self._facts = LabFacts("embedded", rootless=True)
        self._impairments = Impairments()
        speaking = {speaker.name: speaker.engine for speaker in files.speakers}
        self._devices = {d.name: d for c in self._plan.containers if (d := _device(c, speaking)) is not None}
        self._outages = Outages(self._plan)

    @property
    def agent(self) -> Agent:
        if self._sandbox is None:
            raise LabError("the lab is not up")
        return self._sandbox.agent

    @property
    def devices(self) -> Mapping[str, LabDevice]:
        """Those that are there."""
        return {name: device for name, device in self._devices.items() if name not in self._outages.away}

    @property
    def facts(self) -> LabFacts:
        return self._impairments.told(self._facts)

    def log_lines(self) -> tuple[str, ...]:
        return () if self._sandbox is None else self._sandbox.log_lines()

    @property
    def lodgers(self) -> tuple[str, ...]:
        return tuple(c.name for c in self._plan.containers if c.role == "sidecar")

    @property
    def supervisor(self) -> int | None:
        return None if self._sandbox is None else self._sandbox.pid

    @property
    def ended(self) -> str | None:
        return "it is not up" if self._sandbox is None else self._sandbox.ended

    @property
    def gateways(self) -> tuple[str, ...]:
        """The far ends of the management networks: a packet that arrives there has left the network."""
        return tuple(c.name for c in self._plan.containers if c.role == "gateway")

    def bring_up(self, progress: Callable[[str], None]) -> None:
        try:
            self._start(progress)
        except LabError:
            if self._sandbox is not None:
                self.check_alive()  # a process that is gone or stopped explains more than the call that failed
            raise

    def _start(self, progress: Callable[[str], None]) -> None:
        check_host()
        self._images = images = ensure(
            {c.image for c in self._plan.containers if c.image is not None}, self._store, progress
        )
        self._facts = replace(
            self._facts,
            images=self._image_uses(images),
            stand_ins=stand_ins(self._files, images),
            versions=self._versions(images),
        )
        progress("starting nodes")
        self._sandbox = Sandbox(self._store)
        self._build(images)
        progress("running exec lines")
        self._run_exec_lines(self._files.topology.nodes)
        self._cluster = ClusterBgp(self.agent)
        self._remember_daemons(self._devices)
        if self._files.speakers and self._attach is not None:
            progress("attaching speakers")
            self._speakers = self._attach(self.agent, self._devices, self._files.speakers)
            self._speakers.start(progress)
            self._facts = replace(self._facts, induced=self._induced())

    def _build(self, images: Mapping[str, Image]) -> None:
        nodes = [self._node(c, images) for c in self._plan.containers]
        self.agent.call("nodes.create", nodes=nodes)
        starting = [c.name for c in self._plan.containers if c.starts_frr]
        cables, settings = before_links(self._plan) if starting else (self._plan.cables, self._plan.settings)
        self._wire(cables, settings)
        bridges = [c.name for c in self._plan.containers if c.role == "bridge"]
        networks = segments(((c.a, c.a_interface, c.b, c.b_interface) for c in self._plan.cables), bridges)
        self.agent.call(
            "bgp_capture.start",
            devices=[c.name for c in self._plan.containers if c.role in ("router", "node", "speaker")],
            links=networks,
        )
        if starting:
            self._start_frr(starting)
            self._wire(*after_start(self._plan))

    def _wire(self, cables: Sequence[Cable], settings: Mapping[str, Sequence[str]]) -> None:
        self.agent.call("nodes.wire", links=[as_link(cable) for cable in cables])
        self.agent.call("nodes.batch", commands=settings)

    def _start_frr(self, containers: Collection[str]) -> None:
        """The entry points of these, side by side."""
        nodes = self._files.topology.nodes
        done = in_parallel(lambda name: self._run(name, [(COMMAND, nodes[name].source)])[0], sorted(containers))
        failed = tuple(replace(r, command=f"entry point: {COMMAND}") for r in done if r.exit_code)
        self._facts = replace(self._facts, exec_failures=self._facts.exec_failures + failed)

    def _node(self, container: Container, images: Mapping[str, Image]) -> dict[str, Any]:
        image = None
        if container.image is not None:
            image = str(images[container.image].rootfs.relative_to(self._store))
        sysctls: dict[str, str] = {}
        if self._files.ecmp == "forced" and container.forwards:
            number = [c.name for c in self._plan.containers].index(container.name)
            sysctls = {
                "net/ipv4/fib_multipath_hash_policy": "1",
                "net/ipv6/fib_multipath_hash_policy": "1",
                "net/ipv4/fib_multipath_hash_seed": str(1000003 * (number + 1) % 2**32),
            }
        return {
            "name": container.name,
            "image": image,
            "hostname": container.hostname,
            "shares": container.shares,
            "gateway": container.role == "gateway",
            "bridge": container.role == "bridge",
            "forwards": container.forwards,
            "sysctls": {**sysctls, **container.sysctls},
            "binds": as_request(container.binds),
            "without": left_out(container.binds),
            "init": list(container.init) if image is not None else ["/bin/sleep", "infinity"],
        }

    def _run_exec_lines(self, containers: Collection[str]) -> None:
        """Node by node in order, nodes side by side, as containerlab does after its links are up."""
        nodes = [node for node in self._files.topology.nodes.values() if node.exec and node.name in containers]
        results = in_parallel(self._exec, nodes)
        done = [result for per_node in results for result in per_node]
        refused = [line for result in done for line in refused_by_vtysh(result)]
        for device in self._devices.values():
            if device.role == "router" and device.name in containers:
                started = next((r for r in done if r.device == device.name and _START_OF_FRR.search(r.command)), None)
                node = self._files.topology.nodes[device.name]
                at = node.source if started is None and starts_frr(node) else None
                bound = bound_text(node.binds, "/etc/frr/frr.conf")
                refused += refused_at_boot(
                    self.agent,
                    device.name,
                    at if started is None else started.source,
                    None if bound is None else bound.shown,
                )
        self._facts = replace(
            self._facts,
            exec_failures=self._facts.exec_failures + tuple(r for r in done if r.exit_code),
            rejected_lines=self._facts.rejected_lines + tuple(refused),
        )

    def _exec(self, node: NodeDefinition) -> list[CommandResult]:
        return self._run(node.name, [(line.text, line.source) for line in node.exec])

    def _run(self, container: str, commands: Sequence[tuple[str, Source | None]]) -> list[CommandResult]:
        """One after the other. What cannot be split into words is not run: exit code 2."""
        words: list[list[str] | str] = []
        for command, _ in commands:
            try:
                words.append(shlex.split(command))
            except ValueError as error:
                words.append(f"{error}\n")
        argvs = [argv for argv in words if not isinstance(argv, str)]
        env = dict(next((c.env for c in self._plan.containers if c.name == container), {}))
        done = iter(
            self.agent.call(
                "nodes.run_each",
                timeout=_EXEC_TIMEOUT * len(argvs) + 10,
                device=container,
                commands=argvs,
                env=env,
                limit=_EXEC_TIMEOUT,
            )
        )
        return [
            CommandResult(container, command, 2, argv, source)
            if isinstance(argv, str)
            else _result(container, command, source, next(done))
            for (command, source), argv in zip(commands, words, strict=True)
        ]

    def apply(self, manifest: ManifestFile) -> None:
        self._applied = [m for m in self._applied if m.path != manifest.path] + [manifest]
        self._follow()

    def delete(self, manifest: ManifestFile) -> None:
        self._applied = [m.without(manifest.identities) for m in self._applied if m.path != manifest.path]
        self._follow()

    def _follow(self) -> None:
        if self._cluster is None or self._files.cluster is None:
            raise LabError("there is no cluster in this lab")
        wanted = desired(
            [*self._files.manifests, *self._applied],
            self._files.cluster.nodes,
            self._plan.pod_cidrs,
            self._files.cilium,
        )
        self._cluster.become({name: bgp for name, bgp in wanted.items() if name not in self._outages.away})
        self._devices = {
            name: replace(device, engine="gobgp" if name in wanted else None) if device.role == "node" else device
            for name, device in self._devices.items()
        }

    def set_interface(self, device: str, interface: str, *, up: bool) -> None:
        (name, interface), (other, other_interface) = self._link(device, interface)
        if up:
            self._impairments.lift_silence(self.agent, ((name, interface), (other, other_interface)))
        self.agent.call(
            "nodes.set_interface",
            device=name,
            interface=interface,
            peer=other,
            peer_interface=other_interface,
            up=up,
            link_local=self._plan.link_local.get((name, interface), ()),
        )

    def silence(self, device: str, interface: str) -> None:
        self._impairments.silence(self.agent, self._link(device, interface))

    def impair(self, device: str, interface: str, impairment: Impairment, *, both: bool = True) -> None:
        near, far = self._link(device, interface)
        self._impairments.impair(self.agent, (near, far) if both else (near,), impairment)

    def _link(self, device: str, interface: str) -> tuple[tuple[str, str], tuple[str, str]]:
        """Both ends of a link, the one that is named first."""
        near = (self._plan.aliases.get(device, device), interface)
        for cable in self._plan.cables:
            ends = ((cable.a, cable.a_interface), (cable.b, cable.b_interface))
            if near in ends:
                return near, ends[1] if near == ends[0] else ends[0]
        raise LabError(f"{device} has no link at {interface}")

    def set_node(self, device: str, *, up: bool) -> None:
        if not up:
            self._outages.off(self.agent, device)
            self._daemons.forget(device)
            if self._cluster is not None:
                self._cluster.forget(device)
            return
        members = self._outages.members(device)
        self._outages.on(self.agent, device, [self._node(container, self._images) for container in members])
        self.agent.call("bgp_capture.follow", device=device)
        self._start_frr({container.name for container in members if container.starts_frr})
        self._run_exec_lines({container.name for container in members})
        self._remember_daemons({device})
        if self._devices[device].role == "node":
            self._follow()
        if self._speakers is not None:
            self._speakers.attach_again(device)

    def set_session(self, device: str, neighbor: str, source: Source, *, up: bool) -> None:
        if self._devices[device].engine == "gobgp" and self._cluster is not None:
            self._cluster.set_neighbor(device, neighbor, enabled=up)
            return
        said = f"{'no ' if up else ''}neighbor {neighbor} shutdown"
        lines = tuple(Source(source.file, source.line, text) for text in ("router bgp", said))
        self.configure(TypedLines(device, lines))

    def configure(self, typed: TypedLines) -> None:
        refused = tuple(type_lines(self.agent, typed))
        self._facts = replace(self._facts, rejected_lines=self._facts.rejected_lines + refused)

    def execute(self, device: str, command: str, source: Source | None = None) -> CommandResult:
        (result,) = self._run(device, [(command, source)])
        refused = tuple(refused_by_vtysh(result))
        self._facts = replace(self._facts, rejected_lines=self._facts.rejected_lines + refused)
        return result

    def announce(self, announcement: Announcement) -> None:
        self._speaker_control().announce(announcement)

    def withdraw(self, announcement: Announcement) -> None:
        self._speaker_control().withdraw(announcement)

    def announce_table(self, table: AnnouncedTable) -> None:
        self._speaker_control().announce_table(table)

    def withdraw_table(self, table: AnnouncedTable) -> None:
        self._speaker_control().withdraw_table(table)

    def _speaker_control(self) -> Speakers:
        if self._speakers is None:
            raise LabError("there is no speaker in this lab")
        return self._speakers

    def _remember_daemons(self, devices: Collection[str]) -> None:
        routers = [name for name, device in self._devices.items() if device.role == "router" and name in devices]
        self._daemons.remember(self.agent, routers)

    def check_alive(self) -> None:
        if self._sandbox is not None and (stopped := self._sandbox.stopped) is not None:
            raise ProcessStopped(f"the lab does not answer: {stopped}")
        self._check_nodes()
        try:
            self._daemons.check(self.agent)
            if self._speakers is not None:
                self._speakers.check_alive()
        except LabError:
            self._check_nodes()  # where a whole node ended meanwhile, its daemons ended with it
            raise
        self._impairments.check(self.agent)
        self.agent.call("health.check")

    def _check_nodes(self) -> None:
        for name, alive in self.agent.call("nodes.alive").items():
            if not alive:
                said: list[str] = self.agent.call("nodes.log", device=name)
                raise DeviceDied(f"{name} ended by itself: its init is gone", log=tuple(said[-_LOG_LINES:]))

    def close(self) -> None:
        if self._sandbox is not None:
            self._sandbox.close()
            self._sandbox = None

    def _image_uses(self, images: Mapping[str, Image]) -> tuple[ImageUse, ...]:
        return tuple(
            ImageUse(
                c.name,
                c.asked,
                resolve(c.asked, "kubernetes-node" if c.role == "node" else "container", self._files.frr)
                .versioned(images[c.image])
                .used,
            )
            for c in self._plan.containers
            if c.image is not None and c.asked
        )

    def _induced(self) -> tuple[str, ...]:
        """What a router shows beside its own configuration; no table of routes is among it."""
        return tuple(
            f"{a.router} has the neighbor {a.speaker_address} on {a.router_interface}, for speaker {speaker.name}"
            + (", with addpath-tx-all-paths" if speaker.add_path else "")
            for speaker in self._files.speakers
            for a in speaker.attachments
        )

    def _versions(self, images: Mapping[str, Image]) -> dict[str, str]:
        found = {}
        for package, short in (("frr", "frr"), ("gobgpd", "gobgp")):
            there = sorted({image.versions[package] for image in images.values() if package in image.versions})
            if there:
                found[short] = ", ".join(there)
        if any(speaker.engine == "exabgp" for speaker in self._files.speakers):
            found["exabgp"] = version("exabgp")
        return {**found, "kernel": os.uname().release}


def _result(container: str, command: str, source: Source | None, done: Mapping[str, Any]) -> CommandResult:
    # A command that a signal ended: 128 and the signal's number, as shells and containers say it.
    code = done["exit_code"] if done["exit_code"] >= 0 else 128 - done["exit_code"]
    return CommandResult(container, command, code, done["output"], source, done["seconds"])


def _device(container: Container, speaking: Mapping[str, Literal["exabgp", "gobgp"]]) -> LabDevice | None:
    """`speaking`: the speakers' engines. None for what observers do not look at: a management network's far end, a
    bridge, a container in another's namespace."""
    if container.role == "gateway" or container.role == "sidecar" or container.role == "bridge":
        return None
    return LabDevice(
        container.name,
        container.role,
        "frr" if container.role == "router" else speaking.get(container.name),
        container.name if container.role == "pod" else None,
        container.addresses,
    )
