"""Which path of a prefix is best, in which orders of arrival another one would be, and which are used together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import combinations, permutations, product
from math import factorial, prod

from bgpsim.model.decision import Candidate, Rules, compare, peer_address
from bgpsim.network.as_path import same_neighbor

_MOST_ORDERS = 720
"""So many orders of arrival are tried, of six paths that came at once."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A path with its fate."""

    path: Candidate
    best: bool = False
    multipath: bool = False
    reason: str | None = None
    lost: str | None = None


def decide(candidates: Sequence[Candidate], rules: Rules) -> tuple[Decided, ...]:
    """Choose among all paths of one prefix. In the order of neighbor names, whatever order they come in."""
    ordered = sorted(candidates, key=lambda p: p.place)
    eligible = [path for path in ordered if path.valid]
    best = _best(eligible, rules)
    if best is None:
        return tuple(Decided(path, lost=path.refused) for path in ordered)
    together = used_together(eligible, best, rules)
    decided = []
    for path in ordered:
        if path is best:
            runner_up = _best([p for p in eligible if p is not best], rules)
            reason = compare(best, runner_up, rules).reason if runner_up else None
            decided.append(Decided(path, best=True, multipath=bool(together), reason=reason))
        elif not path.valid:
            decided.append(Decided(path, lost=path.refused))
        else:
            used = any(path is member for member in together)
            decided.append(Decided(path, multipath=used, lost=compare(best, path, rules).reason))
    return tuple(decided)


def _best(eligible: Sequence[Candidate], rules: Rules) -> Candidate | None:
    """FRR walks its list, the newest path first, and keeps the better of two (bgp_best_selection). Where the order of
    arrival is not known and tells (MEDs that are compared between some paths and not others), the one that was best
    before is taken."""
    finalists = best_of_each_as(eligible, rules) if rules.deterministic_med else list(eligible)
    if len(finalists) < 3:
        return _walk(finalists, rules)
    possible = _winners(finalists, rules)
    kept = [path for path in possible if path.selected_before]
    return kept[0] if len(kept) == 1 and len(possible) > 1 else _walk(possible, rules)


def best_of_each_as(eligible: Sequence[Candidate], rules: Rules) -> list[Candidate]:
    """`bgp deterministic-med`: the best of each neighbor AS."""
    left = list(eligible)
    winners = []
    while left:
        group = [path for path in left if path is left[0] or _grouped(left[0], path)]
        left = [path for path in left if not any(path is member for member in group)]
        winner = _walk(group, rules)
        winners += [winner] if winner is not None else []
    return winners


def _grouped(one: Candidate, other: Candidate) -> bool:
    return same_neighbor(one.attributes.as_path, other.attributes.as_path)


def _walk(paths: Sequence[Candidate], rules: Rules) -> Candidate | None:
    best: Candidate | None = None
    for path in paths:
        if best is None or compare(path, best, rules).better == -1:
            best = path
    return best


def contenders(candidates: Sequence[Candidate], rules: Rules) -> tuple[Candidate, ...]:
    """The paths that are best in one order of arrival or another, in the order of neighbor names."""
    eligible = sorted((path for path in candidates if path.valid), key=lambda p: p.place)
    if len(eligible) < 2:
        return tuple(eligible)
    if not rules.deterministic_med:
        return tuple(_winners(eligible, rules, either=True))
    groups: list[list[Candidate]] = []
    for path in eligible:
        group = next((g for g in groups if _grouped(g[0], path)), None)
        if group is None:
            groups.append([path])
        else:
            group.append(path)
    finalists = [path for group in groups for path in _winners(group, rules, either=True)]
    return tuple(_winners(finalists, rules, either=True))


def _winners(paths: Sequence[Candidate], rules: Rules, *, either: bool = False) -> list[Candidate]:
    """Those that a walk ends with in one order of arrival or another, as far as the order is not known."""
    top = _top_cycle(paths, rules, either=either)
    if len(top) == 1 or (either and any(compare(a, b, rules).open for a, b in combinations(top, 2))):
        return top
    steps = [[path for path in top if path.came == step] for step in sorted({p.came for p in top}, reverse=True)]
    if prod(factorial(len(of)) for of in steps) > _MOST_ORDERS:
        return top
    ends = [_walk([p for of in order for p in of], rules) for order in product(*map(permutations, steps))]
    return [path for path in top if any(path is end for end in ends)]


def _top_cycle(paths: Sequence[Candidate], rules: Rules, *, either: bool = False) -> list[Candidate]:
    """Those that a walk in some order ends with: each reaches every other one by steps of `is better than`, for a walk
    is a ladder on which the winner of each rung meets the next. `either`: what only history tells goes both ways."""
    beats: dict[int, set[int]] = {number: set() for number in range(len(paths))}
    for one, other in combinations(beats, 2):
        verdict = compare(paths[one], paths[other], rules)
        both = either and verdict.open
        if verdict.better == -1 or both:
            beats[one].add(other)
        if verdict.better == 1 or both:
            beats[other].add(one)
    return [path for number, path in enumerate(paths) if len(_reached(beats, number)) == len(paths)]


def _reached(beats: Mapping[int, set[int]], start: int) -> set[int]:
    found, waiting = {start}, [start]
    while waiting:
        new = beats[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def used_together(eligible: Sequence[Candidate], best: Candidate, rules: Rules) -> list[Candidate]:
    """Equal-cost multipath, on by default in FRR from 7.0 on (bgp_path_info_cmp, step 11): the best path's companions,
    by their next hops, as many as `maximum-paths` of the best path's kind lets (bgp_path_info_mpath_update)."""
    if not rules.multipath or max(rules.together.external, rules.together.internal) < 2:
        return []
    most = rules.together.internal if best.type == "ibgp" else rules.together.external
    found: list[Candidate] = []
    hops: str | None = None
    for path in sorted(eligible, key=_mpath_order):
        same = (path.attributes.next_hop, path.beside) == (best.attributes.next_hop, best.beside)
        if path is best or "local" in (path.type, best.type) or same:
            continue
        if len(found) + 1 < most and path.attributes.next_hop != hops and compare(path, best, rules).equal:
            found.append(path)
            hops = path.attributes.next_hop
    return found


def _mpath_order(path: Candidate) -> tuple[object, ...]:
    """bgp_path_info_mpath_cmp: by next hop, then by the peer's address. Link-local ones come from MAC addresses."""
    hop = path.attributes.next_hop
    try:
        address = ip_address(hop)
    except ValueError:
        return (1, 0, 0, hop, peer_address(path), path.place)
    return (0, address.version, int(address), "", peer_address(path), path.place)
