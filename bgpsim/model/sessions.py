"""Which sessions come up, with which addresses and families, and why one is down.

A session needs both ends configured towards each other, AS numbers that fit, packets that get there and back, one end
that dials and one that accepts (RFC 4271 section 8; FRR bgpd/bgp_network.c: a router accepts a connection from any
configured neighbor, on all of its addresses).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address
from typing import Literal

from bgpsim.frr_series import spelled
from bgpsim.model.add_path import several_sent
from bgpsim.model.forwarding import Walker
from bgpsim.model.frr_versions import refuses_ipv6_without_address
from bgpsim.model.neighbors import (
    SessionType,
    address_of,
    derived_address,
    is_internal,
    must_be_connected,
    neighbor_sources,
    preferred_source,
    router_id,
    session_type,
)
from bgpsim.model.opening import Side, disagreement, families, shut_here
from bgpsim.model.rib import Rib
from bgpsim.model.wiring import LOOPBACK, Wiring, parse_link_local
from bgpsim.network.description import NO_AS, BgpInstance, Device, InterfaceRef, Neighbor
from bgpsim.network.route_options import SentPaths
from bgpsim.network.session_options import BGP_PORT
from bgpsim.network.state import Session, SessionKey
from bgpsim.network.types import Address, Family
from bgpsim.source import Source

_MAXIMUM_TTL = 255
"""Of packets to an internal peer."""


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """One end of an established session."""

    device: str
    neighbor: Neighbor
    peer: SessionKey
    type: SessionType
    peer_as: int
    peer_router_id: int
    families: tuple[Family, ...]
    extended_nexthop: bool
    """Both ends send IPv4 routes with IPv6 next hops (RFC 8950)."""
    local_address: Address | None
    """None on a link-local session: `interface` says whose address it is."""
    peer_address: Address | None
    interface: str | None
    """The interface that leads to the peer, where the peer is on a connected network."""
    add_path: bool = False
    """Several paths of one prefix, in both directions (RFC 7911)."""
    several_sent: Mapping[Family, SentPaths] = field(default_factory=dict)
    """The families in which this end sends several paths of a prefix, and which."""

    @property
    def key(self) -> SessionKey:
        return SessionKey(self.device, self.neighbor.name)


@dataclass(frozen=True, slots=True)
class Sessions:
    """All sessions of a network at rest."""

    ends: dict[SessionKey, SessionEnd]
    """Established ones."""
    down: dict[SessionKey, Session]
    split: frozenset[SessionKey] = frozenset()
    """Ends of established ones that lose packets on one of several ways, if the kernel's hash takes it."""

    def of(self, device: str) -> Iterator[SessionEnd]:
        for key in sorted(self.ends):
            if key.device == device:
                yield self.ends[key]


@dataclass(frozen=True, slots=True)
class _Down:
    because: str
    peer: str | None = None
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class _Connection:
    """Addresses of a connection that works; None for link-local ones."""

    local: Address | None
    remote: Address | None
    interface: str | None
    peer_interface: str | None


def find_sessions(wiring: Wiring, ribs: dict[str, Rib], walker: Walker) -> Sessions:
    """Every configured neighbor of every device, established or down with the reason."""
    ends: dict[SessionKey, SessionEnd] = {}
    down: dict[SessionKey, Session] = {}
    finder = _Finder(wiring, ribs, walker)
    for device in wiring.network.devices.values():
        if device.bgp is None:
            continue
        for neighbor in device.bgp.neighbors:
            if device.bgp.engine == "frr" and not neighbor.families:
                continue  # in no family's summary, and never started (bgpd/bgpd.c, peer_active)
            key = SessionKey(device.name, neighbor.name)
            found = finder.find(device, device.bgp, neighbor)
            if isinstance(found, SessionEnd):
                ends[key] = found
            elif not neighbor.dynamic:
                lines = found.sources or neighbor_sources(neighbor)
                down[key] = Session(
                    "Down",
                    shown_type(session_type(device.bgp, neighbor)),
                    found.peer,
                    neighbor.interface if neighbor.address is None else None,
                    found.because,
                    because_sources=lines,
                )
    for key in [key for key, end in ends.items() if end.peer not in ends or ends[end.peer].peer != key]:
        end = ends.pop(key)
        because = f"{end.peer.device} has this connection with another neighbor"
        if not end.neighbor.dynamic:
            down[key] = Session("Down", shown_type(end.type), end.peer.device, end.neighbor.interface, because)
    return Sessions(ends, down, frozenset(key for key in ends if key in finder.split))


def shown_type(found: SessionType | None) -> Literal["ebgp", "ibgp"] | None:
    """A session between member ASes of a confederation is one between two ASes."""
    return "ebgp" if found == "confed" else found


def _without_ipv6(device: Device, address: Address | None) -> bool:
    """bgpd/bgp_zebra.c, bgp_nexthop_set: the session's interface has no address for IPv6 next hops, no link-local one
    either. Not of a link-local session."""
    if not isinstance(address, IPv4Address):
        return False
    holders = [i for i in device.interfaces if any(a.ip == address for a in i.addresses)]
    return all(i.name == LOOPBACK and not any(a.version == 6 for a in i.addresses) for i in holders)


def _ttl(instance: BgpInstance, neighbor: Neighbor) -> int:
    """Of packets to the neighbor (bgpd/bgp_network.c, bgp_set_socket_ttl)."""
    internal = is_internal(instance, neighbor) or neighbor.options.ttl_security is not None
    return _MAXIMUM_TTL if internal else neighbor.ebgp_ttl


def _both_passive(device: Device, peer: Device) -> _Down:
    return _Down(f"neither {device.name} nor {peer.name} connects: both are passive", peer.name)


class _Finder:
    def __init__(self, wiring: Wiring, ribs: dict[str, Rib], walker: Walker) -> None:
        self.wiring = wiring
        self.ribs = ribs
        self.walker = walker
        self.split: set[SessionKey] = set()

    def find(self, device: Device, instance: BgpInstance, neighbor: Neighbor) -> SessionEnd | _Down:
        shut = shut_here(instance, neighbor)
        if shut is not None:
            return _Down(shut.because, sources=shut.lines)
        if neighbor.remote_as == NO_AS:
            return _Down("no AS number is configured for it")
        derived = derived_address(device, neighbor)
        if derived is not None:
            return self._by_address(device, instance, neighbor, derived)
        if neighbor.interface is not None and (neighbor.address is None or neighbor.address.is_link_local):
            return self._on_link(device, instance, neighbor, neighbor.interface)
        if neighbor.address is None:
            return _Down("neither an address nor an interface is configured")
        return self._by_address(device, instance, neighbor, neighbor.address)

    def _on_link(self, device: Device, instance: BgpInstance, neighbor: Neighbor, interface: str) -> SessionEnd | _Down:
        ref = InterfaceRef(device.name, interface)
        if self.wiring.interface(ref) is None:
            return _Down(f"no interface {ref}")
        if not self.wiring.up(ref):
            return _Down(f"{ref} is down")
        if not self.wiring.carrier(ref):
            return _Down(f"no carrier on {ref}")
        far = self._far_end(ref, neighbor)
        if far is None:
            return _Down(f"nobody at the other end of {ref}")
        peer = self.wiring.device(far.device)
        if peer.bgp is None:
            return _Down(f"no BGP process at {far}", peer.name)
        for end in (ref, far):
            if self.wiring.silent(end):
                return _Down(f"nothing that leaves by {end} arrives", peer.name)
        mine = self.wiring.interface(ref)
        back = next(
            (
                n
                for n in peer.bgp.neighbors
                if n.interface == far.interface
                and derived_address(peer, n) is None
                and (n.address is None or (mine is not None and n.address == mine.link_local))
            ),
            None,
        )
        if back is None:
            return _Down(f"{peer.name} has no neighbor on {far.interface}", peer.name)
        if neighbor.passive and back.passive:
            return _both_passive(device, peer)
        for one, engine, other, to in ((neighbor, instance, back, peer), (back, peer.bgp, neighbor, device)):
            if other.options.ttl_security is not None and _ttl(engine, one) < _MAXIMUM_TTL:
                return _Down(f"packets come to {to.name} with TTL 1, which its ttl-security does not take", peer.name)
        return self._agree(
            device, instance, neighbor, peer, peer.bgp, back, _Connection(None, None, interface, far.interface)
        )

    def _far_end(self, ref: InterfaceRef, neighbor: Neighbor) -> InterfaceRef | None:
        if neighbor.address is not None:
            return self.wiring.link_local_owner(ref, neighbor.address)
        others = [end for end in self.wiring.others(ref) if self.wiring.up(end)]
        return others[0] if len(others) == 1 else None

    def _by_address(
        self, device: Device, instance: BgpInstance, neighbor: Neighbor, address: Address
    ) -> SessionEnd | _Down:
        owners = sorted({ref.device for ref in self.wiring.owners(address)} - {device.name})
        if not owners:
            return _Down(f"nobody has the address {address}")
        failures: list[_Down] = []
        for name in owners:
            peer = self.wiring.device(name)
            if peer.bgp is None:
                failures.append(_Down(f"no BGP process at {address} ({name})", name))
                continue
            own = self.wiring.own_addresses(device.name)
            towards = [(n, at) for n in peer.bgp.neighbors if (at := address_of(peer, n)) is not None and at in own]
            if not towards:
                failures.append(_Down(f"{name} has no neighbor with an address of {device.name}", name))
            for back, at in towards:
                found = self._between(device, instance, neighbor, address, peer, peer.bgp, back, at)
                if isinstance(found, SessionEnd):
                    return found
                failures.append(found)
        return failures[0]

    def _between(
        self,
        device: Device,
        instance: BgpInstance,
        neighbor: Neighbor,
        address: Address,
        peer: Device,
        peer_instance: BgpInstance,
        back: Neighbor,
        own: Address,
    ) -> SessionEnd | _Down:
        """`address`: the peer's, as `neighbor` has it; `own`: this device's, as `back` has it."""
        for end, configured in ((device, neighbor), (peer, back)):
            if isinstance(configured.update_source, str) and self._source_of(end, configured, address) is None:
                # FRR neither connects nor accepts without (bgpd/bgp_network.c, bgp_update_source).
                return _Down(f"update-source {configured.update_source} of {end.name} has no address", peer.name)
        mine = self._source_of(device, neighbor, address)
        theirs = self._source_of(peer, back, own)
        dials = self._dials(device, instance, neighbor, address) and peer_instance.listens and mine == own
        is_dialled = self._dials(peer, peer_instance, back, own) and instance.listens and theirs == address
        if not dials and not is_dialled:
            return _Down(
                self._no_dial(device, instance, neighbor, address, mine, peer, peer_instance, back, own, theirs),
                peer.name,
            )
        out, far = self._egress(device.name, address), self._egress(peer.name, own)
        ends = ((device, instance, neighbor, address, back), (peer, peer_instance, back, own, neighbor))
        for here, engine, configured, there, other in ends:
            because = self._unreachable(here, configured, there, _ttl(engine, configured), other.options.ttl_security)
            if because:
                return _Down(because, peer.name)
        return self._agree(device, instance, neighbor, peer, peer_instance, back, _Connection(own, address, out, far))

    def _dials(self, device: Device, instance: BgpInstance, neighbor: Neighbor, address: Address) -> bool:
        """FRR tracks its peer as it tracks next hops, which a default route does not resolve (bgpd/bgp_nht.c,
        zebra_rnh.c; `ip nht resolve-via-default`), and an external one with TTL 1 on a connected network or behind
        a static route alone. It accepts a connection all the same."""
        if (
            neighbor.passive
            or neighbor.options.port != BGP_PORT
            or self._out_of_reach(device, instance, neighbor, address)
        ):
            return False
        matches = self.walker.fibs.table(device.name).matches(address)
        usable = (prefix.prefixlen or address.version in device.resolve_via_default for prefix, _ in matches)
        return instance.engine != "frr" or any(usable)

    def _out_of_reach(self, device: Device, instance: BgpInstance, neighbor: Neighbor, address: Address) -> bool:
        """FRR does not even try (bgpd/bgp_nht.c, bgp_find_or_add_nexthop with `connected`)."""
        near = session_type(instance, neighbor) == "ebgp" and must_be_connected(neighbor) and instance.engine == "frr"
        route = next((route for _, route in self.ribs[device.name].table.matches(address)), None)
        return near and not (route is not None and route.near)

    def _no_dial(
        self,
        device: Device,
        instance: BgpInstance,
        neighbor: Neighbor,
        address: Address,
        mine: Address | None,
        peer: Device,
        peer_instance: BgpInstance,
        back: Neighbor,
        own: Address,
        theirs: Address | None,
    ) -> str:
        if mine is None or theirs is None:
            here, there = (device.name, address) if mine is None else (peer.name, own)
            return f"{here} has no route to {there}"
        if neighbor.passive and back.passive:
            return _both_passive(device, peer).because
        if not instance.listens and not peer_instance.listens:
            return f"neither {device.name} nor {peer.name} accepts connections"
        for end, engine, configured, target in (
            (device, instance, neighbor, address),
            (peer, peer_instance, back, own),
        ):
            if not configured.passive and self._out_of_reach(end, engine, configured, target):
                return f"{target} is not on a connected network of {end.name} (eBGP, TTL 1)"
            if not configured.passive and not self._dials(end, engine, configured, target):
                return f"{end.name} has a default route alone to {target}, and FRR connects over none"
        return (
            f"addresses do not fit: {device.name} would connect from {mine} (expected there: {own}),"
            f" {peer.name} from {theirs} (expected here: {address})"
        )

    def _agree(
        self,
        device: Device,
        instance: BgpInstance,
        neighbor: Neighbor,
        peer: Device,
        peer_instance: BgpInstance,
        back: Neighbor,
        connection: _Connection,
    ) -> SessionEnd | _Down:
        """What both ends have to agree upon, with packets that arrive."""
        here, there = Side(device, instance, neighbor), Side(peer, peer_instance, back)
        found = disagreement(here, there)
        if found is not None:
            return _Down(found.because, peer.name, found.lines)
        settled = families(here, there)
        for end, engine, address in ((device, instance, connection.local), (peer, peer_instance, connection.remote)):
            if "ipv6-unicast" in settled and refuses_ipv6_without_address(engine) and _without_ipv6(end, address):
                because = f"{end.name} has no IPv6 address beside {address}, and FRR {spelled(engine.frr)} wants one"
                return _Down(f"{because} for IPv6 routes", peer.name)
        return SessionEnd(
            device.name,
            neighbor,
            SessionKey(peer.name, back.name),
            session_type(instance, neighbor, there.asn) or "ebgp",
            there.asn,
            int(router_id(peer)),
            settled,
            # Link-local sessions alone offer it (bgpd/bgp_open.c, bgp_open_capability).
            neighbor.extended_nexthop and back.extended_nexthop and not isinstance(connection.remote, IPv4Address),
            connection.local,
            connection.remote,
            connection.interface,
            neighbor.add_path and back.add_path,
            {
                family: sent
                for family in settled
                if family in back.families and (sent := several_sent(neighbor, back, peer_instance, family))
            },
        )

    def _egress(self, device: str, address: Address) -> str | None:
        """The interface of the connected network that holds the address; None where there is none."""
        route = self.ribs[device].connected_to(address)
        return route.next_hops[0].interface if route else None

    def _source_of(self, device: Device, neighbor: Neighbor, address: Address) -> Address | None:
        """The source address of packets to `address`: update-source, or what the route gives; None without a route."""
        wanted = neighbor.update_source
        if isinstance(wanted, str):
            interface = device.interface(wanted)
            own = [a.ip for a in interface.addresses if a.version == address.version] if interface else []
            return own[0] if own else None
        if wanted is not None:
            return wanted
        for _, route in self.walker.fibs.table(device.name).matches(address):
            for hop in sorted(route.next_hops, key=str):
                if hop.interface is not None:
                    towards = address if hop.via is None or parse_link_local(hop.via) else ip_address(hop.via)
                    return preferred_source(device, hop.interface, towards, address.version)
            return None
        return None

    def _unreachable(
        self, device: Device, neighbor: Neighbor, address: Address, ttl: int, hops: int | None
    ) -> str | None:
        """GoBGP sets the TTL and looks at no route, so a loopback of the next router is near enough for TTL 1; FRR also
        wants an external peer without multihop on a connected network (bgpd/bgp_nht.c, bgp_find_or_add_nexthop).

        `hops`: the ttl-security of the far end, which drops what comes with a TTL under 256 minus it (RFC 5082).

        One way of several is enough: each new connection has another port, and takes a way of its own.
        """
        failures = []
        paths = self.walker.paths(device.name, address)
        for path in paths:
            links = len(path.hops) - 1
            if path.disposition != "delivered":
                failures.append(f"packets from {device.name} to {address} end at {path.at}: {path.because}")
            elif links > ttl:
                failures.append(f"{address} is {links} links away from {device.name} (eBGP, TTL {ttl})")
            elif hops is not None and (left := ttl - max(links - 1, 0)) < _MAXIMUM_TTL + 1 - hops:
                failures.append(
                    f"packets from {device.name} come to {address} with TTL {left},"
                    f" and ttl-security hops {hops} takes {_MAXIMUM_TTL + 1 - hops} at least"
                )
        if failures and len(failures) < len(paths):
            self.split.add(SessionKey(device.name, neighbor.name))
            return None
        return failures[0] if failures else None
