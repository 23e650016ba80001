"""`neighbor …`: neighbors, peer-groups and their sessions, as far as modelled."""

from __future__ import annotations

from typing import cast

from bgpsim.inputs.frr import values
from bgpsim.inputs.frr.configuration import Configuration
from bgpsim.inputs.frr.grammar.modes import Mode
from bgpsim.inputs.frr.grammar.statement import Apply, Said, Statement, modelled
from bgpsim.inputs.frr.neighbors import Peer, RemoteAs
from bgpsim.inputs.frr.statements.general import COSMETIC
from bgpsim.inputs.frr.values import NotTaken
from bgpsim.network.description import NO_AS

NEIGHBOR = "neighbor <A.B.C.D|X:X::X:X|WORD>$neighbor"
"""How a statement about a neighbor or peer-group begins."""
OF_A_FAMILY: tuple[Mode, ...] = ("ipv4-unicast", "ipv6-unicast", "bgp")
"""Where a statement of one address family may stand: outside of one FRR takes it for IPv4's."""
_REMOTE = "<ASNUM|internal|external>$remote"


def named(router: Configuration, said: Said) -> Peer:
    """The neighbor or group that the line is about; the line is one of those behind it. Raises NotTaken."""
    peer = router.bgp.neighbors.peer(said.text("neighbor"))
    peer.sources.append(said.source)
    return peer


def _remote(said: Said) -> RemoteAs:
    return cast("RemoteAs", said.value("remote"))


def _make_group(router: Configuration, said: Said) -> None:
    router.bgp.neighbors.make_group(said.text("neighbor")).sources.append(said.source)


def _remove(router: Configuration, said: Said) -> None:
    router.bgp.neighbors.remove(said.text("neighbor"))


def _remote_as(router: Configuration, said: Said) -> None:
    peer = router.bgp.neighbors.existing_or_address(said.text("neighbor"))
    peer.remote_as = _remote(said)
    peer.sources.append(said.source)


def _no_remote_as(router: Configuration, said: Said) -> None:
    """A group's members go (bgpd/bgpd.c, peer_group_remote_as_delete); an interface neighbor stays, without an AS
    number (peer_as_change)."""
    neighbors = router.bgp.neighbors
    peer = neighbors.peer(said.text("neighbor"))
    if neighbors.is_group(peer.name):
        neighbors.remove_members(peer.name)
        peer.remote_as = None
    elif peer.interface == peer.name:
        peer.remote_as = NO_AS
    else:
        neighbors.remove(peer.name)


def _join_group(router: Configuration, said: Said) -> None:
    neighbors = router.bgp.neighbors
    group = neighbors.group(said.text("group"))
    peer = neighbors.existing_or_address(said.text("neighbor"))
    peer.group = group
    peer.sources.append(said.source)


def _interface(router: Configuration, said: Said) -> None:
    neighbors = router.bgp.neighbors
    group = neighbors.group(said.text("group")) if "group" in said else None
    peer = neighbors.make_interface_peer(said.text("neighbor"))
    peer.group = group or peer.group
    peer.remote_as = _remote(said) if "remote" in said else peer.remote_as
    peer.v6_only = said.has("v6only")
    peer.sources.append(said.source)


def _scope(router: Configuration, said: Said) -> None:
    """The interface of a link-local neighbor."""
    named(router, said).interface = said.text("interface")


def _no_scope(router: Configuration, said: Said) -> None:
    neighbors = router.bgp.neighbors
    peer = neighbors.peer(said.text("neighbor"))
    if peer.interface == peer.name:
        neighbors.remove(peer.name)
    else:
        peer.interface = None


def _timers(router: Configuration, said: Said) -> None:
    hold = None if said.negated else values.hold_time(said.number("hold"))
    named(router, said).timers = None if hold is None else (said.number("keepalive"), hold)


def _connect(router: Configuration, said: Said) -> None:
    named(router, said).connect_retry = None if said.negated else said.number("seconds")


def _multihop(router: Configuration, said: Said) -> None:
    """bgpd/bgpd.c, peer_ebgp_multihop_set."""
    ttl = 1 if said.negated else said.number("ttl") if "ttl" in said else 255
    peer = named(router, said)
    bound = any(one.session.ttl_security for one in (peer, *router.bgp.neighbors.members(peer.name)))
    if bound and ttl != 255 and peer.interface != peer.name:
        raise NotTaken("ebgp-multihop and ttl-security cannot be configured together")
    peer.ebgp_ttl = ttl


def _update_source(router: Configuration, said: Said) -> None:
    where = None if said.negated else said.text("where")
    if where is not None and values.looks_like_address(where):
        named(router, said).update_source = values.address(where)
    else:
        named(router, said).update_source = where


def _flag(field: str) -> Apply:
    def apply(router: Configuration, said: Said) -> None:
        setattr(named(router, said), field, not said.negated)

    return apply


def _activate(router: Configuration, said: Said) -> None:
    named(router, said).families[said.family] = not said.negated


def _next_hop_self(router: Configuration, said: Said) -> None:
    families = named(router, said).next_hop_self
    (families.discard if said.negated else families.add)(said.family)


def _describe(router: Configuration, said: Said) -> None:
    router.bgp.neighbors.peer(said.text("neighbor"))


_UNNUMBERED = "neighbor WORD$neighbor interface [v6only]"

STATEMENTS: tuple[Statement, ...] = (
    modelled("bgp", "neighbor WORD$neighbor peer-group", _make_group, "neighbor FABRIC peer-group"),
    modelled("bgp", "no neighbor WORD$neighbor peer-group", _remove, "no neighbor FABRIC peer-group"),
    modelled("bgp", f"no {NEIGHBOR}", _remove, "no neighbor 10.0.1.2"),
    modelled(
        "bgp",
        f"{NEIGHBOR} remote-as {_REMOTE}",
        _remote_as,
        "neighbor 10.0.1.2 remote-as 65001",
        "neighbor FABRIC remote-as external",
        "neighbor FABRIC remote-as internal",
        refused=(
            "neighbor 10.0.1.999 remote-as 65001",
            "neighbor 10.0.1.2 remote-as 0",
            "neighbor 10.0.1.2 remote-as 4294967296",
        ),
    ),
    modelled("bgp", f"no {NEIGHBOR} remote-as {_REMOTE}", _no_remote_as, "no neighbor 10.0.1.2 remote-as 65001"),
    modelled("bgp", f"{NEIGHBOR} peer-group WORD$group", _join_group, "neighbor 10.0.1.2 peer-group FABRIC"),
    modelled(
        "bgp",
        f"no {NEIGHBOR} peer-group WORD$group",
        _remove,
        "no neighbor 10.0.1.2 peer-group FABRIC",
        before=("neighbor 10.0.1.2 peer-group FABRIC",),
    ),
    modelled(
        "bgp",
        f"{_UNNUMBERED} [peer-group WORD$group]",
        _interface,
        "neighbor net0 interface peer-group FABRIC",
        "neighbor net0 interface v6only",
    ),
    modelled("bgp", f"{_UNNUMBERED} remote-as {_REMOTE}", _interface, "neighbor net1 interface remote-as external"),
    modelled(
        "bgp",
        f"no {_UNNUMBERED} [peer-group WORD] [remote-as <ASNUM|internal|external>]",
        _no_scope,
        "no neighbor net0 interface",
        before=("neighbor net0 interface",),
    ),
    modelled(
        "bgp",
        "neighbor <A.B.C.D|X:X::X:X>$neighbor interface WORD$interface",
        _scope,
        "neighbor fe80::2 interface net0",
        before=("neighbor fe80::2 remote-as 65002",),
    ),
    modelled(
        "bgp",
        "no neighbor <A.B.C.D|X:X::X:X>$neighbor interface WORD",
        _no_scope,
        "no neighbor fe80::2 interface net0",
        before=("neighbor fe80::2 remote-as 65002", "neighbor fe80::2 interface net0"),
    ),
    modelled(
        "bgp",
        f"{NEIGHBOR} timers (0-65535)$keepalive (0-65535)$hold",
        _timers,
        "neighbor 10.0.1.2 timers 3 9",
        undo=f"{NEIGHBOR} timers [(0-65535) (0-65535)]",
        refused=("neighbor 10.0.1.2 timers 1 2",),
    ),
    modelled(
        "bgp",
        f"{NEIGHBOR} timers connect (1-65535)$seconds",
        _connect,
        "neighbor 10.0.1.2 timers connect 5",
        undo=f"{NEIGHBOR} timers connect [(1-65535)]",
        refused=("neighbor 10.0.1.2 timers connect 0",),
    ),
    modelled(
        "bgp",
        f"{NEIGHBOR} ebgp-multihop [(1-255)$ttl]",
        _multihop,
        "neighbor 10.0.1.2 ebgp-multihop 2",
        "neighbor 10.0.1.2 ebgp-multihop",
        undo=f"{NEIGHBOR} ebgp-multihop [(1-255)$ttl]",
        refused=("neighbor 10.0.1.2 ebgp-multihop 256",),
    ),
    modelled(
        "bgp",
        f"{NEIGHBOR} update-source <A.B.C.D|X:X::X:X|WORD>$where",
        _update_source,
        "neighbor 10.0.1.2 update-source lo",
        "neighbor 10.0.1.2 update-source 10.0.1.1",
        undo=f"{NEIGHBOR} update-source [<A.B.C.D|X:X::X:X|WORD>]",
    ),
    modelled("bgp", f"[no] {NEIGHBOR} passive", _flag("passive"), "neighbor 10.0.1.2 passive"),
    modelled(
        "bgp",
        f"[no] {NEIGHBOR} shutdown [message LINE...]",
        _flag("shutdown"),
        "neighbor 10.0.1.2 shutdown",
        "neighbor 10.0.1.2 shutdown message for repair",
    ),
    modelled(
        "bgp",
        f"[no] {NEIGHBOR} capability extended-nexthop",
        _flag("extended_nexthop"),
        "neighbor 10.0.1.2 capability extended-nexthop",
    ),
    modelled(OF_A_FAMILY, f"[no] {NEIGHBOR} activate", _activate, "neighbor 10.0.1.2 activate"),
    modelled(OF_A_FAMILY, f"[no] {NEIGHBOR} next-hop-self", _next_hop_self, "neighbor 10.0.1.2 next-hop-self"),
    Statement(
        ("bgp",),
        f"{NEIGHBOR} description LINE...",
        "none",
        ("neighbor 10.0.1.2 description a server",),
        _describe,
        undo=f"{NEIGHBOR} description [LINE...]",
        why=COSMETIC,
    ),
)
