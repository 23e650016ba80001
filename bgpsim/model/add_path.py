"""Several paths of one prefix on a session (RFC 7911): what its ends agree on."""

from __future__ import annotations

from bgpsim.network.description import BgpInstance, Neighbor
from bgpsim.network.route_options import SentPaths
from bgpsim.network.types import Family


def several_sent(here: Neighbor, there: Neighbor, peer: BgpInstance, family: Family) -> SentPaths | None:
    """Which paths of a prefix one end sends, where it may send several: it says so and the other takes them. bgpd takes
    several paths unless it is told not to (bgpd/bgp_open.c, bgp_open_capability)."""
    sent = "all" if here.add_path else here.families[family].options.sent_paths
    takes = there.add_path or (peer.engine == "frr" and there.families[family].options.several_taken)
    return sent if takes and sent != "best" else None
