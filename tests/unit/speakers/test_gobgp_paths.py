"""What a GoBGP speaker is given: announcements in JSON, and that as paths of GoBGP's API."""

from __future__ import annotations

import json
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any

import pytest
from google.protobuf.any_pb2 import Any as Packed

from bgpsim.errors import InputError
from bgpsim.inputs.files.route_table import AnnouncedTable, RouteGroup
from bgpsim.inputs.files.speakers import Announcement, Attachment, SpeakerFile
from bgpsim.lab.embedded import speaker_needs
from bgpsim.network.types import UnknownAttribute
from bgpsim.source import Source
from bgpsim.speakers import gobgp
from bgpsim.speakers.gobgp import GobgpProgram, attributes
from bgpsim.speakers.gobgp_api import attribute_pb2
from bgpsim.speakers.gobgp_paths import paths

LINE = Source("s.yaml", 3)
LINK = Attachment("tor0", "x-i", "tor0", IPv6Address("fe80::2"))
SPEAKER = SpeakerFile("i", 65099, IPv4Address("192.0.2.1"), (LINK,), "drop", LINE, engine="gobgp")


def route(prefix: str = "10.9.0.0/16", **said: Any) -> Announcement:
    return Announcement("i", "tor0", ip_network(prefix), LINE, **said)


def unpacked(packed: Packed) -> Any:
    message = getattr(attribute_pb2, packed.type_url.rpartition(".")[2])()
    assert packed.Unpack(message)
    return message


def given(announcement: Announcement, *, external: bool = True) -> tuple[Any, dict[str, Any]]:
    """The path, and its attributes by their names; through JSON, as the agent gets them."""
    group = {**attributes(announcement, LINK, external=external), "prefixes": [str(announcement.prefix)]}
    (path,) = paths(json.loads(json.dumps(group)))
    return path, {type(m).__name__: m for m in map(unpacked, path.pattrs)}


def segments(path: Any) -> list[tuple[int, list[int]]]:
    return [(segment.type, list(segment.numbers)) for segment in path.segments]


def test_a_plain_route() -> None:
    path, said = given(route())
    assert (path.family.afi, path.family.safi, path.is_withdraw) == (1, 1, False)
    nlri = unpacked(path.nlri)
    assert (nlri.prefix, nlri.prefix_len) == ("10.9.0.0", 16)
    # GoBGP makes the path itself, and sends no preference to an external peer.
    assert sorted(said) == ["MpReachNLRIAttribute", "OriginAttribute"]
    assert (list(said["MpReachNLRIAttribute"].next_hops), said["OriginAttribute"].origin) == (["fe80::2"], 0)


def test_every_attribute() -> None:
    everything = route(
        "2001:db8::/32",
        as_path=(65099, 65099, frozenset({8, 7}), 400000),
        origin="incomplete",
        med=0,
        communities=("65000:1", "no-export"),
        large_communities=("1:2:4294967295",),
        extended_communities=("RT:400000:1", "SoO:192.0.2.1:5"),
        local_preference=300,
        aggregator="400000:192.0.2.9",
        atomic_aggregate=True,
        unknown=(UnknownAttribute(99, 0xE0, b"\x01\x02"),),
    )
    path, said = given(everything)
    assert path.family.afi == 2
    # GoBGP puts the first one there.
    assert segments(said["AsPathAttribute"]) == [(2, [65099]), (1, [7, 8]), (2, [400000])]
    assert (said["OriginAttribute"].origin, said["MultiExitDiscAttribute"].med) == (2, 0)
    assert list(said["CommunitiesAttribute"].communities) == [65000 << 16 | 1, 0xFFFFFF01]
    (large,) = said["LargeCommunitiesAttribute"].communities
    assert (large.global_admin, large.local_data1, large.local_data2) == (1, 2, 4294967295)
    extended = [unpacked(one) for one in said["ExtendedCommunitiesAttribute"].communities]
    assert [bytes([e.type]) + e.value for e in extended] == [
        bytes.fromhex("0202 00061a80 0001"),
        bytes.fromhex("0103 c0000201 0005"),
    ]
    assert (said["AggregatorAttribute"].asn, said["AggregatorAttribute"].address) == (400000, "192.0.2.9")
    assert "AtomicAggregateAttribute" in said
    unknown = said["UnknownAttribute"]
    assert (unknown.type, unknown.flags, unknown.value) == (99, 0xE0, b"\x01\x02")
    assert said["LocalPrefAttribute"].local_pref == 300


def test_to_an_internal_peer_a_path_is_as_it_stands() -> None:
    _, said = given(route(as_path=(3356, 7)), external=False)
    assert segments(said["AsPathAttribute"]) == [(2, [3356, 7])]
    _, said = given(route(as_path=()), external=False)
    assert segments(said["AsPathAttribute"]) == []


def test_an_ipv4_next_hop_of_an_ipv4_route_is_no_multiprotocol_one() -> None:
    _, said = given(route(next_hop=IPv4Address("10.0.0.2")))
    assert said["NextHopAttribute"].next_hop == "10.0.0.2"
    _, said = given(route(next_hop=IPv6Address("2001:db8::2")))
    assert list(said["MpReachNLRIAttribute"].next_hops) == ["2001:db8::2"]


class Agent:
    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def call(self, method: str, /, timeout: float = 60.0, **params: Any) -> Any:
        self.calls.append({"method": method, **params})


def test_a_table_goes_in_calls_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gobgp, "_IN_ONE_CALL", 4)
    agent = Agent()
    program = GobgpProgram(agent)  # type: ignore[arg-type]
    program.start(SPEAKER, LINK, 65000)
    prefixes = [ip_network(f"10.{n}.0.0/16") for n in range(9)]
    groups = (
        RouteGroup(route(med=1), tuple(prefixes[:3])),
        RouteGroup(route(med=2), tuple(prefixes[3:8])),
        RouteGroup(route(med=3), tuple(prefixes[8:])),
    )
    table = AnnouncedTable("t", "i", "tor0", groups, LINE)
    sent = program.announce(table, LINK, {"messages": 5})
    started, *calls = agent.calls
    assert started["settings"]["peer_asn"] == 65000
    routes = [[(g["med"], p) for g in call["groups"] for p in g["prefixes"]] for call in calls]
    assert [pair for call in routes for pair in call] == [
        (group.like.med, str(prefix)) for group in groups for prefix in group.prefixes
    ]
    # A group of more than four is cut; a call ends with the group that makes it four.
    assert [len(call) for call in routes] == [7, 2]
    # An UPDATE for each.
    assert [sent({"messages": n}) for n in (13, 14)] == [False, True]

    agent.calls.clear()
    gone = program.withdraw((table,), LINK, {"messages": 14})
    assert {(g["gone"], p) for call in agent.calls for g in call["groups"] for p in g["prefixes"]} == {
        (True, str(prefix)) for prefix in prefixes
    }
    assert [gone({"messages": n}) for n in (22, 23)] == [False, True]
    (path,) = paths({"gone": True, "next_hop": "fe80::2", "prefixes": ["10.0.0.0/16"]})
    assert path.is_withdraw


def test_without_the_extra_nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    speaker_needs.check_extras((SPEAKER,))
    monkeypatch.setattr(speaker_needs, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="speaker i: `engine: gobgp` needs grpcio and protobuf") as caught:
        speaker_needs.check_extras((SPEAKER,))
    assert (caught.value.exit_code, caught.value.file, caught.value.line) == (2, "s.yaml", 3)
    assert caught.value.hint is not None
    assert "-m pip install 'bgpsim[gobgp]'" in caught.value.hint
