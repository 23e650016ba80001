"""`neighbor …`: what a session asks of its peer, beside addresses, AS numbers, timers and families."""

from __future__ import annotations

from bgpsim.inputs.frr.configuration import Configuration
from bgpsim.inputs.frr.grammar.statement import Apply, Said, Statement, listed, modelled
from bgpsim.inputs.frr.neighbors import Peer, RemoteAs
from bgpsim.inputs.frr.statements.neighbor import NEIGHBOR, OF_A_FAMILY, named
from bgpsim.inputs.frr.values import NotTaken
from bgpsim.network.session_options import LocalAs, PrefixLimit

_NEXT_SESSION = "a running bgpd looks at it when the session comes up anew"
_LOCAL_AS = f"{NEIGHBOR} local-as ASNUM$asn [no-prepend [replace-as]]"
_LIMIT = f"{NEIGHBOR} maximum-prefix (1-4294967295)$limit [(1-100)$threshold]"


def _remote(router: Configuration, peer: Peer) -> RemoteAs | None:
    """Of a neighbor, or of its group."""
    neighbors = router.bgp.neighbors
    if peer.remote_as is None and peer.group is not None:
        return neighbors.peer(peer.group).remote_as
    return peer.remote_as


def _internal(router: Configuration, peer: Peer) -> bool:
    return _remote(router, peer) in ("internal", router.bgp.asn)


def _flag(field: str) -> Apply:
    """`no` leaves it to the peer-group (bgpd/bgpd.c, peer_flag_modify)."""

    def apply(router: Configuration, said: Said) -> None:
        setattr(named(router, said).session, field, None if said.negated else True)

    return apply


def _first_as(router: Configuration, said: Said) -> None:
    named(router, said).session.enforce_first_as = not said.negated


def _negotiated(field: str) -> Apply:
    """A flag that is looked at in OPEN messages alone. Two of them exclude each other (PEER_FLAG_CONFLICT)."""
    other = {"strict_capabilities": "override_capabilities", "override_capabilities": "strict_capabilities"}

    def apply(router: Configuration, said: Said) -> None:
        router.only_at_boot(_NEXT_SESSION)
        session = named(router, said).session
        if not said.negated and field in other and getattr(session, other[field]):
            raise NotTaken("strict-capability-match and override-capability exclude each other")
        setattr(session, field, None if said.negated else True)

    return apply


def _number(field: str, value: str) -> Apply:
    def apply(router: Configuration, said: Said) -> None:
        setattr(named(router, said).session, field, None if said.negated else said.number(value))

    return apply


def _password(router: Configuration, said: Said) -> None:
    named(router, said).session.password = None if said.negated else said.text("password")


def _no_connected_check(router: Configuration, said: Said) -> None:
    peer = named(router, said)
    if peer.interface == peer.name:
        raise NotTaken("an interface neighbor is directly connected")
    peer.session.connected_check = None if said.negated else False


def _ttl_security(router: Configuration, said: Said) -> None:
    """bgpd/bgpd.c, peer_ttl_security_hops_set and is_ebgp_multihop_configured."""
    peer = named(router, said)
    if said.negated:
        peer.session.ttl_security = None
        return
    if peer.interface == peer.name and said.number("hops") > 1:
        raise NotTaken("an interface neighbor is directly connected: one hop, and no more")
    members = router.bgp.neighbors.members(peer.name)
    first = peer.session.ttl_security is None and not _internal(router, peer)
    if first and any((one.ebgp_ttl or 1) != 1 for one in (peer, *members)):
        raise NotTaken("ebgp-multihop and ttl-security cannot be configured together")
    peer.session.ttl_security = said.number("hops")


def _local_as(router: Configuration, said: Said) -> None:
    """bgpd/bgpd.c, peer_local_as_set."""
    peer = named(router, said)
    if said.negated:
        peer.session.local_as = None
        return
    asn, remote = said.number("asn"), _remote(router, peer)
    if remote in ("internal", router.bgp.asn) or (remote is None and not router.bgp.neighbors.is_group(peer.name)):
        raise NotTaken("local-as is for external neighbors alone")
    if asn == router.bgp.asn:
        raise NotTaken(f"local-as {asn} is the router's own AS number")
    if asn == remote:
        raise NotTaken(f"local-as {asn} is the neighbor's AS number")
    peer.session.local_as = LocalAs(asn, said.has("no-prepend"), said.has("replace-as"))


def _maximum_prefix(router: Configuration, said: Said) -> None:
    limits = named(router, said).session.limits
    if said.negated:
        limits.pop(said.family, None)
        return
    minutes = said.number("minutes") if "minutes" in said else None
    limits[said.family] = PrefixLimit(said.number("limit"), said.has("warning-only"), minutes)


STATEMENTS: tuple[Statement, ...] = (
    modelled(
        "bgp",
        f"{NEIGHBOR} password LINE...$password",
        _password,
        "neighbor 10.0.1.2 password secret",
        undo=f"{NEIGHBOR} password [LINE...]",
    ),
    modelled(
        "bgp",
        f"[no] {NEIGHBOR} ttl-security hops (1-254)$hops",
        _ttl_security,
        "neighbor 10.0.1.2 ttl-security hops 2",
        refused=("neighbor 10.0.1.2 ttl-security hops 255",),
    ),
    modelled(
        "bgp",
        f"[no] {NEIGHBOR} <disable-connected-check|enforce-multihop>",
        _no_connected_check,
        "neighbor 10.0.1.2 disable-connected-check",
        "neighbor 10.0.1.2 enforce-multihop",
    ),
    modelled(
        "bgp",
        f"{NEIGHBOR} port (0-65535)$port",
        _number("port", "port"),
        "neighbor 10.0.1.2 port 1790",
        undo=f"{NEIGHBOR} port [(0-65535)]",
    ),
    modelled(
        "bgp",
        _LOCAL_AS,
        _local_as,
        "neighbor 10.0.1.2 local-as 65009",
        "neighbor 10.0.1.2 local-as 65009 no-prepend",
        "neighbor 10.0.1.2 local-as 65009 no-prepend replace-as",
        undo=f"{NEIGHBOR} local-as [ASNUM [no-prepend [replace-as]]]",
    ),
    modelled(
        "bgp",
        f"[no] {NEIGHBOR} strict-capability-match",
        _negotiated("strict_capabilities"),
        "neighbor 10.0.1.2 strict-capability-match",
    ),
    modelled(
        "bgp",
        f"[no] {NEIGHBOR} override-capability",
        _negotiated("override_capabilities"),
        "neighbor 10.0.1.2 override-capability",
    ),
    modelled(
        "bgp",
        f"[no] {NEIGHBOR} dont-capability-negotiate",
        _negotiated("no_capabilities"),
        "neighbor 10.0.1.2 dont-capability-negotiate",
    ),
    modelled(
        "bgp",
        f"[no] {NEIGHBOR} enforce-first-as",
        _first_as,
        "neighbor 10.0.1.2 enforce-first-as",
    ),
    modelled("bgp", f"[no] {NEIGHBOR} solo", _flag("alone"), "neighbor 10.0.1.2 solo"),
    modelled(
        "bgp",
        f"[no] {NEIGHBOR} sender-as-path-loop-detection",
        _flag("loop_detection"),
        "neighbor 10.0.1.2 sender-as-path-loop-detection",
    ),
    modelled(
        "bgp",
        f"{NEIGHBOR} timers delayopen (1-240)$seconds",
        _number("delay_open", "seconds"),
        "neighbor 10.0.1.2 timers delayopen 5",
        undo=f"{NEIGHBOR} timers delayopen [(0-65535)]",
    ),
    modelled(
        "bgp",
        f"{NEIGHBOR} advertisement-interval (0-600)$seconds",
        _number("advertisement_interval", "seconds"),
        "neighbor 10.0.1.2 advertisement-interval 5",
        undo=f"{NEIGHBOR} advertisement-interval [(0-600)]",
    ),
    modelled(
        OF_A_FAMILY,
        _LIMIT,
        _maximum_prefix,
        "neighbor 10.0.1.2 maximum-prefix 100",
        "neighbor 10.0.1.2 maximum-prefix 100 80",
        refused=("neighbor 10.0.1.2 maximum-prefix 0",),
    ),
    modelled(
        OF_A_FAMILY,
        f"{_LIMIT} restart (1-65535)$minutes",
        _maximum_prefix,
        "neighbor 10.0.1.2 maximum-prefix 100 restart 5",
    ),
    modelled(
        OF_A_FAMILY,
        f"{_LIMIT} warning-only",
        _maximum_prefix,
        "neighbor 10.0.1.2 maximum-prefix 100 80 warning-only",
    ),
    modelled(
        OF_A_FAMILY,
        f"no {NEIGHBOR} maximum-prefix [(1-4294967295) [(1-100)] [restart (1-65535)] [warning-only] [force]]",
        _maximum_prefix,
        "no neighbor 10.0.1.2 maximum-prefix",
    ),
    *listed(
        "possible",
        "routes that a filter has refused count too, which is not modelled",
        OF_A_FAMILY,
        (f"{_LIMIT} force", "neighbor 10.0.1.2 maximum-prefix 100 80 force"),
        (f"{_LIMIT} restart (1-65535)$minutes force", "neighbor 10.0.1.2 maximum-prefix 100 restart 5 force"),
        (f"{_LIMIT} warning-only force", "neighbor 10.0.1.2 maximum-prefix 100 warning-only force"),
    ),
    *listed(
        "none",
        "it is about what the session's messages may hold, and about no route",
        "bgp",
        (f"[no] {NEIGHBOR} capability dynamic", "neighbor 10.0.1.2 capability dynamic"),
        (f"[no] {NEIGHBOR} extended-optional-parameters", "neighbor 10.0.1.2 extended-optional-parameters"),
    ),
)
