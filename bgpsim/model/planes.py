"""A solution as the planes show it: sessions with their counters, tables, Adj-RIBs-Out and the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bgpsim.model.classes import Sizes
from bgpsim.model.neighbors import neighbor_sources
from bgpsim.model.policy import Sent
from bgpsim.model.propagation import Solution, TableKey
from bgpsim.model.selection import Decided
from bgpsim.model.sessions import Sessions, shown_type
from bgpsim.network.description import Network
from bgpsim.network.state import (
    AdvertisedKey,
    Attributes,
    BgpPath,
    FamilyCounters,
    NetworkState,
    PathKey,
    Session,
    SessionKey,
    WireKey,
    numbered,
)
from bgpsim.network.types import family_of
from bgpsim.source import Source


def session_ends(
    network: Network, sessions: Sessions, solution: Solution, sizes: Sizes
) -> Mapping[SessionKey, Session]:
    counts = counters(sessions, solution, sizes)
    shown: dict[SessionKey, Session] = dict(sessions.down)
    for key, end in sessions.ends.items():
        if _shown_as_down(network, key.device):
            because = "it stands, and bgpd shows it as shut down: `bgp shutdown` does not keep dynamic neighbors out"
            shown[key] = Session("Down", shown_type(end.type), end.peer.device, None, because)
            continue
        speaks = not _is_speaker(network, key.device)
        shown[key] = Session(
            "Established",
            shown_type(end.type),
            end.peer.device,
            end.neighbor.interface if end.neighbor.address is None else None,
            families={family: counts[key, family] for family in end.families} if speaks else {},
            because_sources=neighbor_sources(end.neighbor),
        )
    return {key: shown[key] for key in sorted(shown)}


def _shown_as_down(network: Network, device: str) -> bool:
    """With `bgp shutdown` bgpd shows no neighbor as Established, nor what it sends, whatever stands."""
    instance = network.devices[device].bgp
    return instance is not None and instance.shutdown


def counters(sessions: Sessions, solution: Solution, sizes: Sizes) -> dict[tuple[SessionKey, str], FamilyCounters]:
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


def table_paths(
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
                came=entry.path.came,
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
    """It says what it is told to, keeps no table and passes nothing on."""
    return network.devices[device].kind == "speaker"


def _engine(network: Network, device: str) -> str | None:
    instance = network.devices[device].bgp
    return instance.engine if instance else None


def advertised_routes(network: Network, sessions: Sessions, solution: Solution) -> Mapping[AdvertisedKey, Attributes]:
    """Where several paths of a prefix are sent, FRR prints one of them: those are facts of the wire alone."""
    return {
        key: sent.printed
        for key, sent in sorted(solution.sent.items(), key=lambda item: str(item[0]))
        if not _is_speaker(network, key.device)
        and not _shown_as_down(network, key.device)
        and not sessions.ends[SessionKey(*key[:2])].several_sent
    }


def routes_on_the_wire(network: Network, sessions: Sessions, solution: Solution) -> Mapping[WireKey, Sent]:
    """What stands on every session: a speaker's seen from its end, any other from the end that sends."""
    wire: dict[WireKey, Sent] = {}
    for key, sent in sorted(solution.sent.items(), key=lambda item: str(item[0])):
        peer = sessions.ends[SessionKey(key.device, key.neighbor)].peer.device
        if _shown_as_down(network, key.device):
            continue
        if _is_speaker(network, key.device):
            wire[WireKey(key.device, "sent", peer, key.family, key.prefix, key.path_id)] = sent
        elif _is_speaker(network, peer):
            wire[WireKey(peer, "received", key.device, key.family, key.prefix, key.path_id)] = sent
        else:
            wire[WireKey(key.device, "sent", key.neighbor, key.family, key.prefix, key.path_id)] = sent
    return numbered(wire, lambda sent: sent.wire)


def lines_of(
    sent: Mapping[AdvertisedKey, Sent] | Mapping[WireKey, Sent],
) -> dict[AdvertisedKey | WireKey, tuple[Source, ...]]:
    return {key: of.sources for key, of in sent.items()}
