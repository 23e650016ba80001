"""Labs that come without a scenario file, and what a topology reads beside its own file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bgpsim.errors import InputError
from bgpsim.inputs.files.binds import Bind
from bgpsim.inputs.files.containerlab import TopologyFile
from bgpsim.inputs.files.topotest import load_topotest
from bgpsim.inputs.files.yaml_source import parse_documents
from bgpsim.scenario.reading.document import Document, read_usable, usable
from bgpsim.scenario.reading.names import problem
from bgpsim.scenario.schema.lab import LabSection
from bgpsim.source import Source, Unmodelled

_CONTAINERLAB = (".clab.yml", ".clab.yaml")


def implied_document(path: Path, shown: str) -> tuple[Document, Path] | None:
    """The scenario that a lab by itself stands for, and its folder: it comes up, and that is all. None for a file that
    is one itself.

    A containerlab topology by its name, or a topotest's script; a folder with a scenario.yaml, else with one such
    topology, else a topotest.
    """
    if path.name.endswith(_CONTAINERLAB):
        return _document({"topology": path.name}, path.name.split(".clab.")[0], shown), path.parent
    if path.suffix == ".py":
        return _document({"topotest": path.name}, path.stem, shown), path.parent
    if not path.is_dir():
        return None
    if (path / "scenario.yaml").is_file():
        return read_usable(path / "scenario.yaml", f"{shown.rstrip('/')}/scenario.yaml"), path
    topologies = sorted(file.name for file in path.iterdir() if file.name.endswith(_CONTAINERLAB))
    if len(topologies) > 1:
        raise InputError(f"found {', '.join(topologies)}, expected one topology in a folder, or its file", file=shown)
    lab = {"topology": topologies[0]} if topologies else {"topotest": "."}
    return _document(lab, path.resolve().name, shown), path


def _document(lab: dict[str, str], name: str, shown: str) -> Document:
    text = json.dumps({"name": name or "lab", "lab": lab, "steps": [{"name": "up"}]})
    return usable(parse_documents(text, shown)[0])


def read_topotest(folder: Path, name: str, source: Source) -> tuple[TopologyFile, tuple[Unmodelled, ...]]:
    """Raises InputError, at the line that names it where it is not there."""
    path = folder / name
    if not path.exists():
        raise problem(source, f"cannot read '{name}': No such file or directory; expected a topotest's folder")
    return load_topotest(path, name)


def topology_inputs(topology: TopologyFile, lab: LabSection, folder: Path) -> Iterator[Path]:
    """The files that a topology has read beside its own one."""
    if lab.topotest is not None:
        yield folder / topology.path
    for node in topology.nodes.values():
        for bind in node.binds:
            if bind.path is not None:
                yield from (bind.path / name if name else bind.path for name, f in bind.files.items() if f.link is None)


def told_of(topology: TopologyFile) -> Any:
    """What a topology comes to with all that it has read, as JSON: the same for the same lab."""
    nodes = {
        name: [node.kind, node.image, [line.text for line in node.exec], sorted(node.env.items()), _digests(node.binds)]
        for name, node in topology.nodes.items()
    }
    return {"nodes": nodes, "links": [[[e.node, e.interface] for e in link.ends] for link in topology.links]}


def _digests(binds: tuple[Bind, ...]) -> list[list[str]]:
    return [
        [bind.target, name, hashlib.sha256(file.content).hexdigest(), file.link or ""]
        for bind in binds
        for name, file in bind.files.items()
    ]
