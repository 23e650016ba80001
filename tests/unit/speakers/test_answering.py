"""What an answering speaker is given: rules, ways back, and prefixes as they come and go."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_network
from typing import Any

import pytest

from bgpsim.errors import LabError
from bgpsim.inputs.files.speakers import Announcement, Attachment, SpeakerFile
from bgpsim.source import Source
from bgpsim.speakers.answering import RULES, Impostors, changes, ways_back

LINE = Source("s.yaml", 3)
LINKS = (Attachment("tor0", "x-i", "tor0"), Attachment("tor1", "x-i", "tor1"))
IMPOSTOR = SpeakerFile("i", 65099, IPv4Address("192.0.2.1"), LINKS, "answer", LINE)
THIEF = SpeakerFile("t", 65098, IPv4Address("192.0.2.2"), LINKS, "drop", LINE)


class Recorder:
    """An agent that remembers calls."""

    def __init__(self, exit_code: int = 0) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.exit_code = exit_code

    def call(self, method: str, timeout: float | None = None, **parameters: Any) -> Any:
        self.calls.append((method, parameters))
        return {"exit_code": self.exit_code, "output": "RTNETLINK answers: no\n"}


def route(prefix: str, speaker: str = "i", router: str = "tor0") -> Announcement:
    return Announcement(speaker, router, ip_network(prefix), LINE)


def test_a_speaker_that_drops_is_given_nothing() -> None:
    agent = Recorder()
    impostors = Impostors(agent, (THIEF,))
    impostors.begin()
    impostors.follow([route("10.9.0.0/16", "t")])
    assert agent.calls == []


def test_rules_first_in_both_families_then_a_way_back_by_each_link() -> None:
    agent = Recorder()
    Impostors(agent, (THIEF, IMPOSTOR)).begin()
    *rules, (method, ways) = agent.calls
    assert [call["command"][:3] for _, call in rules] == [["ip", f, "rule"] for f in ("-4", "-6") for _ in RULES]
    assert method == "nodes.batch"
    assert ways == {"commands": {"i": ways_back(IMPOSTOR)}}
    assert ways_back(IMPOSTOR) == [
        "route add 0.0.0.0/0 via inet6 fe80::1 dev tor0 metric 10",
        "route add ::/0 via fe80::1 dev tor0 metric 10",
        "route add 0.0.0.0/0 via inet6 fe80::1 dev tor1 metric 20",
        "route add ::/0 via fe80::1 dev tor1 metric 20",
    ]


def test_a_rule_that_cannot_be_had_is_an_error() -> None:
    with pytest.raises(LabError, match=r"speaker i cannot answer: ip -4 rule add pref 100 .*: RTNETLINK answers: no"):
        Impostors(Recorder(exit_code=2), (IMPOSTOR,)).begin()


def test_a_prefix_is_taken_as_long_as_one_router_has_it() -> None:
    agent = Recorder()
    impostors = Impostors(agent, (IMPOSTOR, THIEF))
    here, there = route("10.9.0.0/16"), route("10.9.0.0/16", router="tor1")
    for announced in ([here], [here, there], [there, route("10.8.0.0/16", "t")], []):
        impostors.follow(announced)
    assert [parameters["commands"]["i"] for _, parameters in agent.calls] == [
        ["route add local 10.9.0.0/16 dev lo"],
        ["route del local 10.9.0.0/16 dev lo"],
    ]


def test_what_goes_goes_first() -> None:
    assert changes([ip_network("10.9.0.0/16")], [ip_network("2001:db8::/32"), ip_network("10.8.0.0/16")]) == [
        "route del local 10.9.0.0/16 dev lo",
        "route add local 10.8.0.0/16 dev lo",
        "route add local 2001:db8::/32 dev lo",
    ]
