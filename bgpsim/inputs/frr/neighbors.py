"""Neighbors and peer-groups of `router bgp` while their lines are read, as FRR 8.4 takes them -> Neighbor."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal

from bgpsim.inputs.frr import values
from bgpsim.inputs.frr.policies import PeerPolicy, with_policy
from bgpsim.inputs.frr.profile import Profile
from bgpsim.inputs.frr.route_options import route_options
from bgpsim.inputs.frr.session_lines import SessionLines
from bgpsim.inputs.frr.values import NotTaken
from bgpsim.network.description import NO_AS, Neighbor, NeighborFamily
from bgpsim.network.types import FAMILIES, Family
from bgpsim.source import Source

RemoteAs = int | Literal["internal", "external"]


@dataclass
class Peer:
    """A neighbor or a peer-group while its lines are read; None: nothing was said here."""

    name: str
    interface: str | None = None
    group: str | None = None
    remote_as: RemoteAs | None = None
    born_with: dict[Family, bool] = field(default_factory=dict)
    """`bgp default ipv4-unicast` and its like, as they stood when the neighbor was made."""
    families: dict[Family, bool] = field(default_factory=dict)
    default_originate: dict[Family, Source] = field(default_factory=dict)
    next_hop_self: set[Family] = field(default_factory=set)
    reflector_client: dict[Family, bool] = field(default_factory=dict)
    policy: dict[Family, PeerPolicy] = field(default_factory=dict)
    options: dict[Family, dict[str, object]] = field(default_factory=dict)
    """Fields of RouteOptions that were said."""
    timers: tuple[int, int] | None = None
    connect_retry: int | None = None
    ebgp_ttl: int | None = None
    update_source: IPv4Address | IPv6Address | str | None = None
    passive: bool | None = None
    shutdown: bool | None = None
    extended_nexthop: bool | None = None
    v6_only: bool = False
    session: SessionLines = field(default_factory=SessionLines)
    sources: list[Source] = field(default_factory=list)


class Neighbors:
    """Those of one BGP instance. Methods raise Refused for an address that is none, and NotTaken for a name that is not
    there."""

    def __init__(self) -> None:
        self._peers: dict[str, Peer] = {}
        self._groups: dict[str, Peer] = {}
        self.default_families: dict[Family, bool] = {"ipv4-unicast": True, "ipv6-unicast": False}
        """`bgp default ipv4-unicast` and its like: what neighbors made from here on start with."""
        self.born_shut = False
        """`bgp default shutdown`."""

    def peer(self, name: str) -> Peer:
        """A group or neighbor that is there already."""
        if name in self._groups:
            return self._groups[name]
        if name not in self._peers:
            if values.looks_like_address(name):
                values.address(name)
            raise NotTaken(f"there is no neighbor {name} at this line")
        return self._peers[name]

    def is_group(self, name: str) -> bool:
        return name in self._groups

    def group(self, name: str) -> str:
        """The name of a group that is there."""
        if name not in self._groups:
            raise NotTaken(f"there is no peer-group {name} at this line")
        return name

    def make_group(self, name: str) -> Peer:
        return self._groups.setdefault(name, self._born(name))

    def make_interface_peer(self, name: str) -> Peer:
        """A neighbor by the name of its interface, made where it is not there yet."""
        return self._peers.setdefault(name, self._born(name, name))

    def existing_or_address(self, name: str) -> Peer:
        """A group or neighbor; one that is not there is made, if the name is an address."""
        if name in self._groups or name in self._peers:
            return self.peer(name)
        if not values.looks_like_address(name):
            raise NotTaken(f"there is no peer-group or interface neighbor {name} at this line")
        spelled = str(values.address(name))
        return self._peers.setdefault(spelled, self._born(spelled))

    def _born(self, name: str, interface: str | None = None) -> Peer:
        return Peer(name, interface, born_with=dict(self.default_families), shutdown=self.born_shut or None)

    @property
    def groups(self) -> tuple[str, ...]:
        """In the order of their names, as bgpd keeps them."""
        return tuple(sorted(self._groups))

    def members(self, group: str) -> tuple[Peer, ...]:
        return tuple(peer for peer in self._peers.values() if peer.group == group)

    def like(self, group: str, profile: Profile) -> Neighbor | None:
        """What a dynamic neighbor of the group is, by the group's name; None without an AS number."""
        template = replace(self._groups[group], group=group, session=SessionLines(), sources=[])
        made = self._built(replace(template, name="0.0.0.0"), profile)
        return None if made is None else replace(made, name=group, address=None, passive=True, dynamic=True)

    def remote_as(self, peer: Peer) -> RemoteAs | None:
        """As it stands: the neighbor's own, else its group's."""
        return peer.remote_as if peer.remote_as is not None or peer.group is None else self.peer(peer.group).remote_as

    def remove(self, name: str) -> None:
        """A neighbor; or a group, with which its members go (bgpd/bgpd.c, peer_group_delete)."""
        if name in self._groups:
            self.remove_members(name)
            del self._groups[name]
        else:
            self._peers.pop(self.peer(name).name, None)

    def remove_members(self, group: str) -> None:
        self._peers = {name: peer for name, peer in self._peers.items() if peer.group != group}

    def built(self, profile: Profile) -> tuple[Neighbor, ...]:
        """Each neighbor as it stands; an address without an AS number is none: FRR refuses it."""
        return tuple(n for peer in self._peers.values() if (n := self._built(peer, profile)) is not None)

    def _built(self, peer: Peer, profile: Profile) -> Neighbor | None:
        """A neighbor with its peer-group's lines under its own; None for an address without an AS: FRR refuses it."""
        group = self._groups[peer.group] if peer.group is not None else Peer("")
        remote = peer.remote_as if peer.remote_as is not None else group.remote_as
        if remote is None and peer.interface == peer.name:
            remote = NO_AS
        if remote is None:
            return None
        active = peer.born_with | group.families | peer.families
        originate = group.default_originate | peer.default_originate
        next_hop_self = group.next_hop_self | peer.next_hop_self
        reflector_client = group.reflector_client | peer.reflector_client
        none = PeerPolicy()
        families = {
            family: with_policy(
                NeighborFamily(
                    default_originate=family in originate,
                    next_hop_self=family in next_hop_self,
                    reflector_client=reflector_client.get(family, False),
                    options=route_options(group.options.get(family, {}), peer.options.get(family, {})),
                    source=originate.get(family),
                ),
                group.policy.get(family, none),
                peer.policy.get(family, none),
            )
            for family in FAMILIES
            if active.get(family)
        }
        unnumbered = peer.interface == peer.name
        keepalive, hold = peer.timers or group.timers or (profile.keepalive, profile.hold_time)
        extended = next((x for x in (peer.extended_nexthop, group.extended_nexthop) if x is not None), unnumbered)
        sources = tuple(peer.sources + group.sources)
        return Neighbor(
            name=peer.name,
            address=None if unnumbered else ip_address(peer.name),
            interface=peer.interface,
            remote_as=remote,
            families=families,
            peer_group=peer.group,
            hold_time=hold,
            keepalive=keepalive,
            connect_retry=peer.connect_retry or group.connect_retry or profile.connect_retry,
            ebgp_ttl=_ttl(peer, group),
            update_source=peer.update_source or group.update_source,
            passive=bool(peer.passive or group.passive),
            extended_nexthop=extended,
            shutdown=bool(peer.shutdown or group.shutdown),
            v6_only=peer.v6_only,
            options=peer.session.over(group.session),
            source=sources[0],
            sources=sources,
        )


def _ttl(peer: Peer, group: Peer) -> int:
    """ttl-security makes it 255 (bgpd/bgpd.c, peer_ttl_security_hops_set), but for an interface neighbor's, whose TTL
    no statement changes (peer_ebgp_multihop_set)."""
    if peer.interface == peer.name:
        return 1
    if (peer.session.ttl_security or group.session.ttl_security) is not None:
        return 255
    return peer.ebgp_ttl or group.ebgp_ttl or 1
