"""Aggregates, and the options of an instance that are about its own routes."""

from __future__ import annotations

from typing import Literal, cast

from bgpsim.inputs.frr.configuration import Configuration
from bgpsim.inputs.frr.grammar.modes import Mode
from bgpsim.inputs.frr.grammar.statement import Said, Statement, modelled
from bgpsim.inputs.frr.route_options import InstanceRoutes
from bgpsim.inputs.frr.statements.origination import prefix_of
from bgpsim.inputs.frr.values import NotTaken, Refused, Unknown
from bgpsim.network.policies import Use
from bgpsim.network.route_options import Aggregate

_V4: tuple[Mode, ...] = ("ipv4-unicast", "bgp")
_OPTIONS = (
    "[{as-set|summary-only|route-map WORD$map|origin <egp|igp|incomplete>$origin|matching-MED-only"
    "|suppress-map WORD$suppress}]"
)


def _routes(router: Configuration) -> InstanceRoutes:
    return router.bgp.part(InstanceRoutes)


def _aggregate(router: Configuration, said: Said) -> None:
    """A line takes the place of one about the same prefix (bgpd/bgp_route.c, bgp_aggregate_set)."""
    aggregates, prefix = _routes(router).aggregates, prefix_of(said)
    if said.negated:
        if aggregates.pop(prefix, None) is None:
            raise NotTaken("there is no such aggregate at this line")
        return
    if said.has("summary-only") and "suppress" in said:
        raise Refused("'summary-only' and 'suppress-map' can't be used at the same time")
    origin = cast("Literal['egp', 'igp', 'incomplete']", said.text("origin")) if "origin" in said else None
    aggregates[prefix] = Aggregate(
        prefix,
        summary_only=said.has("summary-only"),
        as_set=said.has("as-set"),
        matching_med=said.has("matching-MED-only"),
        origin=origin,
        route_map=Use(said.text("map"), said.source) if "map" in said else None,
        suppress_map=Use(said.text("suppress"), said.source) if "suppress" in said else None,
        source=said.source,
    )


def _import_check(router: Configuration, said: Said) -> None:
    if router.running and _routes(router).backdoors:
        raise Unknown("a running bgpd originates `backdoor` networks then")
    _routes(router).import_check = not said.negated
    router.bgp.option_sources["network_import_check"] = said.source


def _graceful_shutdown(router: Configuration, said: Said) -> None:
    _routes(router).graceful_shutdown = not said.negated
    router.bgp.option_sources["graceful_shutdown"] = said.source


STATEMENTS: tuple[Statement, ...] = (
    modelled(
        _V4,
        f"[no] aggregate-address <A.B.C.D/M$prefix|A.B.C.D$address A.B.C.D$mask> {_OPTIONS}",
        _aggregate,
        "aggregate-address 10.0.0.0/8",
        "aggregate-address 10.0.0.0/8 summary-only as-set",
        "aggregate-address 10.0.0.0/8 suppress-map OUT",
        "aggregate-address 10.0.0.0/8 matching-MED-only origin egp route-map OUT",
        refused=("aggregate-address 10.0.0.0/33",),
    ),
    modelled(
        "ipv6-unicast",
        f"[no] aggregate-address X:X::X:X/M$prefix {_OPTIONS}",
        _aggregate,
        "aggregate-address 2001:db8::/32 summary-only",
    ),
    modelled("bgp", "[no] bgp network import-check", _import_check, "no bgp network import-check"),
    modelled("bgp", "[no] bgp graceful-shutdown", _graceful_shutdown, "bgp graceful-shutdown"),
)
