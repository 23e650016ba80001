"""The decision process: which path of a prefix is best, and at which step each other one lost.

A flat list of steps in FRR's order (bgpd/bgp_route.c, bgp_path_info_cmp; RFC 4271 section 9.1.2.2), each with the
words that FRR prints as `selectionReason` (bgp_path_selection_reason2str). GoBGP's order is the same without weight.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Any, Literal, TypeAlias

from bgpsim.model.route_map_sets import Mark
from bgpsim.network.state import AsPath, Attributes, FibNextHop
from bgpsim.network.types import Address
from bgpsim.source import Source

LOCAL = "local"
DEFAULT_LOCAL_PREFERENCE = 100

PathType: TypeAlias = Literal["local", "ebgp", "ibgp"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One path of one prefix at one router, as the decision process sees it."""

    neighbor: str
    type: PathType
    attributes: Attributes
    weight: int = 0
    peer_as: int = 0
    router_id: int = 0
    peer_address: Address | None = None
    """None for an unnumbered session: its link-local addresses come from MAC addresses."""
    igp_metric: int = 0
    selected_before: bool = False
    """It was the best path before this computation (FRR's BGP_PATH_SELECTED)."""
    next_hops: frozenset[FibNextHop] = frozenset()
    """Where the next hop resolves to; empty for local paths and for engines that install nothing."""
    refused: str | None = None
    """Why it is not eligible; texts that start with `denied` name what no router keeps in its table."""
    sources: tuple[Source, ...] = ()
    path_id: int = 0
    tag: int = 0
    marks: frozenset[Mark] = frozenset()
    """What route-maps on the way in did to the next hop."""
    beside: str | None = None
    """The next hop that is there and not used: bgpsim/model/route_map_sets.py, Changed."""
    hop_interface: str | None = None
    """Of the next hop, where bgpd keeps it for `match interface`."""

    @property
    def place(self) -> tuple[str, int]:
        """Which of a table's paths of one prefix it is."""
        return (self.neighbor, self.path_id)

    @property
    def valid(self) -> bool:
        return self.refused is None


@dataclass(frozen=True, slots=True)
class Rules:
    """The `bgp bestpath` options of one router."""

    weight: bool = True
    """GoBGP has none."""
    multipath: bool = True
    multipath_relax: bool = False
    compare_router_id: bool = False
    always_compare_med: bool = False
    deterministic_med: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """`value`: the smaller one wins. `applies`: whether these two paths are compared at this step at all."""

    reason: str
    value: Callable[[Candidate], Any]
    applies: Callable[[Candidate, Candidate, Rules], bool] = lambda a, b, rules: True


def as_path_length(path: AsPath) -> int:
    """An AS_SET counts as one (RFC 4271 section 9.1.2.2 a)."""
    return len(path)


def neighbor_as(path: AsPath) -> int | frozenset[int] | None:
    return path[0] if path else None


def _local_preference(path: Candidate) -> int:
    value = path.attributes.local_preference
    return DEFAULT_LOCAL_PREFERENCE if value is None else value


def _med_compares(a: Candidate, b: Candidate, rules: Rules) -> bool:
    if rules.always_compare_med:
        return True
    one, other = neighbor_as(a.attributes.as_path), neighbor_as(b.attributes.as_path)
    # An AS_SET at the beginning is nobody's AS (bgpd/bgp_aspath.c, aspath_cmp_left).
    return one == other and not isinstance(one, frozenset)


def _both_external(a: Candidate, b: Candidate, rules: Rules) -> bool:
    return not rules.compare_router_id and a.type == b.type == "ebgp"


def _router_id(path: Candidate) -> int:
    originator = path.attributes.originator_id
    return _dotted(originator) if originator else path.router_id


def _dotted(text: str) -> int:
    number = 0
    for part in text.split("."):
        number = number * 256 + int(part)
    return number


def _both_unnumbered(a: Candidate, b: Candidate, rules: Rules) -> bool:
    return a.peer_address is None and b.peer_address is None and "local" not in (a.type, b.type)


def _learnt(a: Candidate, b: Candidate, rules: Rules) -> bool:
    return "local" not in (a.type, b.type)


_OF_A_MAC_ADDRESS = int(IPv6Address("fe80::8000:0:0:0"))
"""Stands for any link-local address that is made of a MAC address: above a speaker's, which is written."""


def _peer_address(path: Candidate) -> tuple[int, int]:
    """lib/sockunion.c, sockunion_cmp: the family first."""
    if path.peer_address is None:
        return (6, _OF_A_MAC_ADDRESS)
    return (path.peer_address.version, int(path.peer_address))


ORIGINS = {"igp": 0, "egp": 1, "incomplete": 2}
PEER_TYPES = {"local": 0, "ebgp": 0, "ibgp": 1}

EQUAL_COST_STEPS: tuple[Step, ...] = (
    Step("Weight", lambda p: -p.weight, lambda a, b, rules: rules.weight),
    Step("Local Pref", lambda p: -_local_preference(p)),
    Step("Local Route", lambda p: p.type != "local"),
    Step("AS Path", lambda p: as_path_length(p.attributes.as_path)),
    Step("Origin", lambda p: ORIGINS[p.attributes.origin]),
    Step("MED", lambda p: p.attributes.med or 0, _med_compares),
    Step("Peer Type", lambda p: PEER_TYPES[p.type]),
    Step("IGP Metric", lambda p: p.igp_metric),
)
"""Paths that no step up to here tells apart may be used together."""

TIE_STEPS: tuple[Step, ...] = (
    Step("Older Path", lambda p: not p.selected_before, _both_external),
    Step("Router ID", _router_id),
    Step("Cluster length", lambda p: len(p.attributes.cluster_list)),
    # Of two unnumbered neighbors nobody knows which has the lower address; the one that was best has.
    Step("Neighbor IP", lambda p: not p.selected_before, _both_unnumbered),
    Step("Neighbor IP", _peer_address, _learnt),
)
STEPS = EQUAL_COST_STEPS + TIE_STEPS
LAST_RESORT = "Nothing left to compare"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`better` is -1 when the first path wins, 1 when the second does; `reason` is the step that told."""

    better: Literal[-1, 1]
    reason: str


def compare(a: Candidate, b: Candidate, rules: Rules, steps: Sequence[Step] = STEPS) -> Verdict:
    """Compare two valid paths. Where no step tells, the name of the neighbor does, so that the answer is stable."""
    for step in steps:
        if not step.applies(a, b, rules):
            continue
        one, other = step.value(a), step.value(b)
        if one != other:
            return Verdict(-1 if one < other else 1, step.reason)
    reason = "Neighbor IP" if _both_unnumbered(a, b, rules) else LAST_RESORT
    return Verdict(-1 if a.place <= b.place else 1, reason)


def mac_addresses_decide(a: Candidate, b: Candidate, rules: Rules) -> bool:
    """Two unnumbered neighbors' paths that nothing else tells apart."""
    if not _both_unnumbered(a, b, rules) or _both_external(a, b, rules):
        return False
    return all(not s.applies(a, b, rules) or s.value(a) == s.value(b) for s in STEPS if s.reason != "Neighbor IP")


def equal_cost(a: Candidate, b: Candidate, rules: Rules) -> bool:
    """No step up to the IGP metric tells them apart."""
    return all(not s.applies(a, b, rules) or s.value(a) == s.value(b) for s in EQUAL_COST_STEPS)


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
    together = _by_next_hop(path for path in eligible if path is not best and _used_together(path, best, rules))
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
    if rules.deterministic_med:
        groups: dict[object, list[Candidate]] = {}
        for path in eligible:
            first = neighbor_as(path.attributes.as_path)
            groups.setdefault(path if isinstance(first, frozenset) else first, []).append(path)
        eligible = [winner for group in groups.values() if (winner := _walk(group, rules)) is not None]
    return _walk(eligible, rules)


def _walk(paths: Sequence[Candidate], rules: Rules) -> Candidate | None:
    """FRR walks the list once and keeps the better of two (bgp_best_selection)."""
    best: Candidate | None = None
    for path in paths:
        if best is None or compare(path, best, rules).better == -1:
            best = path
    return best


def _by_next_hop(paths: Iterable[Candidate]) -> list[Candidate]:
    """One path for each next hop, that of the lowest neighbor (bgpd/bgp_mpath.c, bgp_path_info_mpath_cmp and
    bgp_path_info_mpath_update)."""
    found: dict[str, Candidate] = {}
    for path in sorted(paths, key=_peer_address):
        found.setdefault(path.attributes.next_hop, path)
    return list(found.values())


def _used_together(path: Candidate, best: Candidate, rules: Rules) -> bool:
    """Equal-cost multipath, on by default in FRR from 7.0 on (bgp_path_info_cmp, step 11)."""
    if not rules.multipath or "local" in (path.type, best.type):
        return False
    same = (path.attributes.next_hop, path.beside) == (best.attributes.next_hop, best.beside)
    if same or not equal_cost(path, best, rules):
        return False
    if rules.multipath_relax:
        return True
    if path.type == "ibgp":
        return path.attributes.as_path == best.attributes.as_path
    return path.peer_as == best.peer_as
