"""A state's tables as parts of the report: every path with its fate, every Adj-RIB-Out, every kernel route."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from bgpsim.check.spelling import as_path_text, next_hop_text
from bgpsim.network.grouped import Grouped, key_at
from bgpsim.network.state import Attributes, NetworkState
from bgpsim.report.assemble import lines
from bgpsim.report.table_parts import AdvertisedRow, AttributesPart, FibRow, PathRow, TablesPart

MOST_LISTED = 1000
"""Routes of one table at one place (a router's from one neighbor, say) that are listed: the first by address."""

Key = TypeVar("Key", bound=tuple[Any, ...])
Value = TypeVar("Value")


def tables(state: NetworkState) -> TablesPart:
    """Sorted by device, family, prefix (by address), neighbor and path id."""
    paths = sorted(_listed(state.paths), key=lambda i: (i[0].device, i[0].family, i[0].prefix, *i[0][3:]))
    advertised = sorted(_listed(state.advertised), key=lambda i: (i[0].device, i[0].neighbor, i[0].family, i[0].prefix))
    fib = sorted(_listed(state.fib), key=lambda i: (i[0].device, i[0].family, i[0].prefix, i[0].metric))
    return TablesPart(
        paths=[
            PathRow(
                device=key.device,
                family=key.family,
                prefix=str(key.prefix),
                neighbor=key.neighbor,
                path_id=key.path_id,
                attributes=_attributes(path.attributes),
                weight=path.weight,
                valid=path.valid,
                best=path.best,
                multipath=path.multipath,
                reason=path.reason,
                lost=path.lost,
                because=lines(path.sources),
            )
            for key, path in paths
        ],
        advertised=[
            AdvertisedRow(
                device=key.device,
                neighbor=key.neighbor,
                family=key.family,
                prefix=str(key.prefix),
                attributes=_attributes(attributes),
            )
            for key, attributes in advertised
        ],
        fib=[
            FibRow(
                device=key.device,
                family=key.family,
                prefix=str(key.prefix),
                metric=key.metric,
                kind=route.kind,
                protocol=route.protocol,
                next_hops=sorted(next_hop_text(hop) for hop in route.next_hops),
                linkdown=route.linkdown,
                because=lines(route.sources),
            )
            for key, route in fib
        ],
        left_out=len(state.paths) + len(state.advertised) + len(state.fib) - len(paths) - len(advertised) - len(fib),
    )


def _listed(entries: Mapping[Key, Value]) -> Iterator[tuple[Key, Value]]:
    for place, table in Grouped.of(entries).tables.items():
        for prefix in sorted(table)[:MOST_LISTED]:
            yield key_at(place, prefix), table[prefix]


def _attributes(attributes: Attributes) -> AttributesPart:
    return AttributesPart(
        next_hop=attributes.next_hop,
        as_path=as_path_text(attributes.as_path),
        origin=attributes.origin,
        med=attributes.med,
        local_preference=attributes.local_preference,
        communities=list(attributes.communities),
        large_communities=list(attributes.large_communities),
        extended_communities=list(attributes.extended_communities),
        originator_id=attributes.originator_id,
        cluster_list=list(attributes.cluster_list),
        atomic_aggregate=attributes.atomic_aggregate,
        aggregator=attributes.aggregator,
        unknown=list(attributes.unknown),
    )
