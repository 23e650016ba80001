"""The statements of FRR, a file for each subject. Each file has a tuple STATEMENTS; they are joined here."""

from bgpsim.inputs.frr.grammar.statement import Statement
from bgpsim.inputs.frr.statements import (
    bfd,
    decision,
    general,
    instance,
    listen,
    lists,
    neighbor,
    neighbor_policy,
    origination,
    other,
    policy,
    restart,
    rib,
    route_map,
    session_options,
    sessions,
    zebra,
)

STATEMENTS: tuple[Statement, ...] = (
    *general.STATEMENTS,
    *instance.STATEMENTS,
    *neighbor.STATEMENTS,
    *origination.STATEMENTS,
    *session_options.STATEMENTS,
    *listen.STATEMENTS,
    *sessions.STATEMENTS,
    *restart.STATEMENTS,
    *decision.STATEMENTS,
    *neighbor_policy.STATEMENTS,
    *policy.STATEMENTS,
    *lists.STATEMENTS,
    *route_map.STATEMENTS,
    *rib.STATEMENTS,
    *zebra.STATEMENTS,
    *bfd.STATEMENTS,
    *other.STATEMENTS,
)
