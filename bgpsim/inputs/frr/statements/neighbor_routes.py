"""What is done to AS paths and attributes of one neighbor's routes, and how many paths it is sent."""

from __future__ import annotations

from typing import cast, get_args

from bgpsim.inputs.frr.configuration import Configuration
from bgpsim.inputs.frr.grammar.statement import Apply, Said, Statement, modelled
from bgpsim.inputs.frr.route_options import PRIVATE_AS
from bgpsim.inputs.frr.statements.neighbor import NEIGHBOR, OF_A_FAMILY, named
from bgpsim.inputs.frr.values import Unknown
from bgpsim.network.policies import Use
from bgpsim.network.route_options import SentPaths, Unchanged

_ALLOWED = 3
"""`allowas-in` without a number (bgpd/bgp_vty.c, neighbor_allowas_in)."""


def _options(router: Configuration, said: Said) -> dict[str, object]:
    return router.bgp.neighbors.peer(said.text("neighbor")).options.setdefault(said.family, {})


def _flag(field: str, on: object = True, off: object = False) -> Apply:
    def apply(router: Configuration, said: Said) -> None:
        named(router, said)
        _options(router, said)[field] = off if said.negated else on

    return apply


def _private_as(router: Configuration, said: Said) -> None:
    named(router, said)
    word = "replace" if said.has("replace-AS") else "remove"
    form = f"{word} all" if said.has("all") else word
    assert form in PRIVATE_AS
    _options(router, said)[form] = not said.negated


def _allow_own_as(router: Configuration, said: Said) -> None:
    """The number and `origin` take each other's place (bgpd/bgpd.c, peer_allowas_in_set)."""
    named(router, said)
    origin = said.has("origin") and not said.negated
    times = 0 if said.negated or origin else said.number("times") if "times" in said else _ALLOWED
    _options(router, said).update(own_as_allowed=times, own_origin_allowed=origin)


def _unchanged(router: Configuration, said: Said) -> None:
    """None named: all. Those that are not named are off from here on (bgpd/bgp_vty.c, neighbor_attr_unchanged)."""
    named(router, said)
    every: tuple[Unchanged, ...] = get_args(Unchanged)
    given = frozenset(word for word in every if said.has(word)) or frozenset(every)
    options = _options(router, said)
    before = cast("frozenset[Unchanged]", options.get("unchanged", frozenset()))
    options["unchanged"] = before - given if said.negated else given


def _unsuppress(router: Configuration, said: Said) -> None:
    _options(router, said)["unsuppress"] = None if said.negated else Use(said.text("map"), said.source)


def _sent_paths(sent: SentPaths) -> Apply:
    def apply(router: Configuration, said: Said) -> None:
        options = _options(router, said)
        if said.negated and options.get("sent_paths") != sent:
            raise Unknown("it is not so at this line: a router says so, and goes on")
        named(router, said)
        options["sent_paths"] = "best" if said.negated else sent

    return apply


STATEMENTS: tuple[Statement, ...] = (
    modelled(
        OF_A_FAMILY,
        f"[no] {NEIGHBOR} remove-private-AS [all] [replace-AS]",
        _private_as,
        "neighbor 10.0.1.2 remove-private-AS",
        "neighbor 10.0.1.2 remove-private-AS all",
        "neighbor 10.0.1.2 remove-private-AS replace-AS",
        "neighbor 10.0.1.2 remove-private-AS all replace-AS",
    ),
    modelled(OF_A_FAMILY, f"[no] {NEIGHBOR} as-override", _flag("as_override"), "neighbor 10.0.1.2 as-override"),
    modelled(
        OF_A_FAMILY,
        f"[no] {NEIGHBOR} allowas-in [<(1-10)$times|origin>]",
        _allow_own_as,
        "neighbor 10.0.1.2 allowas-in",
        "neighbor 10.0.1.2 allowas-in 2",
        "neighbor 10.0.1.2 allowas-in origin",
        refused=("neighbor 10.0.1.2 allowas-in 11",),
    ),
    modelled(
        OF_A_FAMILY,
        f"[no] {NEIGHBOR} attribute-unchanged [{{as-path|next-hop|med}}]",
        _unchanged,
        "neighbor 10.0.1.2 attribute-unchanged",
        "neighbor 10.0.1.2 attribute-unchanged med as-path",
    ),
    modelled(
        OF_A_FAMILY,
        f"[no] {NEIGHBOR} unsuppress-map WORD$map",
        _unsuppress,
        "neighbor 10.0.1.2 unsuppress-map OUT",
    ),
    modelled(
        OF_A_FAMILY,
        f"[no] {NEIGHBOR} addpath-tx-all-paths",
        _sent_paths("all"),
        "neighbor 10.0.1.2 addpath-tx-all-paths",
    ),
    modelled(
        OF_A_FAMILY,
        f"[no] {NEIGHBOR} addpath-tx-bestpath-per-AS",
        _sent_paths("best per AS"),
        "neighbor 10.0.1.2 addpath-tx-bestpath-per-AS",
    ),
    modelled(
        ("ipv4-unicast", "ipv6-unicast"),
        f"[no] {NEIGHBOR} disable-addpath-rx",
        _flag("several_taken", on=False, off=True),
        "neighbor 10.0.1.2 disable-addpath-rx",
    ),
)
