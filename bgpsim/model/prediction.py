"""From a Network to the NetworkState that it comes to rest in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from bgpsim.model.classes import classes
from bgpsim.model.decision import Candidate, Decided, equal_cost
from bgpsim.model.fib import Fibs, kernel_table
from bgpsim.model.forwarding import Walker, forward
from bgpsim.model.groups import Groups, NextHops, PredictedState, believed_routes, groups_after, in_kernel, kept_groups
from bgpsim.model.policy import Sent
from bgpsim.model.propagation import Problem, Solution, Solver, TableKey, WorklistSolver, rules_of
from bgpsim.model.rib import Rib, static_routes
from bgpsim.model.sessions import SessionEnd, Sessions, find_sessions, neighbor_sources
from bgpsim.model.wiring import Wiring
from bgpsim.network.description import Device, Network
from bgpsim.network.state import (
    AdvertisedKey,
    Attributes,
    BgpPath,
    FamilyCounters,
    FibKey,
    FibRoute,
    FlowKey,
    NetworkState,
    PathKey,
    Session,
    SessionKey,
    WireKey,
    numbered,
)
from bgpsim.network.types import Prefix, family_of
from bgpsim.source import Source, Unmodelled

SESSION_ROUNDS = 8
"""Sessions over routes that BGP itself brings: how often both are computed in turn before they are called unstable."""

Sizes: TypeAlias = Mapping[Prefix, int]

OBSERVED_KINDS = ("router", "node", "host")
"""Devices whose kernel tables are facts; those of pods, speakers and gateways are the lab's own making."""


@dataclass(frozen=True, slots=True)
class Tie:
    """A destination of one router whose best path only the order of arrival tells."""

    table: TableKey
    paths: tuple[PathKey, ...]
    """The equal ones, the assumed best first."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The state at rest, and what this computation had to leave open (not what the description lists already)."""

    state: NetworkState
    unmodelled: tuple[Unmodelled, ...] = ()
    ties: tuple[Tie, ...] = ()
    """Left open, and in `state` decided by the lower router ID (`bgpsim.model.outcomes` tries the others)."""
    hurried: bool = False
    """It matters whether the network came to rest in what it passed through in haste; in `state` it did."""

    @property
    def is_open(self) -> bool:
        """There are other outcomes (`bgpsim.model.outcomes`)."""
        return bool(self.ties) or self.hurried


def predict(
    network: Network,
    before: NetworkState | None,
    flows: Sequence[FlowKey],
    *,
    solver: Solver | None = None,
    arrived: frozenset[PathKey] = frozenset(),
) -> Prediction:
    """Predict the state that `network` settles in.

    `before` is the state of the step before: FRR keeps an external path that is already best (RFC 4271 leaves it open),
    so a history can decide. Without one, such a tie is reported in `unmodelled` and `ties`, unless one of its paths is
    among those that are said to have `arrived` first. Raises ModelError for a flow whose sender is not in the network.
    """
    rested = _rested(network, before, flows, solver, arrived)
    hasty = in_haste(network)
    if hasty is None:
        return rested
    other = predict(hasty, before, flows, solver=solver, arrived=arrived).state
    if other == rested.state:
        return rested
    ties = (*rested.ties, *chosen_otherwise(rested.state, other, arrived))
    unmodelled = tuple(sorted([*rested.unmodelled, _hurried(network)]))
    return replace(rested, unmodelled=unmodelled, ties=ties, hurried=True)


def _rested(
    network: Network,
    before: NetworkState | None,
    flows: Sequence[FlowKey],
    solver: Solver | None,
    arrived: frozenset[PathKey],
) -> Prediction:
    """As if it came to rest in everything that it passed through."""
    for passed in network.interim:
        before = predict(passed, before, (), solver=solver).state
    chosen = solver or WorklistSolver()
    of = classes(network, before, flows)
    if of is None:
        return _solved(network, before, flows, chosen, arrived, {})
    solved = _solved(of.network, of.narrowed(before), flows, chosen, arrived, of.sizes())
    return replace(solved, state=of.spread(solved.state, before))


def _solved(
    network: Network,
    before: NetworkState | None,
    flows: Sequence[FlowKey],
    chosen: Solver,
    arrived: frozenset[PathKey],
    sizes: Sizes,
) -> Prediction:
    """`sizes`: how many prefixes one stands for, itself among them, where there are several."""
    wiring = Wiring(network)
    static = {name: static_routes(wiring, device) for name, device in network.devices.items()}
    believed = believed_routes(network, before)
    ribs = {
        name: Rib(routes, frozenset(prefix for device, prefix in believed if device == name))
        for name, routes in static.items()
    }
    selected = _with_arrived(selected_before(before), arrived)
    kept = kept_groups(before, wiring)
    connected_only = before.connected_only if isinstance(before, PredictedState) else frozenset()

    def used(solution: Solution | None) -> dict[str, dict[Prefix, NextHops]]:
        """What zebra installs, by device: BGP's routes and FRR's static ones."""
        routes = {
            name: {r.prefix: frozenset(r.next_hops) for r in of if r.of_frr and r.in_kernel}
            for name, of in static.items()
        }
        for name, installed in solution.installed.items() if solution else ():
            routes[name] |= {route.prefix: route.next_hops for route in installed}
        return routes

    def kernel(solution: Solution | None) -> dict[FibKey, FibRoute]:
        tables: dict[FibKey, FibRoute] = {}
        held = {
            name: {prefix: in_kernel(name, prefix, group, kept, before, wiring) for prefix, group in routes.items()}
            for name, routes in used(solution).items()
        }
        for name, device in network.devices.items():
            installed = solution.installed.get(name, ()) if solution else ()
            tables.update(kernel_table(device, static[name], installed, held[name]))
        return tables

    fib = kernel(None)
    sessions = find_sessions(wiring, ribs, Walker(wiring, Fibs(fib)))
    settled = False
    for _ in range(SESSION_ROUNDS):
        solution = chosen.solve(Problem(wiring, ribs, sessions, selected, connected_only))
        fib = kernel(solution)
        walker = Walker(wiring, Fibs(fib))
        again = find_sessions(wiring, ribs, walker)
        settled = again == sessions
        if settled:
            break
        sessions = again
    undecided = _order_of_arrival(network, solution, before)
    arrivals = [arrival for arrival in undecided if arrival.key(arrival.best) not in arrived]
    wire = _wire(network, sessions, solution)
    state = PredictedState(
        sessions=_sessions(network, sessions, solution, sizes),
        paths=_paths(network, solution, before, {arrival.table for arrival in undecided}),
        advertised=_advertised(network, sessions, solution),
        fib={key: route for key, route in fib.items() if network.devices[key.device].kind in OBSERVED_KINDS},
        forwarding={flow: forward(walker, flow) for flow in sorted(flows)},
        wire={key: sent.wire for key, sent in wire.items()},
        lines=_lines(solution.sent) | _lines(wire),
        groups=groups_after(kept, {name: routes.values() for name, routes in used(solution).items()}),
        believed=believed,
        connected_only=solution.connected_only,
    )
    open_ends = [_open(network, sessions, solution, arrival, sizes) for arrival in arrivals]
    open_ends += _split(network, sessions)
    open_ends += _stale(network, used(solution), kept, sizes) + _unstable(network, solution, settled, sizes)
    ties = tuple(Tie(a.table, tuple(map(a.key, (a.best, *a.rivals)))) for a in arrivals)
    return Prediction(state, tuple(sorted(open_ends)), ties)


def in_haste(network: Network) -> Network | None:
    """As if it had never come to rest where it perhaps did; None where there is no such moment."""
    certain = tuple(passed for passed in network.interim if not passed.perhaps)
    return None if len(certain) == len(network.interim) else replace(network, interim=certain)


def chosen_otherwise(state: NetworkState, other: NetworkState, arrived: frozenset[PathKey]) -> tuple[Tie, ...]:
    """The tables whose best path is another one in the other state: each router may have chosen meanwhile, or not."""
    best, rival = (
        {TableKey(key.device, key.prefix): key for key, path in of.paths.items() if path.best} for of in (state, other)
    )
    known = {TableKey(key.device, key.prefix) for key in arrived}
    tables = sorted((best.keys() & rival.keys()) - known, key=str)
    return tuple(Tie(table, (best[table], rival[table])) for table in tables if best[table] != rival[table])


def _hurried(network: Network) -> Unmodelled:
    names = tuple(sorted(name for name, device in network.devices.items() if device.kind in OBSERVED_KINDS))
    return Unmodelled(
        source=_anchor(network, network.devices[names[0]], None),
        device=None,
        text="how far the routers had come when the step went on decides",
        effect="possible",
        affects=names,
        why="the step acts on an event and does not wait until nothing moves",
    )


def _with_arrived(selected: frozenset[PathKey], arrived: frozenset[PathKey]) -> frozenset[PathKey]:
    tables = {(key.device, key.prefix) for key in arrived}
    return frozenset(key for key in selected if (key.device, key.prefix) not in tables) | arrived


def selected_before(before: NetworkState | None) -> frozenset[PathKey]:
    return frozenset(key for key, path in before.paths.items() if path.best) if before else frozenset()


def _alike(prefix: Prefix, sizes: Sizes) -> str:
    """A prefix, and how many others are as it is."""
    more = sizes.get(prefix, 1) - 1
    return f"{prefix} and {more} more" if more else str(prefix)


def _sessions(network: Network, sessions: Sessions, solution: Solution, sizes: Sizes) -> Mapping[SessionKey, Session]:
    counts = _counters(sessions, solution, sizes)
    shown: dict[SessionKey, Session] = dict(sessions.down)
    for key, end in sessions.ends.items():
        speaks = not _is_speaker(network, key.device)
        shown[key] = Session(
            "Established",
            end.type,
            end.peer.device,
            end.neighbor.interface if end.neighbor.address is None else None,
            families={family: counts[key, family] for family in end.families} if speaks else {},
            because_sources=neighbor_sources(end.neighbor),
        )
    return {key: shown[key] for key in sorted(shown)}


def _counters(sessions: Sessions, solution: Solution, sizes: Sizes) -> dict[tuple[SessionKey, str], FamilyCounters]:
    """What FRR calls PfxRcd (accepted, even with an unusable next hop), what was offered, and PfxSnt."""
    accepted: dict[tuple[SessionKey, str], int] = {}
    received: dict[tuple[SessionKey, str], int] = {}
    sent: dict[tuple[SessionKey, str], int] = {}
    for table, decided in solution.tables.items():
        for entry in decided:
            at = (SessionKey(table.device, entry.path.neighbor), family_of(table.prefix))
            received[at] = received.get(at, 0) + sizes.get(table.prefix, 1)
            if not (entry.path.refused or "").startswith("denied"):
                accepted[at] = accepted.get(at, 0) + sizes.get(table.prefix, 1)
    for key in solution.sent:
        to = (SessionKey(key.device, key.neighbor), key.family)
        sent[to] = sent.get(to, 0) + sizes.get(key.prefix, 1)
    return {
        (key, family): FamilyCounters(
            accepted.get((key, family), 0), received.get((key, family), 0), sent.get((key, family), 0)
        )
        for key, end in sessions.ends.items()
        for family in end.families
    }


def _paths(
    network: Network, solution: Solution, before: NetworkState | None, open_tables: set[TableKey]
) -> Mapping[PathKey, BgpPath]:
    """Every router's table. A speaker keeps none: what it hears is the wire plane.

    A reason is the one of the last time that the router chose: where nothing has changed since the step before, it has
    not chosen again. None where the order of arrival decided.
    """
    paths: dict[PathKey, BgpPath] = {}
    earlier: dict[TableKey, dict[tuple[str, int], BgpPath]] = {}
    for key, path in before.paths.items() if before else ():
        earlier.setdefault(TableKey(key.device, key.prefix), {})[key.neighbor, key.path_id] = path
    for table, decided in solution.tables.items():
        if _is_speaker(network, table.device):
            continue
        then = earlier.get(table, {})
        unchanged = len(then) == len(decided) and all(_unchanged(entry, then) for entry in decided)
        unchanged = unchanged and table.device not in network.chosen_anew
        for entry in decided:
            key = PathKey(table.device, family_of(table.prefix), table.prefix, *entry.path.place)
            paths[key] = BgpPath(
                attributes=_shown(network, table.device, entry.path.attributes),
                valid=entry.path.valid,
                best=entry.best,
                multipath=entry.multipath,
                weight=entry.path.weight,
                reason=then[entry.path.place].reason if unchanged else (None if table in open_tables else entry.reason),
                lost=entry.lost,
                sources=entry.path.sources,
            )
    return paths


def _shown(network: Network, device: str, attributes: Attributes) -> Attributes:
    """FRR's tables leave out attributes that it does not know."""
    if not attributes.unknown or _engine(network, device) != "frr":
        return attributes
    return replace(attributes, unknown=())


def _unchanged(entry: Decided, then: Mapping[tuple[str, int], BgpPath]) -> bool:
    path = then.get(entry.path.place)
    return (
        path is not None
        and replace(path.attributes, unknown=()) == replace(entry.path.attributes, unknown=())
        and (path.valid, path.best, path.weight) == (entry.path.valid, entry.best, entry.path.weight)
    )


def _is_speaker(network: Network, device: str) -> bool:
    """It says what it is told to, keeps no table and passes nothing on, whatever it runs."""
    return network.devices[device].kind == "speaker"


def _engine(network: Network, device: str) -> str | None:
    instance = network.devices[device].bgp
    return instance.engine if instance else None


def _advertised(network: Network, sessions: Sessions, solution: Solution) -> Mapping[AdvertisedKey, Attributes]:
    """Where several paths of a prefix are sent, FRR prints one of them: those are facts of the wire alone."""
    return {
        key: sent.printed
        for key, sent in sorted(solution.sent.items(), key=lambda item: str(item[0]))
        if not _is_speaker(network, key.device) and not sessions.ends[SessionKey(*key[:2])].add_path
    }


def _wire(network: Network, sessions: Sessions, solution: Solution) -> Mapping[WireKey, Sent]:
    """What stands on every session: a speaker's seen from its end, any other from the end that sends."""
    wire: dict[WireKey, Sent] = {}
    for key, sent in sorted(solution.sent.items(), key=lambda item: str(item[0])):
        peer = sessions.ends[SessionKey(key.device, key.neighbor)].peer.device
        if _is_speaker(network, key.device):
            wire[WireKey(key.device, "sent", peer, key.family, key.prefix, key.path_id)] = sent
        elif _is_speaker(network, peer):
            wire[WireKey(peer, "received", key.device, key.family, key.prefix, key.path_id)] = sent
        else:
            wire[WireKey(key.device, "sent", key.neighbor, key.family, key.prefix, key.path_id)] = sent
    return numbered(wire, lambda sent: sent.wire)


def _lines(
    sent: Mapping[AdvertisedKey, Sent] | Mapping[WireKey, Sent],
) -> dict[AdvertisedKey | WireKey, tuple[Source, ...]]:
    return {key: of.sources for key, of in sent.items()}


class _Arrival(NamedTuple):
    """A destination whose best path only the order of arrival tells."""

    table: TableKey
    best: Candidate
    rivals: tuple[Candidate, ...]

    def key(self, path: Candidate) -> PathKey:
        return PathKey(self.table.device, family_of(self.table.prefix), self.table.prefix, *path.place)


def _order_of_arrival(network: Network, solution: Solution, before: NetworkState | None) -> list[_Arrival]:
    """Ties between external paths that nothing but history decides, where history is not known."""
    found = []
    for table, decided in solution.tables.items():
        device = network.devices[table.device]
        if device.bgp is None or device.bgp.engine != "frr" or device.bgp.compare_router_id:
            continue
        best = next((entry.path for entry in decided if entry.best), None)
        if best is None or best.type != "ebgp":
            continue
        rivals = tuple(entry.path for entry in decided if not entry.best and _rivals(entry, best, device))
        if rivals and not _history_decides(table, best, rivals, before):
            found.append(_Arrival(table, best, rivals))
    return found


def _open(network: Network, sessions: Sessions, solution: Solution, arrival: _Arrival, sizes: Sizes) -> Unmodelled:
    table, best, rivals = arrival
    end = sessions.ends[SessionKey(table.device, best.neighbor)]
    names = ", ".join(sorted(path.neighbor for path in (best, *rivals)))
    return Unmodelled(
        source=_anchor(network, network.devices[table.device], end),
        device=table.device,
        text=f"order of arrival decides between the paths of {_alike(table.prefix, sizes)} from {names}",
        effect="possible",
        affects=_holders(solution, table),
        why="FRR keeps the external path that came first; the lower router ID is assumed to have",
    )


def _split(network: Network, sessions: Sessions) -> list[Unmodelled]:
    return [
        Unmodelled(
            source=_anchor(network, network.devices[key.device], sessions.ends[key]),
            device=key.device,
            text=f"packets of the session with {key.neighbor} are lost on one of several ways",
            effect="possible",
            affects=(key.device, sessions.ends[key].peer.device),
            why="the kernel's hash decides whether a connection takes it; it is assumed to find another",
        )
        for key in sorted(sessions.split)
    ]


def _stale(
    network: Network, used: Mapping[str, Mapping[Prefix, NextHops]], kept: Groups, sizes: Sizes
) -> list[Unmodelled]:
    """Routes over nexthop groups that the kernel has taken members from: true for as long as zebra keeps a group."""
    found = []
    for name, routes in used.items():
        for prefix, group in routes.items():
            lost = group - kept.get(name, {}).get(group, group)
            if lost:
                interfaces = ", ".join(sorted(str(hop.interface) for hop in lost))
                found.append(
                    Unmodelled(
                        source=_anchor(network, network.devices[name], None),
                        device=name,
                        text=f"the kernel's nexthop group of {_alike(prefix, sizes)} has lost {interfaces}",
                        effect="possible",
                        affects=(name,),
                        why="FRR 8.4 takes a group again that an interface has left when it was down, unless the group"
                        " was out of use for three minutes",
                    )
                )
    return found


def _rivals(entry: Decided, best: Candidate, device: Device) -> bool:
    assert device.bgp is not None
    path = entry.path
    return path.valid and path.type == "ebgp" and equal_cost(path, best, rules_of(device.bgp))


def _history_decides(
    table: TableKey, best: Candidate, rivals: tuple[Candidate, ...], before: NetworkState | None
) -> bool:
    """The best path was best before with the same attributes; or all were there, and none of them was best."""
    if before is None:
        return False

    def earlier(path: Candidate) -> BgpPath | None:
        then = before.paths.get(PathKey(table.device, family_of(table.prefix), table.prefix, *path.place))
        same = then is not None and replace(then.attributes, unknown=()) == replace(path.attributes, unknown=())
        return then if same else None

    was = earlier(best)
    if was is not None and was.best:
        return True
    known = [earlier(path) for path in (best, *rivals)]
    return all(path is not None and path.valid and not path.best for path in known)


def _holders(solution: Solution, table: TableKey) -> tuple[str, ...]:
    return tuple(sorted({other.device for other in solution.tables if other.prefix == table.prefix}))


def _unstable(network: Network, solution: Solution, settled: bool, sizes: Sizes) -> list[Unmodelled]:
    found = [
        Unmodelled(
            source=_anchor(network, network.devices[table.device], None),
            device=table.device,
            text=f"the best path of {_alike(table.prefix, sizes)} does not come to rest",
            effect="possible",
            affects=_holders(solution, table),
        )
        for table in solution.unstable
    ]
    if not settled:
        names = tuple(sorted(name for name, device in network.devices.items() if device.bgp))
        first = network.devices[names[0]]
        text = "sessions and the routes that carry them do not come to rest"
        found.append(Unmodelled(_anchor(network, first, None), None, text, "possible", names))
    return found


def _anchor(network: Network, device: Device, end: SessionEnd | None) -> Source:
    """The line to point at: the neighbor's, the BGP instance's, the device's."""
    if end is not None:
        for line in neighbor_sources(end.neighbor):
            return line
    if device.bgp is not None and device.bgp.source is not None:
        return device.bgp.source
    return device.source or Source(network.name, 0)
