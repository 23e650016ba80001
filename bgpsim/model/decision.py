"""The decision process: which of two paths is the better one, and which step tells.

Steps in FRR's order (bgpd/bgp_route.c, bgp_path_info_cmp; RFC 4271 section 9.1.2.2, RFC 5065), each with the words that
FRR prints as `selectionReason` (bgp_path_selection_reason2str). GoBGP's order is the same without weight.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv6Address
from typing import Any, Literal, TypeAlias

from bgpsim.model.route_map_sets import Mark
from bgpsim.network.as_path import length, member_length, same_neighbor
from bgpsim.network.internal_bgp import USUAL_CHOICE, USUAL_TOGETHER, Choice, Together
from bgpsim.network.state import Attributes, FibNextHop
from bgpsim.network.types import Address
from bgpsim.source import Source

LOCAL = "local"
DEFAULT_LOCAL_PREFERENCE = 100

PathType: TypeAlias = Literal["local", "ebgp", "ibgp", "confed"]
"""confed: from another member AS of the confederation."""


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
    came: int = 0
    """In which step it came into the table (`BgpPath.came`)."""
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
    aggregate: bool = False
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
    """The `bgp bestpath` options of one router, and how many paths it uses together in one family."""

    weight: bool = True
    """GoBGP has none."""
    multipath: bool = True
    multipath_relax: bool = False
    compare_router_id: bool = False
    always_compare_med: bool = False
    deterministic_med: bool = False
    confederation: bool = False
    choice: Choice = USUAL_CHOICE
    together: Together = USUAL_TOGETHER


@dataclass(frozen=True, slots=True)
class Verdict:
    """`better` is -1 when the first path wins, 1 when the second does; `reason` is the step that told."""

    better: Literal[-1, 1]
    reason: str
    equal: bool = False
    """No step up to the IGP metric tells them apart, and the second may use the first beside itself."""
    open: bool = False
    """Only which of them was best before tells, and neither was."""


@dataclass(frozen=True, slots=True)
class Step:
    """`value`: the smaller one wins. `applies`: whether these two paths are compared at this step at all."""

    reason: str
    value: Callable[[Candidate, Rules], Any]
    applies: Callable[[Candidate, Candidate, Rules], bool] = lambda a, b, rules: True


def _local_preference(path: Candidate, rules: Rules) -> int:
    value = path.attributes.local_preference
    return rules.choice.default_local_preference if value is None else value


def _med(path: Candidate, rules: Rules) -> int:
    value = path.attributes.med
    return (_WORST_MED if rules.choice.med_missing_as_worst else 0) if value is None else value


def _med_compares(a: Candidate, b: Candidate, rules: Rules) -> bool:
    """`bgp bestpath med confed` makes no difference: MEDs of paths with member ASes alone are compared anyway."""
    one, other = a.attributes.as_path, b.attributes.as_path
    return rules.always_compare_med or same_neighbor(one, other) or length(one) == length(other) == 0


def _router_id(path: Candidate, rules: Rules) -> int:
    originator = path.attributes.originator_id
    return _dotted(originator) if originator else path.router_id


def _dotted(text: str) -> int:
    number = 0
    for part in text.split("."):
        number = number * 256 + int(part)
    return number


def both_unnumbered(a: Candidate, b: Candidate) -> bool:
    return a.peer_address is None and b.peer_address is None and "local" not in (a.type, b.type)


def _learnt(a: Candidate, b: Candidate, rules: Rules) -> bool:
    return "local" not in (a.type, b.type)


_OF_A_MAC_ADDRESS = int(IPv6Address("fe80::8000:0:0:0"))
"""Stands for any link-local address that is made of a MAC address: above a speaker's, which is written."""


def peer_address(path: Candidate) -> tuple[int, int]:
    """lib/sockunion.c, sockunion_cmp: the family first."""
    if path.peer_address is None:
        return (6, _OF_A_MAC_ADDRESS)
    return (path.peer_address.version, int(path.peer_address))


_WORST_MED = 2**32 - 1
ORIGINS = {"igp": 0, "egp": 1, "incomplete": 2}

ATTRIBUTE_STEPS: tuple[Step, ...] = (
    Step("Weight", lambda p, rules: -p.weight, lambda a, b, rules: rules.weight),
    Step("Local Pref", lambda p, rules: -_local_preference(p, rules)),
    Step("Local Route", lambda p, rules: p.type != "local"),
    Step(
        "AS Path",
        lambda p, rules: length(p.attributes.as_path),
        lambda a, b, rules: not (rules.choice.as_path_ignore or rules.choice.as_path_confed),
    ),
    Step(
        "Confederation based AS Path",
        lambda p, rules: length(p.attributes.as_path) + member_length(p.attributes.as_path),
        lambda a, b, rules: rules.choice.as_path_confed and not rules.choice.as_path_ignore,
    ),
    Step("Origin", lambda p, rules: ORIGINS[p.attributes.origin]),
    Step("MED", _med, _med_compares),
)
TIE_STEPS: tuple[Step, ...] = (
    Step("Router ID", _router_id),
    Step("Cluster length", lambda p, rules: len(p.attributes.cluster_list)),
    # Of two unnumbered neighbors nobody knows which has the lower address; the one that was best has.
    Step("Neighbor IP", lambda p, rules: not p.selected_before, lambda a, b, rules: both_unnumbered(a, b)),
    Step("Neighbor IP", lambda p, rules: peer_address(p), _learnt),
)
LAST_RESORT = "Nothing left to compare"
REASONS: tuple[str, ...] = (
    *(step.reason for step in ATTRIBUTE_STEPS),
    *("Peer Type", "IGP Metric", "Confed Peer Type", "Older Path"),
    *(step.reason for step in TIE_STEPS),
    LAST_RESORT,
)


def compare(a: Candidate, b: Candidate, rules: Rules) -> Verdict:
    """Compare two valid paths. Where no step tells, the name of the neighbor does, so that the answer is stable."""
    told = _first_told(ATTRIBUTE_STEPS, a, b, rules)
    if told is not None:
        return told
    by_type = _by_type(a, b, "ebgp", ("ibgp", "confed"), "Peer Type")
    if by_type is not None and not rules.choice.peer_type_relax:
        return by_type
    one, other = _distances(a, b, rules)
    if rules.confederation:
        between = _by_type(a, b, "confed", ("ibgp",), "Confed Peer Type")
        if between is not None and not rules.choice.peer_type_relax:
            return between
        by_type = by_type or between
    if one != other:
        return by_type or Verdict(_smaller(one, other), "IGP Metric")
    equal = _may_go_together(a, b, rules)
    if by_type is not None:
        return replace(by_type, equal=equal)
    return replace(_by_tie(a, b, rules), equal=equal)


def _smaller(one: Any, other: Any) -> Literal[-1, 1]:
    return -1 if one < other else 1


def _first_told(steps: Sequence[Step], a: Candidate, b: Candidate, rules: Rules) -> Verdict | None:
    for step in steps:
        if step.applies(a, b, rules):
            one, other = step.value(a, rules), step.value(b, rules)
            if one != other:
                return Verdict(_smaller(one, other), step.reason)
    return None


def _by_type(a: Candidate, b: Candidate, wins: PathType, against: tuple[PathType, ...], reason: str) -> Verdict | None:
    if a.type == wins and b.type in against:
        return Verdict(-1, reason)
    if b.type == wins and a.type in against:
        return Verdict(1, reason)
    return None


def _distances(a: Candidate, b: Candidate, rules: Rules) -> tuple[int, int]:
    """IGP metrics; where they are equal, and only with `equal-cluster-length`, internal paths' clusters."""
    if a.igp_metric == b.igp_metric and a.type == b.type == "ibgp" and rules.together.equal_cluster_length:
        return len(a.attributes.cluster_list), len(b.attributes.cluster_list)
    return a.igp_metric, b.igp_metric


def _may_go_together(path: Candidate, best: Candidate, rules: Rules) -> bool:
    if rules.multipath_relax:
        return True
    if path.type == "ibgp":
        return path.attributes.as_path == best.attributes.as_path
    return path.peer_as == best.peer_as


def _by_tie(a: Candidate, b: Candidate, rules: Rules) -> Verdict:
    """FRR keeps an external path that is best already; where none of two was, the order of arrival tells."""
    undecided = False
    if not rules.compare_router_id and a.type == b.type == "ebgp":
        if a.selected_before != b.selected_before:
            return Verdict(-1 if a.selected_before else 1, "Older Path", open=True)
        undecided = True
    told = _first_told(TIE_STEPS, a, b, rules)
    by_mac = both_unnumbered(a, b) and (told is None or told.reason == "Neighbor IP")
    if told is None and not by_mac:
        return _by_order(a, b)
    if told is None:
        told = Verdict(-1 if a.place <= b.place else 1, "Neighbor IP")
    return replace(told, open=undecided or by_mac)


def _by_order(a: Candidate, b: Candidate) -> Verdict:
    """Several paths of one neighbor (RFC 7911) differ in nothing else. bgpd walks from the newest path to the oldest,
    and the last of equal ones stays."""
    if a.selected_before != b.selected_before:
        better: Literal[-1, 1] = -1 if a.selected_before else 1
    else:
        better = -1 if a.place <= b.place else 1
    return Verdict(better, LAST_RESORT, open="local" not in (a.type, b.type))


def equal_cost(a: Candidate, b: Candidate, rules: Rules) -> bool:
    """Only the order of arrival tells them apart, or MAC addresses do, which are not known."""
    verdict = compare(a, b, rules)
    return verdict.open or a is b
