"""A step's tables for the terminal, device by device, in the manner of `show bgp` and `ip route`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from bgpsim.report.table_parts import AttributesPart, PathRow, TablesPart


def tables_text(tables: TablesPart) -> Iterator[str]:
    """Lines without markup. `>` best, `=` used beside it, `*` eligible, `x` not in the table; losers say why."""
    for device, rows in groupby(tables.paths, key=lambda row: row.device):
        yield f"{device}: BGP table"
        for row in rows:
            path = f" path-id {row.path_id}" if row.path_id else ""
            yield f"  {_flag(row)} {row.prefix}  from {row.neighbor}{path}  {_attributes(row.attributes)}{_fate(row)}"
    for (device, neighbor), sent in groupby(tables.advertised, key=lambda row: (row.device, row.neighbor)):
        yield f"{device}: Adj-RIB-Out to {neighbor}"
        for entry in sent:
            yield f"  {entry.prefix}  {_attributes(entry.attributes)}"
    for device, routes in groupby(tables.fib, key=lambda row: row.device):
        yield f"{device}: kernel routes"
        for route in routes:
            kind = "" if route.kind == "unicast" else f"{route.kind} "
            metric = f" metric {route.metric}" if route.metric else ""
            linkdown = " linkdown" if route.linkdown else ""
            yield f"  {kind}{route.prefix} {', '.join(route.next_hops)} proto {route.protocol}{metric}{linkdown}"
    if tables.left_out:
        yield f"… and {tables.left_out} more rows of long tables"


def _flag(row: PathRow) -> str:
    if row.best:
        return ">"
    if row.multipath:
        return "="
    return "*" if row.valid else "x"


def _fate(row: PathRow) -> str:
    if row.best:
        return "" if row.reason is None else f"  (best by {row.reason})"
    return "" if row.lost is None else f"  (lost: {row.lost})"


def _attributes(of: AttributesPart) -> str:
    parts = [f"via {of.next_hop}", f"path [{of.as_path}]", of.origin]
    for name, value in (("med", of.med), ("local-pref", of.local_preference), ("originator", of.originator_id)):
        if value is not None:
            parts.append(f"{name} {value}")
    if of.cluster_list:
        parts.append(f"cluster-list {' '.join(of.cluster_list)}")
    if of.aggregator is not None:
        parts.append(f"aggregator {of.aggregator}")
    parts += ["atomic-aggregate"] if of.atomic_aggregate else []
    parts += [*of.communities, *of.large_communities, *of.extended_communities]
    parts += [f"attribute [{unknown}]" for unknown in of.unknown]
    return " ".join(parts)
