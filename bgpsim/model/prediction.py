"""From a Network to the NetworkState that it comes to rest in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bgpsim.model.aggregation import kept_apart
from bgpsim.model.classes import Sizes, classes
from bgpsim.model.disagreement import disagreements, solutions
from bgpsim.model.dynamic_neighbors import with_dynamic_neighbors
from bgpsim.model.fib import OBSERVED_KINDS, Fibs, kernel_table
from bgpsim.model.forwarding import Walker, forward
from bgpsim.model.groups import NextHops, PredictedState, believed_routes, groups_after, in_kernel, kept_groups
from bgpsim.model.left_open import (
    at_the_limit,
    beyond_the_listen_limit,
    open_arrival,
    open_haste,
    orders_of_arrival,
    split_sessions,
    stale_groups,
    unrest,
)
from bgpsim.model.planes import advertised_routes, counters, lines_of, routes_on_the_wire, session_ends, table_paths
from bgpsim.model.prefix_limits import Held, at_the_edge, first_over, newly_over, over_limit, still_held, without
from bgpsim.model.propagation import Problem, Solution, Solver, TableKey, WorklistSolver
from bgpsim.model.rib import Rib, static_routes
from bgpsim.model.sessions import find_sessions
from bgpsim.model.update_groups import joined_late
from bgpsim.model.wiring import Wiring
from bgpsim.network.description import Network
from bgpsim.network.path_ids import counted
from bgpsim.network.state import (
    FibKey,
    FibRoute,
    FlowKey,
    NetworkState,
    PathKey,
)
from bgpsim.network.types import Prefix
from bgpsim.source import Unmodelled

SESSION_ROUNDS = 8
"""Sessions over routes that BGP itself brings: how often both are computed in turn before they are called unstable."""


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
    arrived: frozenset[PathKey] = frozenset()
    """The paths that were said to have arrived first."""
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
    unmodelled = tuple(sorted([*rested.unmodelled, open_haste(network)]))
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
    network = with_dynamic_neighbors(network)
    wiring = Wiring(network)
    static = {name: static_routes(wiring, device) for name, device in network.devices.items()}
    believed = believed_routes(network, before)
    ribs = {
        name: Rib(routes, frozenset(prefix for device, prefix in believed if device == name))
        for name, routes in static.items()
    }
    selected = _with_arrived(_selected_before(before), arrived)
    came = _came(before)
    step = max(came.values(), default=0) + 1
    kept = kept_groups(before, wiring)
    apart = kept_apart(network, before)
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

    def over_with(down: Held) -> Held:
        fewer = without(sessions, down)
        solved = chosen.solve(Problem(wiring, ribs, fewer, selected, connected_only, came, step, kept_apart=apart))
        return over_limit(fewer, counters(fewer, solved, sizes))

    fib = kernel(None)
    sessions = find_sessions(wiring, ribs, Walker(wiring, Fibs(fib)))
    held = still_held(network, before) | newly_over(sessions, before)
    sessions = without(sessions, held)
    settled = False
    rounds = SESSION_ROUNDS + sum(1 for end in sessions.ends.values() if end.neighbor.options.limits)
    for _ in range(rounds):
        problem = Problem(wiring, ribs, sessions, selected, connected_only, came, step, kept_apart=apart)
        solution, others = solutions(chosen, problem)
        fib = kernel(solution)
        walker = Walker(wiring, Fibs(fib))
        over = first_over(over_limit(sessions, counters(sessions, solution, sizes)), over_with)
        held |= over
        again = without(find_sessions(wiring, ribs, walker), held)
        settled = again == sessions
        if settled:
            break
        sessions = again
    undecided = orders_of_arrival(network, solution, before)
    undecided += disagreements(network, solution, others, before)
    arrivals = [arrival for arrival in undecided if arrival.key(arrival.best) not in arrived]
    wire = routes_on_the_wire(network, sessions, solution)
    at_edge = at_the_edge(sessions, counters(sessions, solution, sizes))
    state = PredictedState(
        sessions=session_ends(network, sessions, solution, sizes),
        paths=table_paths(network, solution, before, {arrival.table for arrival in undecided}),
        advertised=advertised_routes(network, sessions, solution),
        fib={key: route for key, route in fib.items() if network.devices[key.device].kind in OBSERVED_KINDS},
        forwarding={flow: forward(walker, flow) for flow in sorted(flows)},
        wire={key: sent.wire for key, sent in wire.items()},
        lines=lines_of(solution.sent) | lines_of(wire),
        groups=groups_after(kept, {name: routes.values() for name, routes in used(solution).items()}),
        believed=believed,
        connected_only=solution.connected_only,
        held=held,
        at_the_edge=frozenset(end.key for end in at_edge),
    )
    open_ends = [open_arrival(network, sessions, solution, arrival, sizes) for arrival in arrivals]
    open_ends += split_sessions(network, sessions) + joined_late(network, sessions, ribs, before)
    open_ends += at_the_limit(network, at_edge) + beyond_the_listen_limit(network, sessions)
    open_ends += stale_groups(network, used(solution), kept, sizes) + unrest(network, solution, settled, sizes)
    ties = tuple(Tie(a.table, tuple(map(a.key, (a.best, *a.rivals)))) for a in arrivals)
    state = counted(state, {name for name, d in network.devices.items() if d.bgp is not None and d.bgp.engine == "frr"})
    return Prediction(state, tuple(sorted(open_ends)), ties, arrived)


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


def _with_arrived(selected: frozenset[PathKey], arrived: frozenset[PathKey]) -> frozenset[PathKey]:
    tables = {(key.device, key.prefix) for key in arrived}
    return frozenset(key for key in selected if (key.device, key.prefix) not in tables) | arrived


def _selected_before(before: NetworkState | None) -> frozenset[PathKey]:
    return frozenset(key for key, path in before.paths.items() if path.best) if before else frozenset()


def _came(before: NetworkState | None) -> dict[PathKey, int]:
    """A path that was refused on import was in no table."""
    paths = before.paths.items() if before else ()
    return {key: path.came for key, path in paths if not (path.lost or "").startswith("denied")}
