"""Tables of routers, as parts of report.json."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bgpsim.report.part import Line, Part


class AttributesPart(Part):
    """Path attributes (RFC 4271 section 5); null: the attribute is not there."""

    next_hop: str
    as_path: str
    origin: Literal["igp", "egp", "incomplete"]
    med: int | None
    local_preference: int | None
    communities: list[str]
    large_communities: list[str]
    extended_communities: list[str]
    originator_id: str | None
    cluster_list: list[str]
    atomic_aggregate: bool
    aggregator: str | None
    unknown: list[str] = Field(description="`code 0xvalue` of each that no router here has a meaning for")


class PathRow(Part):
    """One path that a router heard or put in itself, and its fate in the decision process."""

    device: str
    family: str
    prefix: str
    neighbor: str
    path_id: int = Field(description="RFC 7911; 0: no add-path")
    attributes: AttributesPart
    weight: int
    valid: bool
    best: bool
    multipath: bool
    reason: str | None = Field(description="of the best path: the step that beat the runner-up")
    lost: str | None = Field(description="of any other: the step at which it lost, or why it is not eligible")
    because: list[Line]


class AdvertisedRow(Part):
    """One entry of an Adj-RIB-Out, as the router prints it."""

    device: str
    neighbor: str
    family: str
    prefix: str
    attributes: AttributesPart


class FibRow(Part):
    """One kernel route."""

    device: str
    family: str
    prefix: str
    metric: int
    kind: str
    protocol: str
    next_hops: list[str]
    linkdown: bool
    because: list[Line]


class TablesPart(Part):
    """`paths` is Adj-RIB-In and, by its best and multipath flags, Loc-RIB; `advertised` is Adj-RIB-Out."""

    paths: list[PathRow]
    advertised: list[AdvertisedRow]
    fib: list[FibRow]
    left_out: int = Field(default=0, description="rows that are not listed: of long tables the first routes are")
