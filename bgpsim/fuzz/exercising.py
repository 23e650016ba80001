"""Which statements of a network matter in it: without them a predicted fact would be another one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bgpsim.check.compare import compare
from bgpsim.errors import BgpsimError
from bgpsim.fuzz.files import ROUTER_IMAGE
from bgpsim.fuzz.joined import read
from bgpsim.fuzz.sketch import Sketch
from bgpsim.model import predict
from bgpsim.network.state import NetworkState


def exercised(sketch: Sketch) -> frozenset[str]:
    """Families of statements whose lines, all of one family taken away, change a fact in some step.

    What cannot be read without them (a session that is shut and was never made) counts too.
    """
    with tempfile.TemporaryDirectory(prefix="bgpsim-fuzz-") as folder:
        whole = list(_states(sketch, Path(folder)))
        found = set()
        for statement in sorted(sketch.statements):
            try:
                if not _same(whole, _states(_without(sketch, statement), Path(folder))):
                    found.add(statement)
            except BgpsimError:
                found.add(statement)
    return frozenset(found)


def _same(whole: list[NetworkState], other: Iterator[NetworkState]) -> bool:
    return all(compare(one, another).agrees for one, another in zip(whole, other, strict=True))


def _without(sketch: Sketch, statement: str) -> Sketch:
    routers = tuple(
        replace(router, lines=tuple(line for line in router.lines if line.statement != statement))
        for router in sketch.routers
    )
    steps = tuple(
        replace(step, actions=tuple(action for action in step.actions if action.statement != statement))
        for step in sketch.steps
    )
    return replace(sketch, routers=routers, steps=steps)


def _states(sketch: Sketch, folder: Path) -> Iterator[NetworkState]:
    """Predicted, step by step."""
    before = None
    for step in read(sketch, folder, ROUTER_IMAGE).scenario.steps:
        before = predict(step.network, before, step.flows).state
        yield before
