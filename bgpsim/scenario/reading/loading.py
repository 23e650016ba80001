"""A scenario file -> `Scenario`: everything that it names is read and checked before anything starts.

Problems are raised together, each at its line: those of the scenario's shape with those of the files that it names, or,
where all files could be read, with those of its names.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from bgpsim.errors import InputError
from bgpsim.frr_series import Series, of_image, of_version
from bgpsim.inputs.build import build_network
from bgpsim.inputs.files.containerlab import TopologyFile, load_topology
from bgpsim.inputs.files.kind import ClusterFile, load_cluster
from bgpsim.inputs.files.lab_files import LabFiles, Timeline
from bgpsim.inputs.files.manifests import ManifestFile, load_manifests
from bgpsim.network.description import Network
from bgpsim.network.state import FlowKey
from bgpsim.scenario.reading.attachments import speaker_files
from bgpsim.scenario.reading.document import Document, read_usable, together
from bgpsim.scenario.reading.folders import implied_document, read_topotest, told_of, topology_inputs
from bgpsim.scenario.reading.names import Names, hint, problem
from bgpsim.scenario.reading.problems import Problems
from bgpsim.scenario.reading.steps import StepReader
from bgpsim.scenario.timeline import Scenario
from bgpsim.source import Source, Unmodelled

Loaded = TypeVar("Loaded")
SPEAKER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
"""A speaker's name is its host name too: at most 64 characters (sethostname(2))."""


def load(path: Path | str, shown: str | None = None, frr: str | None = None) -> Scenario:
    """Read a scenario file and all that it names; `shown` is its name in reports. Raises InputError, ModelError.

    `frr`: as `lab: {images: {frr: …}}` in the file, and before it.
    """
    path = Path(path)
    document, folder = implied_document(path, shown or str(path)) or (
        read_usable(path, shown or str(path)),
        path.parent,
    )
    if frr is not None:
        lab = document.file.lab
        lab = lab.model_copy(update={"images": lab.images.model_copy(update={"frr": frr})})
        document = replace(document, file=document.file.model_copy(update={"lab": lab}))
    return load_document(document, folder)


def load_document(document: Document, folder: Path, onto: LabSoFar | None = None) -> Scenario:
    """A document that names files of `folder`; its steps follow those that `onto` was taken through."""
    try:
        scenario = _named(document, folder, onto or LabSoFar())
    except InputError as error:
        raise together([*document.problems, error]) from None
    if document.problems:
        raise together(document.problems)
    return scenario


@dataclass(frozen=True, slots=True)
class LabSoFar:
    """What the steps of a running lab have come to."""

    timeline: Timeline = field(default_factory=Timeline)
    steps: tuple[str, ...] = ()
    """Their names, in order."""
    files: LabFiles | None = None
    """Its files as it came up from them; the document's own lab is then the same one."""
    named: frozenset[FlowKey] = frozenset()
    """Flows that an expectation of theirs has named."""


def _named(document: Document, folder: Path, onto: LabSoFar) -> Scenario:
    """All that the file names, read and checked."""
    files, manifests = _files(document, folder)
    files = files if onto.files is None else onto.files
    problems = Problems()
    refused = _speakers(document, build_network(replace(files, speakers=()), Timeline()), problems)
    usable = replace(files, speakers=tuple(s for s in files.speakers if s.name not in refused))
    reader = StepReader(document, usable, manifests, build_network, problems, refused, onto.timeline, folder=folder)
    steps = reader.read(onto.steps, onto.named)
    _raise(problems)
    lab = document.file.lab
    named = [*([lab.topology] if lab.topology else []), *([lab.cluster] if lab.cluster else []), *manifests]
    inputs = (folder / Path(document.text.file).name, *(folder / name for name in named))
    inputs = tuple(dict.fromkeys((*inputs, *topology_inputs(files.topology, lab, folder))))
    if lab.topotest is not None:
        # A folder by itself has no scenario file: its test comes first.
        inputs = tuple(path for path in inputs if path.is_file())
    return Scenario(document.file.name, document.text.file, files, steps, inputs)


def fingerprint(document: Document, folder: Path) -> str:
    """Of the lab that a document describes: what its files hold, whatever they are called, and its speakers.

    Raises InputError where a file cannot be read.
    """
    lab = document.file.lab
    told: dict[str, Any] = lab.model_dump(mode="json", exclude={"topology", "topotest", "cluster", "manifests"})
    told["speakers"] = {name: s.model_dump(mode="json") for name, s in document.file.speakers.items()}
    told["wiring"] = told_of(_topology(document, folder)[0])
    names = [("topology", lab.topology)] if lab.topology else []
    names += [("cluster", lab.cluster)] if lab.cluster else []
    names += [("manifests", name) for name in lab.manifests]
    told["files"] = [[role, _load(_digest, folder, name, document.source("lab", role))] for role, name in names]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _digest(path: Path, _: str) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def up_to(scenario: Scenario, step: str) -> Scenario:
    """The scenario up to and including that step. Raises InputError, listing the steps, where there is none."""
    names = [s.name for s in scenario.steps]
    if step not in names:
        raise InputError(
            f"no step is called '{step}'; expected one of {', '.join(names)}",
            hint=hint(step, names, "steps"),
            file=scenario.file,
        )
    return replace(scenario, steps=scenario.steps[: names.index(step) + 1])


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
        topology = _topology(document, folder)
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
    nodes, wanted = topology[0].nodes, None if lab.images.frr is None else of_version(lab.images.frr)

    def frr(router: str) -> Series:
        return wanted or of_image((nodes[router].image if router in nodes else None) or "")

    return (
        LabFiles(
            topology=topology[0],
            cluster=None if cluster is None else cluster[0],
            manifests=tuple(manifests[name] for name in lab.manifests),
            speakers=speaker_files(speakers, sources, interfaces, frr),
            cilium=lab.cilium,
            ecmp=lab.ecmp,
            allow_refused=lab.allow_refused,
            frr=wanted,
            unmodelled=topology[1] + (() if cluster is None else cluster[1]),
        ),
        manifests,
    )


def _topology(document: Document, folder: Path) -> tuple[TopologyFile, tuple[Unmodelled, ...]]:
    lab = document.file.lab
    if lab.topotest is not None:
        return read_topotest(folder, lab.topotest, document.source("lab", "topotest"))
    assert lab.topology is not None
    return _load(load_topology, folder, lab.topology, document.source("lab", "topology"))


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
        if section.engine == "gobgp" and section.add_path:
            text = "add-path: GoBGP numbers paths as it likes; expected it without `engine: gobgp`"
            problems.found.append(problem(document.source(*at, "add-path"), text))
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
