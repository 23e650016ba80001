"""`router bgp` itself, its address families, and the options of an instance that are modelled."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

from bgpsim.inputs.frr import values
from bgpsim.inputs.frr.configuration import Configuration
from bgpsim.inputs.frr.grammar.statement import Apply, Said, Statement, listed, modelled
from bgpsim.inputs.frr.statements.general import COSMETIC
from bgpsim.inputs.frr.values import NotTaken
from bgpsim.network.types import Family

_ANEW = "a running bgpd asks it of each route anew, as the route comes or goes"
_FAMILIES: dict[str, Family] = {"ipv4-unicast": "ipv4-unicast", "ipv6-unicast": "ipv6-unicast"}


def _router_bgp(router: Configuration, said: Said) -> None:
    if "asn" in said:
        router.start_bgp(said.number("asn"), said.source)
    elif router.instance is None:
        raise NotTaken("there is no BGP instance at this line")


def _no_router_bgp(router: Configuration, said: Said) -> None:
    router.stop_bgp(said.number("asn") if "asn" in said else None)


def _enter(router: Configuration, said: Said) -> None:
    """The mode alone changes."""


def _router_id(router: Configuration, said: Said) -> None:
    bgp = router.bgp
    address = said.value("router_id") if "router_id" in said else None
    assert address is None or isinstance(address, IPv4Address)
    if not said.negated:
        bgp.option_sources["router_id"] = said.source
    elif address is not None and address != bgp.router_id:
        raise NotTaken("the router has another router ID at this line")
    bgp.router_id = None if said.negated else address


def _option(name: str) -> Apply:
    def apply(router: Configuration, said: Said) -> None:
        router.bgp.set(name, not said.negated, said.source)

    return apply


def _requires_policy(router: Configuration, said: Said) -> None:
    router.only_at_boot(_ANEW)
    router.bgp.set("ebgp_requires_policy", not said.negated, said.source)


def _default_family(router: Configuration, said: Said) -> None:
    router.bgp.neighbors.default_families[_FAMILIES[said.text("family")]] = not said.negated


def _timers(router: Configuration, said: Said) -> None:
    if said.negated:
        keepalive, hold = router.next_profile.keepalive, router.next_profile.hold_time
    else:
        keepalive, hold = said.number("keepalive"), values.hold_time(said.number("hold"))
    router.profile = replace(router.profile, keepalive=keepalive, hold_time=hold)


STATEMENTS: tuple[Statement, ...] = (
    modelled(
        "config",
        "router bgp [ASNUM$asn]",
        _router_bgp,
        "router bgp 65000",
        enters="bgp",
        refused=("router bgp 0", "router bgp 4294967296"),
        daemons=("bgpd",),
    ),
    modelled(
        "config",
        "no router bgp [ASNUM$asn]",
        _no_router_bgp,
        "no router bgp 65000",
        "no router bgp",
        before=("router bgp 65000", "exit"),
        daemons=("bgpd",),
    ),
    *listed(
        "possible",
        "one BGP instance, of the default VRF, is modelled",
        "config",
        ("router bgp ASNUM <view|vrf> WORD", "router bgp 65000 vrf red", "router bgp 65000 view blue"),
        enters="other-bgp",
        daemons=("bgpd",),
    ),
    *listed(
        "possible",
        "one BGP instance, of the default VRF, is modelled",
        "config",
        ("no router bgp ASNUM <view|vrf> WORD", "no router bgp 65000 view blue"),
        before=("router bgp 65000 view blue", "exit"),
        daemons=("bgpd",),
    ),
    modelled("bgp", "address-family ipv4 [unicast]", _enter, "address-family ipv4 unicast", enters="ipv4-unicast"),
    modelled("bgp", "address-family ipv6 [unicast]", _enter, "address-family ipv6 unicast", enters="ipv6-unicast"),
    modelled(("ipv4-unicast", "ipv6-unicast"), "exit-address-family", _enter, "exit-address-family", enters="bgp"),
    modelled(
        "bgp",
        "bgp router-id A.B.C.D$router_id",
        _router_id,
        "bgp router-id 10.0.0.1",
        undo="bgp router-id [A.B.C.D$router_id]",
        refused=("bgp router-id 10.0.0",),
    ),
    modelled("bgp", "[no] bgp ebgp-requires-policy", _requires_policy, "no bgp ebgp-requires-policy"),
    modelled(
        "bgp",
        "[no] bgp bestpath as-path multipath-relax",
        _option("multipath_relax"),
        "bgp bestpath as-path multipath-relax",
    ),
    modelled(
        "bgp", "[no] bgp bestpath compare-routerid", _option("compare_router_id"), "bgp bestpath compare-routerid"
    ),
    modelled("bgp", "[no] bgp always-compare-med", _option("always_compare_med"), "bgp always-compare-med"),
    modelled("bgp", "[no] bgp deterministic-med", _option("deterministic_med"), "bgp deterministic-med"),
    modelled(
        "bgp",
        "[no] bgp default <ipv4-unicast|ipv6-unicast>$family",
        _default_family,
        "no bgp default ipv4-unicast",
        "bgp default ipv6-unicast",
    ),
    modelled(
        "bgp",
        "timers bgp (0-65535)$keepalive (0-65535)$hold",
        _timers,
        "timers bgp 3 9",
        undo="timers bgp [(0-65535) (0-65535)]",
        refused=("timers bgp 1 2", "timers bgp 1 70000"),
    ),
    *listed(
        "none",
        COSMETIC,
        "bgp",
        ("[no] bgp log-neighbor-changes", "bgp log-neighbor-changes"),
        ("[no] bgp default show-hostname", "bgp default show-hostname"),
        ("[no] bgp default show-nexthop-hostname", "bgp default show-nexthop-hostname"),
    ),
)
