"""Which lists and route-maps a neighbor's routes go through, and what is sent along."""

from __future__ import annotations

from typing import Literal, cast

from bgpsim.inputs.frr.configuration import Configuration
from bgpsim.inputs.frr.grammar.statement import Apply, Said, Statement, modelled
from bgpsim.inputs.frr.policies import PeerPolicy, Slot, Way
from bgpsim.inputs.frr.statements.neighbor import NEIGHBOR, OF_A_FAMILY, named
from bgpsim.network.description import ALL_COMMUNITIES
from bgpsim.network.policies import CommunityKind, Use

_IN_OUT = "<in|out>$direction"
_WHICH = "<both|all|extended|standard|large>$which"
_SENT: dict[str, frozenset[CommunityKind]] = {
    "standard": frozenset(("standard",)),
    "extended": frozenset(("extended",)),
    "large": frozenset(("large",)),
    "both": frozenset(("standard", "extended")),
    "all": ALL_COMMUNITIES,
}


def policy_of(router: Configuration, said: Said) -> PeerPolicy:
    peer = router.bgp.neighbors.peer(said.text("neighbor"))
    return peer.policy.setdefault(said.family, PeerPolicy())


def _filter(slot: Slot) -> Apply:
    """The line is behind the routes that it filters or changes, and not behind the session."""

    def apply(router: Configuration, said: Said) -> None:
        policy, way = policy_of(router, said), cast("Way", said.text("direction"))
        if said.negated:
            policy.leave(way, slot)
        else:
            policy.use(way, slot, Use(said.text("name"), said.source))

    return apply


def _weight(router: Configuration, said: Said) -> None:
    named(router, said)
    policy_of(router, said).weight = None if said.negated else said.number("weight")


def _send_community(router: Configuration, said: Said) -> None:
    kinds = _SENT[said.text("which") if "which" in said else "standard"]
    named(router, said)
    policy_of(router, said).sent |= dict.fromkeys(kinds, not said.negated)


def _flag(field: Literal["soft_reconfiguration", "next_hop_self_force"]) -> Apply:
    def apply(router: Configuration, said: Said) -> None:
        named(router, said)
        setattr(policy_of(router, said), field, not said.negated)

    return apply


def _default_originate(router: Configuration, said: Said) -> None:
    """It is behind the default route alone, and not behind the session and all that it carries."""
    originate = router.bgp.neighbors.peer(said.text("neighbor")).default_originate
    policy = policy_of(router, said)
    policy.default_said = not said.negated
    policy.default_map = Use(said.text("map"), said.source) if "map" in said and not said.negated else None
    if said.negated:
        originate.pop(said.family, None)
    else:
        originate[said.family] = said.source


STATEMENTS: tuple[Statement, ...] = (
    modelled(
        OF_A_FAMILY,
        f"[no] {NEIGHBOR} route-map WORD$name {_IN_OUT}",
        _filter("route_map"),
        "neighbor 10.0.1.2 route-map OUT out",
    ),
    modelled(
        OF_A_FAMILY,
        f"[no] {NEIGHBOR} prefix-list WORD$name {_IN_OUT}",
        _filter("prefix_list"),
        "neighbor 10.0.1.2 prefix-list OUT out",
    ),
    modelled(
        OF_A_FAMILY,
        f"[no] {NEIGHBOR} filter-list WORD$name {_IN_OUT}",
        _filter("as_path_list"),
        "neighbor 10.0.1.2 filter-list PATHS in",
    ),
    modelled(
        OF_A_FAMILY,
        f"[no] {NEIGHBOR} distribute-list WORD$name {_IN_OUT}",
        _filter("access_list"),
        "neighbor 10.0.1.2 distribute-list ACCESS in",
    ),
    modelled(
        OF_A_FAMILY,
        f"[no] {NEIGHBOR} default-originate [route-map WORD$map]",
        _default_originate,
        "neighbor 10.0.1.2 default-originate",
        "neighbor 10.0.1.2 default-originate route-map OUT",
    ),
    modelled(
        OF_A_FAMILY,
        f"{NEIGHBOR} weight (0-65535)$weight",
        _weight,
        "neighbor 10.0.1.2 weight 100",
        undo=f"{NEIGHBOR} weight [(0-65535)]",
        refused=("neighbor 10.0.1.2 weight 65536",),
    ),
    modelled(
        OF_A_FAMILY,
        f"[no] {NEIGHBOR} next-hop-self force",
        _flag("next_hop_self_force"),
        "neighbor 10.0.1.2 next-hop-self force",
    ),
    modelled(
        OF_A_FAMILY,
        f"[no] {NEIGHBOR} send-community [{_WHICH}]",
        _send_community,
        "no neighbor 10.0.1.2 send-community",
        "neighbor 10.0.1.2 send-community both",
    ),
    modelled(
        OF_A_FAMILY,
        f"[no] {NEIGHBOR} soft-reconfiguration inbound",
        _flag("soft_reconfiguration"),
        "neighbor 10.0.1.2 soft-reconfiguration inbound",
    ),
)
