"""Which external peers get one and the same UPDATE from FRR: its update groups, as far as a next hop depends on them.

bgpd/bgp_route.c, bgp_subgrp_multiaccess_check_v4: a next hop that is on a network with one peer of the group, other
than the one that the path is from, is kept for the whole group: for the one that it is from too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bgpsim.model.rib import Rib
from bgpsim.model.sessions import SessionEnd, Sessions
from bgpsim.network.description import Network
from bgpsim.network.state import NetworkState, SessionKey
from bgpsim.network.types import Family
from bgpsim.source import Unmodelled


class UpdateGroups:
    """Made once for a network's sessions; answers are remembered."""

    def __init__(self, sessions: Sessions, ribs: Mapping[str, Rib]) -> None:
        self._sessions = sessions
        self._ribs = ribs
        self._known: dict[tuple[SessionKey, Family], bool] = {}

    def another_on_the_network(self, end: SessionEnd, family: Family) -> bool:
        """Whether one more external peer of the same group is on the connected network that this peer is on."""
        key = (end.key, family)
        if key not in self._known:
            self._known[key] = self._another(end, family)
        return self._known[key]

    def _another(self, end: SessionEnd, family: Family) -> bool:
        if end.peer_address is None:
            return False
        rib = self._ribs[end.device]
        network, group = rib.connected_to(end.peer_address), _group(end, family)
        return network is not None and any(
            other.key != end.key
            and family in other.families
            and other.peer_address is not None
            and _group(other, family) == group
            and rib.connected_to(other.peer_address) is network
            for other in self._sessions.of(end.device)
        )


def joined_late(
    network: Network, sessions: Sessions, ribs: Mapping[str, Rib], before: NetworkState | None
) -> list[Unmodelled]:
    """Peers on one network whose sessions came up at different times: FRR tells a peer that joins apart from its group
    (a subgroup of its own, bgpd/bgp_updgrp.c) until both have said the same, and nobody can say what it hears then."""
    found: list[Unmodelled] = []
    if before is None:
        return found
    groups = UpdateGroups(sessions, ribs)
    new = {key for key in sessions.ends if key not in before.sessions or before.sessions[key].state != "Established"}
    for key in sorted(new):
        end = sessions.ends[key]
        device = network.devices[key.device]
        frr = device.bgp is not None and device.bgp.engine == "frr" and end.type == "ebgp"
        stands = any(other.key not in new for other in sessions.of(key.device))
        if not (frr and stands and any(groups.another_on_the_network(end, family) for family in end.families)):
            continue
        source = end.neighbor.source or device.source
        if source is not None:
            text = f"with which next hop {key.neighbor} hears its own routes back depends on when it came up"
            why = "FRR keeps the next hop for a group of peers on one network, and a peer that comes back joins it late"
            affects = (key.device, end.peer.device)
            found.append(Unmodelled(source, key.device, text, "possible", tuple(sorted(affects)), why))
    return found


def _group(end: SessionEnd, family: Family) -> object:
    settings = end.neighbor.families[family]
    return end.type, end.extended_nexthop, end.add_path, replace(settings, source=None, import_accept=True)
