"""`aggregate-address`: the route that a router makes of its more specific ones, and which of those it holds back.

bgpd/bgp_route.c, bgp_aggregate_route and bgp_attr.c, bgp_attr_aggregate_intern. Every valid path of a longer prefix
contributes, best or not, but for other aggregates' (RFC 4271 section 9.2.2.2). Measured on 8.4.4: contributors'
ATOMIC_AGGREGATE is not passed on with `as-set`, and GRACEFUL_SHUTDOWN among their communities is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from bgpsim.model.as_paths import aggregated
from bgpsim.model.decision import LOCAL, ORIGINS, Candidate
from bgpsim.model.inside_as import known_as
from bgpsim.model.neighbor_policy import by_map, hop_addresses
from bgpsim.model.neighbors import router_id
from bgpsim.model.policy import LOCAL_WEIGHT, on_its_way_out
from bgpsim.model.route_map_sets import SELF, Changed
from bgpsim.model.route_maps import Asked, apply
from bgpsim.model.selection import Decided
from bgpsim.model.wiring import Wiring
from bgpsim.network.description import Device, Network
from bgpsim.network.route_options import Aggregate
from bgpsim.network.state import Attributes, NetworkState
from bgpsim.network.types import Prefix
from bgpsim.source import Source, merged

_COMMUNITIES = ("communities", "large_communities", "extended_communities")


def within(prefix: Prefix, aggregate: Prefix) -> bool:
    """Strictly: an aggregate's own prefix is none of its contributors."""
    return (
        prefix.version == aggregate.version
        and prefix.prefixlen > aggregate.prefixlen
        and int(prefix.network_address) >> (prefix.max_prefixlen - aggregate.prefixlen)
        == int(aggregate.network_address) >> (prefix.max_prefixlen - aggregate.prefixlen)
    )


Contributors: TypeAlias = Mapping[tuple[Prefix, str, int], Attributes]
"""By prefix, neighbor and path id."""
KeptApart: TypeAlias = Mapping[tuple[str, Prefix], Contributors]
"""By device and aggregate: what it had when its MEDs differed."""


def kept_apart(network: Network, before: NetworkState | None) -> KeptApart:
    """Aggregates with `matching-MED-only` that were not there, for their MEDs differed. bgpd looks again when a path
    comes or changes, and not yet when one goes (bgp_aggregate_med_update: it is still in the table then)."""
    found: dict[tuple[str, Prefix], dict[tuple[Prefix, str, int], Attributes]] = {}
    for name, device in network.devices.items() if before is not None else ():
        matching = [a.prefix for a in device.bgp.aggregates if a.matching_med] if device.bgp is not None else []
        if not matching:
            continue
        assert before is not None
        paths = [(key, path) for key, path in before.paths.items() if key.device == name and path.valid]
        made = {key.prefix for key, path in paths if key.neighbor == LOCAL and path.attributes.aggregator}
        for prefix in set(matching) - made:
            of = {(k.prefix, k.neighbor, k.path_id): p.attributes for k, p in paths if within(k.prefix, prefix)}
            if of:
                found[name, prefix] = of
    return found


@dataclass(slots=True)
class Aggregation:
    """One router's."""

    wiring: Wiring
    device: Device
    apart: KeptApart = field(default_factory=dict)
    made: dict[Prefix, Candidate] = field(default_factory=dict)
    """The aggregates that are there now."""
    unequal: set[Prefix] = field(default_factory=set)
    """Those with `matching-MED-only` whose contributors' MEDs differ: no aggregate, and nothing is held back."""

    @property
    def aggregates(self) -> tuple[Aggregate, ...]:
        return () if self.device.bgp is None else self.device.bgp.aggregates

    def update(self, tables: Mapping[Prefix, tuple[Decided, ...]], changed: Iterable[Prefix]) -> frozenset[Prefix]:
        """The prefixes that must be decided or told anew, after those of `changed` were decided."""
        moved = tuple(changed)
        anew: set[Prefix] = set()
        for aggregate in self.aggregates:
            if not any(within(prefix, aggregate.prefix) for prefix in moved):
                continue
            inside = [prefix for prefix in tables if within(prefix, aggregate.prefix)]
            paths = [(prefix, d.path) for prefix in inside for d in tables[prefix]]
            contributing = [path for _, path in paths if path.valid and not path.aggregate]
            was_unequal = aggregate.prefix in self.unequal
            unequal = aggregate.matching_med and self._unequal(aggregate, paths)
            (self.unequal.add if unequal else self.unequal.discard)(aggregate.prefix)
            if unequal != was_unequal:
                anew.update(inside)
            made = None if unequal or not contributing else self._made(aggregate, contributing)
            if made is not None and any(_taken_for(made, d.path) for d in tables.get(aggregate.prefix, ())):
                made = None
            if made != self.made.get(aggregate.prefix):
                anew.add(aggregate.prefix)
                if made is None:
                    del self.made[aggregate.prefix]
                else:
                    self.made[aggregate.prefix] = made
        return frozenset(anew)

    def _unequal(self, aggregate: Aggregate, inside: Iterable[tuple[Prefix, Candidate]]) -> bool:
        paths = {(prefix, *p.place): p.attributes for prefix, p in inside if p.valid and not p.aggregate}
        if len({attributes.med or 0 for attributes in paths.values()}) > 1:
            return True
        before = self.apart.get((self.device.name, aggregate.prefix))
        return before is not None and all(replace(a, unknown=()) == before.get(key) for key, a in paths.items())

    def suppresses(self, prefix: Prefix, path: Candidate) -> bool:
        """Whether the path is held back from neighbors (without an `unsuppress-map`)."""
        if path.aggregate:
            return False
        return any(
            self._suppresses(aggregate, prefix, path)
            for aggregate in self.aggregates
            if within(prefix, aggregate.prefix) and aggregate.prefix not in self.unequal
        )

    def _suppresses(self, aggregate: Aggregate, prefix: Prefix, path: Candidate) -> bool:
        if aggregate.summary_only or aggregate.suppress_map is None:
            return aggregate.summary_only
        attributes = path.attributes
        preference = attributes.local_preference
        route = Changed(
            attributes,
            attributes.med or 0,
            _preferred(self.device) if preference is None else preference,
            path.weight,
            path.tag,
        )
        return apply(self._asked(prefix), aggregate.suppress_map.name, route).permitted

    def _asked(self, prefix: Prefix) -> Asked:
        return Asked(self.device.policies, prefix, "network", hops=lambda text: hop_addresses(self.wiring, text))

    def _made(self, aggregate: Aggregate, paths: list[Candidate]) -> Candidate | None:
        instance = self.device.bgp
        assert instance is not None
        of = [path.attributes for path in paths]
        together: dict[str, tuple[str, ...]] = {}
        if aggregate.as_set:
            together = {name: tuple(sorted({c for a in of for c in getattr(a, name)})) for name in _COMMUNITIES}
        attributes = Attributes(
            SELF,
            as_path=aggregated(a.as_path for a in of) if aggregate.as_set else (),
            origin=_origin(aggregate, of),
            med=0,
            atomic_aggregate=not aggregate.as_set,
            aggregator=f"{known_as(instance)}:{router_id(self.device)}",
            **together,  # type: ignore[arg-type]
        )
        if instance.graceful_shutdown:
            attributes = on_its_way_out(attributes)
        preference = attributes.local_preference
        kept = _preferred(self.device) if preference is None else preference
        route = Changed(attributes, 0, kept, LOCAL_WEIGHT)
        lines: tuple[Source, ...] = (aggregate.source,) if aggregate.source else ()
        if aggregate.route_map is not None:
            found = by_map(aggregate.route_map, self._asked(aggregate.prefix), route, lines)
            if found.refused is not None:
                return None
            route, lines = found.route, found.lines
        return Candidate(
            LOCAL,
            "local",
            route.attributes,
            weight=route.weight,
            sources=merged(lines, *(path.sources for path in paths)),
            tag=route.tag,
            marks=route.marks,
            aggregate=True,
        )


def _preferred(device: Device) -> int:
    assert device.bgp is not None
    return device.bgp.choice.default_local_preference


def _taken_for(aggregate: Candidate, other: Candidate) -> bool:
    """bgpd 8.4 looks for what has changed at the prefix's first path, whosever it is, and where that one has the
    aggregate's attributes already it puts in none (bgp_aggregate_install, bgp_aggregate_info_same)."""
    if other.aggregate or other.type != "local" or not other.valid:
        return False
    names = ("origin", "as_path", *_COMMUNITIES)
    return all(getattr(aggregate.attributes, name) == getattr(other.attributes, name) for name in names)


def _origin(aggregate: Aggregate, of: Iterable[Attributes]) -> Literal["igp", "egp", "incomplete"]:
    """The worst of them, unless one is written."""
    if aggregate.origin is not None:
        return aggregate.origin
    return max((a.origin for a in of), key=lambda origin: ORIGINS[origin])
