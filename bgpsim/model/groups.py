"""What zebra believes of the kernel and is not so: nexthop groups, and routes that went with their interface.

A route with several next hops points to a group. When a route lets go of its group, zebra keeps it for three minutes
and takes it again for the next route with these next hops (zebra_nhg.c, zebra_nhg_decrement_ref; `zebra nexthop-group
keep`, 180 seconds). But when an interface goes down or loses its carrier, the kernel takes that interface's next hops
out of all groups, and an empty group away, and tells nobody (net/ipv4/nexthop.c, nexthop_flush_dev). When the interface
is back, zebra puts the single next hop in again, and not the group, which it takes to be installed as long as one of
its members is valid (zebra_nhg_check_valid). So after an interface has been down, a route over an old group has fewer
next hops in the kernel than in zebra; where the group is gone, the kernel refuses the route and keeps the one that it
had. Measured on FRR 8.4.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from bgpsim.model.decision import LOCAL
from bgpsim.model.rib import BGP_METRIC
from bgpsim.model.wiring import Wiring
from bgpsim.network.description import InterfaceRef, Network
from bgpsim.network.state import BgpPath, FibKey, FibNextHop, NetworkState, PathKey, SessionKey
from bgpsim.network.types import Prefix, family_of

KEPT = 180.0
"""Seconds that zebra keeps a group that is out of use."""

NextHops: TypeAlias = frozenset[FibNextHop]
Groups: TypeAlias = Mapping[str, Mapping[NextHops, NextHops]]
"""Per device: a group as zebra knows it -> the members that the kernel's group still has."""

Believed: TypeAlias = frozenset[tuple[str, Prefix]]
"""Device and prefix of a route that zebra takes to be in the kernel."""


@dataclass(frozen=True, slots=True)
class PredictedState(NetworkState):
    """A state with what of its past no table shows, and what decides the next one."""

    groups: Groups = field(default_factory=dict)
    believed: Believed = frozenset()
    connected_only: frozenset[tuple[str, str]] = frozenset()
    """(device, next hop): see bgpsim/model/nexthop_tracking.py."""
    held: frozenset[SessionKey] = frozenset()
    """Ends that are over their prefix limit, or were: bgpsim/model/prefix_limits.py."""
    at_the_edge: frozenset[SessionKey] = frozenset()
    """Ends that have one prefix more than they may, and stand."""


def believed_routes(network: Network, before: NetworkState | None) -> Believed:
    """Kernel routes that went with an interface, and that zebra 8.4.4 has not forgotten: those beside which it had a
    BGP route for the same prefix. They are inactive while the interface is down, and preferred again afterwards."""
    earlier = before.believed if isinstance(before, PredictedState) else frozenset()
    beside = {(key.device, key.prefix) for key, path in before.paths.items() if _learnt(key, path)} if before else set()
    kernel = {(key.device, key.prefix) for key, r in before.fib.items() if r.protocol != "bgp"} if before else set()
    lost = {(device.name, route.prefix) for device in network.devices.values() for route in device.routes if route.lost}
    return frozenset(lost & (earlier | (beside & kernel)))


def _learnt(key: PathKey, path: BgpPath) -> bool:
    return path.best and key.neighbor != LOCAL


def kept_groups(before: NetworkState | None, wiring: Wiring) -> Groups:
    """The groups of the step before, after what has happened to their interfaces since."""
    if not isinstance(before, PredictedState):
        return {}

    def usable(device: str, hop: FibNextHop) -> bool:
        return hop.interface is not None and wiring.carrier(InterfaceRef(device, hop.interface))

    return {
        device: {
            group: frozenset(hop for hop in members if usable(device, hop))
            for group, members in groups.items()
            # Without any valid member zebra forgets that the group is installed, and puts it in anew.
            if any(usable(device, hop) for hop in group)
        }
        for device, groups in before.groups.items()
    }


def in_kernel(
    device: str, prefix: Prefix, group: NextHops, kept: Groups, before: NetworkState | None, wiring: Wiring
) -> NextHops:
    """The next hops that the kernel has of a route that zebra installs; none where it has no such route."""
    members = kept.get(device, {}).get(group, group)
    if members or not group:
        return members
    earlier = before.fib.get(FibKey(device, family_of(prefix), prefix, BGP_METRIC)) if before else None
    if earlier is None or not all(
        hop.interface is not None and wiring.carrier(InterfaceRef(device, hop.interface)) for hop in earlier.next_hops
    ):
        return frozenset()
    return earlier.next_hops


def groups_after(kept: Groups, used: Mapping[str, Iterable[NextHops]]) -> Groups:
    """With those that came into use."""
    return {
        device: {
            **{group: group for group in used.get(device, ()) if len(group) > 1},
            **kept.get(device, {}),
        }
        for device in sorted({*used, *kept})
    }
