"""Path ids of routers are counted anew, and those of speakers are not."""

from __future__ import annotations

from ipaddress import ip_network

from bgpsim.network.path_ids import counted
from bgpsim.network.state import Attributes, BgpPath, NetworkState, PathKey, Session, SessionKey, WireKey

P = ip_network("10.0.0.0/24")
SHORT, LONG = Attributes("10.0.1.1", (1,)), Attributes("10.0.1.1", (1, 2))


def state(first: int, second: int, peer: str) -> NetworkState:
    def path(attributes: Attributes) -> BgpPath:
        return BgpPath(attributes, valid=True, best=False, multipath=False)

    return NetworkState(
        sessions={SessionKey("r2", "10.0.1.1"): Session("Established", "ebgp", peer)},
        paths={
            PathKey("r2", "ipv4-unicast", P, "10.0.1.1", first): path(SHORT),
            PathKey("r2", "ipv4-unicast", P, "10.0.1.1", second): path(LONG),
            PathKey("r2", "ipv4-unicast", P, "local"): path(LONG),
        },
        wire={
            WireKey(peer, "sent", "10.0.1.2", "ipv4-unicast", P, first): SHORT,
            WireKey(peer, "sent", "10.0.1.2", "ipv4-unicast", P, second): LONG,
        },
    )


def test_whatever_a_router_hands_out_is_one_fact() -> None:
    one, other = (counted(state(*ids, "r1"), ["r1", "r2"]) for ids in ((3, 8), (9, 2)))
    assert dict(one.paths) == dict(other.paths)
    assert dict(one.wire) == dict(other.wire)
    assert sorted(key.path_id for key in one.paths) == [0, 1, 2]


def test_a_speakers_ids_stay() -> None:
    told = state(3, 8, "s1")
    assert counted(told, ["r2"]) == told
