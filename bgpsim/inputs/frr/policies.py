"""Policy statements of one router: its lists and route-maps, and what a neighbor uses of them in one family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal, TypeVar

from bgpsim.inputs.frr import values
from bgpsim.inputs.frr.policy_lists import PolicyLists
from bgpsim.inputs.frr.route_maps import RouteMaps
from bgpsim.inputs.frr.values import Refused, Unknown
from bgpsim.network.description import ALL_COMMUNITIES, NeighborFamily, Redistribution
from bgpsim.network.policies import NO_POLICIES, CommunityKind, Filters, Policies, Use
from bgpsim.network.types import Family
from bgpsim.source import Source


class PolicyReader:
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


Rule = TypeVar("Rule")


def _in_order(rules: Mapping[int, Rule]) -> tuple[Rule, ...]:
    return tuple(rule for _, rule in sorted(rules.items(), key=lambda item: item[0]))


_SLOTS = {
    "distribute-list": "access_list",
    "prefix-list": "prefix_list",
    "filter-list": "as_path_list",
    "route-map": "route_map",
}
_SENT: Mapping[str, frozenset[CommunityKind]] = {
    "standard": frozenset(("standard",)),
    "extended": frozenset(("extended",)),
    "large": frozenset(("large",)),
    "both": frozenset(("standard", "extended")),
    "all": ALL_COMMUNITIES,
}


@dataclass
class PeerPolicy:
    """What was said of a neighbor or a peer-group in one family; nothing: the group's, else the default."""

    uses: dict[tuple[str, str], Use] = field(default_factory=dict)
    """By direction and `Filters` field."""
    weight: int | None = None
    soft_reconfiguration: bool | None = None
    next_hop_self_force: bool | None = None
    default_map: Use | None = None
    sent: dict[CommunityKind, bool] = field(default_factory=dict)

    def statement(self, words: list[str], negated: bool, source: Source) -> bool:
        """False: not a policy statement."""
        match words:
            case [("route-map" | "prefix-list" | "filter-list" | "distribute-list") as kind, name, way] if way in (
                "in",
                "out",
            ):
                self._use(kind, name, way, negated, source)
            case ["weight", *_] if negated:
                self.weight = None
            case ["weight", number]:
                self.weight = values.number(number, 0, 65535)
            case ["soft-reconfiguration", "inbound"]:
                self.soft_reconfiguration = not negated
            case ["next-hop-self", "force" | "all"]:
                self.next_hop_self_force = not negated
            case ["default-originate", "route-map", name]:
                self.default_map = None if negated else Use(name, source)
                return False
            case ["send-community"]:
                self.sent["standard"] = not negated
            case ["send-community", kind] if kind in _SENT:
                self.sent |= dict.fromkeys(_SENT[kind], not negated)
            case _:
                return False
        return True

    def _use(self, kind: str, name: str, way: str, negated: bool, source: Source) -> None:
        slot = _SLOTS[kind]
        if negated:
            if self.uses.pop((way, slot), None) is None:
                raise Unknown("the neighbor has none at this line")
            return
        other = {"access_list": "prefix_list", "prefix_list": "access_list"}.get(slot)
        if other is not None and (way, other) in self.uses:
            raise Refused("found a second one, expected either a prefix-list or a distribute-list")
        self.uses[way, slot] = Use(name, source)


def redistribution(
    family: Family, protocol: Literal["connected", "static", "kernel"], words: list[str], source: Source
) -> Redistribution:
    """`[metric N] [route-map R]`, in either order."""
    metric, use = None, None
    while words:
        match words:
            case ["metric", number, *rest] if metric is None:
                metric = values.number(number, 0, 2**32 - 1)
            case ["route-map", name, *rest] if use is None:
                use = Use(name, source)
            case _:
                raise Unknown
        words = rest
    return Redistribution(family, protocol, source, metric, use)


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
        default_map=own.default_map or group.default_map,
        send_communities=frozenset(kind for kind, on in sent.items() if on),
    )


def _first(*said: bool | None) -> bool | None:
    return next((value for value in said if value is not None), None)


def _filters(uses: Mapping[tuple[str, str], Use], way: str) -> Filters:
    return Filters(**{slot: use for (direction, slot), use in uses.items() if direction == way})
