"""A network that fails, made smaller for as long as it fails alike: delta debugging (Zeller and Hildebrandt, 2002).

Many smaller ones are played in one lab, each twice: one that differs both times is kept. Those that may all go at once
are tried together.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from bgpsim.errors import BgpsimError
from bgpsim.fuzz.files import lab_files
from bgpsim.fuzz.joined import Member, read
from bgpsim.fuzz.playing import MakeLab, play_together
from bgpsim.fuzz.renaming import prefixed
from bgpsim.fuzz.sketch import Action, Sketch, Speaker
from bgpsim.fuzz.tally import Result, tally

Piece: TypeAlias = tuple[Any, ...]
"""Names a piece of a sketch: ("router", "r1"), ("line", "r1", 3), ("attribute", 0, 2, "med") …"""
Alike: TypeAlias = frozenset[tuple[str, str, str | None]]

LONGEST = 600.0
"""Seconds."""
_TWICE = 2
_MOST_ROUTERS = 48
"""In one lab of smaller networks."""
_MOST_CANDIDATES = 12


def large_pieces(sketch: Sketch) -> list[Piece]:
    """Most first: what takes much away with it."""
    return [
        *(("router", router.name) for router in sketch.routers),
        *(("speaker", speaker.name) for speaker in sketch.speakers),
        *(("host", host.name) for host in sketch.hosts),
        *(("link", number) for number in range(len(sketch.links))),
        *(("step", step.name) for step in sketch.steps[1:]),
        *(("peer", speaker.name, peer) for speaker in sketch.speakers for peer in speaker.peers[1:]),
        *(("action", step.name, number) for step in sketch.steps for number in range(len(step.actions))),
    ]


def small_pieces(sketch: Sketch) -> list[Piece]:
    return [
        *(("line", router.name, line) for router in sketch.routers for line in router.lines),
        *(("command", router.name, command) for router in sketch.routers for command in router.commands),
        *(
            ("attribute", step.name, number, key)
            for step in sketch.steps
            for number, action in enumerate(step.actions)
            if action.key in ("announce", "replace")
            for key in action.value
            if key not in ("to", "prefix", "path-id")
        ),
    ]


def without(sketch: Sketch, pieces: Iterable[Piece]) -> Sketch:
    """What is left; with a device go its links, and what steps do with it."""
    gone = set(pieces)
    devices = {piece[1] for piece in gone if piece[0] in ("router", "host", "speaker")}
    speakers = tuple(
        replace(speaker, peers=peers)
        for speaker in sketch.speakers
        if ("speaker", speaker.name) not in gone and (peers := _peers(speaker, gone, devices))
    )
    devices |= {speaker.name for speaker in sketch.speakers} - {speaker.name for speaker in speakers}
    links = tuple(
        link
        for number, link in enumerate(sketch.links)
        if ("link", number) not in gone and not {end[0] for end in link} & devices
    )
    peers_of = {speaker.name: speaker.peers for speaker in speakers}
    ends = {end for link in links for end in link}
    steps = []
    for step in sketch.steps:
        if ("step", step.name) in gone:
            continue
        kept: list[Action] = []
        for number, action in enumerate(step.actions):
            if ("action", step.name, number) not in gone:
                off = {piece[3] for piece in gone if piece[:3] == ("attribute", step.name, number)}
                kept += _action(action, devices, peers_of, ends, off)
        steps.append(replace(step, actions=tuple(kept)))
    routers = tuple(
        replace(
            router,
            lines=tuple(line for line in router.lines if ("line", router.name, line) not in gone),
            commands=tuple(c for c in router.commands if ("command", router.name, c) not in gone),
        )
        for router in sketch.routers
        if router.name not in devices
    )
    hosts = tuple(host for host in sketch.hosts if host.name not in devices)
    return replace(sketch, routers=routers, hosts=hosts, links=links, speakers=speakers, steps=tuple(steps))


def _peers(speaker: Speaker, gone: set[Piece], devices: set[str]) -> tuple[str, ...]:
    return tuple(p for p in speaker.peers if p not in devices and ("peer", speaker.name, p) not in gone)


def _action(
    action: Action, devices: set[str], peers: dict[str, tuple[str, ...]], ends: set[tuple[str, str]], off: set[str]
) -> Iterator[Action]:
    if action.device in devices:
        return
    if action.key in ("announce", "replace", "withdraw"):
        to = [router for router in action.value["to"] if router in peers.get(action.device, ())]
        if to:
            yield replace(action, value={k: v for k, v in {**action.value, "to": to}.items() if k not in off})
    elif action.key not in ("link-down", "link-up") or (action.device, action.value) in ends:
        yield action


class Shrinker:
    """`frr`: the version that runs; `tell` hears how it goes."""

    def __init__(self, make_lab: MakeLab, image: str, frr: str, tell: Callable[[str], None]) -> None:
        self._make_lab, self._image, self._frr, self._tell = make_lab, image, frr, tell

    def shrink(self, sketch: Sketch, failed: Result, longest: float = LONGEST) -> Sketch:
        """The smallest that was found within so many seconds and fails alike."""
        end = time.monotonic() + longest
        alike: Alike = frozenset(one.alike for one in failed.differences)
        last = next((n for n, s in enumerate(sketch.steps) if s.name == failed.differences[0].step), None)
        if last is not None:
            sketch = replace(sketch, steps=sketch.steps[: last + 1])
        for pieces_of in (large_pieces, small_pieces, large_pieces):
            sketch = self._level(sketch, pieces_of, alike, end)
        return sketch

    def _level(self, sketch: Sketch, pieces_of: Callable[[Sketch], list[Piece]], alike: Alike, end: float) -> Sketch:
        size = max(1, len(pieces_of(sketch)) // 4)
        while time.monotonic() < end:
            pieces = pieces_of(sketch)
            chunks = [pieces[at : at + size] for at in range(0, len(pieces), size)]
            smaller = self._smaller(sketch, chunks, alike, end)
            if smaller is not None:
                sketch = smaller
                size = min(size, max(1, len(pieces_of(sketch)) // 2))
            elif size == 1:
                break
            else:
                size = max(1, size // 2)
        return sketch

    def _smaller(self, sketch: Sketch, chunks: list[list[Piece]], alike: Alike, end: float) -> Sketch | None:
        """Without as many of the chunks as possible; None where each of them is needed."""
        able: list[list[Piece]] = []
        waiting = list(chunks)
        while waiting and time.monotonic() < end:
            most = max(1, min(_MOST_CANDIDATES, _MOST_ROUTERS // max(1, _TWICE * len(sketch.routers))))
            now, waiting = waiting[:most], waiting[most:]
            fails = self._fail([without(sketch, chunk) for chunk in now], alike)
            able += [chunk for chunk, yes in zip(now, fails, strict=True) if yes]
        # All that may go by themselves, then fewer of them.
        while able:
            if len(able) == 1:
                return without(sketch, able[0])
            together = without(sketch, [piece for chunk in able for piece in chunk])
            if time.monotonic() < end and self._fail([together], alike)[0]:
                return together
            able = able[: len(able) // 2]
        return None

    def _fail(self, sketches: Sequence[Sketch], alike: Alike) -> list[bool]:
        """Which of them differ in such a way in both of two runs."""
        members: list[tuple[int, Member]] = []
        with tempfile.TemporaryDirectory(prefix="bgpsim-fuzz-") as folder:
            for number, sketch in enumerate(sketches):
                for run in range(_TWICE):
                    name = f"c{number}x{run}-"
                    try:
                        members.append((number, read(prefixed(sketch, name), Path(folder) / name, self._image)))
                    except (BgpsimError, StopIteration):
                        break  # it is no scenario any more
            if not members:
                return [False] * len(sketches)
            played = play_together([m for _, m in members], self._make_lab, lambda _: None, threading.Event())
            failed = [0] * len(sketches)
            for (number, member), outcome in zip(members, played, strict=True):
                result = tally(member, 0, outcome, (), self._frr)
                failed[number] += any(one.alike in alike for one in result.differences)
        self._tell(f"{sum(count == _TWICE for count in failed)} of {len(sketches)} smaller ones differ as well")
        return [count == _TWICE for count in failed]


def write(folder: Path, sketch: Sketch, failed: Result, image: str, seed: int, frr: str) -> None:
    """A scenario folder that `bgpsim run` plays, with a README of what differs."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in lab_files(sketch, image).items():
        (folder / name).write_text(text, encoding="utf-8")
    lines = [f"# Network {failed.index} of seed {seed}", "", failed.about, "", f"On FRR {frr} this differs:", ""]
    for one in failed.differences:
        field = f" {one.field}" if one.field else ""
        where = f"step “{one.step}”: {one.plane} {one.kind} at {one.where}{field}"
        lines.append(f"- {where}: predicted {one.predicted or '-'}, observed {one.observed or '-'}")
    lines += ["", "To see it: `bgpsim run scenario.yaml`"]
    (folder / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
