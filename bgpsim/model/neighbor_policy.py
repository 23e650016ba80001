"""What a neighbor's lists and route-maps make of a route, on the way in and on the way out.

In FRR's order, the same both ways (bgpd/bgp_route.c, bgp_input_filter and bgp_output_filter): distribute-list,
prefix-list, filter-list, and the route-map last. A list or route-map that does not exist denies.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from bgpsim.model.policy_lists import access_rule, as_path_list_permits, prefix_rule
from bgpsim.model.route_map_sets import SELF, Changed, Place
from bgpsim.model.route_maps import Answer, Asked, apply
from bgpsim.model.sessions import SessionEnd
from bgpsim.model.wiring import Wiring, parse_link_local
from bgpsim.network.description import Device
from bgpsim.network.policies import AccessRule, Filters, Policies, PrefixRule, Use
from bgpsim.network.state import Attributes
from bgpsim.network.types import Address, AsPath, Prefix
from bgpsim.source import Source

UNKNOWN_LINK_LOCAL = IPv6Address("fe80::")
"""Of an address that comes from a MAC address: lists that tell link-local ones apart are asked about this one."""


@dataclass(frozen=True, slots=True)
class Filtered:
    """`refused`: why nothing is left of the route. `lines`: what it went through."""

    route: Changed
    refused: str | None = None
    lines: tuple[Source, ...] = ()


def refused_by_lists(
    policies: Policies, filters: Filters, prefix: Prefix, path: AsPath
) -> tuple[str, Source] | str | None:
    """Why a list refuses a route, with the line where there is one; None where none does."""
    version = prefix.version
    if filters.access_list is not None:
        rules = policies.access_lists.get((version, filters.access_list.name))
        found = None if rules is None else access_rule(rules, prefix)
        if found is None or found.action == "deny":
            return _by_list("access-list", filters.access_list, rules is not None, found)
    if filters.prefix_list is not None:
        of_prefixes = policies.prefix_lists.get((version, filters.prefix_list.name))
        rule = None if of_prefixes is None else prefix_rule(of_prefixes, prefix)
        if rule is None or rule.action == "deny":
            return _by_list("prefix-list", filters.prefix_list, of_prefixes is not None, rule)
    if filters.as_path_list is not None:
        of_paths = policies.as_path_lists.get(filters.as_path_list.name)
        if not as_path_list_permits(of_paths, path):
            return _by_list("as-path access-list", filters.as_path_list, of_paths is not None, None)
    return None


def _by_list(kind: str, use: Use, there: bool, rule: AccessRule | PrefixRule | None) -> tuple[str, Source] | str:
    if not there:
        text, line = f"denied: there is no {kind} {use.name}", use.source
    elif rule is None:
        text, line = f"denied: {kind} {use.name} permits it nowhere", use.source
    else:
        text, line = f"denied: {kind} {use.name}, deny seq {rule.seq}", rule.source
    return text if line is None else (f"{text} ({line})", line)


def through(filters: Filters, asked: Asked, route: Changed) -> Filtered:
    """All four; the lists see the route as it comes."""
    found = refused_by_lists(asked.policies, filters, asked.prefix, route.attributes.as_path)
    if found is not None:
        return Filtered(route, found, ()) if isinstance(found, str) else Filtered(route, found[0], (found[1],))
    uses = (filters.access_list, filters.prefix_list, filters.as_path_list)
    lines = tuple(use.source for use in uses if use is not None and use.source is not None)
    if filters.route_map is None:
        return Filtered(route, None, lines)
    return by_map(filters.route_map, asked, route, lines)


def by_map(use: Use, asked: Asked, route: Changed, lines: tuple[Source, ...] = ()) -> Filtered:
    answer = apply(asked, use.name, route)
    own = (use.source,) if use.source is not None else ()
    if answer.permitted:
        return Filtered(answer.route, None, (*lines, *own, *answer.lines))
    return Filtered(answer.route, refusal(use, asked.policies, answer), (*lines, *own, *answer.lines))


def refusal(use: Use, policies: Policies, answer: Answer) -> str:
    if use.name not in policies.route_maps:
        text, line = f"denied: there is no route-map {use.name}", use.source
    elif answer.entry is None:
        text, line = f"denied: route-map {use.name}, no entry permits it", use.source
    else:
        text, line = f"denied: route-map {use.name}, {answer.entry.action} {answer.entry.seq}", answer.entry.source
    return text if line is None else f"{text} ({line})"


def asked_of_neighbor(
    wiring: Wiring, device: Device, end: SessionEnd, prefix: Prefix, place: Place, interface: str | None
) -> Asked:
    """On the way out bgpd asks its update group, which has neither address nor interface (bgp_updgrp.c, conf_copy)."""
    assert device.bgp is not None
    inward = place == "in"
    return Asked(
        policies=device.policies,
        prefix=prefix,
        place=place,
        peer=end.neighbor.name if inward else None,
        peer_group=end.neighbor.peer_group if inward else None,
        peer_address=end.neighbor.address or end.peer_address if inward else None,
        remote_address=end.peer_address if inward else None,
        session_external=end.type == "ebgp",
        own_as=device.bgp.asn,
        interface=interface,
        hops=lambda text: hop_addresses(wiring, text),
    )


def hop_addresses(wiring: Wiring, text: str) -> tuple[Address, ...]:
    """Of a next hop as `Attributes` spells it: of a link-local one the global address that goes with it, first."""
    if text == SELF:
        return ()
    ref = parse_link_local(text)
    if ref is None:
        return (ip_address(text),)
    interface = wiring.interface(ref)
    own: tuple[Address, ...] = ()
    if interface is not None:
        own = tuple(a.ip for a in interface.addresses if a.version == 6 and not a.ip.is_link_local)[:1]
    fixed = interface.link_local if interface is not None else None
    return (*own, fixed or UNKNOWN_LINK_LOCAL)


def hop_interface(wiring: Wiring, end: SessionEnd, path: Attributes) -> str | None:
    """bgpd keeps the interface of a next hop that is link-local and has no global address beside it
    (bgpd/bgp_attr.c, bgp_mp_reach_parse)."""
    if parse_link_local(path.next_hop) is None or len(hop_addresses(wiring, path.next_hop)) > 1:
        return None
    return end.interface
