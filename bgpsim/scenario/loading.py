"""A scenario file -> `Scenario`: everything that it names is read and checked before anything starts.

Problems are raised together, each at its line: those of the scenario's shape with those of the files that it names, or,
where all files could be read, with those of its names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from bgpsim.errors import InputError
from bgpsim.inputs.build import build_network
from bgpsim.inputs.files.containerlab import TopologyFile, load_topology
from bgpsim.inputs.files.kind import ClusterFile, load_cluster
from bgpsim.inputs.files.lab_files import LabFiles, Timeline
from bgpsim.inputs.files.manifests import ManifestFile, load_manifests
from bgpsim.network.description import Network
from bgpsim.scenario.attachments import speaker_files
from bgpsim.scenario.document import Document, read_usable, together
from bgpsim.scenario.names import Names, hint, problem
from bgpsim.scenario.problems import Problems
from bgpsim.scenario.steps import StepReader
from bgpsim.scenario.timeline import Scenario
from bgpsim.source import Source, Unmodelled

Loaded = TypeVar("Loaded")
SPEAKER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
"""A speaker's name is its host name too: at most 64 characters (sethostname(2))."""


def load(path: Path | str, shown: str | None = None) -> Scenario:
    """Read a scenario file and all that it names; `shown` is its name in reports. Raises InputError, ModelError."""
    path = Path(path)
    document = read_usable(path, shown or str(path))
    try:
        scenario = _named(document, path)
    except InputError as error:
        raise together([*document.problems, error]) from None
    if document.problems:
        raise together(document.problems)
    return scenario


def _named(document: Document, path: Path) -> Scenario:
    """All that the file names, read and checked."""
    files, manifests = _files(document, path.parent)
    problems = Problems()
    refused = _speakers(document, build_network(replace(files, speakers=()), Timeline()), problems)
    usable = replace(files, speakers=tuple(s for s in files.speakers if s.name not in refused))
    steps = StepReader(document, usable, manifests, build_network, problems, refused, folder=path.parent).read()
    _raise(problems)
    return Scenario(document.file.name, document.text.file, files, steps)


def up_to(scenario: Scenario, step: str) -> Scenario:
    """The scenario up to and including that step. Raises InputError, listing the steps, where there is none."""
    names = [s.name for s in scenario.steps]
    if step not in names:
        raise InputError(
            f"no step is called '{step}'; expected one of {', '.join(names)}",
            hint=hint(step, names, "steps"),
            file=scenario.file,
        )
    return Scenario(scenario.name, scenario.file, scenario.files, scenario.steps[: names.index(step) + 1])


def _raise(problems: Problems) -> None:
    if problems.found:
        raise together(problems.found)


def _files(document: Document, folder: Path) -> tuple[LabFiles, dict[str, ManifestFile]]:
    """Every file that is named anywhere, read once; all that are missing or wrong are told of together."""
    lab = document.file.lab
    problems = Problems()
    topology: tuple[TopologyFile, tuple[Unmodelled, ...]] | None = None
    cluster: tuple[ClusterFile, tuple[Unmodelled, ...]] | None = None
    manifests: dict[str, ManifestFile] = {}
    with problems.collected():
        topology = _load(load_topology, folder, lab.topology, document.source("lab", "topology"))
    if lab.cluster is not None:
        with problems.collected():
            cluster = _load(load_cluster, folder, lab.cluster, document.source("lab", "cluster"))
    named = [(name, document.source("lab", "manifests", n)) for n, name in enumerate(lab.manifests)]
    for number, step in enumerate(document.file.steps):
        for key, entries in (("apply", step.apply), ("delete", step.delete)):
            named += [(name, document.source("steps", number, key, n)) for n, name in enumerate(entries)]
    for name, source in named:
        if name not in manifests:
            with problems.collected():
                manifests[name] = _load(load_manifests, folder, name, source)
    _raise(problems)
    assert topology is not None
    speakers = document.file.speakers
    sources = {name: document.source("speakers", name) for name in speakers}
    interfaces = [(end.node, end.interface) for link in topology[0].links for end in link.ends]
    return (
        LabFiles(
            topology=topology[0],
            cluster=None if cluster is None else cluster[0],
            manifests=tuple(manifests[name] for name in lab.manifests),
            speakers=speaker_files(speakers, sources, interfaces),
            cilium=lab.cilium,
            ecmp=lab.ecmp,
            allow_refused=lab.allow_refused,
            unmodelled=topology[1] + (() if cluster is None else cluster[1]),
        ),
        manifests,
    )


def _load(loader: Callable[[Path, str], Loaded], folder: Path, name: str, source: Source) -> Loaded:
    """A file that cannot be opened is a problem of the line that names it."""
    path = folder / name
    if path.is_dir():
        raise problem(source, f"'{name}' is a folder; expected a file")
    try:
        path.open("rb").close()
    except OSError as error:
        near = [p.name for p in path.parent.iterdir() if p.suffix in (".yaml", ".yml")] if path.parent.is_dir() else []
        raise problem(source, f"cannot read '{name}': {error.strerror}", hint(path.name, near, "files there")) from None
    return loader(path, name)


def _speakers(document: Document, network: Network, problems: Problems) -> frozenset[str]:
    """Speakers are devices of the lab too: their names must be free, their peers routers that speak BGP.

    Returns those with a problem.
    """
    names = Names(network)
    refused = set()
    for name, section in document.file.speakers.items():
        at = ("speakers", name)
        before = len(problems.found)
        if not SPEAKER_NAME.fullmatch(name):
            problems.found.append(
                problem(
                    document.source(*at),
                    f"'{name}' is no speaker's name; expected up to 63 letters, digits, '-' and '_'",
                )
            )
        if name in network.devices:
            kind = network.devices[name].kind
            problems.found.append(
                problem(document.source(*at), f"'{name}' is a {kind} of this lab already; expected another name")
            )
        for number, router in enumerate(section.peers):
            source = document.source(*at, "peers", number)
            with problems.collected():
                device = names.device(router, source, ("router",))
                if device.bgp is None:
                    raise problem(source, f"router {router} has no `router bgp`; expected one that speaks BGP")
                if router in section.peers[:number]:
                    raise problem(source, f"'{router}' stands twice among the peers of {name}; expected it once")
        if len(problems.found) > before:
            refused.add(name)
    return frozenset(refused)
