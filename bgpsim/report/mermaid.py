"""A topology with the ways that changed, as a Mermaid flowchart: GitHub and GitLab draw it in place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from bgpsim.check.diff import PairChange
from bgpsim.check.step_diff import StatePair
from bgpsim.network.description import DeviceKind, InterfaceRef
from bgpsim.network.state import Forwarding, NetworkState
from bgpsim.network.topology import Link, Topology

MOST_DEVICES = 60
"""Of a larger topology those are drawn that a changed way passes."""
_SHAPES: Mapping[DeviceKind, tuple[str, str]] = {
    "router": ("[", "]"),
    "node": ("[[", "]]"),
    "host": ("(", ")"),
    "pod": ("([", "])"),
    "speaker": ("{{", "}}"),
    "gateway": ("[", "]"),
}
_BEFORE = "stroke:#d1242f,stroke-width:3px,stroke-dasharray:6 4"
_AFTER = "stroke:#1a7f37,stroke-width:4px"
_BOTH = "stroke:#9a6700,stroke-width:3px"
LEGEND = (
    "Of the pairs that changed: dashed red, a link they used before alone; green, one they use now alone; brown, both. "
    "A red frame is where packets end that arrived before. Dotted: a link that is down."
)


@dataclass(slots=True)
class _Marks:
    """Links that changed pairs pass, by index, and where lost packets end."""

    before: set[int] = field(default_factory=set)
    after: set[int] = field(default_factory=set)
    ends: dict[str, set[str]] = field(default_factory=dict)


def drawing(pair: StatePair, topology: Topology | None) -> str | None:
    """The flowchart's text; None where there is nothing to draw, or too much."""
    topology = topology or derived(pair)
    if not topology.links:
        return None
    change = pair.change
    marks = _Marks()
    for one in change.pairs:
        for forwarding, into in ((one.was, marks.before), (one.now, marks.after)):
            into.update(_links(one, forwarding, topology))
    for one in change.lost:
        for path in one.now.paths if one.now else ():
            marks.ends.setdefault(path.at, set()).add(path.disposition)
    shown = _shown(topology, marks)
    return None if shown is None else "\n".join(_lines(topology, marks, shown)) + "\n"


def derived(pair: StatePair) -> Topology:
    """Without the files: who is seen next to whom on a session or on a way."""
    found: dict[tuple[str, str], None] = {}
    states: Sequence[NetworkState] = (pair.before, pair.after)
    for state in states:
        for key, session in state.sessions.items():
            if session.peer is not None:
                found[min(key.device, session.peer), max(key.device, session.peer)] = None
        for forwarding in state.forwarding.values():
            for path in forwarding.paths:
                for one, other in pairwise(path.hops):
                    found[min(one.device, other.device), max(one.device, other.device)] = None
    devices: dict[str, DeviceKind] = {name: "router" for names in sorted(found) for name in names}
    links = tuple(Link((InterfaceRef(a, ""), InterfaceRef(b, ""))) for a, b in sorted(found) if a != b)
    return Topology(devices, links)


def _links(change: PairChange, forwarding: Forwarding | None, topology: Topology) -> Iterator[int]:
    for path in forwarding.paths if forwarding else ():
        chain = [(hop.device, hop.egress) for hop in path.hops]
        if change.flow.source in topology.devices:
            chain.insert(0, (change.flow.source, None))
        if path.disposition == "delivered" and change.flow.target in topology.devices:
            chain.append((change.flow.target, None))
        for (device, egress), (following, _) in pairwise(chain):
            number = _link(topology, device, egress, following)
            if number is not None:
                yield number


def _link(topology: Topology, device: str, egress: str | None, following: str) -> int | None:
    between = [n for n, link in enumerate(topology.links) if {e.device for e in link.ends} == {device, following}]
    exact = [n for n in between if InterfaceRef(device, egress or "") in topology.links[n].ends]
    return next(iter(exact or between), None)


def _shown(topology: Topology, marks: _Marks) -> set[str] | None:
    if len(topology.devices) <= MOST_DEVICES:
        return set(topology.devices)
    passed = {end.device for n in marks.before | marks.after for end in topology.links[n].ends} | set(marks.ends)
    return passed if passed and len(passed) <= MOST_DEVICES else None


def _lines(topology: Topology, marks: _Marks, shown: set[str]) -> Iterator[str]:
    yield "flowchart LR"
    numbers = {name: f"n{number}" for number, name in enumerate(topology.devices)}
    for name, kind in topology.devices.items():
        if name in shown:
            left, right = _SHAPES[kind]
            yield f"  {numbers[name]}{left}{_label(name, marks)}{right}"
    drawn = [(n, link) for n, link in enumerate(topology.links) if all(end.device in shown for end in link.ends)]
    for _, link in drawn:
        one, other = link.ends
        with_pod = "pod" in (topology.devices[one.device], topology.devices[other.device])
        names = "" if with_pod else " · ".join(end.interface for end in link.ends if end.interface)
        arrow = "---" if link.up else "-.-"
        yield f"  {numbers[one.device]} {arrow}{f'|{_quoted(names)}|' if names else ''} {numbers[other.device]}"
    for line, (number, _) in enumerate(drawn):
        style = _style(number, marks)
        if style is not None:
            yield f"  linkStyle {line} {style}"
    ends = [numbers[name] for name in topology.devices if name in marks.ends and name in shown]
    if ends:
        yield "  classDef lost stroke:#d1242f,stroke-width:4px"
        yield f"  class {','.join(ends)} lost"


def _label(name: str, marks: _Marks) -> str:
    ends = marks.ends.get(name)
    text = name.removeprefix("pod:").removeprefix("default/")
    return _quoted(text if not ends else f"{text}<br/>{', '.join(sorted(ends))}")


def _style(number: int, marks: _Marks) -> str | None:
    if number in marks.before and number in marks.after:
        return _BOTH
    if number in marks.before:
        return _BEFORE
    return _AFTER if number in marks.after else None


def _quoted(text: str) -> str:
    """Quoted, any character may stand in a label but the quote itself."""
    return '"' + text.replace('"', "#quot;") + '"'
