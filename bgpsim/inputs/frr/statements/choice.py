"""Statements about which path is chosen and how many are used together."""

from __future__ import annotations

from dataclasses import replace

from bgpsim.inputs.frr.configuration import Configuration
from bgpsim.inputs.frr.grammar.statement import Apply, Said, Statement, modelled
from bgpsim.inputs.frr.inside_as import InsideLines
from bgpsim.inputs.frr.statements.neighbor import OF_A_FAMILY
from bgpsim.network.internal_bgp import MOST_PATHS, Together

_LATER = "a running bgpd gives it to paths that come, and does not choose anew among those that are there"


def _option(*names: str) -> Apply:
    def apply(router: Configuration, said: Said) -> None:
        for name in names:
            router.bgp.part(InsideLines).options[name] = not said.negated
        router.bgp.option_sources[names[0]] = said.source

    return apply


def _relax(router: Configuration, said: Said) -> None:
    router.bgp.set("multipath_relax", not said.negated, said.source)


def _med(router: Configuration, said: Said) -> None:
    if said.has("missing-as-worst"):
        _option("med_missing_as_worst")(router, said)


def _local_preference(router: Configuration, said: Said) -> None:
    router.only_at_boot(_LATER)
    router.bgp.part(InsideLines).default_local_preference = 100 if said.negated else said.number("preference")
    router.bgp.option_sources["default_local_preference"] = said.source


def _external_paths(router: Configuration, said: Said) -> None:
    most = MOST_PATHS if said.negated else said.number("paths")
    router.bgp.part(InsideLines).change_together(said.family, lambda now: replace(now, external=most))


def _internal_paths(router: Configuration, said: Said) -> None:
    most = MOST_PATHS if said.negated else said.number("paths")
    equal = not said.negated and said.has("equal-cluster-length")

    def change(now: Together) -> Together:
        return replace(now, internal=most, equal_cluster_length=equal)

    router.bgp.part(InsideLines).change_together(said.family, change)


_IBGP = "maximum-paths ibgp (1-256)$paths [equal-cluster-length]"

STATEMENTS: tuple[Statement, ...] = (
    modelled("bgp", "[no] bgp bestpath as-path ignore", _option("as_path_ignore"), "bgp bestpath as-path ignore"),
    modelled("bgp", "[no] bgp bestpath as-path confed", _option("as_path_confed"), "bgp bestpath as-path confed"),
    modelled(
        "bgp",
        "[no] bgp bestpath as-path multipath-relax no-as-set",
        _relax,
        "bgp bestpath as-path multipath-relax no-as-set",
    ),
    modelled(
        "bgp",
        "[no] bgp bestpath med <confed [missing-as-worst]|missing-as-worst [confed]>",
        _med,
        "bgp bestpath med confed",
        "bgp bestpath med missing-as-worst",
    ),
    modelled(
        "bgp",
        "[no] bgp bestpath peer-type multipath-relax",
        _option("peer_type_relax"),
        "bgp bestpath peer-type multipath-relax",
    ),
    modelled(
        "bgp",
        "bgp default local-preference (0-4294967295)$preference",
        _local_preference,
        "bgp default local-preference 200",
        undo="bgp default local-preference [(0-4294967295)]",
    ),
    modelled(
        OF_A_FAMILY,
        "maximum-paths (1-256)$paths",
        _external_paths,
        "maximum-paths 4",
        undo="maximum-paths [(1-256)]",
        refused=("maximum-paths 257",),
    ),
    modelled(
        OF_A_FAMILY,
        _IBGP,
        _internal_paths,
        "maximum-paths ibgp 4",
        "maximum-paths ibgp 4 equal-cluster-length",
        undo="maximum-paths ibgp [(1-256) [equal-cluster-length]]",
    ),
)
