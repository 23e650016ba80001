"""What impaired and silent links mean: where nothing passes, and where it is open whether sessions hold.

Delay, loss and rate alter no table and no path: TCP sends again what is lost, and hold times outlast it. But they do
where they are so great that a hold time may run out; then what comes of it is not predicted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bgpsim.inputs.files.impairments import Impaired
from bgpsim.inputs.files.lab_files import Timeline
from bgpsim.network.description import Device, InterfaceRef, Segment
from bgpsim.source import Unmodelled

_ONE_WAY = "in one direction alone: how long the other one works depends on the age of neighbor entries"
_OUTLASTED = "TCP sends again what is lost, and hold times outlast it"


def mark_impaired(devices: dict[str, Device], timeline: Timeline) -> None:
    """Interfaces by which nothing leaves are marked in place."""
    lossy = ((i.device, i.interface) for i in timeline.impaired if i.impairment.silent)
    for device, name in (*timeline.silenced, *lossy):
        interfaces = tuple(replace(i, silent=i.silent or i.name == name) for i in devices[device].interfaces)
        devices[device] = replace(devices[device], interfaces=interfaces)


def left_open(timeline: Timeline, segments: Iterable[Segment]) -> list[Unmodelled]:
    """One entry for each line of a step: what it might do to a prediction, or why it does nothing to it."""
    others = {end: [e.device for e in s.ends if e != end] for s in segments for end in s.ends}
    return sorted({_entry(i, others.get(InterfaceRef(i.device, i.interface), [])) for i in timeline.impaired})


def _entry(impaired: Impaired, far: list[str]) -> Unmodelled:
    impairment = impaired.impairment
    why = impairment.uncertain()
    if impairment.silent:
        # A black hole, and predicted as one.
        why = None if impaired.both else _ONE_WAY
    touched = tuple(sorted({impaired.device, *far}))
    return Unmodelled(
        impaired.source,
        None,
        f"impair: {impairment}",
        "possible" if why else "none",
        touched,
        why or ("nothing passes, which is predicted" if impairment.silent else _OUTLASTED),
    )
