"""The speaker beside real FRR routers: silent when idle, acknowledged by effect, heard, and missed when it dies.

b0 net0 ---- net0 b1        AS 65001, AS 65002; IPv4 and IPv6 loopbacks, redistributed
 |                |
 +--- injector ---+         AS 65099
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Address, ip_network
from pathlib import Path
from typing import Any

import pytest

from bgpsim.cli.output import Silent
from bgpsim.errors import DeviceDied, LabError
from bgpsim.inputs.files.containerlab import load_topology
from bgpsim.inputs.files.lab_files import LabFiles
from bgpsim.inputs.files.speakers import WELL_KNOWN_COMMUNITIES, Announcement, Attachment, SpeakerFile
from bgpsim.lab.embedded.lab import EmbeddedLab
from bgpsim.lab.images import default_store
from bgpsim.scenario.playing.runner import run
from bgpsim.scenario.reading.attachments import speaker_files
from bgpsim.scenario.reading.loading import load
from bgpsim.scenario.schema import SpeakerSection
from bgpsim.source import Source
from bgpsim.speakers.control import SpeakerControl

pytestmark = pytest.mark.lab
LINE = Source("scenario.yaml", 1)
ROUTERS = ("b0", "b1")
INJECTOR = SpeakerFile(
    "injector",
    65099,
    IPv4Address("192.0.2.1"),
    tuple(Attachment(router, "x-injector", router) for router in ROUTERS),
    "drop",
    LINE,
)
ROUTER = """\
    b{n}:
      kind: linux
      image: frrouting/frr:v8.2.2
      exec:
        - ip link del eth0
        - ip addr add 10.0.0.{n}/32 dev lo
        - ip addr add 2001:db8::{n}/128 dev lo
        - touch /etc/frr/vtysh.conf
        - sed -i -e 's/bgpd=no/bgpd=yes/g' /etc/frr/daemons
        - /usr/lib/frr/frrinit.sh start
        - >-
          vtysh -c 'conf t' -c 'frr defaults datacenter' -c 'router bgp 6500{asn}' -c 'bgp router-id 10.0.0.{n}'
          -c 'no bgp ebgp-requires-policy' -c 'neighbor net0 interface remote-as external'
          -c 'address-family ipv4 unicast' -c 'redistribute connected' -c 'exit-address-family'
          -c 'address-family ipv6 unicast' -c 'redistribute connected' -c 'neighbor net0 activate'
"""
TOPOLOGY = (
    "name: two\ntopology:\n  nodes:\n"
    + "".join(ROUTER.format(n=n, asn=n + 1) for n in (0, 1))
    + '  links:\n    - endpoints: ["b0:net0", "b1:net0"]\n'
)


def eventually(holds: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.02)


@contextmanager
def running(folder: Path, *speakers: SpeakerFile) -> Iterator[EmbeddedLab]:
    path = folder / "topo.yml"
    path.write_text(TOPOLOGY)
    topology, _ = load_topology(path, "topo.yml")
    lab = EmbeddedLab(LabFiles(topology, speakers=speakers), default_store(), SpeakerControl)
    try:
        lab.bring_up(lambda _: None)
        assert lab.facts.exec_failures == ()
        for router, loopback in (("b0", "10.0.0.1/32"), ("b1", "10.0.0.0/32")):
            eventually(lambda r=router, p=loopback: p in table(lab, r), f"{router} has learnt {loopback}")  # type: ignore[misc]
            six = loopback.replace("10.0.0.", "2001:db8::").replace("/32", "/128").replace("::0/", "::/")
            eventually(lambda r=router, p=six: p in table(lab, r, "ipv6"), f"{router} has learnt {six}")  # type: ignore[misc]
            eventually(lambda r=router: all_sent(lab, r), f"{router} has told its table")  # type: ignore[misc]
            eventually(lambda r=router: all_installed(lab, r), f"{router} has installed what it learnt")  # type: ignore[misc]
        yield lab
    finally:
        lab.close()


def all_installed(lab: EmbeddedLab, router: str) -> bool:
    """A route of each family in the kernel, and zebra told so."""
    shown = [ask(lab, router, f"show {ip} route bgp json", "zebra") for ip in ("ip", "ipv6")]
    return all(len(routes) == 1 and '"installed": true' in json.dumps(routes) for routes in shown)


def all_sent(lab: EmbeddedLab, router: str) -> bool:
    """Two loopbacks of each family, to the other router (FRR does not hold back what it has from there)."""
    summary = ask(lab, router, "show bgp summary json")
    return all(summary[family]["peers"]["net0"]["pfxSnt"] == 2 for family in ("ipv4Unicast", "ipv6Unicast"))


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[EmbeddedLab]:
    with running(tmp_path, INJECTOR) as lab:
        yield lab


def ask(lab: EmbeddedLab, router: str, command: str, daemon: str = "bgpd") -> Any:
    (text,) = lab.agent.call("frr.show", devices=[router], commands=[command], daemon=daemon)[router]
    return json.loads(text)


def table(lab: EmbeddedLab, router: str, family: str = "ipv4") -> dict[str, Any]:
    """Prefix -> paths of the Loc-RIB."""
    routes: dict[str, Any] = ask(lab, router, f"show bgp {family} unicast json")["routes"]
    return routes


def route(prefix: str, router: str = "b0", speaker: str = "injector", **attributes: Any) -> Announcement:
    return Announcement(speaker, router, ip_network(prefix), LINE, **attributes)


def path_of(lab: EmbeddedLab, router: str, prefix: str, neighbor: str = "fe80::2") -> dict[str, Any]:
    family = "ipv6" if ":" in prefix else "ipv4"
    shown = ask(lab, router, f"show bgp {family} unicast {prefix} json")
    (path,) = (p for p in shown["paths"] if p["peer"]["peerId"] == neighbor)
    found: dict[str, Any] = path
    return found


# What changes from run to run whatever a speaker does: times, counters of events, numbers of interfaces and next hops.
_VOLATILE = frozenset(
    "lastUpdate uptime version tableVersion vrfId interfaceIndex nhid "
    "nexthopGroupId installedNexthopGroupId receivedNexthopGroupId internalNextHopNum".split()
)
_MADE_OF_A_MAC = re.compile(r"fe80::[0-9a-f]+:[0-9a-f:]+")


def still(value: Any) -> Any:
    """A router's answer without what is volatile, and without the speaker among those that are told a route."""
    if isinstance(value, dict):
        return {
            _MADE_OF_A_MAC.sub("link-local", key): still(inner)
            for key, inner in value.items()
            if key not in _VOLATILE and key != "fe80::2"
        }
    if isinstance(value, list):
        return [still(inner) for inner in value]
    return _MADE_OF_A_MAC.sub("link-local", value) if isinstance(value, str) else value


def all_tables(lab: EmbeddedLab, router: str) -> dict[str, Any]:
    tables = {
        command: still(ask(lab, router, command, daemon))
        for daemon, commands in (
            (
                "bgpd",
                (
                    "show bgp ipv4 unicast json detail",
                    "show bgp ipv6 unicast json detail",
                    "show bgp ipv4 unicast neighbors net0 advertised-routes json",
                    "show bgp ipv6 unicast neighbors net0 advertised-routes json",
                ),
            ),
            ("zebra", ("show ip route vrf all json", "show ipv6 route vrf all json")),
        )
        for command in commands
    }
    for family in ("-4", "-6"):
        kernel = lab.execute(router, f"ip -j {family} route show table all").output
        tables[f"kernel {family}"] = still(json.loads(kernel))
    return tables


def without_the_link(tables: dict[str, Any]) -> dict[str, Any]:
    """Less the entries of the speaker's link, all of them link-local (checked here)."""
    kept = dict(tables)
    kept["kernel -6"] = []
    for entry in tables["kernel -6"]:
        if entry["dev"] == "x-injector":
            assert entry["dst"].startswith(("fe80::", "ff00::")), entry
        else:
            kept["kernel -6"].append(entry)
    # Every link has the prefix, and zebra calls one of them selected, by their order; the kernel has them all.
    command = "show ipv6 route vrf all json"
    kept[command] = {prefix: routes for prefix, routes in tables[command].items() if prefix != "fe80::/64"}
    assert "x-injector" not in json.dumps(kept)
    return kept


def kernel_order(tables: dict[str, Any]) -> dict[str, Any]:
    return {name: sorted(t, key=json.dumps) if name.startswith("kernel") else t for name, t in tables.items()}


def test_an_idle_speaker_changes_no_table(tmp_path: Path) -> None:
    with running(tmp_path) as alone:
        expected = {router: without_the_link(all_tables(alone, router)) for router in ROUTERS}
    with running(tmp_path, INJECTOR) as beside:

        def heard() -> bool:
            said = json.dumps(beside.agent.call("speaker.updates"))
            return all(f'"{loopback}/32"' in said for loopback in ("10.0.0.0", "10.0.0.1"))

        eventually(heard, "the speaker has heard both loopbacks")
        found = {router: without_the_link(all_tables(beside, router)) for router in ROUTERS}
    for router in ROUTERS:
        # The tables are not empty: two loopbacks in each, in both families.
        assert len(expected[router]["show bgp ipv4 unicast json detail"]["routes"]) == 2
        assert len(expected[router]["show bgp ipv6 unicast json detail"]["routes"]) == 2
        for name, wanted in kernel_order(expected[router]).items():
            assert kernel_order(found[router])[name] == wanted, (router, name)


def test_announce_replace_and_withdraw_are_there_when_they_return(lab: EmbeddedLab) -> None:
    lab.announce(route("10.99.0.1/32"))
    path = path_of(lab, "b0", "10.99.0.1/32")
    assert path["aspath"]["string"] == "65099"
    assert path["origin"] == "IGP"
    assert path["nexthops"][0]["ip"] == "fe80::2"
    assert "med" not in path
    rich = route(
        "10.99.0.1/32",
        as_path=(65099, 65010),
        origin="egp",
        med=50,
        communities=("65000:1", "no-export"),
        large_communities=("65000:1:2",),
        extended_communities=("target:65000:100",),
    )
    lab.announce(rich)
    path = path_of(lab, "b0", "10.99.0.1/32")
    assert path["aspath"]["string"] == "65099 65010"
    assert (path["origin"], path["metric"]) == ("EGP", 50)
    assert path["community"]["string"] == "65000:1 no-export"
    assert path["largeCommunity"]["string"] == "65000:1:2"
    assert path["extendedCommunity"]["string"] == "RT:65000:100"
    lab.announce(route("2001:db8:99::/48"))
    assert path_of(lab, "b0", "2001:db8:99::/48")["valid"]
    # The same prefix at the other router is a route of its own.
    lab.announce(route("10.99.0.1/32", "b1", as_path=()))
    assert path_of(lab, "b1", "10.99.0.1/32")["aspath"]["string"] == "Local"
    lab.withdraw(route("10.99.0.1/32"))
    assert "10.99.0.1/32" not in {p for p, paths in table(lab, "b0").items() for x in paths if x["peerId"] == "fe80::2"}
    assert path_of(lab, "b1", "10.99.0.1/32")["valid"]
    lab.withdraw(route("2001:db8:99::/48"))
    lab.withdraw(route("10.99.0.1/32", "b1"))
    eventually(lambda: "10.99.0.1/32" not in table(lab, "b0"), "it is gone from b0, which had it from b1 too")
    assert "10.99.0.1/32" not in table(lab, "b1")
    lab.check_alive()


def test_a_route_that_the_router_itself_refuses_is_acknowledged_all_the_same(lab: EmbeddedLab) -> None:
    """b0's own AS in the path is a loop (RFC 4271 section 9.1.2): counted, and not in the table."""
    lab.announce(route("10.97.0.0/16", as_path=(65099, 65001)))
    assert "10.97.0.0/16" not in table(lab, "b0")


def test_exabgp_s_reason_is_told(lab: EmbeddedLab) -> None:
    with pytest.raises(LabError, match="speaker injector at b0: ExaBGP refuses: invalid community name bogus"):
        lab.announce(route("10.98.0.0/16", communities=("bogus",)))
    assert "10.98.0.0/16" not in table(lab, "b0")
    lab.announce(route("10.98.0.0/16"))
    assert path_of(lab, "b0", "10.98.0.0/16")["valid"]


def messages(lab: EmbeddedLab, direction: str, router: str = "b0") -> list[dict[str, Any]]:
    """The UPDATEs of one direction, less End-of-RIB markers."""
    events = lab.agent.call("speaker.updates", speaker="injector", router=router)
    assert all((e["speaker"], e["router"]) == ("injector", router) and e["time"] > 0 for e in events)
    found = [e["message"]["neighbor"]["message"] for e in events if e["direction"] == direction]
    return [message["update"] for message in found if "update" in message]


def test_what_is_heard_and_sent_is_kept(lab: EmbeddedLab) -> None:
    eventually(lambda: "10.0.0.1/32" in json.dumps(messages(lab, "received")), "b0 tells of b1's loopback")
    (update,) = (u for u in messages(lab, "received") if "10.0.0.1/32" in json.dumps(u))
    # b0 puts its AS before that of b1.
    assert update["attribute"]["as-path"]["0"]["value"] == [65001, 65002]
    assert messages(lab, "sent") == []
    lab.announce(route("10.99.0.1/32", med=7))
    (sent,) = messages(lab, "sent")
    assert sent["attribute"]["med"] == 7
    assert sent["announce"] == {"ipv4 unicast": {"fe80::2": [{"nlri": "10.99.0.1/32"}]}}
    lab.withdraw(route("10.99.0.1/32"))
    assert messages(lab, "sent")[1] == {"withdraw": {"ipv4 unicast": [{"nlri": "10.99.0.1/32"}]}}


def type_on(lab: EmbeddedLab, router: str, *lines: str) -> None:
    done = lab.execute(router, "vtysh -c 'conf t' " + " ".join(f"-c '{line}'" for line in lines))
    assert done.exit_code == 0, done.output


def test_a_session_that_comes_back_has_its_routes_and_a_new_account(lab: EmbeddedLab) -> None:
    lab.announce(route("10.99.0.1/32"))
    eventually(lambda: messages(lab, "received") != [], "the speaker has heard b0")
    type_on(lab, "b0", "router bgp 65001", "neighbor fe80::2 shutdown")
    eventually(lambda: lab.agent.call("speaker.updates", router="b0") == [], "what was heard ended with the session")
    # Neither end has a session: the route waits in ExaBGP.
    lab.announce(route("10.98.0.0/16"))
    assert "10.98.0.0/16" not in table(lab, "b0")
    type_on(lab, "b0", "router bgp 65001", "no neighbor fe80::2 shutdown")
    eventually(lambda: {"10.98.0.0/16", "10.99.0.1/32"} <= table(lab, "b0").keys(), "both come with the session")
    sent = json.dumps(messages(lab, "sent"))
    assert sent.count("10.98.0.0/16") == sent.count("10.99.0.1/32") == 1
    lab.withdraw(route("10.99.0.1/32"))
    assert "10.99.0.1/32" not in table(lab, "b0")
    states = [
        event["message"]["neighbor"]["state"]
        for event in lab.agent.call("speaker.events", router="b0")
        if event["message"]["type"] == "state"
    ]
    assert states.count("up") == 2


def test_two_speakers_of_one_router_are_two_neighbors(tmp_path: Path) -> None:
    sections = {name: SpeakerSection(asn=asn, peers=["b0"]) for name, asn in (("injector", 65099), ("second", 65098))}
    with running(tmp_path, *speaker_files(sections, dict.fromkeys(sections, LINE))) as lab:
        lab.announce(route("10.99.0.0/24"))
        lab.announce(route("10.98.0.0/24", speaker="second"))
        lab.announce(route("2001:db8:98::/48", speaker="second"))
        learnt = {
            (prefix, path["peerId"], path["path"], hop["ip"])
            for family in ("ipv4", "ipv6")
            for prefix, paths in table(lab, "b0", family).items()
            for path in paths
            for hop in path["nexthops"]
            if path["peerId"] in ("fe80::2", "fe80::3")
        }
        assert learnt == {
            ("10.99.0.0/24", "fe80::2", "65099", "fe80::2"),
            ("10.98.0.0/24", "fe80::3", "65098", "fe80::3"),
            ("2001:db8:98::/48", "fe80::3", "65098", "fe80::3"),
        }
        eventually(lambda: "10.98.0.0/24" in lab.execute("b0", "ip route").output, "the kernel has it too")
        kernel = json.loads(lab.execute("b0", "ip -j route show 10.98.0.0/24").output)
        assert [(r["via"]["host"], r["dev"]) for r in kernel] == [("fe80::3", "x-second")]
        # The same prefix by both is two paths, and what one withdraws the other keeps.
        lab.announce(route("10.97.0.0/24"))
        lab.announce(route("10.97.0.0/24", speaker="second"))
        lab.withdraw(route("10.97.0.0/24"))
        assert [path["peerId"] for path in table(lab, "b0")["10.97.0.0/24"]] == ["fe80::3"]
        lab.check_alive()


@pytest.mark.parametrize(("device", "interface"), [("b0", "x-injector"), ("injector", "b0")])
def test_a_link_that_was_cut_comes_back_with_its_session_and_routes(
    lab: EmbeddedLab, device: str, interface: str
) -> None:
    """The kernel takes the link-local address away with the interface."""
    lab.announce(route("10.99.0.0/24"))
    lab.announce(route("2001:db8:99::/48"))
    lab.set_interface(device, interface, up=False)
    assert "fe80::" not in lab.execute(device, f"ip -6 addr show dev {interface}").output
    eventually(lambda: "10.99.0.0/24" not in table(lab, "b0"), "the route went with the session")
    lab.set_interface(device, interface, up=True)
    eventually(lambda: {"10.99.0.0/24"} <= table(lab, "b0").keys(), "the route is back", 60)
    eventually(lambda: {"2001:db8:99::/48"} <= table(lab, "b0", "ipv6").keys(), "and the other", 60)
    assert path_of(lab, "b0", "10.99.0.0/24")["valid"]
    lab.announce(route("10.98.0.0/24"))
    assert path_of(lab, "b0", "10.98.0.0/24")["valid"]
    lab.check_alive()


CUT = """\
name: cut
lab: {topology: topo.yml}
speakers:
  injector: {asn: 65099, peers: [b0]}
  second: {asn: 65098, peers: [b0]}
steps:
  - name: announced
    announce:
      - {speaker: injector, prefix: 10.99.0.0/24, communities: ["65000:1", "65000:2"]}
      - {speaker: second, prefix: 10.98.0.0/24, large-communities: ["65000:1:2"]}
    expect: {sessions: {established: [b0, b1, injector, second]}}
  - name: cut at the router
    link-down: ["b0:x-second"]
  - name: back at the router
    link-up: ["b0:x-second"]
    expect: {same-as: announced}
  - name: cut at the speaker
    link-down: ["injector:b0"]
  - name: back at the speaker
    link-up: ["injector:b0"]
    expect: {same-as: announced}
"""


def test_a_speaker_s_link_cut_and_restored_is_as_predicted(tmp_path: Path) -> None:
    lines = [line for line in TOPOLOGY.splitlines() if "2001:db8" not in line]
    (tmp_path / "topo.yml").write_text("\n".join(lines) + "\n")
    (tmp_path / "cut.yaml").write_text(CUT)
    scenario = load(tmp_path / "cut.yaml", "cut.yaml")
    outcome = run(scenario, lambda files: EmbeddedLab(files, default_store(), SpeakerControl), Silent())
    steps = outcome.run.steps
    assert [(s.name, s.settled and s.settled.how, s.mismatches) for s in steps] == [
        (s.name, "quiet", []) for s in scenario.steps
    ]
    assert (outcome.exit_code, outcome.run.error) == (0, None)
    down = [
        {row.neighbor for row in step.sessions if row.device == "b0" and row.observed and row.observed.state == "Down"}
        for step in steps
    ]
    assert down == [set(), {"fe80::3"}, set(), {"fe80::2"}, set()]


def test_every_community_reads_in_frr_as_the_scenario_spells_it(lab: EmbeddedLab) -> None:
    named = tuple(sorted(WELL_KNOWN_COMMUNITIES))
    lab.announce(route("10.99.0.0/24", communities=named, large_communities=("4294967295:0:7",)))
    path = path_of(lab, "b0", "10.99.0.0/24")
    assert sorted(path["community"]["string"].split()) == list(named)
    assert path["largeCommunity"]["string"] == "4294967295:0:7"


def test_what_the_speaker_attracts_is_dropped(lab: EmbeddedLab) -> None:
    """It arrives at the speaker, which neither answers nor forwards."""
    lab.announce(route("10.99.0.1/32"))
    eventually(lambda: "10.99.0.1" in lab.execute("b1", "ip route get 10.99.0.1").output, "b1 has a route")
    eventually(lambda: "net0" in lab.execute("b1", "ip route get 10.99.0.1").output, "b1 has the route by b0")

    def arrived() -> int:
        return int(lab.execute("injector", "cat /sys/class/net/b0/statistics/rx_packets").output)

    before = arrived()
    ping = lab.execute("b1", "ping -c 3 -i 0.05 -W 1 -I 10.0.0.1 10.99.0.1")
    assert "3 packets transmitted, 0 received" in ping.output
    assert "errors" not in ping.output
    assert arrived() >= before + 3
    for family in ("ipv4", "ipv6"):
        assert lab.execute("injector", f"cat /proc/sys/net/{family}/conf/all/forwarding").output.strip() == "0"
    assert "10.99.0.1" not in lab.execute("injector", "ip -4 addr").output


@pytest.mark.parametrize("victim", ["ExaBGP", "its API process"])
def test_a_speaker_that_dies_is_missed(lab: EmbeddedLab, victim: str) -> None:
    lab.check_alive()
    pattern = "exabgp server .*b1.conf" if victim == "ExaBGP" else "api_process.py .*b1.sock"
    listed = lab.execute("injector", "ps -eo pid,args").output
    pids = [line.split()[0] for line in listed.splitlines() if re.search(pattern, line)]
    assert len(pids) == 1, listed
    lab.execute("injector", f"kill -9 {pids[0]}")

    eventually(lambda: not all(s["alive"] for s in lab.agent.call("speaker.alive")), "ExaBGP has ended")
    with pytest.raises(DeviceDied, match=r"speaker injector: ExaBGP at b1 (ended by itself|lost its API process)"):
        lab.check_alive()
    with pytest.raises(DeviceDied):
        lab.announce(route("10.99.0.1/32", "b1"))
    # The other attachment is a process of its own.
    lab.announce(route("10.99.0.1/32", "b0"))


def test_stop_says_goodbye(lab: EmbeddedLab) -> None:
    lab.announce(route("10.99.0.1/32"))
    lab.agent.call("speaker.stop")
    assert lab.agent.call("speaker.alive") == []
    eventually(lambda: "10.99.0.1/32" not in table(lab, "b0"), "the route went with the session")
    assert "exabgp" not in lab.execute("injector", "ps -eo args").output


def test_what_an_answering_speaker_attracts_is_answered(tmp_path: Path) -> None:
    """While it announces, and for addresses within it alone; an announced prefix may hold those who ask."""
    with running(tmp_path, replace(INJECTOR, traffic="answer")) as lab:

        def answers(target: str, source: str) -> bool:
            lines = lab.execute("b1", f"ping -c 2 -i 0.05 -W 1 -I {source} {target}").output
            return "2 packets transmitted, 2 received" in lines

        def by_b0(target: str) -> bool:
            return "net0" in lab.execute("b1", f"ip route get {target}").output

        for prefix, target, source in (
            ("10.99.0.0/24", "10.99.0.7", "10.0.0.1"),
            ("10.0.0.0/8", "10.98.0.7", "10.0.0.1"),
            ("2001:db8::/32", "2001:db8:99::7", "2001:db8::1"),
            ("0.0.0.0/0", "192.0.2.77", "10.0.0.1"),
        ):
            assert not answers(target, source)
            lab.announce(route(prefix))
            eventually(lambda t=target: by_b0(t), f"b1 has {prefix} by b0")  # type: ignore[misc]
            assert answers(target, source), prefix
            lab.withdraw(route(prefix))
            assert "local" not in lab.execute("injector", f"ip route get {target} from {source} iif b0").output
        lab.check_alive()
