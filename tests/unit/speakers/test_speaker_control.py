"""SpeakerControl and the attachment against an agent of a few lines: a router that counts UPDATEs when told to."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from typing import Any

import pytest

from bgpsim.agent.protocol import LabDevice
from bgpsim.errors import DeviceDied, LabError
from bgpsim.inputs.files.route_table import AnnouncedTable, grouped_routes
from bgpsim.inputs.files.speakers import Announcement, Attachment, SpeakerFile
from bgpsim.source import Source
from bgpsim.speakers import batches, control
from bgpsim.speakers.attachment import configure_router, neighbor_state, router_asn, router_lines
from bgpsim.speakers.control import SpeakerControl

LINE = Source("scenario.yaml", 3)
LINK = Attachment("tor0", "x-injector", "tor0")
SPEAKER = SpeakerFile("injector", 65099, IPv4Address("192.0.2.1"), (LINK,), "drop", LINE)
ROUTE = Announcement("injector", "tor0", IPv4Network("10.99.0.1/32"), LINE)
DEVICES = {
    "tor0": LabDevice("tor0", "router", "frr"),
    "worker": LabDevice("worker", "node", "gobgp"),
    "injector": LabDevice("injector", "speaker", "exabgp"),
}


class SmallLab:
    """An agent with one router and one ExaBGP behind it."""

    def __init__(self) -> None:
        self.running_config = "Current configuration:\n!\nrouter bgp 65010\n bgp router-id 10.0.0.1\n"
        self.vtysh: dict[str, Any] = {"exit_code": 0, "output": ""}
        self.typed: list[list[str]] = []
        self.commands: list[str] = []
        self.configuration = ""
        self.state: str = "Idle"
        self.updates = 0
        self.established = True
        self.exit_code: int | None = None
        self.router_counts = True
        self.answers = True
        self.keeps_it = False
        self.sent = 0
        self.standing: dict[str, int] = {}

    def call(self, method: str, /, timeout: float = 60.0, **params: Any) -> Any:
        return getattr(self, method.replace(".", "_"))(**params)

    def frr_show(self, devices: list[str], commands: list[str]) -> dict[str, list[str] | None]:
        if not self.answers:
            return {devices[0]: None}
        if commands[0].startswith("show bgp ipv4 unicast 10.9"):
            paths = [{"peer": {"peerId": "10.0.1.2"}}] + [{"peer": {"peerId": "fe80::2"}}] * self.keeps_it
            return {devices[0]: [json.dumps({"paths": paths})]}
        if commands == ["show running-config"]:
            return {devices[0]: [self.running_config]}
        assert commands == ["show bgp neighbors fe80::2 json"]
        neighbor = {"bgpState": self.state, "messageStats": {"updatesRecv": self.updates}}
        return {devices[0]: [json.dumps({"fe80::2": neighbor})]}

    def nodes_run(self, device: str, command: list[str]) -> dict[str, Any]:
        self.typed.append(command)
        return self.vtysh

    def speaker_relay(self, router: str) -> list[str]:
        return ["python", "api_process.py", f"/run/exabgp/{router}.sock"]

    def speaker_start(self, speaker: str, router: str, configuration: str, environment: dict[str, str]) -> None:
        self.configuration = configuration
        if self.exit_code is None:
            self.state, self.updates = "Established", 2

    def speaker_command(self, speaker: str, router: str, line: str) -> None:
        self.commands.append(line)
        self.updates += self.router_counts

    def speaker_commands(self, speaker: str, router: str, lines: list[str]) -> None:
        """As many UPDATEs as lines; what is announced stands, what is withdrawn does not."""
        self.commands += lines
        for line in lines:
            head, _, prefixes = line.partition(" nlri ")
            for prefix in prefixes.split():
                self.standing.pop(prefix, None)
                if " announce " in head:
                    self.standing[prefix] = self.sent
        self.sent += len(lines)
        self.updates += len(lines) * self.router_counts

    def speaker_sent(self, speaker: str, router: str, after: int) -> dict[str, int]:
        fresh = sum(message >= after for message in self.standing.values())
        return {"messages": self.sent, "standing": len(self.standing), "fresh": fresh}

    def speaker_log(self, speaker: str, router: str) -> list[str]:
        return ["the last words"]

    def speaker_alive(self) -> list[dict[str, Any]]:
        return [
            {
                "speaker": "injector",
                "router": "tor0",
                "program": "ExaBGP",
                "alive": self.exit_code is None,
                "established": self.established,
                "sent": self.updates,
                "exit_code": self.exit_code,
                "log": ["the last words"],
            }
        ]


def started(lab: SmallLab) -> SpeakerControl:
    speakers = SpeakerControl(lab, DEVICES, (SPEAKER,))
    speakers.start(lambda _: None)
    return speakers


def test_the_router_is_asked_its_as_and_given_the_neighbor() -> None:
    lab = SmallLab()
    said: list[str] = []
    SpeakerControl(lab, DEVICES, (SPEAKER,)).start(said.append)
    (command,) = lab.typed
    lines = [line for line in command if line not in ("vtysh", "-c")]
    assert lines[:4] == [
        "configure terminal",
        "router bgp 65010",
        "neighbor fe80::2 remote-as 65099",
        "neighbor fe80::2 interface x-injector",
    ]
    assert lines.count("neighbor fe80::2 activate") == 2
    assert "peer-as 65010;" in lab.configuration
    assert said == ["speaker injector peers with tor0"]


@pytest.mark.parametrize(("text", "asn"), [("65010", 65010), ("4200000000", 4200000000), ("1.10", 65546)])
def test_as_numbers_in_both_notations(text: str, asn: int) -> None:
    lab = SmallLab()
    lab.running_config = f"router bgp 7 vrf red\nrouter bgp {text}\n"
    assert router_asn(lab, "tor0") == asn


def test_a_router_without_bgp_is_refused() -> None:
    lab = SmallLab()
    lab.running_config = "router bgp 7 vrf red\n"
    with pytest.raises(LabError, match="tor0 runs no BGP instance"):
        started(lab)


def test_a_peer_that_is_no_router_is_refused_with_its_line() -> None:
    speaker = replace(SPEAKER, attachments=(replace(LINK, router="worker"),))
    with pytest.raises(LabError, match="found the peer 'worker', expected a FRR router") as caught:
        SpeakerControl(SmallLab(), DEVICES, (speaker,)).start(lambda _: None)
    assert (caught.value.file, caught.value.line) == ("scenario.yaml", 3)


@pytest.mark.parametrize(
    ("exit_code", "output"),
    [(1, "% Unknown command: neighbor fe80::2 capability extended-nexthop\n"), (0, "% Peer-group member\n")],
)
def test_a_refused_line_is_found_whatever_the_exit_code(exit_code: int, output: str) -> None:
    lab = SmallLab()
    lab.vtysh = {"exit_code": exit_code, "output": output}
    with pytest.raises(LabError, match=f"tor0 refused a line of the speaker's attachment: {output.strip()}"):
        configure_router(lab, "tor0", router_lines(SPEAKER, LINK, 65010))


def test_announce_waits_until_the_router_counted_it() -> None:
    lab = SmallLab()
    speakers = started(lab)
    speakers.announce(ROUTE)
    assert lab.commands == ["neighbor fe80::1 announce route 10.99.0.1/32 next-hop fe80::2 origin igp"]
    assert neighbor_state(lab, LINK).updates_received == 3


def test_the_same_again_is_not_sent_but_a_replacement_is() -> None:
    lab = SmallLab()
    speakers = started(lab)
    speakers.announce(ROUTE)
    speakers.announce(replace(ROUTE, source=Source("scenario.yaml", 99)))
    assert len(lab.commands) == 1
    speakers.announce(replace(ROUTE, med=5))
    assert lab.commands[1].endswith("med 5")
    assert speakers.announced == (replace(ROUTE, med=5),)


def test_withdraw_names_what_was_announced_and_only_that() -> None:
    lab = SmallLab()
    speakers = started(lab)
    speakers.withdraw(ROUTE)
    assert lab.commands == []
    speakers.announce(replace(ROUTE, next_hop=IPv4Address("10.0.0.9")))
    speakers.withdraw(ROUTE)
    assert lab.commands[1] == "neighbor fe80::1 withdraw route 10.99.0.1/32 next-hop 10.0.0.9"
    assert speakers.announced == ()


def test_a_router_that_does_not_count_is_an_error_and_nothing_is_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "EFFECT_TIMEOUT", 0.02)
    lab = SmallLab()
    speakers = started(lab)
    lab.router_counts = False
    with pytest.raises(LabError, match=r"no effect at tor0 within .* the UPDATE for 10\.99\.0\.1/32") as caught:
        speakers.announce(ROUTE)
    assert caught.value.log == ("the last words",)
    assert speakers.announced == ()


def test_a_withdrawn_route_must_leave_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "EFFECT_TIMEOUT", 0.02)
    lab = SmallLab()
    speakers = started(lab)
    speakers.announce(ROUTE)
    lab.keeps_it = True
    with pytest.raises(LabError, match=r"no effect at tor0 within .* the withdrawal of 10\.99\.0\.1/32"):
        speakers.withdraw(ROUTE)
    assert speakers.announced == (ROUTE,)


def test_without_a_session_the_route_waits_in_exabgp() -> None:
    lab = SmallLab()
    speakers = started(lab)
    lab.state, lab.established, lab.router_counts = "Active", False, False
    speakers.announce(ROUTE)
    assert len(lab.commands) == 1


def test_a_speaker_that_died_is_named_with_its_last_lines() -> None:
    lab = SmallLab()
    speakers = started(lab)
    speakers.check_alive()
    lab.exit_code = 137
    with pytest.raises(DeviceDied, match=r"speaker injector: ExaBGP at tor0 .* \(exit code 137\)") as caught:
        speakers.check_alive()
    assert caught.value.log == ("the last words",)


def test_a_speaker_that_dies_while_it_starts_ends_the_wait() -> None:
    lab = SmallLab()
    lab.exit_code = 1
    with pytest.raises(DeviceDied):
        started(lab)


def test_a_route_for_a_router_that_the_speaker_does_not_peer_with() -> None:
    with pytest.raises(LabError, match="speaker injector is not attached to tor9"):
        started(SmallLab()).announce(replace(ROUTE, router="tor9"))


def test_each_speaker_of_a_router_is_a_neighbor_of_its_own() -> None:
    """Another speaker's neighbor is neither configured nor counted for this one."""
    second = replace(LINK, router_interface="x-second", speaker_address=IPv6Address("fe80::3"))
    lines = router_lines(replace(SPEAKER, name="second", asn=65098), second, 65010)
    assert lines[1:3] == ("neighbor fe80::3 remote-as 65098", "neighbor fe80::3 interface x-second")
    assert not any("fe80::2" in line for line in lines)


def test_a_router_that_died_is_named() -> None:
    lab = SmallLab()
    speakers = started(lab)
    lab.answers = False
    with pytest.raises(DeviceDied, match="tor0: bgpd"):
        speakers.announce(ROUTE)


def table(*prefixes: str, med: int | None = None) -> AnnouncedTable:
    like = replace(ROUTE, med=med)
    return AnnouncedTable("t", "injector", "tor0", grouped_routes({IPv4Network(p): like for p in prefixes}), LINE)


TWO = ("10.98.0.0/24", "10.99.0.0/24")


def test_a_table_goes_in_one_line_for_its_attributes() -> None:
    lab = SmallLab()
    speakers = started(lab)
    speakers.announce_table(table(*TWO, med=7))
    assert lab.commands == [
        "neighbor fe80::1 announce attributes next-hop fe80::2 origin igp med 7 nlri 10.98.0.0/24 10.99.0.0/24"
    ]
    speakers.announce_table(table(*TWO, "10.97.0.0/24", med=7))
    # What is in force is not sent again.
    assert lab.commands[1].endswith("med 7 nlri 10.97.0.0/24")
    speakers.withdraw_table(table(*TWO))
    assert lab.commands[2] == "neighbor fe80::1 withdraw attributes next-hop fe80::2 nlri 10.98.0.0/24 10.99.0.0/24"
    assert set(lab.standing) == {"10.97.0.0/24"}
    speakers.withdraw_table(table(*TWO))
    assert len(lab.commands) == 3


def test_a_route_of_a_table_is_like_any_other() -> None:
    lab = SmallLab()
    speakers = started(lab)
    speakers.announce_table(table(*TWO))
    speakers.withdraw(replace(ROUTE, prefix=IPv4Network(TWO[0])))
    assert lab.commands[1] == "neighbor fe80::1 withdraw route 10.98.0.0/24 next-hop fe80::2"
    single = replace(ROUTE, prefix=IPv4Network(TWO[1]), med=5)
    speakers.announce(single)
    assert speakers.announced == (single,)
    speakers.withdraw_table(table(*TWO))
    assert len(lab.commands) == 3
    # And the table has its place again.
    speakers.announce_table(table(*TWO))
    assert speakers.announced == ()


def test_a_table_that_the_router_does_not_count_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "EFFECT_TIMEOUT", 0.02)
    lab = SmallLab()
    speakers = started(lab)
    lab.router_counts = False
    with pytest.raises(LabError, match=r"no effect at tor0 for .*: t \(1 UPDATEs sent, 0 counted there\)"):
        speakers.announce_table(table(*TWO))


def test_lines_are_short_enough_for_exabgp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MOST_OCTETS", 200)
    prefixes = [f"10.98.{n}.0/24" for n in range(50)]
    lines = list(batches.announce_lines(table(*prefixes), LINK))
    assert all(len(line) < 230 for line in lines)
    assert [p for line in lines for p in line.partition(" nlri ")[2].split()] == prefixes
    assert [line for batch in batches.batches(lines) for line in batch] == lines
    assert len(list(batches.batches(lines))) > 1
