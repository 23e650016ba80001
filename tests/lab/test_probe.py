"""A steady stream through cuts, flaps and reroutes of real routers, and packets that must not be fragmented."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bgpsim.agent.stream.service import PORT
from bgpsim.check.losses import void
from bgpsim.errors import LabError
from bgpsim.inputs.files.containerlab import load_topology
from bgpsim.inputs.files.lab_files import LabFiles
from bgpsim.lab.embedded.lab import EmbeddedLab
from bgpsim.lab.images import default_store
from bgpsim.network.loss import Measurement
from bgpsim.network.sizes import SizeFate, SizeKey
from bgpsim.network.state import FlowKey
from bgpsim.observe import stream
from bgpsim.observe.sizes import read_sizes
from bgpsim.report.document import report_schema

pytestmark = pytest.mark.lab
FLAP = Path(__file__).parents[2] / "scenarios" / "experiments" / "flap.yaml"
TWO_WAYS = Path(__file__).parent / "two-ways" / "scenario.yaml"
RACKS = {"worker": 0, "worker2": 1, "worker3": 1}


def run(scenario: Path, folder: Path) -> dict[str, dict[str, Any]]:
    """The steps by name; the run must pass, and be fully modelled."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("bgpsim")), "run", str(scenario), "--report", str(folder)],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    report = json.loads((folder / "report.json").read_text())
    jsonschema.validate(report, report_schema())
    (only,) = report["runs"]
    assert (done.returncode, report["verdict"], only["confidence"]) == (0, "pass", "full"), done.stdout + done.stderr
    return {step["name"]: step for step in only["steps"]}


def figures(step: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """By sender and target; what holds of every measurement is checked."""
    volatile = step["volatile"]["probe"]
    assert volatile["control"]["lost"] == 0 < volatile["control"]["sent"]
    for pair in volatile["pairs"]:
        assert pair["sent"] == pair["received"] + pair["lost"]
        assert sum(way["packets"] for way in pair["paths"]) == pair["sent"]
        assert sum(outage["packets"] for outage in pair["outages"]) == pair["lost"]
        assert pair["recovered"] is (not pair["outages"] or pair["outages"][-1]["ended"])
    assert {row["agrees"] for row in step["probe"]["continuous"]["pairs"]} == {True}
    return {(short(pair["from"]), short(pair["to"])): pair for pair in volatile["pairs"]}


def short(endpoint: str) -> str:
    return endpoint.rpartition("@")[2].removeprefix("host:")


def predicted(step: dict[str, Any]) -> dict[tuple[str, str], tuple[str, bool]]:
    rows = step["probe"]["continuous"]["pairs"]
    return {(short(r["from"]), short(r["to"])): (r["predicted"]["loss"], r["predicted"]["recovers"]) for r in rows}


def test_a_flap_and_what_it_costs(tmp_path: Path) -> None:
    """tor1's only uplink flaps, then tor0's goes and comes back. Pairs of one rack never notice."""
    steps = run(FLAP, tmp_path)
    for name, crossing, open_end in (
        ("at rest", ("none", True), False),
        ("flap", ("must", True), False),
        ("down", ("must", False), True),
        ("up", ("must", True), False),
    ):
        found, expected = figures(steps[name]), predicted(steps[name])
        assert len(found) == 6
        for (source, target), pair in found.items():
            if RACKS[source] == RACKS[target] or name == "at rest":
                assert expected[source, target] == ("none", True)
                assert (pair["lost"], pair["outages"], pair["duplicates"], pair["loops"]) == (0, [], 0, [])
                assert len(pair["paths"]) == 1
                continue
            assert expected[source, target] == crossing
            (outage,) = pair["outages"]
            assert outage["ended"] is not open_end
            # Since the action is acknowledged at its effect, not later than the next packet after it.
            assert outage["at_ms"] < 1000
            if name in ("flap", "up"):
                # BGP needs a second at least to find its neighbor again: FRR's interface comes up, its peer dials.
                assert 500 < outage["ms"] < 15000
                assert pair["paths"][-1]["fate"] == "delivered"
                assert pair["paths"][-1]["path"].startswith(f"{source}[>net0] → ")
    # Before the cut is known anywhere else, packets end at the router that has lost the route.
    down = figures(steps["down"])
    assert down["worker", "worker2"]["outages"][0]["where"][-1] == "stopped at tor0"
    assert down["worker2", "worker"]["outages"][0]["where"][-1] == "stopped at router0"
    assert steps["flap"]["probe"]["continuous"]["control"]["because"] == "nothing on its way is touched"
    assert steps["up"]["probe"]["continuous"]["control"]["because"] == "the scenario names it"
    (bound,) = (e for e in steps["flap"]["expectations"] if "loses at most" in e["text"])
    assert (bound["verdict"], bound["seen"]) == ("pass", "so do all 6 pairs")
    assert "most: " in bound["volatile"]["seen"]


def test_two_ways(tmp_path: Path) -> None:
    """h1 -- r1 -- r2 -- r4 -- h2, and the longer r1 -- r3 -- r5 -- r4, whose middle takes 1400 bytes."""
    steps = run(TWO_WAYS, tmp_path)
    forth, back = ("h1", "h2"), ("h2", "h1")
    spare = figures(steps["the spare way cut"])
    assert predicted(steps["the spare way cut"]) == {forth: ("none", True), back: ("none", True)}
    assert [spare[pair]["lost"] for pair in (forth, back)] == [0, 0]
    # Neither r1 nor r2 knows another way, and the long one takes a session's time to come.
    round_ = figures(steps["the other way round"])
    assert predicted(steps["the other way round"]) == {forth: ("must", True), back: ("must", True)}
    for pair in (forth, back):
        ways = [way["path"] for way in round_[pair]["paths"] if way["fate"] == "delivered"]
        assert "r3" in ways[-1]
        assert round_[pair]["lost_ms"]["total"] >= 500
    # A better way comes: both are there all the time. The ways taken are told in order.
    again = figures(steps["the short way back"])
    assert {loss for loss, _ in predicted(steps["the short way back"]).values()} == {"may"}
    for pair in (forth, back):
        ways = [way["path"] for way in again[pair]["paths"] if way["fate"] == "delivered"]
        assert "r3" in ways[0]
        assert "r2" in ways[-1]
    # r1 has heard of the long way and may be fast. At r2 packets are lost until r4 has turned them away.
    cut = figures(steps["the short way cut"])
    assert predicted(steps["the short way cut"]) == {forth: ("may", True), back: ("must", True)}
    assert cut[back]["lost"] > 0
    sizes = {
        (short(row["from"]), row["size"]): (row["observed"]["outcome"], row["observed"]["at"])
        for row in steps["the other way round"]["probe"]["sizes"]
    }
    assert sizes == {
        ("h1", 1400): ("arrived", "h2"),
        ("h1", 1401): ("fragmentation-needed", "r3"),
        ("h1", 9000): ("fragmentation-needed", "r3"),
        ("h2", 1400): ("arrived", "h1"),
        ("h2", 1401): ("fragmentation-needed", "r5"),
        ("h2", 9000): ("fragmentation-needed", "r5"),
    }
    assert {row["observed"]["outcome"] for row in steps["start"]["probe"]["sizes"]} == {"arrived", "too-big"}


# --- A line of hosts that forward, without routing daemons: what no scenario shows ---

LINE = """\
name: line
topology:
  kinds: {linux: {image: nicolaka/netshoot}}
  nodes:
    h1:
      kind: linux
      exec:
        - ip addr add 10.1.0.2/24 dev net0
        - ip route replace 10.2.0.0/24 via 10.1.0.1
        - ip addr add 2001:db8:1::2/64 dev net0 nodad
        - ip route replace 2001:db8:2::/64 via 2001:db8:1::1
    r:
      kind: linux
      exec:
        - ip addr add 10.1.0.1/24 dev a
        - ip addr add 10.2.0.1/24 dev b
        - ip addr add 10.3.0.1/24 dev c
        - ip addr add 2001:db8:1::1/64 dev a nodad
        - ip addr add 2001:db8:2::1/64 dev b nodad
        - ip link set dev a mtu 1300
    h2:
      kind: linux
      exec:
        - ip addr add 10.2.0.2/24 dev net0
        - ip route replace 10.1.0.0/24 via 10.2.0.1
        - ip addr add 2001:db8:2::2/64 dev net0 nodad
        - ip route replace 2001:db8:1::/64 via 2001:db8:2::1
    h3:
      kind: linux
      exec: ["ip addr add 10.3.0.2/24 dev net0", "ip route replace 10.1.0.0/24 via 10.3.0.1"]
  links:
    - endpoints: ["h1:net0", "r:a"]
    - endpoints: ["r:b", "h2:net0"]
    - endpoints: ["r:c", "h3:net0"]
"""
FORTH = FlowKey("host:h1", "host:h2", "10.1.0.2", "10.2.0.2")
BACK = FlowKey("host:h2", "host:h1", "10.2.0.2", "10.1.0.2")
SIX = FlowKey("host:h1", "host:h2", "2001:db8:1::2", "2001:db8:2::2")
SIX_BACK = FlowKey("host:h2", "host:h1", "2001:db8:2::2", "2001:db8:1::2")
MEANWHILE = ("r", "sleep 0.1")
"""What takes less than an interval is seen by chance only."""
AFTERWARDS = ("r", "sleep 0.2")
"""The stream goes on when all is as it was."""
ASIDE = FlowKey("host:h3", "host:h1", "10.3.0.2", "10.1.0.2")


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedLab]:
    path = tmp_path_factory.mktemp("line") / "topo.yml"
    path.write_text(LINE)
    lab = EmbeddedLab(LabFiles(load_topology(path, "topo.yml")[0]), default_store())
    lab.bring_up(lambda _: None)
    yield lab
    lab.close()


def during(lab: EmbeddedLab, *lines: tuple[str, str], control: FlowKey) -> Measurement:
    """A stream while these lines are typed on devices."""
    begun = stream.start(lab.agent, lab.devices, (FORTH, SIX), control, 0.01)
    for device, text in (*lines, AFTERWARDS):
        assert lab.execute(device, text).exit_code == 0
    return stream.stop(lab.agent, lab.devices, begun)


def test_a_loss_on_the_control_pair_voids_the_measurement(line: EmbeddedLab) -> None:
    cut = (("r", "ip link set dev b down"), MEANWHILE, ("r", "ip link set dev b up"))
    # Of two targets behind one link one is the control pair's.
    beside = FORTH._replace(source_address="10.1.0.2", target="address:10.2.0.9", target_address="10.2.0.9")
    line.execute("h2", "ip addr add 10.2.0.9/24 dev net0")
    assert void(during(line, *cut, control=beside)) == "the control pair lost packets, and no step can have done that"
    assert void(during(line, *cut, control=ASIDE)) in (
        None,
        "the sender was kept from sending for more than 20 intervals",
    )
    # The kernel has taken the IPv6 address with the link.
    assert line.execute("r", "ip addr add 2001:db8:2::1/64 dev b nodad").exit_code == 0


def test_a_route_that_goes_and_comes_is_timed(line: EmbeddedLab) -> None:
    """The outage is the time between two commands, give or take a packet at each end and the commands' own time."""
    begun = stream.start(line.agent, line.devices, (FORTH,), ASIDE, 0.01)
    assert line.execute("r", "ip route add blackhole 10.2.0.2/32").exit_code == 0
    gone = time.monotonic()
    while time.monotonic() < gone + 0.3:
        assert line.execute("r", "true").exit_code == 0
    back = time.monotonic()
    assert line.execute("r", "ip route del blackhole 10.2.0.2/32").exit_code == 0
    restored = time.monotonic()
    line.execute(*AFTERWARDS)
    found = stream.stop(line.agent, line.devices, begun)
    (outage,) = found.pairs[FORTH].outages
    assert outage.at == ("stopped at r",)
    slack = 0.02 + found.gap
    assert back - gone - slack <= outage.seconds <= restored - begun.acted + slack
    assert found.pairs[ASIDE].lost == 0
    assert [s.fate for s in found.pairs[FORTH].stretches][-2:] == ["stopped", "delivered"]


def test_a_loop_that_comes_and_goes(line: EmbeddedLab) -> None:
    """h3 forwards too: for a moment r and h3 send the packets to each other."""
    there = (("h3", "ip route add 10.2.0.0/24 via 10.3.0.1"), ("r", "ip route add 10.2.0.2/32 via 10.3.0.2"))
    gone = (("r", "ip route del 10.2.0.2/32 via 10.3.0.2"), ("h3", "ip route del 10.2.0.0/24 via 10.3.0.1"))
    found = during(line, *there, MEANWHILE, *gone, control=ASIDE).pairs[FORTH]
    (loop,) = (stretch for stretch in found.stretches if stretch.looped)
    assert loop.fate == "ttl-expired"
    assert [hop.device for hop in loop.hops] == ["h1", "r", "h3", "r", "h3"]
    assert found.stretches[-1].fate == "delivered"
    assert found.lost == loop.packets


def test_a_link_whose_ends_differ_drops_in_silence(line: EmbeddedLab) -> None:
    """r's end takes 1300 bytes, and four for a VLAN tag; h1's sends 9500. The other way r says that it is too much."""
    sizes = (1300, 1304, 1305, 9000, 9501)
    seen = read_sizes(line.agent, line.devices, [FORTH, BACK], sizes)
    arrived = SizeFate("arrived", "h2")
    assert [seen[SizeKey(FORTH, size)] for size in sizes] == [
        arrived, arrived, SizeFate("dropped", "h1"), SizeFate("dropped", "h1"), SizeFate("too-big", "h1"),
    ]  # fmt: skip
    needed = SizeFate("fragmentation-needed", "r")
    assert [seen[SizeKey(BACK, size)] for size in sizes] == [
        SizeFate("arrived", "h1"), needed, needed, needed, SizeFate("too-big", "h2"),
    ]  # fmt: skip


def test_ipv6(line: EmbeddedLab) -> None:
    """Only IPv6 loses its route; and of a size that is too much r says so by ICMPv6."""
    add, delete = (("r", f"ip route {word} blackhole 2001:db8:2::2/128") for word in ("add", "del"))
    found = during(line, add, MEANWHILE, delete, control=ASIDE)
    assert found.pairs[FORTH].lost == 0 < found.pairs[FORTH].sent
    (outage,) = found.pairs[SIX].outages
    assert (outage.at, outage.ended) == (("stopped at r",), True)
    seen = read_sizes(line.agent, line.devices, [SIX_BACK], (1300, 1301, 9501))
    assert [seen[SizeKey(SIX_BACK, size)] for size in (1300, 1301, 9501)] == [
        SizeFate("arrived", "h1"), SizeFate("fragmentation-needed", "r"), SizeFate("too-big", "h2"),
    ]  # fmt: skip


def test_what_the_senders_own_kernel_refuses_is_lost(line: EmbeddedLab) -> None:
    add, delete = (("h1", f"ip route {word} unreachable 10.2.0.2/32") for word in ("add", "del"))
    found = during(line, add, MEANWHILE, delete, control=ASIDE).pairs[FORTH]
    (outage,) = found.outages
    assert (outage.at, outage.ended) == (("refused",), True)


def test_one_stream_at_a_time_and_none_without_a_start(line: EmbeddedLab) -> None:
    first = stream.start(line.agent, line.devices, (FORTH,), ASIDE, 0.01)
    second = stream.start(line.agent, line.devices, (FORTH,), ASIDE, 0.02)
    assert second.begin > first.begin
    line.execute(*AFTERWARDS)
    found = stream.stop(line.agent, line.devices, second).pairs[FORTH]
    assert found.lost == 0 < found.sent
    with pytest.raises(LabError, match="no stream is under way"):
        line.agent.call("stream.stop")


def test_a_port_that_is_taken_is_told(line: EmbeddedLab) -> None:
    taken = f"timeout 10 nc -u -l {PORT} >/dev/null 2>&1 &"
    line.agent.call("nodes.run", device="h2", command=["sh", "-c", taken], env={}, limit=10.0)
    until = time.monotonic() + 5
    while f":{PORT}" not in (said := line.execute("h2", "ss -Hlun").output) and time.monotonic() < until:
        time.sleep(0.05)
    assert f":{PORT}" in said
    with pytest.raises(LabError) as caught:
        stream.start(line.agent, line.devices, (FORTH,), ASIDE, 0.01)
    assert any(f"UDP port {PORT}" in text for text in (caught.value.message, *caught.value.log))
