"""states.json.gz: the whole states of a run's steps, predicted and observed, beside report.json.

Two runs of one scenario give the same bytes: what changes from run to run is left out (`stable`).
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bgpsim.errors import InputError
from bgpsim.network.state import BgpPath, Forwarding, NetworkState, PathKey
from bgpsim.network.state_json import decode, encode
from bgpsim.network.topology import Topology
from bgpsim.report.masking import masked

SCHEMA = "bgpsim.states/1"
FILE_NAME = "states.json.gz"


@dataclass(frozen=True, slots=True)
class StepStates:
    """Both states at the end of a step; None for one that there is none of (a plan, a step that broke off)."""

    name: str
    predicted: NetworkState | None
    observed: NetworkState | None
    topology: Topology | None = None


@dataclass(frozen=True, slots=True)
class RunStates:
    """One scenario's."""

    scenario: str
    file: str
    steps: tuple[StepStates, ...]


def to_bytes(runs: Sequence[RunStates]) -> bytes:
    """The file's bytes; what is volatile is taken out."""
    lasting = tuple(replace(run, steps=tuple(map(_lasting, run.steps))) for run in runs)
    document = {"schema": SCHEMA, **encode(lasting, tuple[RunStates, ...])}
    text = _dumped(document)
    if "assword" in text:
        text = _dumped(_without_passwords(document))
    packed = io.BytesIO()
    with gzip.GzipFile("", "wb", 6, packed, mtime=0) as file:
        file.write(text.encode())
    return packed.getvalue()


def _dumped(document: object) -> str:
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _without_passwords(part: object) -> object:
    if isinstance(part, str):
        return masked(part)
    if isinstance(part, Mapping):
        return {key: _without_passwords(member) for key, member in part.items()}
    return [_without_passwords(member) for member in part] if isinstance(part, list | tuple) else part


def read(path: Path, shown: str) -> tuple[RunStates, ...]:
    """Raises InputError for what is no such file."""
    try:
        return from_bytes(path.read_bytes(), shown)
    except OSError as error:
        raise InputError(f"cannot read it: {error.strerror}", file=shown) from None


def from_bytes(packed: bytes, shown: str) -> tuple[RunStates, ...]:
    """What `to_bytes` made. Raises InputError for what is no such thing."""
    try:
        document = json.loads(gzip.decompress(packed))
    except (EOFError, gzip.BadGzipFile, zlib.error, ValueError) as error:
        raise InputError(f"found no states in it: {error}; expected {SCHEMA}, packed", file=shown) from None
    found = document.get("schema") if isinstance(document, dict) else None
    if found != SCHEMA:
        raise InputError(f"schema: found {found!r}; expected '{SCHEMA}'", file=shown)
    try:
        return decode(document, tuple[RunStates, ...])
    except InputError as error:
        raise InputError(error.message, file=shown, hint="write the report anew") from None


def _lasting(step: StepStates) -> StepStates:
    if step.observed is None or step.predicted is None:
        return step
    return replace(step, observed=stable(step.observed, step.predicted))


def stable(observed: NetworkState, predicted: NetworkState) -> NetworkState:
    """Without what changes from run to run: the words of a session that is down, branches that hashing chose, whether
    a traceroute was answered, and a selection reason where it is no fact (docs/reading-a-report.md)."""
    return replace(
        observed,
        sessions={key: replace(session, word=None) for key, session in observed.sessions.items()},
        forwarding={key: _without_chance(of) for key, of in observed.forwarding.items()},
        paths=_without_chosen_reasons(observed.paths, predicted.paths),
    )


def _without_chance(forwarding: Forwarding) -> Forwarding:
    return replace(forwarding, traceroute=None, paths=forwarding.paths if forwarding.complete else ())


def _without_chosen_reasons(
    paths: Mapping[PathKey, BgpPath], predicted: Mapping[PathKey, BgpPath]
) -> dict[PathKey, BgpPath]:
    """FRR overwrites the reason at each comparison: it is a fact where there were two paths, and no order of arrival
    decided between them (then none is predicted)."""
    alternatives: dict[tuple[str, object], int] = {}
    for key in paths:
        table = (key.device, key.prefix)
        alternatives[table] = alternatives.get(table, 0) + 1

    def exact(key: PathKey) -> bool:
        there = predicted.get(key)
        return alternatives[key.device, key.prefix] == 2 and there is not None and there.reason is not None

    return {
        key: path if path.reason is None or exact(key) else replace(path, reason=None) for key, path in paths.items()
    }
