"""What a prediction leaves open: ties that the order of arrival decides, ways that a hash chooses, unrest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from bgpsim.model.classes import Sizes
from bgpsim.model.decision import Candidate, equal_cost
from bgpsim.model.fib import OBSERVED_KINDS
from bgpsim.model.groups import Groups, NextHops
from bgpsim.model.neighbors import neighbor_sources
from bgpsim.model.propagation import Solution, TableKey, rules_of
from bgpsim.model.selection import contenders
from bgpsim.model.sessions import SessionEnd, Sessions
from bgpsim.network.description import Device, Network
from bgpsim.network.state import BgpPath, NetworkState, PathKey, SessionKey
from bgpsim.network.types import Prefix, family_of
from bgpsim.source import Source, Unmodelled

ORDER_OF_ARRIVAL = "order of arrival"
"""How the text of a tie begins, of which every outcome is known (`bgpsim.model.outcomes`)."""

STALE_GROUP = "the kernel's nexthop group"
"""How the text of a route over a group that an interface has left begins: true for as long as zebra keeps the group
(`bgpsim.model.groups.KEPT`)."""


class Arrival(NamedTuple):
    """A destination whose best path only the order of arrival tells."""

    table: TableKey
    best: Candidate
    rivals: tuple[Candidate, ...]
    why: str | None = None

    def key(self, path: Candidate) -> PathKey:
        return PathKey(self.table.device, family_of(self.table.prefix), self.table.prefix, *path.place)


def orders_of_arrival(network: Network, solution: Solution, before: NetworkState | None) -> list[Arrival]:
    """Ties that nothing but history decides, where history is not known: of external paths the older one is kept; of
    two unnumbered neighbors the one with the lower link-local address is, whose MAC address nobody has written."""
    found = []
    for table, decided in solution.tables.items():
        device = network.devices[table.device]
        best = next((entry.path for entry in decided if entry.best), None)
        if device.bgp is None or device.bgp.engine != "frr" or best is None or best.type == "local":
            continue
        rules = rules_of(device.bgp, family_of(table.prefix))
        possible = contenders([entry.path for entry in decided], rules)
        rivals = tuple(path for path in possible if path is not best)
        ladder = not all(equal_cost(path, best, rules) for path in rivals)
        if rivals and not _history_decides(table, best, rivals, before, ladder=ladder):
            found.append(Arrival(table, best, rivals))
    return found


def open_arrival(
    network: Network, sessions: Sessions, solution: Solution, arrival: Arrival, sizes: Sizes
) -> Unmodelled:
    table, best, rivals, why = arrival
    end = sessions.ends.get(SessionKey(table.device, best.neighbor))
    names = ", ".join(sorted(path.neighbor for path in (best, *rivals)))
    return Unmodelled(
        source=_anchor(network, network.devices[table.device], end),
        device=table.device,
        text=f"{ORDER_OF_ARRIVAL} decides between the paths of {_alike(table.prefix, sizes)} from {names}",
        effect="possible",
        affects=_holders(solution, table),
        why=why
        if why is not None
        else "FRR keeps the external path that came first; the lower router ID is assumed to have"
        if all(path.type == "ebgp" for path in (best, *arrival.rivals))
        else "MEDs are compared between some of the paths alone, the newest first; or MAC addresses decide",
    )


def split_sessions(network: Network, sessions: Sessions) -> list[Unmodelled]:
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


def at_the_limit(network: Network, ends: Iterable[SessionEnd]) -> list[Unmodelled]:
    """Sessions that stand with one prefix more than they may (bgpsim/model/prefix_limits.py)."""
    return [
        Unmodelled(
            source=_anchor(network, network.devices[end.device], end),
            device=end.device,
            text=f"the session with {end.neighbor.name} has one prefix more than its maximum-prefix",
            effect="possible",
            affects=(end.device, end.peer.device),
            why="FRR counts before it takes a prefix in: the next UPDATE ends the session; none is assumed",
        )
        for end in ends
    ]


def beyond_the_listen_limit(network: Network, sessions: Sessions) -> list[Unmodelled]:
    """More dynamic neighbors than `bgp listen limit` lets in: who comes first is one."""
    found = []
    for name, device in network.devices.items():
        dynamic = [end for end in sessions.of(name) if end.neighbor.dynamic]
        if device.bgp is not None and len(dynamic) > device.bgp.listen_limit:
            affected = sorted({name, *(end.peer.device for end in dynamic)})
            found.append(
                Unmodelled(
                    source=_anchor(network, device, dynamic[0]),
                    device=name,
                    text=f"{len(dynamic)} dynamic neighbors, and a listen limit of {device.bgp.listen_limit}",
                    effect="possible",
                    affects=tuple(affected),
                    why="the order of arrival decides who is let in; all are assumed to be",
                )
            )
    return found


def stale_groups(
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
                        text=f"{STALE_GROUP} of {_alike(prefix, sizes)} has lost {interfaces}",
                        effect="possible",
                        affects=(name,),
                        why="FRR 8.4 takes a group again that an interface has left when it was down, unless the group"
                        " was out of use for three minutes",
                    )
                )
    return found


def _history_decides(
    table: TableKey, best: Candidate, rivals: tuple[Candidate, ...], before: NetworkState | None, *, ladder: bool
) -> bool:
    """The best path was best before with the same attributes; or all were there, and none of them was best.

    `ladder`: MEDs are compared between some of them and not others, so that the order of all of them tells: the best
    path stays best only while all of them stay.
    """
    if before is None:
        return False

    def earlier(path: Candidate) -> BgpPath | None:
        then = before.paths.get(PathKey(table.device, family_of(table.prefix), table.prefix, *path.place))
        same = then is not None and replace(then.attributes, unknown=()) == replace(path.attributes, unknown=())
        return then if same else None

    was = earlier(best)
    if ladder:
        return was is not None and was.best and all(earlier(path) is not None for path in rivals)
    if was is not None and was.best:
        return True
    known = [earlier(path) for path in (best, *rivals)]
    return all(path is not None and path.valid and not path.best for path in known)


def _holders(solution: Solution, table: TableKey) -> tuple[str, ...]:
    return tuple(sorted({other.device for other in solution.tables if other.prefix == table.prefix}))


def unrest(network: Network, solution: Solution, settled: bool, sizes: Sizes) -> list[Unmodelled]:
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


def open_haste(network: Network) -> Unmodelled:
    names = tuple(sorted(name for name, device in network.devices.items() if device.kind in OBSERVED_KINDS))
    return Unmodelled(
        source=_anchor(network, network.devices[names[0]], None),
        device=None,
        text="how far the routers had come when the step went on decides",
        effect="possible",
        affects=names,
        why="the step acts on an event and does not wait until nothing moves",
    )


def _alike(prefix: Prefix, sizes: Sizes) -> str:
    """A prefix, and how many others are as it is."""
    more = sizes.get(prefix, 1) - 1
    return f"{prefix} and {more} more" if more else str(prefix)
