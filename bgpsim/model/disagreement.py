"""Networks that can come to rest in more than one way, whatever the age of equal paths: DISAGREE, wedgies (RFC 4264).

Routers that rank what a neighbor tells above what is short may each wait for the other; who was told first decides. The
fixpoint is walked with each router last in turn (it waits until the others have nothing to say); where that ends
differently, each end is an outcome, and what stood before stands on as long as it is one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

from bgpsim.model.left_open import Arrival
from bgpsim.model.propagation import Problem, Solution, Solver
from bgpsim.network.description import Device, Network
from bgpsim.network.state import NetworkState, PathKey
from bgpsim.network.types import Prefix, family_of

MOST_ROUTERS = 16
"""So many of one part of the network wait in turn."""
_RANKS = ("local-preference", "weight")
WHY = "routers rank each other's paths, and who was told first decides; it is assumed to have been all at once"
Ends: TypeAlias = frozenset[PathKey]
"""The best paths of one prefix in one part of the network."""


def solutions(solver: Solver, problem: Problem) -> tuple[Solution, tuple[Solution, ...]]:
    """The one that is assumed (nearest to what was selected before), and the others."""
    first = solver.solve(problem)
    parts = _parts(problem)
    if not parts:
        return first, ()
    part_of = {name: number for number, names in enumerate(parts) for name in names}
    found: list[tuple[frozenset[tuple[str, Prefix | None]], Solution]] = []
    for turn in range(min(MOST_ROUTERS, max(map(len, parts)))):
        last = frozenset[tuple[str, Prefix | None]]((names[turn], None) for names in parts if turn < len(names))
        other = solver.solve(replace(problem, last=last))
        if not other.unstable and _best(other) != _best(first):
            found.append((last, other))
    chosen: set[tuple[str, Prefix | None]] = set()
    usual = _by_place(first, part_of)
    for place, ends in usual.items():
        waiting = None
        for last, other in found:
            there = _by_place(other, part_of).get(place, frozenset())
            if len(there & problem.selected) > len(ends & problem.selected):
                ends, waiting = there, next(name for name, _ in last if part_of[name] == place[0])
        if waiting is not None:
            chosen.add((waiting, place[1]))
    if not chosen:
        return first, tuple(other for _, other in found)
    near = solver.solve(replace(problem, last=frozenset(chosen)))
    return near, (first, *(other for _, other in found))


def _parts(problem: Problem) -> list[list[str]]:
    """Parts of the network without a session between them, in which something is ranked."""
    sessions = problem.sessions.ends
    graph: dict[str, set[str]] = {key.device: set() for key in sessions}
    for key, end in sessions.items():
        graph[key.device].add(end.peer.device)
    devices = problem.wiring.network.devices
    parts, seen = [], set[str]()
    for name in sorted(graph):
        if name in seen:
            continue
        part, waiting = {name}, [name]
        while waiting:
            new = graph[waiting.pop()] - part
            part |= new
            waiting += new
        seen |= part
        if any(_ranks(devices[member]) for member in part):
            parts.append(sorted(part))
    return parts


def _by_place(solution: Solution, part_of: Mapping[str, int]) -> dict[tuple[int, Prefix], Ends]:
    found: dict[tuple[int, Prefix], set[PathKey]] = {}
    for key in _best(solution):
        if key.device in part_of:
            found.setdefault((part_of[key.device], key.prefix), set()).add(key)
    return {place: frozenset(keys) for place, keys in found.items()}


def disagreements(
    network: Network, chosen: Solution, others: tuple[Solution, ...], before: NetworkState | None
) -> list[Arrival]:
    """The tables in which the solutions end differently; none of a prefix whose best paths were so before."""
    found: dict[Prefix, list[Arrival]] = {}
    new: set[Prefix] = set()
    for table, decided in chosen.tables.items():
        best = next((entry.path for entry in decided if entry.best), None)
        if best is None:
            continue
        ends = [entry.path for one in others for entry in one.tables.get(table, ()) if entry.best]
        rivals = {path.place: path for path in ends if path.place != best.place}
        if rivals:
            arrival = Arrival(table, best, tuple(rivals.values()), WHY)
            was = before.paths.get(arrival.key(best)) if before is not None else None
            if was is None or not was.best:
                new.add(table.prefix)
            found.setdefault(table.prefix, []).append(arrival)
    return [arrival for prefix, arrivals in found.items() if prefix in new for arrival in arrivals]


def _ranks(device: Device) -> bool:
    """Something on it prefers a path for who told it."""
    if any(
        change.kind in _RANKS
        for entries in device.policies.route_maps.values()
        for entry in entries
        for change in entry.sets
    ):
        return True
    neighbors = device.bgp.neighbors if device.bgp is not None else ()
    return any(settings.weight for neighbor in neighbors for settings in neighbor.families.values())


def _best(solution: Solution) -> frozenset[PathKey]:
    return frozenset(
        PathKey(table.device, family_of(table.prefix), table.prefix, *entry.path.place)
        for table, decided in solution.tables.items()
        for entry in decided
        if entry.best
    )
