"""Statements of route reflectors and of confederations' members."""

from __future__ import annotations

from ipaddress import IPv4Address

from bgpsim.inputs.frr.configuration import Configuration
from bgpsim.inputs.frr.grammar.statement import Said, Statement, modelled
from bgpsim.inputs.frr.inside_as import InsideLines
from bgpsim.inputs.frr.statements.neighbor import NEIGHBOR, OF_A_FAMILY, named
from bgpsim.inputs.frr.values import NotTaken


def _client(router: Configuration, said: Said) -> None:
    peer = router.bgp.neighbors.peer(said.text("neighbor"))
    remote = router.bgp.neighbors.remote_as(peer)
    if remote not in ("internal", router.bgp.asn):
        raise NotTaken("it is not an internal neighbor at this line")
    named(router, said).reflector_client[said.family] = not said.negated


def _cluster(router: Configuration, said: Said) -> None:
    value = None if said.negated else said.value("cluster")
    assert value is None or isinstance(value, int | IPv4Address)
    router.bgp.part(InsideLines).cluster_id = None if value is None else IPv4Address(value)


def _between_clients(router: Configuration, said: Said) -> None:
    router.bgp.part(InsideLines).between_clients = not said.negated


def _outbound_policy(router: Configuration, said: Said) -> None:
    router.bgp.part(InsideLines).outbound_policy = not said.negated


def _identifier(router: Configuration, said: Said) -> None:
    router.bgp.part(InsideLines).identifier = None if said.negated else said.number("asn")
    router.bgp.option_sources["confederation"] = said.source


def _peers(router: Configuration, said: Said) -> None:
    """The own number is passed over, with a warning that stops nothing."""
    peers = router.bgp.part(InsideLines).peers
    numbers = {int(str(number)) for number in said.several("peers")} - {router.bgp.asn}
    (peers.difference_update if said.negated else peers.update)(numbers)


STATEMENTS: tuple[Statement, ...] = (
    modelled(
        OF_A_FAMILY,
        f"[no] {NEIGHBOR} route-reflector-client",
        _client,
        "neighbor 10.0.1.9 route-reflector-client",
        before=("neighbor 10.0.1.9 remote-as 65000",),
    ),
    modelled(
        "bgp",
        "[no] bgp client-to-client reflection",
        _between_clients,
        "no bgp client-to-client reflection",
    ),
    modelled(
        "bgp",
        "bgp cluster-id <A.B.C.D|(1-4294967295)>$cluster",
        _cluster,
        "bgp cluster-id 10.0.0.9",
        "bgp cluster-id 9",
        undo="bgp cluster-id [<A.B.C.D|(1-4294967295)>]",
    ),
    modelled(
        "bgp",
        "[no] bgp route-reflector allow-outbound-policy",
        _outbound_policy,
        "bgp route-reflector allow-outbound-policy",
    ),
    modelled(
        "bgp",
        "bgp confederation identifier ASNUM$asn",
        _identifier,
        "bgp confederation identifier 65500",
        undo="bgp confederation identifier [ASNUM]",
    ),
    modelled(
        "bgp",
        "[no] bgp confederation peers ASNUM...$peers",
        _peers,
        "bgp confederation peers 65001 65002",
    ),
)
