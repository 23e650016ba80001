"""What `router bgp` says of all its sessions: listen ranges, `bgp shutdown`, the least hold time."""

from __future__ import annotations

from ipaddress import IPv6Network

from bgpsim.inputs.frr.configuration import Configuration
from bgpsim.inputs.frr.grammar.statement import Said, Statement, listed, modelled
from bgpsim.inputs.frr.instance_sessions import InstanceSessions
from bgpsim.inputs.frr.values import NotTaken

_RANGE = "bgp listen range <A.B.C.D/M|X:X::X:X/M>$range peer-group WORD$group"


def _of(router: Configuration) -> InstanceSessions:
    return router.bgp.part(InstanceSessions)


def _listen_range(router: Configuration, said: Said) -> None:
    """bgpd/bgp_vty.c, bgp_listen_range, and bgpd.c, peer_group_listen_range_add and _del."""
    ranges, prefix, group = _of(router).ranges, said.prefix("range"), said.text("group")
    if isinstance(prefix, IPv6Network) and prefix.is_link_local:
        raise NotTaken("a listen range of link-local addresses is none")
    if said.negated:
        if ranges.get(prefix, ("", None))[0] != group:
            raise NotTaken(f"peer-group {group} has no such listen range at this line")
        del ranges[prefix]
        return
    if prefix in ranges and ranges[prefix][0] == group:
        return
    if any(prefix.version == other.version and prefix.overlaps(other) for other in ranges):
        raise NotTaken("it overlaps with another listen range")
    peer = router.bgp.neighbors.peer(router.bgp.neighbors.group(group))
    if peer.remote_as is None:
        raise NotTaken(f"peer-group {group} has no AS number at this line")
    peer.sources.append(said.source)
    ranges[prefix] = (group, said.source)


def _listen_limit(router: Configuration, said: Said) -> None:
    _of(router).limit = None if said.negated else said.number("limit")


def _default_shutdown(router: Configuration, said: Said) -> None:
    router.bgp.neighbors.born_shut = not said.negated


def _shutdown(router: Configuration, said: Said) -> None:
    sessions = _of(router)
    taken_back = said.negated and sessions.shutdown is not None
    sessions.shutdown = None if said.negated else said.source
    if taken_back:
        router.only_at_boot("FRR 8.4.4 may connect to nobody after it: sessions come up if the peer connects")


def _minimum_hold_time(router: Configuration, said: Said) -> None:
    router.only_at_boot("a running bgpd looks at it when the session comes up anew")
    _of(router).minimum_hold_time = 0 if said.negated else said.number("seconds")


def _no_connected_check(router: Configuration, said: Said) -> None:
    router.only_at_boot("a running bgpd looks at it when the session comes up anew")
    _of(router).connected_check = said.negated


STATEMENTS: tuple[Statement, ...] = (
    modelled("bgp", f"[no] {_RANGE}", _listen_range, "bgp listen range 10.0.0.0/8 peer-group FABRIC"),
    modelled(
        "bgp",
        "bgp listen limit (1-65535)$limit",
        _listen_limit,
        "bgp listen limit 10",
        undo="bgp listen limit [(1-65535)]",
        refused=("bgp listen limit 0",),
    ),
    modelled("bgp", "[no] bgp default shutdown", _default_shutdown, "bgp default shutdown"),
    modelled(
        "bgp",
        "[no] bgp shutdown [message LINE...]",
        _shutdown,
        "bgp shutdown",
        "bgp shutdown message for repair",
    ),
    modelled(
        "bgp",
        "bgp minimum-holdtime (1-65535)$seconds",
        _minimum_hold_time,
        "bgp minimum-holdtime 6",
        undo="bgp minimum-holdtime [(1-65535)]",
        refused=("bgp minimum-holdtime 0",),
    ),
    modelled(
        "bgp",
        "[no] bgp disable-ebgp-connected-route-check",
        _no_connected_check,
        "bgp disable-ebgp-connected-route-check",
    ),
    *listed(
        "none",
        "it is about when a session over a dead link ends, and not whether",
        "bgp",
        ("[no] bgp fast-external-failover", "no bgp fast-external-failover"),
    ),
)
