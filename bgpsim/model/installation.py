"""Which of bgpd's routes zebra takes, and how far it trusts them: route-maps on the way, and distances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from bgpsim.model.decision import LOCAL, Candidate
from bgpsim.model.neighbor_policy import hop_addresses
from bgpsim.model.route_map_sets import Changed
from bgpsim.model.route_maps import Asked, apply
from bgpsim.model.wiring import Wiring
from bgpsim.network.description import BgpInstance, Device
from bgpsim.network.policies import Policies
from bgpsim.network.route_options import DEFAULT_INSTALLATION, Installation
from bgpsim.network.types import Prefix, family_of

ZEBRAS = frozenset(
    (
        "address",
        "address prefix-list",
        "next-hop",
        "next-hop prefix-list",
        "next-hop type blackhole",
        "tag",
        "interface",
    )
)
"""What zebra knows of a route-map; it has no other clause (zebra/zebra_routemap.c, zebra_route_map_init)."""


def installation(instance: BgpInstance, prefix: Prefix) -> Installation:
    return instance.installation.get(family_of(prefix), DEFAULT_INSTALLATION)


def distance(instance: BgpInstance, prefix: Prefix, best: Candidate) -> int:
    """Against other routes of zebra's (bgpd/bgp_route.c, bgp_distance_apply)."""
    of = installation(instance, prefix)
    if best.type == "local" or prefix in instance.backdoors:
        return of.local_distance
    return of.external_distance if best.type == "ebgp" else of.internal_distance


def taken(wiring: Wiring, device: Device, prefix: Prefix, path: Candidate) -> Candidate | None:
    """The path as zebra gets it, or None where a route-map denies it."""
    assert device.bgp is not None
    table_map, zebras = installation(device.bgp, prefix).table_map, device.bgp_maps.get(prefix.version)
    if table_map is None and zebras is None:
        return path
    attributes = path.attributes
    preference = attributes.local_preference
    kept = device.bgp.choice.default_local_preference if preference is None else preference
    route = Changed(attributes, attributes.med or 0, kept, path.weight, path.tag)
    asked = Asked(
        device.policies,
        prefix,
        "network",
        peer=None if path.neighbor == LOCAL else path.neighbor,
        peer_address=path.peer_address,
        interface=path.hop_interface,
        hops=lambda text: hop_addresses(wiring, text),
    )
    if table_map is not None:
        answer = apply(asked, table_map.name, route)
        if not answer.permitted:
            return None
        path = replace(path, attributes=replace(attributes, med=answer.route.attributes.med))
    if zebras is not None:
        interface = next((hop.interface for hop in sorted(path.next_hops, key=str)), None)
        asked = replace(asked, policies=of_zebra(device.policies), interface=interface)
        if not apply(asked, zebras.name, route).permitted:
            return None
    return path


def of_zebra(policies: Policies) -> Policies:
    """Route-maps as zebra has them."""
    maps: Mapping[str, tuple[object, ...]] = {
        name: tuple(
            replace(entry, matches=tuple(m for m in entry.matches if m.kind in ZEBRAS), sets=()) for entry in entries
        )
        for name, entries in policies.route_maps.items()
    }
    return replace(policies, route_maps=MappingProxyType(maps))  # type: ignore[arg-type]
