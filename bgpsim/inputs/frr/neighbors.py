"""Neighbors and peer-groups of `router bgp`, as FRR 8.4 reads their statements -> Neighbor."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal

from bgpsim.inputs.frr import values
from bgpsim.inputs.frr.policies import PeerPolicy, with_policy
from bgpsim.inputs.frr.profile import Profile
from bgpsim.inputs.frr.values import Unknown
from bgpsim.network.description import NO_AS, Neighbor, NeighborFamily
from bgpsim.network.types import FAMILIES, Family
from bgpsim.source import Source


@dataclass
class _Peer:
    """A neighbor or a peer-group while its lines are read; None: nothing was said here."""

    name: str
    interface: str | None = None
    group: str | None = None
    remote_as: int | Literal["internal", "external"] | None = None
    born_with: dict[Family, bool] = field(default_factory=dict)
    """`bgp default ipv4-unicast` and its like, as they stood when the neighbor was made."""
    families: dict[Family, bool] = field(default_factory=dict)
    default_originate: dict[Family, Source] = field(default_factory=dict)
    next_hop_self: set[Family] = field(default_factory=set)
    policy: dict[Family, PeerPolicy] = field(default_factory=dict)
    timers: tuple[int, int] | None = None
    connect_retry: int | None = None
    ebgp_ttl: int | None = None
    update_source: IPv4Address | IPv6Address | str | None = None
    passive: bool | None = None
    shutdown: bool | None = None
    extended_nexthop: bool | None = None
    v6_only: bool = False
    sources: list[Source] = field(default_factory=list)


class Neighbors:
    """Those of one BGP instance. Every method raises Refused for a value that no router accepts, and Unknown for a
    statement that is not modelled, or names what is not there."""

    def __init__(self) -> None:
        self._peers: dict[str, _Peer] = {}
        self._groups: dict[str, _Peer] = {}
        self.default_families: dict[Family, bool] = {"ipv4-unicast": True, "ipv6-unicast": False}
        """`bgp default ipv4-unicast` and its like: what neighbors made from here on start with."""

    def peer(self, name: str) -> _Peer:
        """A group or neighbor that is there already."""
        if name in self._groups:
            return self._groups[name]
        if name not in self._peers:
            if values.looks_like_address(name):
                values.address(name)
            raise Unknown(f"there is no neighbor {name} at this line")
        return self._peers[name]

    def _new_peer(self, name: str, interface: str | None = None) -> _Peer:
        """A neighbor, made where it is not there yet."""
        if name not in self._peers:
            self._peers[name] = _Peer(name, interface, born_with=dict(self.default_families))
        return self._peers[name]

    def _group(self, name: str) -> str:
        if name not in self._groups:
            raise Unknown(f"there is no peer-group {name} at this line")
        return name

    def statement(self, written: str, words: list[str], negated: bool, source: Source) -> None:
        name = values.spelled(written)
        match words:
            case ["peer-group"] if not negated:
                self._groups.setdefault(name, _Peer(name)).sources.append(source)
            case [] | ["peer-group"] | ["remote-as", *_] if negated and name in self._groups:
                # The members go with their group (bgpd/bgpd.c, peer_group_delete and peer_group_remote_as_delete).
                members = [peer.name for peer in self._peers.values() if peer.group == name]
                self._peers = {n: p for n, p in self._peers.items() if n not in members}
                if words[:1] == ["remote-as"]:
                    self._groups[name].remote_as = None
                else:
                    del self._groups[name]
            case ["remote-as", *_] if negated and self.peer(name).interface == name:
                # An interface neighbor stays, without an AS number (bgpd/bgpd.c, peer_as_change).
                self.peer(name).remote_as = NO_AS
            case ["interface", *_] if negated and self.peer(name).interface != name:
                self.peer(name).interface = None
            case [] | ["remote-as", *_] | ["peer-group", _] | ["interface", *_] if negated:
                self._peers.pop(self.peer(name).name, None)
            case ["interface", "v6only", *rest] if not values.looks_like_address(name):
                self.statement(name, ["interface", *rest], negated, source)
                if name in self._peers:
                    self._peers[name].v6_only = True
            case ["interface"]:
                peer = self._new_peer(name, name)
                peer.v6_only = False
                peer.sources.append(source)
            case ["interface", "peer-group", group]:
                group = self._group(group)
                peer = self._new_peer(name, name)
                peer.group, peer.v6_only = group, False
                peer.sources.append(source)
            case ["interface", "remote-as", remote]:
                number = values.remote_as(remote)
                peer = self._new_peer(name, name)
                peer.remote_as, peer.v6_only = number, False
                peer.sources.append(source)
            case ["interface", interface] if values.looks_like_address(name):
                peer = self.peer(name)
                peer.interface = interface
                peer.sources.append(source)
            case ["remote-as", remote]:
                number = values.remote_as(remote)
                peer = self._existing(name) or self._new_peer(str(values.address(name)))
                peer.remote_as = number
                peer.sources.append(source)
            case ["peer-group", group]:
                group = self._group(group)
                peer = self._existing(name) or self._new_peer(str(values.address(name)))
                peer.group = group
                peer.sources.append(source)
            case _:
                if not self.of_family("ipv4-unicast", name, words, negated, source):
                    self._of_session(name, words, negated, source)

    def _existing(self, name: str) -> _Peer | None:
        if name in self._groups or name in self._peers:
            return self.peer(name)
        if not values.looks_like_address(name):
            raise Unknown(f"there is no peer-group or interface neighbor {name} at this line")
        return None

    def of_family(self, family: Family, written: str, words: list[str], negated: bool, source: Source) -> bool:
        """A neighbor's statement of one address family; False: not one of them."""
        name = values.spelled(written)
        if self.peer(name).policy.setdefault(family, PeerPolicy()).statement(words, negated, source):
            return True
        match words:
            case ["activate"]:
                self.peer(name).families[family] = not negated
            case ["default-originate"] | ["default-originate", "route-map", _]:
                originate = self.peer(name).default_originate
                if negated:
                    originate.pop(family, None)
                else:
                    originate[family] = source
                # It is behind the default route alone, and not behind the session and all that it carries.
                return True
            case ["next-hop-self"]:
                group_or_peer = self.peer(name)
                (group_or_peer.next_hop_self.discard if negated else group_or_peer.next_hop_self.add)(family)
            case _:
                return False
        self.peer(name).sources.append(source)
        return True

    def _of_session(self, name: str, words: list[str], negated: bool, source: Source) -> None:
        match words:
            case ["timers", "connect", *_] if negated:
                self.peer(name).connect_retry = None
            case ["timers", "connect", seconds]:
                self.peer(name).connect_retry = values.time(seconds)
            case ["timers", *_] if negated:
                self.peer(name).timers = None
            case ["timers", keepalive, hold]:
                self.peer(name).timers = (values.time(keepalive), values.hold_time(hold))
            case ["ebgp-multihop", *_] if negated:
                self.peer(name).ebgp_ttl = 1
            case ["ebgp-multihop"]:
                self.peer(name).ebgp_ttl = 255
            case ["ebgp-multihop", ttl]:
                self.peer(name).ebgp_ttl = values.number(ttl, 1, 255)
            case ["update-source", *_] if negated:
                self.peer(name).update_source = None
            case ["update-source", where]:
                self.peer(name).update_source = values.address(where) if values.looks_like_address(where) else where
            case ["passive"]:
                self.peer(name).passive = not negated
            case ["shutdown", *_]:
                self.peer(name).shutdown = not negated
            case ["capability", "extended-nexthop"]:
                self.peer(name).extended_nexthop = not negated
            case _:
                raise Unknown
        self.peer(name).sources.append(source)

    def built(self, profile: Profile) -> tuple[Neighbor, ...]:
        """Each neighbor as it stands; an address without an AS number is none: FRR refuses it."""
        return tuple(n for peer in self._peers.values() if (n := self._built(peer, profile)) is not None)

    def _built(self, peer: _Peer, profile: Profile) -> Neighbor | None:
        """A neighbor with its peer-group's lines under its own; None for an address without an AS: FRR refuses it."""
        group = self._groups[peer.group] if peer.group is not None else _Peer("")
        remote = peer.remote_as if peer.remote_as is not None else group.remote_as
        if remote is None and peer.interface == peer.name:
            remote = NO_AS
        if remote is None:
            return None
        active = peer.born_with | group.families | peer.families
        originate = group.default_originate | peer.default_originate
        next_hop_self = group.next_hop_self | peer.next_hop_self
        none = PeerPolicy()
        families = {
            family: with_policy(
                NeighborFamily(
                    default_originate=family in originate,
                    next_hop_self=family in next_hop_self,
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
            ebgp_ttl=peer.ebgp_ttl or group.ebgp_ttl or 1,
            update_source=peer.update_source or group.update_source,
            passive=bool(peer.passive or group.passive),
            extended_nexthop=extended,
            shutdown=bool(peer.shutdown or group.shutdown),
            v6_only=peer.v6_only,
            source=sources[0],
            sources=sources,
        )
