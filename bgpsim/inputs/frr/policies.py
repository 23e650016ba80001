"""A router's policy lines -> Policies; what a neighbor or peer-group uses of them in one family -> NeighborFamily."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal, TypeVar

from bgpsim.inputs.frr.policy_lists import PolicyLists
from bgpsim.inputs.frr.route_maps import RouteMaps
from bgpsim.inputs.frr.values import NotTaken
from bgpsim.network.description import ALL_COMMUNITIES, NeighborFamily
from bgpsim.network.policies import NO_POLICIES, CommunityKind, Filters, Policies, Use

Rule = TypeVar("Rule")
Way = Literal["in", "out"]
Slot = Literal["access_list", "prefix_list", "as_path_list", "route_map"]
"""A field of Filters."""


class PolicyLines:
    """All lists and route-maps of a router."""

    def __init__(self) -> None:
        self.lists = PolicyLists()
        self.maps = RouteMaps()

    def built(self) -> Policies:
        lists, maps = self.lists, self.maps.built()
        if not (maps or lists.prefix or lists.access or lists.as_path or lists.community):
            return NO_POLICIES
        return Policies(
            MappingProxyType({name: _in_order(rules) for name, rules in lists.prefix.items()}),
            MappingProxyType({name: _in_order(rules) for name, rules in lists.access.items()}),
            MappingProxyType({name: _in_order(rules) for name, rules in lists.as_path.items()}),
            MappingProxyType({name: _in_order(rules) for name, rules in lists.community.items()}),
            MappingProxyType(maps),
        )


def _in_order(rules: Mapping[int, Rule]) -> tuple[Rule, ...]:
    return tuple(rule for _, rule in sorted(rules.items(), key=lambda item: item[0]))


@dataclass
class PeerPolicy:
    """What was said of a neighbor or a peer-group in one family; nothing: the group's, else the default."""

    uses: dict[tuple[Way, Slot], Use] = field(default_factory=dict)
    weight: int | None = None
    soft_reconfiguration: bool | None = None
    next_hop_self_force: bool | None = None
    default_map: Use | None = None
    default_said: bool = False
    """`default-originate` without a route-map takes the place of a group's with one."""
    sent: dict[CommunityKind, bool] = field(default_factory=dict)

    def use(self, way: Way, slot: Slot, use: Use) -> None:
        other: Slot | None = {"access_list": "prefix_list", "prefix_list": "access_list"}.get(slot)  # type: ignore[assignment]
        if other is not None and (way, other) in self.uses:
            raise NotTaken("a prefix-list and a distribute-list cannot be used together")
        self.uses[way, slot] = use

    def leave(self, way: Way, slot: Slot) -> None:
        self.uses.pop((way, slot), None)


def with_policy(settings: NeighborFamily, group: PeerPolicy, own: PeerPolicy) -> NeighborFamily:
    """A neighbor's own lines before its group's, one by one."""
    uses = group.uses | own.uses
    sent = dict.fromkeys(ALL_COMMUNITIES, True) | group.sent | own.sent
    return replace(
        settings,
        inbound=_filters(uses, "in"),
        outbound=_filters(uses, "out"),
        weight=next((w for w in (own.weight, group.weight) if w is not None), 0),
        soft_reconfiguration=bool(_first(own.soft_reconfiguration, group.soft_reconfiguration)),
        next_hop_self_force=bool(_first(own.next_hop_self_force, group.next_hop_self_force)),
        default_map=own.default_map if own.default_said else group.default_map,
        send_communities=frozenset(kind for kind, on in sent.items() if on),
    )


def _first(*said: bool | None) -> bool | None:
    return next((value for value in said if value is not None), None)


def _filters(uses: Mapping[tuple[Way, Slot], Use], way: Way) -> Filters:
    return Filters(**{slot: use for (direction, slot), use in uses.items() if direction == way})
