"""Entries of `announce:`, `replace:` and `withdraw:`, one at a time, against what is in force."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

import pytest

from bgpsim.inputs.files.speakers import Announcement, Attachment, SpeakerFile
from bgpsim.network.description import BgpInstance, Device, Network
from bgpsim.scenario.reading.announcements import AnnouncementReader
from bgpsim.scenario.reading.names import Names
from bgpsim.scenario.reading.problems import Problems
from bgpsim.scenario.schema import AnnounceEntry, WithdrawEntry
from bgpsim.source import Source

LINKS = (Attachment("tor0", "x-i", "tor0"), Attachment("tor1", "x-i", "tor1"))
PLAIN = SpeakerFile("i", 65099, IPv4Address("192.0.2.1"), LINKS, "drop", Source("s.yaml", 3))
SEVERAL = SpeakerFile("m", 65098, IPv4Address("192.0.2.2"), LINKS[:1], "drop", Source("s.yaml", 4), add_path=True)
NAMES = Names(Network("none", {}, ()))


def reader() -> AnnouncementReader:
    return AnnouncementReader((PLAIN, SEVERAL), lambda *at: Source("s.yaml", 9, ".".join(map(str, at))), Problems())


def entry(**written: Any) -> AnnounceEntry:
    keys = {"prefix": "10.9.0.0/16", "speaker": "i"} | {name.replace("_", "-"): v for name, v in written.items()}
    return AnnounceEntry.model_validate(keys)


def said(of: AnnouncementReader) -> list[str]:
    assert all((p.file, p.line) == ("s.yaml", 9) for p in of.problems.found)
    return [p.message for p in of.problems.found]


def test_to_all_peers_or_to_one_and_the_same_again() -> None:
    one = reader()
    actions, now = one.announce(entry(), (), NAMES, ())
    assert [a.announcement.router for a in actions] == ["tor0", "tor1"]
    again, then = one.announce(entry(to=["tor0"], med=5), (), NAMES, now)
    assert [str(a) for a in again] == ["announce 10.9.0.0/16 by i to tor0, med 5"]
    # The place in the order stays: a replacement is no new route.
    assert [(a.router, a.med) for a in then] == [("tor0", 5), ("tor1", None)]
    assert said(one) == []


def test_replace_is_for_what_is_announced() -> None:
    one = reader()
    _, now = one.announce(entry(to=["tor0"], med=5, communities=["65000:1"]), (), NAMES, ())
    actions, then = one.announce(entry(to=["tor0"], origin="egp"), (), NAMES, now, replacing=True)
    assert [str(a) for a in actions] == ["replace 10.9.0.0/16 by i to tor0, origin egp"]
    # What is not written is not kept.
    assert [(a.med, a.communities, a.origin) for a in then] == [(None, (), "egp")]
    one.announce(entry(), ("steps", 1, "replace", 0), NAMES, then, replacing=True)
    assert said(one) == [
        "speaker i announces not 10.9.0.0/16 to tor1 here;"
        " expected what a step before has announced and none has withdrawn"
    ]
    assert one.problems.found[0].hint == "a new route is for announce:"


def test_path_ids_are_routes_of_their_own() -> None:
    one = reader()
    now: tuple[Announcement, ...] = ()
    for path_id in (1, 2, 3):
        _, now = one.announce(entry(speaker="m", path_id=path_id), (), NAMES, now)
    assert [a.path_id for a in now] == [1, 2, 3]
    withdrawn, now = one.withdraw(
        WithdrawEntry.model_validate({"speaker": "m", "prefix": "10.9.0.0/16", "path-id": 2}), (), NAMES, now
    )
    assert [str(a) for a in withdrawn] == ["withdraw 10.9.0.0/16 path-id 2 by m from tor0"]
    all_of_it = WithdrawEntry.model_validate({"speaker": "m", "prefix": "10.9.0.0/16"})
    withdrawn, now = one.withdraw(all_of_it, (), NAMES, now)
    assert [a.announcement.path_id for a in withdrawn] == [1, 3]
    assert (now, said(one)) == ((), [])


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"path_id": 1}, "path-id 1: speaker i has no add-path; expected `add-path: true` there"),
        (
            {"attributes": [{"code": 99, "value": "0x01"}, {"code": 99, "value": "0x02"}]},
            "attribute 99 stands twice; expected it once (RFC 4271 section 5)",
        ),
        ({"prefix": "2001:db8::/32", "next_hop": "10.0.0.1"}, "next-hop 10.0.0.1 is IPv4; expected IPv6 for"),
        ({"speaker": "j"}, "no speaker 'j'; expected one of `speakers:`"),
        ({"to": ["tor2"]}, "'tor2' is no peer of speaker i; expected one of tor0, tor1"),
        ({"next_hop": "fe80::9", "to": ["tor0"]}, "next-hop fe80::9 is link-local, and nobody's on the link to tor0"),
    ],
)
def test_what_is_wrong_is_said(written: dict[str, Any], message: str) -> None:
    one = reader()
    one.announce(entry(**written), (), NAMES, ())
    (text,) = said(one)
    assert text.startswith(message)


def test_what_a_broken_entry_announced_is_not_missed() -> None:
    """So that one mistake is told once."""
    one = reader()
    _, now = one.announce(entry(path_id=1), (), NAMES, ())
    one.announce(entry(), (), NAMES, now, replacing=True)
    one.withdraw(WithdrawEntry.model_validate({"speaker": "i", "prefix": "10.8.0.0/16"}), (), NAMES, now)
    assert len(said(one)) == 1


BY_GOBGP = SpeakerFile("g", 65099, IPv4Address("192.0.2.3"), LINKS[:1], "drop", Source("s.yaml", 5), engine="gobgp")


def network(asn: int) -> Network:
    instance = BgpInstance("frr", asn, None, ())
    return Network("one", {"tor0": Device("tor0", "router", (), bgp=instance)}, ())


@pytest.mark.parametrize(
    ("written", "external", "internal"),
    [
        ({}, None, None),
        ({"as_path": [65099, [7, 8], 3356], "med": 0, "attributes": [{"code": 99, "value": "0x01"}]}, None, None),
        ({"as_path": [3356]}, "as-path [3356]: GoBGP puts its own AS first; expected 65099 there, ", None),
        ({"as_path": [[65099, 7]]}, "as-path [[7, 65099]]: GoBGP puts its own AS first; expected 65099 there, ", None),
        ({"as_path": []}, "as-path []: GoBGP puts its own AS first; expected 65099 there, ", None),
        *(
            (written, message, message)
            for written, message in (
                (
                    {"originator_id": "1.1.1.1"},
                    "originator-id: GoBGP sends none of a route of its own; expected none, ",
                ),
                (
                    {"cluster_list": ["1.1.1.1"]},
                    "cluster-list: GoBGP sends none of a route of its own; expected none, ",
                ),
                (
                    {"attributes": [{"code": 99, "flags": 0x80, "value": "0x01"}]},
                    "attribute 99 with flags 0x80: GoBGP sends transitive ones alone; expected 0xC0 or 0xE0, ",
                ),
            )
        ),
    ],
)
def test_what_gobgp_cannot_send_as_written_is_refused(
    written: dict[str, Any], external: str | None, internal: str | None
) -> None:
    for asn, message in ((65000, external), (65099, internal)):
        for speaker in (BY_GOBGP, replace(BY_GOBGP, engine="exabgp")):
            one = AnnouncementReader((speaker,), lambda *at: Source("s.yaml", 9, ".".join(map(str, at))), Problems())
            actions, _ = one.announce(entry(speaker="g", **written), (), Names(network(asn)), ())
            refused = message is not None and speaker is BY_GOBGP
            assert said(one) == ([f"{message}or ExaBGP (without `engine: gobgp`)"] if refused else [])
            assert len(actions) == (not refused)
