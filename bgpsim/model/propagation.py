"""The fixpoint: Adj-RIB-In → decision → Loc-RIB → Adj-RIB-Out, from router to router until nothing changes.

`Solver` is the seam at which arrays can take the place of this walk over objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple, Protocol

from bgpsim.model.decision import Candidate, Decided, Rules, decide
from bgpsim.model.fib import InstalledRoute
from bgpsim.model.local_paths import local_paths
from bgpsim.model.neighbor_policy import hop_interface
from bgpsim.model.neighbors import neighbor_sources
from bgpsim.model.nexthop_tracking import ConnectedOnly, User
from bgpsim.model.policy import Exporter, Sent, accepted
from bgpsim.model.rib import PrefixTable, Rib, StaticRoute
from bgpsim.model.route_map_sets import SELF
from bgpsim.model.sessions import SessionEnd, Sessions
from bgpsim.model.update_groups import UpdateGroups
from bgpsim.model.wiring import Wiring, parse_link_local
from bgpsim.network.description import BgpInstance, Device
from bgpsim.network.state import AdvertisedKey, Attributes, FibNextHop, PathKey, SessionKey
from bgpsim.network.types import Address, Family, Prefix, family_of
from bgpsim.source import merged

ROUNDS = 200
"""How often one prefix of one router may be decided anew before the outcome is called unstable."""

DEFAULT_ROUTES: Mapping[Family, Prefix] = {
    "ipv4-unicast": IPv4Network("0.0.0.0/0"),
    "ipv6-unicast": IPv6Network("::/0"),
}


class TableKey(NamedTuple):
    """One destination in one router's table."""

    device: str
    prefix: Prefix


@dataclass(frozen=True, slots=True)
class Problem:
    """All that the fixpoint needs. `selected`: the best paths before, by PathKey, as FRR's flag remembers them."""

    wiring: Wiring
    ribs: dict[str, Rib]
    sessions: Sessions
    selected: frozenset[PathKey]
    connected_only: frozenset[tuple[str, str]] = frozenset()
    """(device, next hop) that must be connected since before (bgpsim/model/nexthop_tracking.py)."""


@dataclass(frozen=True, slots=True)
class Solution:
    tables: Mapping[TableKey, tuple[Decided, ...]]
    sent: Mapping[AdvertisedKey, Sent]
    installed: Mapping[str, tuple[InstalledRoute, ...]]
    connected_only: frozenset[tuple[str, str]] = frozenset()
    unstable: tuple[TableKey, ...] = ()
    """Destinations that never came to rest: BGP has no stable outcome there, or none that this walk finds."""


class Solver(Protocol):
    def solve(self, problem: Problem) -> Solution:
        """The stable tables of all routers."""


class WorklistSolver:
    """Routers in the order of their names, one destination at a time, until the list is empty."""

    def solve(self, problem: Problem) -> Solution:
        return _Run(problem).solve()


@dataclass(slots=True)
class _Router:
    """One router's part of the work."""

    device: Device
    instance: BgpInstance
    rules: Rules
    ends: tuple[SessionEnd, ...]
    local: dict[Prefix, list[Candidate]]
    connected_only: ConnectedOnly
    adj_in: dict[Prefix, dict[str, dict[int, Sent]]] = field(default_factory=dict)
    """By prefix, neighbor and path id."""
    through: dict[str, set[Prefix]] = field(default_factory=dict)
    """Next hop -> the prefixes that were ever heard with it: few next hops, whatever the size of a table."""
    tables: dict[Prefix, tuple[Decided, ...]] = field(default_factory=dict)
    installed: PrefixTable[InstalledRoute] = field(default_factory=PrefixTable)
    dirty: set[Prefix] = field(default_factory=set)
    rounds: dict[Prefix, int] = field(default_factory=dict)


def _by_prefix(paths: Iterator[tuple[Prefix, Candidate]]) -> dict[Prefix, list[Candidate]]:
    found: dict[Prefix, list[Candidate]] = {}
    for prefix, path in paths:
        found.setdefault(prefix, []).append(path)
    return found


def rules_of(instance: BgpInstance) -> Rules:
    frr = instance.engine == "frr"
    return Rules(
        weight=frr,
        multipath=frr,
        multipath_relax=instance.multipath_relax,
        compare_router_id=instance.compare_router_id,
        always_compare_med=instance.always_compare_med,
        deterministic_med=instance.deterministic_med,
    )


class _Run:
    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.exporter = Exporter(problem.wiring, problem.ribs, UpdateGroups(problem.sessions, problem.ribs))
        self.routers: dict[str, _Router] = {}
        for name, device in sorted(problem.wiring.network.devices.items()):
            if device.bgp is not None:
                self.routers[name] = _Router(
                    device,
                    device.bgp,
                    rules_of(device.bgp),
                    tuple(problem.sessions.of(name)),
                    _by_prefix(local_paths(problem.wiring, device, device.bgp, problem.ribs[name])),
                    ConnectedOnly(frozenset(hop for at, hop in problem.connected_only if at == name)),
                )
        self.sent: dict[AdvertisedKey, Sent] = {}
        self.unstable: set[TableKey] = set()

    def solve(self) -> Solution:
        for router in self.routers.values():
            self._begin(router)
        while True:
            waiting = [router for router in self.routers.values() if router.dirty]
            if not waiting:
                break
            for router in waiting:
                for prefix in sorted(router.dirty, key=_prefix_order):
                    router.dirty.discard(prefix)
                    self._decide(router, prefix)
                self._default_routes(router, with_map=True)
        tables = {
            TableKey(name, prefix): decided
            for name, router in self.routers.items()
            for prefix, decided in sorted(router.tables.items(), key=lambda item: _prefix_order(item[0]))
        }
        installed = {
            name: tuple(
                route
                for prefix in sorted(router.tables, key=_prefix_order)
                if (route := router.installed.get(prefix)) is not None
            )
            for name, router in self.routers.items()
        }
        wanted = frozenset((name, hop) for name, router in self.routers.items() for hop in _wanted_connected(router))
        return Solution(tables, self.sent, installed, wanted, tuple(sorted(self.unstable, key=str)))

    def _begin(self, router: _Router) -> None:
        """Local routes, default routes and speakers' announcements, which depend on no table."""
        router.dirty.update(router.local)
        self._default_routes(router, with_map=False)
        for end in router.ends:
            for family in end.families:
                if router.device.kind == "speaker":
                    for route in router.instance.originated:
                        meant = route.to is None or end.neighbor.name in route.to
                        if meant and family_of(route.prefix) == family:
                            sent = self.exporter.originated(router.device, end, family, route)
                            self._tell(end, family, route.prefix, sent, route.path_id if end.add_path else 0)

    def _default_routes(self, router: _Router, *, with_map: bool) -> None:
        """`default-originate`; with a route-map it depends on the whole table."""
        for end in router.ends:
            for family in end.families:
                settings = end.neighbor.families[family]
                if not settings.default_originate or (settings.default_map is not None) != with_map:
                    continue
                table = self._in_table(router, family) if with_map else ()
                default = self.exporter.default_route(router.device, end, family, table)
                self._tell(end, family, DEFAULT_ROUTES[family], default)

    @staticmethod
    def _in_table(router: _Router, family: Family) -> Iterator[tuple[Prefix, Candidate]]:
        for prefix in sorted((p for p in router.tables if family_of(p) == family), key=_prefix_order):
            for decided in router.tables[prefix]:
                if not (decided.path.refused or "").startswith("denied"):
                    yield prefix, decided.path

    def _tell(self, end: SessionEnd, family: Family, prefix: Prefix, sent: Sent | None, path_id: int = 0) -> None:
        """Put a route on a session, or take it off."""
        key = AdvertisedKey(end.device, end.neighbor.name, family, prefix, path_id)
        if self.sent.get(key) == sent:
            return
        peer = self.routers[end.peer.device]
        heard = peer.adj_in.setdefault(prefix, {})
        if sent is None:
            self.sent.pop(key, None)
            heard.get(end.peer.neighbor, {}).pop(path_id, None)
        else:
            self.sent[key] = sent
            heard.setdefault(end.peer.neighbor, {})[path_id] = sent
            for hop in {sent.wire.next_hop, self._taken_hop(peer, end.peer, family, prefix, sent)}:
                peer.through.setdefault(hop, set()).add(prefix)
        self._track(peer, self.problem.sessions.ends[end.peer], family, prefix, path_id)
        peer.dirty.add(prefix)

    def _taken_hop(self, peer: _Router, at: SessionKey, family: Family, prefix: Prefix, sent: Sent) -> str:
        """The next hop that the peer's route-map may have put in the place of what was sent."""
        end = self.problem.sessions.ends[at]
        if end.neighbor.families[family].inbound.route_map is None:
            return sent.wire.next_hop
        taken = accepted(self.problem.wiring, peer.device, end, family, prefix, sent)
        return taken.route.attributes.next_hop

    def _track(self, router: _Router, end: SessionEnd, family: Family, prefix: Prefix, path_id: int) -> None:
        """Paths of internal peers may have to look their next hop up anew for one of an external peer."""
        if end.type != "ebgp" or end.neighbor.ebgp_ttl != 1 or all(other.type == "ebgp" for other in router.ends):
            return
        sent = router.adj_in.get(prefix, {}).get(end.neighbor.name, {}).get(path_id)
        next_hop = None
        if sent is not None:
            taken = accepted(self.problem.wiring, router.device, end, family, prefix, sent)
            hop = taken.route.attributes.next_hop
            next_hop = hop if taken.refused is None and parse_link_local(hop) is None else None
        changed = router.connected_only.use(User(prefix, end.neighbor.name, path_id), next_hop)
        for other, heard in router.adj_in.items() if changed else ():
            if any(path.wire.next_hop in changed for paths in heard.values() for path in paths.values()):
                router.dirty.add(other)

    def _decide(self, router: _Router, prefix: Prefix) -> None:
        name = router.device.name
        router.rounds[prefix] = router.rounds.get(prefix, 0) + 1
        if router.rounds[prefix] > ROUNDS:
            self.unstable.add(TableKey(name, prefix))
            return
        decided = decide(tuple(self._candidates(router, prefix)), router.rules)
        if decided == router.tables.get(prefix, ()):
            return
        if decided:
            router.tables[prefix] = decided
        else:
            router.tables.pop(prefix, None)
        self._install(router, prefix, decided)
        best = next((d.path for d in decided if d.best), None)
        family = family_of(prefix)
        for end in router.ends:
            if family not in end.families:
                continue
            if end.neighbor.families[family].default_originate and prefix.prefixlen == 0:
                continue
            if router.device.kind == "speaker":
                continue
            if end.add_path:
                self._tell_all(router, end, family, prefix, decided)
                continue
            sent = self.exporter.send(router.device, end, family, prefix, best) if best else None
            self._tell(end, family, prefix, sent)

    def _tell_all(
        self, router: _Router, end: SessionEnd, family: Family, prefix: Prefix, decided: tuple[Decided, ...]
    ) -> None:
        """Every valid path, under ids of its own: bgpd's are numbers that it hands out as paths come."""
        paths = [d.path for d in decided if d.path.valid]
        sendable = [s for p in paths if (s := self.exporter.send(router.device, end, family, prefix, p)) is not None]
        for path_id, sent in enumerate(sendable, start=1):
            self._tell(end, family, prefix, sent, path_id)
        told = len(sendable)
        while AdvertisedKey(end.device, end.neighbor.name, family, prefix, told + 1) in self.sent:
            told += 1
            self._tell(end, family, prefix, None, told)

    def _candidates(self, router: _Router, prefix: Prefix) -> Iterator[Candidate]:
        yield from router.local.get(prefix, ())
        heard = router.adj_in.get(prefix)
        if not heard:
            return
        family = family_of(prefix)
        for end in router.ends:
            for path_id, sent in heard.get(end.neighbor.name, {}).items():
                yield self._imported(router, end, family, prefix, sent, path_id)

    def _imported(
        self, router: _Router, end: SessionEnd, family: Family, prefix: Prefix, sent: Sent, path_id: int
    ) -> Candidate:
        taken = accepted(self.problem.wiring, router.device, end, family, prefix, sent)
        path, refused = taken.route.attributes, taken.refused
        hops: frozenset[FibNextHop] = frozenset()
        metric = 0
        if refused is None and router.instance.installs:
            own = self.problem.wiring.own_addresses(router.device.name)
            link_local = parse_link_local(path.next_hop)
            beside = taken.route.beside
            if link_local is not None:
                mine = link_local.device == router.device.name or (beside is not None and ip_address(beside) in own)
            else:
                mine = ip_address(path.next_hop) in own
            if mine:
                refused = f"denied: next hop {path.next_hop} is this router's own"
            else:
                found = self._resolve(router, end, prefix, path)
                if found is None:
                    refused = f"next hop {path.next_hop} cannot be resolved"
                else:
                    hops, metric = found
        key = PathKey(router.device.name, family, prefix, end.neighbor.name, path_id)
        return Candidate(
            neighbor=end.neighbor.name,
            type=end.type,
            attributes=path,
            weight=taken.route.weight,
            peer_as=end.peer_as,
            router_id=end.peer_router_id,
            peer_address=end.peer_address,
            igp_metric=metric,
            selected_before=key in self.problem.selected,
            next_hops=hops,
            refused=refused,
            sources=merged(neighbor_sources(end.neighbor), taken.lines, sent.sources),
            path_id=path_id,
            tag=taken.route.tag,
            marks=taken.route.marks,
            beside=taken.route.beside,
            hop_interface=hop_interface(self.problem.wiring, end, path),
        )

    def _resolve(
        self, router: _Router, end: SessionEnd, prefix: Prefix, path: Attributes
    ) -> tuple[frozenset[FibNextHop], int] | None:
        """Next-hop tracking (zebra_rnh.c): an external peer's next hop must be on a connected network, or behind a
        static route of FRR's, through which zebra does not install it (TTL 1); another one may resolve through any
        route but the default route (`ip nht resolve-via-default` is off where zebra starts with traditional defaults)
        and the path's own prefix."""
        if parse_link_local(path.next_hop) is not None:
            if end.interface is None:
                return None
            return frozenset({FibNextHop(path.next_hop, end.interface)}), 0
        address = ip_address(path.next_hop)
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            # bgpd resolves what it maps to, and takes the path; zebra does not install it (measured on 8.4.4).
            found = self._resolve(router, end, prefix, replace(path, next_hop=str(address.ipv4_mapped)))
            return None if found is None else (frozenset(), found[1])
        if ip_network(address) == prefix:
            # bgpd/bgp_nht.c, bgp_find_or_add_nexthop: "prefix loops through itself".
            return None
        rib = self.problem.ribs[router.device.name]
        static = [(p, route) for p, route in rib.table.matches(address) if p.prefixlen]
        if (end.type == "ebgp" and end.neighbor.ebgp_ttl == 1) or path.next_hop in router.connected_only:
            if not static or not static[0][1].near:
                return None
            return _through(static[0][1], path.next_hop)
        learnt = [(p, route) for p, route in router.installed.matches(address) if p != prefix and p.prefixlen]
        if learnt and (not static or learnt[0][0].prefixlen > static[0][0].prefixlen):
            return learnt[0][1].next_hops, learnt[0][1].metric
        return _through(static[0][1], path.next_hop) if static else None

    def _install(self, router: _Router, prefix: Prefix, decided: tuple[Decided, ...]) -> None:
        """zebra takes the best path unless a connected or kernel route (distance 0) is there for the prefix, or it
        believes so."""
        if not router.instance.installs:
            return
        used = [d.path for d in decided if d.best or d.multipath]
        best = next((d.path for d in decided if d.best), None)
        route: InstalledRoute | None = None
        rib = self.problem.ribs[router.device.name]
        covered = rib.table.get(prefix) is not None or prefix in rib.believed
        hops: frozenset[FibNextHop] = frozenset()
        if best is not None and best.type != "local" and not covered and not _mapped(router, used, best):
            hops = frozenset(
                hop
                for path in used
                if not self._within_itself(router, prefix, path)
                for hop in path.next_hops
                if hop.via in (None, path.attributes.next_hop) or _recurses(router, best)
            )
        if best is not None and hops:
            route = InstalledRoute(prefix, hops, best.attributes.med or 0, merged(*(p.sources for p in used)))
        if route == router.installed.get(prefix):
            return
        if route is None:
            router.installed.remove(prefix)
        else:
            router.installed.set(prefix, route)
        self._resolve_again(router, prefix)

    def _within_itself(self, router: _Router, prefix: Prefix, path: Candidate) -> bool:
        """zebra looks for the next hop no further up than to the route itself (zebra_nhg.c, nexthop_active: "Matched
        against ourself"); bgpd takes the path all the same."""
        if not _within(path.attributes.next_hop, prefix):
            return False
        address = ip_address(path.attributes.next_hop)
        tables = (self.problem.ribs[router.device.name].table, router.installed)
        return not any(p.prefixlen > prefix.prefixlen for table in tables for p, _ in table.matches(address))

    @staticmethod
    def _resolve_again(router: _Router, changed: Prefix) -> None:
        """Paths whose next hop the changed route may carry are decided anew."""
        for next_hop, prefixes in router.through.items():
            if _within(next_hop, changed):
                router.dirty.update(p for p in prefixes if p != changed and any(router.adj_in[p].values()))


def _recurses(router: _Router, best: Candidate) -> bool:
    """Whether zebra may resolve the route's next hops through other routes: the best path's neighbor decides it for all
    that are used together (bgpd/bgp_zebra.c, bgp_zebra_announce, ZEBRA_FLAG_ALLOW_RECURSION)."""
    end = next((end for end in router.ends if end.neighbor.name == best.neighbor), None)
    return end is None or end.type == "ibgp" or end.neighbor.ebgp_ttl != 1


def _mapped(router: _Router, used: Iterable[Candidate], best: Candidate) -> bool:
    """One next hop is a mapped IPv4 address (RFC 4291 section 2.5.5.2), which zebra resolves to an IPv4 gateway: the
    kernel refuses an IPv6 route with that, its other next hops too (measured on 8.4.4)."""
    found = (_address(path.attributes.next_hop) for path in used)
    return any(isinstance(hop, IPv6Address) and hop.ipv4_mapped for hop in found) and _recurses(router, best)


def _wanted_connected(router: _Router) -> frozenset[str]:
    tables = router.tables.values()
    kept = (d.path for decided in tables for d in decided if not (d.path.refused or "").startswith("denied"))
    return router.connected_only.after(path.attributes.next_hop for path in kept)


def _through(route: StaticRoute, next_hop: str) -> tuple[frozenset[FibNextHop], int] | None:
    if route.kind != "unicast":
        return None
    hops = frozenset(hop if hop.via is not None else FibNextHop(next_hop, hop.interface) for hop in route.next_hops)
    return hops, route.rib_metric


def _within(next_hop: str, prefix: Prefix) -> bool:
    address = _address(next_hop)
    return address is not None and _holds(prefix, address)


def _address(next_hop: str) -> Address | None:
    return None if next_hop == SELF or parse_link_local(next_hop) is not None else ip_address(next_hop)


def _holds(prefix: Prefix, address: Address) -> bool:
    return address.version == prefix.version and address in prefix


def _prefix_order(prefix: Prefix) -> tuple[int, int, int]:
    return (prefix.version, int(prefix.network_address), prefix.prefixlen)
