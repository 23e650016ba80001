"""What of BGP's routes zebra puts into the kernel."""

from __future__ import annotations

from dataclasses import replace

from bgpsim.inputs.frr.configuration import Configuration
from bgpsim.inputs.frr.grammar.statement import Apply, Said, Statement, modelled
from bgpsim.inputs.frr.route_options import InstanceRoutes
from bgpsim.inputs.frr.statements.neighbor import OF_A_FAMILY
from bgpsim.inputs.frr.statics import ZebraLines
from bgpsim.network.policies import Use
from bgpsim.network.route_options import DEFAULT_INSTALLATION, Installation

_ANEW = "a running router asks it of routes as they come"


def _of_family(router: Configuration, said: Said) -> Installation:
    router.only_at_boot(_ANEW)
    return router.bgp.part(InstanceRoutes).installation.get(said.family, DEFAULT_INSTALLATION)


def _table_map(router: Configuration, said: Said) -> None:
    changed = replace(_of_family(router, said), table_map=None if said.negated else Use(said.text("map"), said.source))
    router.bgp.part(InstanceRoutes).installation[said.family] = changed


def _distance(router: Configuration, said: Said) -> None:
    values = Installation()
    if not said.negated:
        values = Installation(said.number("external"), said.number("internal"), said.number("local"))
    changed = replace(values, table_map=_of_family(router, said).table_map)
    router.bgp.part(InstanceRoutes).installation[said.family] = changed


def _suppress(router: Configuration, said: Said) -> None:
    router.only_at_boot(_ANEW)
    router.bgp.part(InstanceRoutes).suppress_fib_pending = not said.negated
    router.bgp.option_sources["suppress_fib_pending"] = said.source


def _bgp_map(version: int) -> Apply:
    def apply(router: Configuration, said: Said) -> None:
        router.only_at_boot(_ANEW)
        maps = router.part(ZebraLines).bgp_maps
        if said.negated:
            maps.pop(version, None)
        else:
            maps[version] = Use(said.text("map"), said.source)

    return apply


STATEMENTS: tuple[Statement, ...] = (
    modelled(OF_A_FAMILY, "[no] table-map WORD$map", _table_map, "table-map OUT"),
    modelled(
        OF_A_FAMILY,
        "distance bgp (1-255)$external (1-255)$internal (1-255)$local",
        _distance,
        "distance bgp 20 200 200",
        undo="distance bgp [(1-255) (1-255) (1-255)]",
        refused=("distance bgp 20 200 256",),
    ),
    modelled("bgp", "[no] bgp suppress-fib-pending", _suppress, "bgp suppress-fib-pending"),
    modelled(
        "config",
        "[no] ip protocol bgp route-map WORD$map",
        _bgp_map(4),
        "ip protocol bgp route-map OUT",
        daemons=("zebra",),
    ),
    modelled(
        "config",
        "[no] ipv6 protocol bgp route-map WORD$map",
        _bgp_map(6),
        "ipv6 protocol bgp route-map OUT",
        daemons=("zebra",),
    ),
)
