"""An `announce:` entry, whatever is in it: read, written as a line, taken by ExaBGP's own parser, read back.

What ExaBGP would tell of the route must be what the model predicts to be on the wire.
"""

from __future__ import annotations

import json
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bgpsim.inputs.files.speakers import Announcement, Attachment, SpeakerFile
from bgpsim.model.policy import Exporter
from bgpsim.model.sessions import SessionEnd, find_sessions
from bgpsim.model.wiring import Wiring
from bgpsim.network.description import (
    BgpInstance,
    Device,
    Interface,
    InterfaceRef,
    Neighbor,
    NeighborFamily,
    Network,
    Origination,
    Segment,
)
from bgpsim.network.state import Attributes, SessionKey
from bgpsim.network.types import FAMILIES, family_of
from bgpsim.observe.wire import net_effect
from bgpsim.scenario.reading.announcements import AnnouncementReader
from bgpsim.scenario.reading.names import Names
from bgpsim.scenario.reading.problems import Problems
from bgpsim.scenario.schema import AnnounceEntry
from bgpsim.source import Source
from bgpsim.speakers.commands import announce_line

LINE = Source("scenario.yaml", 7)
LINK = Attachment("tor0", "x-i", "tor0")
numbers = st.integers(0, 2**32 - 1)
asns = st.integers(1, 2**32 - 1)
dotted = st.integers(1, 2**32 - 1).map(lambda n: str(IPv4Address(n)))
shorts = st.integers(0, 65535)
extended = st.builds(
    "{}:{}".format,
    st.sampled_from(["target", "origin", "RT", "SoO"]),
    st.one_of(
        st.builds("{}:{}".format, shorts, numbers),
        st.builds("{}:{}".format, st.integers(65536, 2**32 - 1), shorts),
        st.builds("{}:{}".format, dotted, shorts),
    ),
)
communities = st.one_of(
    st.builds("{}:{}".format, st.integers(1, 65534), shorts),
    st.sampled_from(["no-export", "no-advertise", "local-AS", "no-peer", "blackhole", "graceful-shutdown"]),
)
raw = st.fixed_dictionaries(
    {
        "code": st.sampled_from([11, 21, 99, 127, 254]),
        "value": st.binary(min_size=1, max_size=300).map(lambda octets: f"0x{octets.hex()}"),
    },
    optional={"flags": st.sampled_from([0x80, 0xC0, 0xE0])},
)
prefixes = st.one_of(
    st.builds(lambda n, size: str(IPv4Network((n, size), strict=False)), st.integers(2**24, 2**31), st.integers(8, 32)),
    st.integers(16, 128).map(lambda size: str(IPv6Network((0x20010DB8 << 96, size), strict=False))),
)
entries = st.fixed_dictionaries(
    {"speaker": st.just("i"), "prefix": prefixes},
    optional={
        "as-path": st.lists(st.one_of(asns, st.lists(asns, min_size=1, max_size=3)), max_size=6),
        "origin": st.sampled_from(["igp", "egp", "incomplete"]),
        "med": numbers,
        "local-preference": numbers,
        "communities": st.lists(communities, max_size=3),
        "large-communities": st.lists(st.builds("{}:{}:{}".format, numbers, numbers, numbers), max_size=3),
        "extended-communities": st.lists(extended, max_size=3),
        "originator-id": dotted,
        "cluster-list": st.lists(dotted, max_size=3),
        "aggregator": st.builds("{}:{}".format, asns, dotted),
        "atomic-aggregate": st.booleans(),
        "attributes": st.lists(raw, max_size=3, unique_by=lambda one: one["code"]),
        "path-id": st.integers(1, 2**32 - 1),
    },
)


def read(entry: dict[str, Any]) -> Announcement:
    speaker = SpeakerFile("i", 65099, IPv4Address("192.0.2.1"), (LINK,), "drop", LINE, add_path=True)
    reader = AnnouncementReader((speaker,), lambda *at: LINE, Problems())
    section = AnnounceEntry.model_validate(entry)
    (action,), now = reader.announce(section, (), Names(Network("none", {}, ())), ())
    assert reader.problems.found == []
    assert now == (action.announcement,)
    return action.announcement


@cache
def parser() -> Any:
    from exabgp.environment import getenv
    from exabgp.logger import log

    environment = getenv()
    environment.log.enable = False
    log.init(environment)
    import exabgp.application  # noqa: F401  (what it imports must come before the configuration's classes)
    from exabgp.configuration.configuration import Configuration

    return Configuration([], text=True)


def as_exabgp_reads(line: str) -> dict[str, Any]:
    """The body of the UPDATE that ExaBGP would tell of, in its JSON."""
    _, _, _, kind, rest = line.split(" ", 4)
    assert line.startswith("neighbor fe80::1 announce ")
    exabgp = parser()
    exabgp.static.clear()
    # `announce ipv6 unicast P` is the section ipv6, whose next word is `unicast`.
    section, text = ("static", f"route {rest}") if kind == "route" else ("ipv6", rest)
    assert exabgp.partial(section, text, "announce"), exabgp.error
    exabgp.scope.to_context()
    (route,) = exabgp.scope.pop_routes()
    family = "ipv4 unicast" if kind == "route" else "ipv6 unicast"
    nlri = json.loads(route.nlri.json())
    return {
        "attribute": json.loads("{" + route.attributes.json() + "}"),
        "announce": {family: {str(route.nlri.nexthop): [nlri]}},
    }


def predicted(announcement: Announcement, router_asn: int) -> Attributes:
    """On the wire to a router of that AS, by the model."""
    a = announcement
    families = {family: NeighborFamily() for family in FAMILIES}

    def end(name: str, asn: int, port: str, own: Any, other: Any, asn_there: int, engine: Any) -> Device:
        neighbor = Neighbor("n", other, port, asn_there, families, extended_nexthop=True, add_path=True)
        bgp = BgpInstance(engine, asn, IPv4Address(f"192.0.2.{len(name)}"), (neighbor,), ebgp_requires_policy=False)
        return Device(name, "router", (Interface(port, link_local=own),), bgp=bgp)

    speaker = end("i", 65099, "tor0", LINK.speaker_address, LINK.speaker_address - 1, router_asn, "exabgp")
    router = end("tor0", router_asn, "x-i", LINK.speaker_address - 1, LINK.speaker_address, 65099, "frr")
    segment = Segment((InterfaceRef("i", "tor0"), InterfaceRef("tor0", "x-i")))
    wiring = Wiring(Network("two", {"i": speaker, "tor0": router}, (segment,)))
    session: SessionEnd = find_sessions(wiring, {}, None).ends[SessionKey("i", "n")]  # type: ignore[arg-type]
    route = Origination(
        prefix=a.prefix, as_path=a.as_path, origin=a.origin, next_hop=a.next_hop, med=a.med,
        local_preference=a.local_preference, communities=a.communities, large_communities=a.large_communities,
        extended_communities=a.extended_communities, originator_id=a.originator_id, cluster_list=a.cluster_list,
        aggregator=a.aggregator, atomic_aggregate=a.atomic_aggregate, unknown=a.unknown,
    )  # fmt: skip
    return Exporter(wiring, {}).originated(speaker, session, family_of(a.prefix), route).wire


def sent(update: dict[str, Any], announcement: Announcement, internal: bool) -> dict[str, Any]:
    """What ExaBGP adds and leaves out when it sends to such a peer (bgp/message/update/attribute/attributes.py, pack),
    and how it shows what it sent: without attributes that are not transitive, and with the partial bit."""
    attributes = {k: v for k, v in update["attribute"].items() if not k.endswith("-0x80")}
    attributes.setdefault("as-path", {} if internal else {"0": {"element": "as-sequence", "value": [65099]}})
    if internal:
        attributes.setdefault("local-preference", 100)
    else:
        attributes.pop("local-preference", None)
    return {**update, "attribute": attributes}


@settings(max_examples=200, deadline=None)
@given(entries, st.booleans())
def test_what_is_written_is_what_is_predicted(entry: dict[str, Any], internal: bool) -> None:
    announcement = read(entry)
    told = sent(as_exabgp_reads(announce_line(announcement, LINK)), announcement, internal)
    event = {
        "speaker": "i",
        "router": "tor0",
        "direction": "sent",
        "message": {"neighbor": {"message": {"update": told}}},
    }
    ((key, attributes),) = net_effect([event], lambda speaker, router, address: f"{speaker}:{router}").items()
    assert key.prefix == ip_network(entry["prefix"])
    assert key.path_id == entry.get("path-id", 0)
    assert attributes == predicted(announcement, 65099 if internal else 65001)


@pytest.mark.parametrize(
    ("written", "octets", "shown"),
    [
        # Type, subtype, administrator, number (RFC 4360 section 3, RFC 5668).
        ("target:65000:100", "0002fde800000064", "RT:65000:100"),
        ("origin:65000:4294967295", "0003fde8ffffffff", "SoO:65000:4294967295"),
        ("target:192.0.2.1:7", "0102c00002010007", "RT:192.0.2.1:7"),
        ("RT:70000:7", "0202000111700007", "RT:70000:7"),
    ],
)
def test_extended_communities_octet_by_octet(written: str, octets: str, shown: str) -> None:
    announcement = read({"speaker": "i", "prefix": "10.0.0.0/8", "extended-communities": [written]})
    assert announcement.extended_communities == (shown,)
    assert announce_line(announcement, LINK).endswith(f" extended-community [ 0x{octets} ]")


def test_the_line_in_full() -> None:
    entry = {
        "speaker": "i", "prefix": "10.99.0.0/16", "path-id": 3, "origin": "egp", "med": 0, "local-preference": 300,
        "as-path": [65099, 65010, [65012, 65011], 65013], "originator-id": "9.9.9.9",
        "cluster-list": ["8.8.8.8", "7.7.7.7"], "aggregator": "65002:192.0.2.9", "atomic-aggregate": True,
        "attributes": [{"code": 200, "flags": 0x80, "value": "0xFF"}, {"code": 99, "value": "0x00000001"}],
    }  # fmt: skip
    assert announce_line(read(entry), LINK) == (
        "neighbor fe80::1 announce route 10.99.0.0/16 path-information 3 next-hop fe80::2 origin egp"
        " as-path [ 65099 65010 ] ( 65011 65012 ) [ 65013 ] med 0 local-preference 300"
        " cluster-list [ 8.8.8.8 7.7.7.7 ] originator-id 9.9.9.9 aggregator ( 65002:192.0.2.9 ) atomic-aggregate"
        " attribute [ 0x63 0xc0 0x00000001 ] attribute [ 0xc8 0x80 0xff ]"
    )
