"""The fixpoint: Adj-RIB-In → decision → Loc-RIB → Adj-RIB-Out, from router to router until nothing changes.

`Solver` is the seam at which arrays can take the place of this walk over objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple, Protocol

from bgpsim.model.acceptance import accepted
from bgpsim.model.aggregation import Aggregation, KeptApart
from bgpsim.model.decision import Candidate, Rules
from bgpsim.model.fib import InstalledRoute
from bgpsim.model.installation import distance, taken
from bgpsim.model.local_paths import local_paths
from bgpsim.model.neighbor_policy import hop_interface
from bgpsim.model.neighbors import must_be_connected, neighbor_sources
from bgpsim.model.nexthop_tracking import ConnectedOnly, User
from bgpsim.model.policy import Exporter, Sent
from bgpsim.model.rib import PrefixTable, Rib, StaticRoute
from bgpsim.model.route_map_sets import SELF
from bgpsim.model.selection import Decided, best_of_each_as, decide
from bgpsim.model.sessions import SessionEnd, Sessions
from bgpsim.model.update_groups import UpdateGroups
from bgpsim.model.wiring import Wiring, parse_link_local
from bgpsim.network.description import BgpInstance, Device
from bgpsim.network.internal_bgp import Together
from bgpsim.network.state import AdvertisedKey, Attributes, FibNextHop, PathKey, SessionKey, in_order
from bgpsim.network.types import FAMILIES, Address, Family, Prefix, family_of
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
    came: Mapping[PathKey, int] = field(default_factory=dict)
    """In which step the paths of before came (`BgpPath.came`)."""
    step: int = 0
    """Of those that come now."""
    last: frozenset[tuple[str, Prefix | None]] = frozenset()
    """Routers that wait with a prefix (None: with each) until none of the others has anything to do."""
    kept_apart: KeptApart = field(default_factory=dict)


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
    rules: Mapping[Family, Rules]
    ends: tuple[SessionEnd, ...]
    local: dict[Prefix, list[Candidate]]
    connected_only: ConnectedOnly
    aggregation: Aggregation
    adj_in: dict[Prefix, dict[str, dict[int, Sent]]] = field(default_factory=dict)
    """By prefix, neighbor and path id."""
    through: dict[str, set[Prefix]] = field(default_factory=dict)
    """Next hop -> the prefixes that were ever heard with it: few next hops, whatever the size of a table."""
    tables: dict[Prefix, tuple[Decided, ...]] = field(default_factory=dict)
    installed: PrefixTable[InstalledRoute] = field(default_factory=PrefixTable)
    dirty: set[Prefix] = field(default_factory=set)
    changed: set[Prefix] = field(default_factory=set)
    """Decided otherwise since its aggregates were last looked at."""
    rounds: dict[Prefix, int] = field(default_factory=dict)


def _by_prefix(paths: Iterator[tuple[Prefix, Candidate]]) -> dict[Prefix, list[Candidate]]:
    found: dict[Prefix, list[Candidate]] = {}
    for prefix, path in paths:
        found.setdefault(prefix, []).append(path)
    return found


def rules_of(instance: BgpInstance, family: Family) -> Rules:
    frr = instance.engine == "frr"
    return Rules(
        weight=frr,
        multipath=frr,
        multipath_relax=instance.multipath_relax,
        compare_router_id=instance.compare_router_id,
        always_compare_med=instance.always_compare_med,
        deterministic_med=instance.deterministic_med,
        confederation=instance.confederation is not None,
        choice=instance.choice,
        together=instance.choice.together.get(family, Together()),
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
                    {family: rules_of(device.bgp, family) for family in FAMILIES},
                    tuple(problem.sessions.of(name)),
                    _by_prefix(local_paths(problem.wiring, device, device.bgp, problem.ribs[name])),
                    ConnectedOnly(frozenset(hop for at, hop in problem.connected_only if at == name)),
                    Aggregation(problem.wiring, device, problem.kept_apart),
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
            moved = [self._asked(router, waits=True) for router in waiting]
            if not any(moved):
                for router in waiting:
                    self._asked(router, waits=False)
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

    def _asked(self, router: _Router, *, waits: bool) -> bool:
        """All that has changed is decided; what the router waits with, if it has waited enough."""
        moved = False
        for prefix in sorted(router.dirty, key=_prefix_order):
            if not (waits and self._held(router.device.name, prefix)):
                router.dirty.discard(prefix)
                self._decide(router, prefix)
                moved = True
        self._aggregate(router)
        self._default_routes(router, with_map=True)
        return moved

    def _held(self, name: str, prefix: Prefix) -> bool:
        return bool(self.problem.last) and ((name, None) in self.problem.last or (name, prefix) in self.problem.last)

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
        if (
            end.type != "ebgp"
            or not must_be_connected(end.neighbor)
            or all(other.type == "ebgp" for other in router.ends)
        ):
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
        decided = decide(tuple(self._candidates(router, prefix)), router.rules[family_of(prefix)])
        if decided == router.tables.get(prefix, ()):
            return
        router.changed.add(prefix)
        if decided:
            router.tables[prefix] = decided
        else:
            router.tables.pop(prefix, None)
        self._install(router, prefix, decided)
        self._announce(router, prefix)

    def _aggregate(self, router: _Router) -> None:
        """What the prefixes decided since the last time make of the router's aggregates."""
        changed, router.changed = router.changed, set()
        if not router.aggregation.aggregates:
            return
        anew = router.aggregation.update(router.tables, changed)
        own = {aggregate.prefix for aggregate in router.aggregation.aggregates}
        router.dirty.update(anew & own)
        for prefix in sorted(anew - own, key=_prefix_order):
            self._announce(router, prefix)

    def _announce(self, router: _Router, prefix: Prefix) -> None:
        """To every neighbor, what it is to have of the prefix as it is decided."""
        decided = router.tables.get(prefix, ())
        best = next((d.path for d in decided if d.best), None)
        family = family_of(prefix)
        for end in router.ends:
            if family not in end.families:
                continue
            if end.neighbor.families[family].default_originate and prefix.prefixlen == 0:
                continue
            if router.device.kind == "speaker":
                continue
            if family in end.several_sent:
                self._tell_several(router, end, family, prefix, decided)
                continue
            sent = self._to_send(router, end, family, prefix, best) if best else None
            self._tell(end, family, prefix, sent)

    def _to_send(
        self, router: _Router, end: SessionEnd, family: Family, prefix: Prefix, path: Candidate
    ) -> Sent | None:
        if router.instance.suppress_fib_pending and path.type != "local" and router.installed.get(prefix) is None:
            return None
        suppressed = router.aggregation.suppresses(prefix, path)
        return self.exporter.send(router.device, end, family, prefix, path, suppressed=suppressed)

    def _tell_several(
        self, router: _Router, end: SessionEnd, family: Family, prefix: Prefix, decided: tuple[Decided, ...]
    ) -> None:
        """Every valid path, or the best and the best of each neighbor AS, under ids of their own: bgpd's are numbers
        that it hands out as paths come."""
        paths = [d.path for d in decided if d.path.valid]
        if end.several_sent[family] == "best per AS":
            chosen = [*best_of_each_as(paths, router.rules[family]), *(d.path for d in decided if d.best)]
            paths = [path for path in paths if any(path is one for one in chosen)]
        sendable = [s for p in paths if (s := self._to_send(router, end, family, prefix, p)) is not None]
        sendable.sort(key=lambda sent: in_order(sent.wire))
        for path_id, sent in enumerate(sendable, start=1):
            self._tell(end, family, prefix, sent, path_id)
        told = len(sendable)
        while AdvertisedKey(end.device, end.neighbor.name, family, prefix, told + 1) in self.sent:
            told += 1
            self._tell(end, family, prefix, None, told)

    def _candidates(self, router: _Router, prefix: Prefix) -> Iterator[Candidate]:
        own = list(router.local.get(prefix, ()))
        aggregate = router.aggregation.made.get(prefix)
        if aggregate is not None:
            own.append(replace(aggregate, path_id=len(own)))
        for path in own:
            key = PathKey(router.device.name, family_of(prefix), prefix, *path.place)
            yield replace(path, came=self.problem.came.get(key, self.problem.step))
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
            came=self.problem.came.get(key, self.problem.step),
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
        route but the path's own, and through a default route only with `ip nht resolve-via-default` (off where zebra
        starts with traditional defaults)."""
        if parse_link_local(path.next_hop) is not None:
            if end.interface is None:
                return None
            return frozenset({FibNextHop(path.next_hop, end.interface)}), 0
        address = ip_address(path.next_hop)
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            # bgpd resolves what it maps to, and takes the path; zebra does not install it (measured on 8.4.4).
            found = self._resolve(router, end, prefix, replace(path, next_hop=str(address.ipv4_mapped)))
            return None if found is None else (frozenset(), found[1])
        if ip_network(address) == prefix and not end.neighbor.families[family_of(prefix)].reflector_client:
            # bgpd/bgp_nht.c, bgp_find_or_add_nexthop: "prefix loops through itself".
            return None
        rib = self.problem.ribs[router.device.name]
        default = address.version in router.device.resolve_via_default
        static = [(p, route) for p, route in rib.table.matches(address) if p.prefixlen or default]
        if (end.type == "ebgp" and must_be_connected(end.neighbor)) or path.next_hop in router.connected_only:
            if not static or not static[0][1].near:
                return None
            return _through(static[0][1], path.next_hop)
        matches = router.installed.matches(address)
        learnt = [(p, route) for p, route in matches if p != prefix and (p.prefixlen or default)]
        if learnt and (not static or learnt[0][0].prefixlen >= static[0][0].prefixlen):
            return learnt[0][1].next_hops, learnt[0][1].metric
        return _through(static[0][1], path.next_hop) if static else None

    def _install(self, router: _Router, prefix: Prefix, decided: tuple[Decided, ...]) -> None:
        """zebra takes the best path unless a connected or kernel route (distance 0) is there for the prefix, or it
        believes so."""
        if not router.instance.installs:
            return
        wiring = self.problem.wiring
        chosen = [(taken(wiring, router.device, prefix, d.path), d.best) for d in decided if d.best or d.multipath]
        used = [path for path, _ in chosen if path is not None]
        best = next((d.path for d in decided if d.best), None)
        route: InstalledRoute | None = None
        rib = self.problem.ribs[router.device.name]
        static = rib.table.get(prefix)
        far = 0 if best is None else distance(router.instance, prefix, best)
        covered = (static is not None and static.distance <= far) or prefix in rib.believed
        hops: frozenset[FibNextHop] = frozenset()
        if best is not None and best.aggregate and used and not covered:
            route = InstalledRoute(prefix, frozenset(), 0, best.sources, "blackhole")
        if best is not None and best.type != "local" and not covered and not _mapped(router, used, best):
            hops = frozenset(
                hop
                for path in used
                if not self._within_itself(router, prefix, path)
                for hop in path.next_hops
                if hop.via in (None, path.attributes.next_hop)
                or any(_recurses(router, path) for path in (used if router.instance.choice.peer_type_relax else [best]))
            )
        if best is not None and hops:
            route = InstalledRoute(prefix, hops, _metric(chosen), merged(*(p.sources for p in used)))
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


def _metric(chosen: Iterable[tuple[Candidate | None, bool]]) -> int:
    """The best path's MED, as a table-map leaves it; of several paths whichever is told of last."""
    return next((path.attributes.med or 0 for path, best in chosen if best and path is not None), 0)


def _recurses(router: _Router, best: Candidate) -> bool:
    """Whether zebra may resolve the route's next hops through other routes: the best path's neighbor decides it for all
    that are used together (bgpd/bgp_zebra.c, bgp_zebra_announce, ZEBRA_FLAG_ALLOW_RECURSION)."""
    end = next((end for end in router.ends if end.neighbor.name == best.neighbor), None)
    return end is None or end.type != "ebgp" or end.neighbor.ebgp_ttl != 1


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
