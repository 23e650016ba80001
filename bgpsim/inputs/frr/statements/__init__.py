"""The statements of FRR, a file for each subject. Each file has a tuple STATEMENTS; they are joined here."""

from bgpsim.inputs.frr.grammar.statement import Statement
from bgpsim.inputs.frr.statements import (
    aggregates,
    bfd,
    decision,
    general,
    installation,
    instance,
    lists,
    neighbor,
    neighbor_policy,
    neighbor_routes,
    origination,
    other,
    policy,
    restart,
    rib,
    route_map,
    sessions,
    zebra,
)

STATEMENTS: tuple[Statement, ...] = (
    *general.STATEMENTS,
    *instance.STATEMENTS,
    *neighbor.STATEMENTS,
    *origination.STATEMENTS,
    *sessions.STATEMENTS,
    *restart.STATEMENTS,
    *decision.STATEMENTS,
    *neighbor_policy.STATEMENTS,
    *neighbor_routes.STATEMENTS,
    *aggregates.STATEMENTS,
    *installation.STATEMENTS,
    *policy.STATEMENTS,
    *lists.STATEMENTS,
    *route_map.STATEMENTS,
    *rib.STATEMENTS,
    *zebra.STATEMENTS,
    *bfd.STATEMENTS,
    *other.STATEMENTS,
)
