"""Impaired and silent links on real routers: what happens to packets, measured at both ends, and no more.

Tests are played with every means that this kernel has: the relay, and netem (`make test-kernel` where there is none).
Times are the kernel's: when a packet was handed over to the relay, and when it arrived at the receiver's end. With
netem the first is the sender's own clock as it sends. The relay's own counts are not asked. Every test says what it
measured.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sealed import SealedLab, eventually
from test_scenarios import all_compared, run

from bgpsim.agent.impairment_commands import Values, netem
from bgpsim.check.compare import compare
from bgpsim.errors import DeviceDied
from bgpsim.lab.embedded.lab import EmbeddedLab
from bgpsim.lab.images import default_store
from bgpsim.network.state import FlowKey
from bgpsim.observe import observe
from bgpsim.observe.settle import wait_settled
from bgpsim.scenario.reading.loading import load
from bgpsim.scenario.timeline import Apply

pytestmark = pytest.mark.lab
HERE = Path(__file__).parent
SCENARIOS = HERE.parents[1] / "scenarios"
UPLINK = (("tor1", "net0"), ("router0", "net1"))
SERVER = ("tor1", "net1")
SERVER_LINK = ("tor1", "worker2", "10.0.3.1", "10.0.3.2")
ROUNDS = 5
"""The machine may be busy with other things for a moment."""


def kernel_has_netem() -> bool:
    """Asked as the agent asks, but from outside: in user and network namespaces of its own."""
    attempt = ["unshare", "-r", "-n", "--", "tc", *netem("lo", Values(delay=1000))]
    return subprocess.run(attempt, capture_output=True, check=False).returncode == 0


KERNELS = "netem" if kernel_has_netem() else "relay"
"""What a lab takes on this kernel unless it is told."""
MEANS = ("relay", "netem") if KERNELS == "netem" else ("relay",)
by_every_means = pytest.mark.parametrize("means", MEANS)


class Running:
    """The shipped lab with Cilium's peers, at rest."""

    def __init__(self) -> None:
        scenario = load(SCENARIOS / "cilium-bgp" / "baseline.yaml", "baseline.yaml")
        self.flows: tuple[FlowKey, ...] = scenario.steps[-1].flows
        self.lab = EmbeddedLab(scenario.files, default_store())
        self.lab.bring_up(lambda _: None)
        for action in scenario.steps[-1].actions:
            assert isinstance(action, Apply)
            self.lab.apply(action.manifest)
        self.rest()
        assert self.lab._sandbox is not None
        self.sealed = SealedLab(self.lab._sandbox.pid)

    def rest(self) -> None:
        settled = wait_settled(self.lab.agent, self.lab.devices, quiet=1.75, timeout=60)
        assert settled.how == "quiet", settled.because

    def impair(self, means: str, device: str, interface: str, **values: float) -> str:
        """Where a packet's leaving is seen (`stream.py`): the relay's interface, or the program itself."""
        done = self.lab.agent.call("impairments.set", device=device, interface=interface, by=means, **values)
        assert done["means"] == means
        return str(done["relay"] or "-")

    def clear(self, *ends: tuple[str, str]) -> None:
        for device, interface in ends:
            self.lab.agent.call("impairments.clear", device=device, interface=interface)

    def stream(self, count: int, size: int, interval: float, tap: str) -> dict[str, Any]:
        """Packets from tor1 to worker2, over the link between them; a first one finds out the neighbor's address."""
        told = {}
        from_device, to_device, *addresses = SERVER_LINK
        pids = [self.sealed.inside(name) for name in (from_device, to_device)]
        for number, pause in ((1, 0.0), (count, interval)):
            words = [*pids, *addresses, str(number), str(size), str(pause), tap]
            told = json.loads(self.sealed.python(HERE / "stream.py", *words))
        return told


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    here = Running()
    yield here
    here.lab.close()


@pytest.fixture(autouse=True)
def as_it_was(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "running" in request.fixturenames:
        here: Running = request.getfixturevalue("running")
        with contextlib.suppress(DeviceDied):
            here.clear(*UPLINK, SERVER)


def links(lab: EmbeddedLab, device: str) -> Mapping[str, tuple[int, str, tuple[str, ...]]]:
    """Name -> index, MAC address and flags, of all but the relay's."""
    shown = json.loads(lab.execute(device, "ip -j link show").output)
    return {
        link["ifname"]: (link["ifindex"], link["address"], tuple(link["flags"]))
        for link in shown
        if not link["ifname"].startswith("bgpsim-")
    }


def waited_at(lab: EmbeddedLab, means: str) -> list[tuple[int, int]]:
    """At each end of the uplink, the frames that passed and that were dropped."""
    if means == "relay":
        return [(c["passed"], c["lost"] + c["refused"]) for c in lab.agent.call("impairments.counts").values()]
    found = []
    for device, interface in UPLINK:
        (shown,) = json.loads(lab.execute(device, f"tc -s -j qdisc show dev {interface}").output)
        assert (shown["kind"], shown["root"]) == ("netem", True)
        found.append((shown["packets"], shown["drops"]))
    return found


@by_every_means
def test_an_impairment_by_nothing_alters_no_table_and_no_path(running: Running, means: str) -> None:
    """All four planes are those of the lab without it, its flapping counted too; and gone, nothing of it is left."""
    lab = running.lab
    before = observe(lab.agent, lab.devices, running.flows)
    shown = lab.execute("tor1", "ip -j route show table all").output, lab.execute("tor1", "tc qdisc show").output
    links_before = links(lab, "tor1")
    dropped = lab.execute("tor1", "vtysh -c 'show bgp neighbors net0 json'").output.count("connectionsDropped")
    for end in UPLINK:
        running.impair(means, *end)
    running.rest()
    during = observe(lab.agent, lab.devices, running.flows)
    found = compare(before, during)
    assert found.agrees, found.mismatches
    assert [during.forwarding[flow].paths for flow in running.flows] == [
        before.forwarding[flow].paths for flow in running.flows
    ]
    assert all(plane.status == "compared" for name, plane in found.planes.items() if name != "wire")
    assert links(lab, "tor1") == links_before
    assert lab.execute("tor1", "ip -j route show table all").output == shown[0]
    # It was really in the way: packets of every session and probe went through it.
    counts = waited_at(lab, means)
    assert all(passed > 10 and lost == 0 for passed, lost in counts), counts
    assert len(counts) == 2
    running.clear(*UPLINK)
    assert lab.agent.call("impairments.counts") == {}
    assert lab.execute("tor1", "tc qdisc show").output == shown[1]
    assert "bgpsim-" not in lab.execute("tor1", "ip link").output
    after = lab.execute("tor1", "vtysh -c 'show bgp neighbors net0 json'").output.count("connectionsDropped")
    assert after == dropped


def test_a_discipline_of_the_devices_own_stays(running: Running) -> None:
    """netem would take its place, and leave none: then it is the relay, and the report says why."""
    lab = running.lab
    by_default = lab.agent.call("impairments.set", device=SERVER[0], interface=SERVER[1])
    assert by_default["means"] == KERNELS
    running.clear(SERVER)
    assert lab.execute("tor1", "tc qdisc add dev net1 root pfifo limit 500").exit_code == 0
    shown = lab.execute("tor1", "tc qdisc show").output
    assert "pfifo" in shown
    done = lab.agent.call("impairments.set", device=SERVER[0], interface=SERVER[1], delay=1000)
    assert done["means"] == "relay"
    own = "tor1 has the queueing discipline pfifo of its own at net1"
    assert done["because"] == (own if KERNELS == "netem" else "this kernel has no netem")
    running.clear(SERVER)
    assert lab.execute("tor1", "tc qdisc show").output == shown
    assert lab.execute("tor1", "tc qdisc del dev net1 root").exit_code == 0


@by_every_means
def test_every_kind_of_frame_arrives_as_it_left(running: Running, means: str) -> None:
    """ARP, VLAN tags, jumbo frames, another's frames; and TCP segments of 64 kB come in frames that fit the MTU.

    With netem as without it: a veth hands larger segments over in one piece.
    """
    running.impair(means, *SERVER)
    from_device, to_device, *addresses = SERVER_LINK
    pids = [running.sealed.inside(name) for name in (from_device, to_device)]
    told = json.loads(running.sealed.python(HERE / "frames.py", *pids, "net1", "net0", *addresses))
    print(told)
    assert told["transfer"]
    assert told["longest"] > 1500
    if means == "relay":
        assert told["longest"] <= 9514
    assert all(told["frames"].values()), told["frames"]


@by_every_means
def test_carrier_is_passed_on(running: Running, means: str) -> None:
    running.impair(means, "tor1", "net2", delay=20_000)
    lab = running.lab

    def carrier(device: str, interface: str) -> bool:
        shown = json.loads(lab.execute(device, f"ip -j link show dev {interface}").output)
        return "LOWER_UP" in shown[0]["flags"]

    for near, far in ((("tor1", "net2"), ("worker3", "net0")), (("worker3", "net0"), ("tor1", "net2"))):
        lab.set_interface(*near, up=False)
        assert not carrier(*far)
        lab.set_interface(*near, up=True)
        assert carrier(*far)
    eventually(
        lambda: "1 received" in lab.execute("tor1", "ping -c 1 -W 1 10.0.4.2").output, "packets pass again", 10.0
    )
    running.clear(("tor1", "net2"))


@by_every_means
def test_delay_is_within_two_milliseconds(running: Running, means: str) -> None:
    """Of 300 packets at 20 ms, 95 of 100 within ± 2 ms and half of them within ± 0.5 ms, in one of five rounds.

    The rest is the scheduler's: the relay, and with netem the program that sends, is an ordinary process, and on a
    busy machine it waits for its turn as any other. No packet comes early.
    """
    tap = running.impair(means, *SERVER, delay=20_000)
    rounds = []
    for _ in range(ROUNDS):
        off = [flight - 0.020 for flight in running.stream(300, 100, 0.004, tap)["flights"]]
        assert len(off) == 300
        assert min(off) > -0.0005
        within = [sum(abs(one) <= most for one in off) / len(off) for most in (0.002, 0.0005)]
        rounds.append(within)
        print(f"within 2 ms {within[0]:.3f}, within 0.5 ms {within[1]:.3f}, at most {1000 * max(off):.2f} ms late")
        if within[0] >= 0.95 and within[1] >= 0.5:
            return
    raise AssertionError(f"within 2 ms and 0.5 ms of the delay: {rounds}; load {os.getloadavg()}")


@by_every_means
def test_jitter_spreads_the_delay_evenly(running: Running, means: str) -> None:
    tap = running.impair(means, *SERVER, delay=20_000, jitter=10_000)
    flights = sorted(running.stream(400, 100, 0.002, tap)["flights"])
    middle = flights[len(flights) // 2]
    print(f"from {1000 * flights[0]:.1f} to {1000 * flights[-1]:.1f} ms, the middle at {1000 * middle:.1f}")
    assert flights[0] >= 0.0095
    assert 0.009 < flights[4] < 0.013
    assert 0.018 < middle < 0.0225


def interval(packets: int, loss: float, certainty: float = 0.99) -> tuple[int, int]:
    """The least and most packets lost that the binomial distribution gives with that certainty, exactly."""
    tail = (1 - certainty) / 2
    below = 0.0
    low = high = None
    for lost in range(packets + 1):
        ways = math.lgamma(packets + 1) - math.lgamma(lost + 1) - math.lgamma(packets - lost + 1)
        below += math.exp(ways + lost * math.log(loss) + (packets - lost) * math.log1p(-loss))
        if low is None and below > tail:
            low = lost
        if high is None and below >= 1 - tail:
            high = lost
    assert low is not None
    assert high is not None
    return low, high


@by_every_means
def test_loss_is_within_the_binomial_interval(running: Running, means: str) -> None:
    """Of 2,000 packets at 1 %, within the 99 % interval; chance leaves it once in a hundred times, so a second try."""
    tap = running.impair(means, *SERVER, loss=1.0)
    low, high = interval(2000, 0.01)
    assert (low, high) == (10, 32)
    found = []
    for _ in range(2):
        told = running.stream(2000, 100, 0.0005, tap)
        found.append(told["sent"] - len(told["flights"]))
        print(f"{found[-1]} of 2,000 lost, expected {low} to {high}")
        if low <= found[-1] <= high:
            return
    raise AssertionError(f"lost of 2,000 at 1 %: {found}, expected {low} to {high}")


@by_every_means
def test_rate_spaces_a_burst_and_the_queue_has_an_end(running: Running, means: str) -> None:
    """500 frames of 1,500 bytes at 10 Mbit/s take 499 times 1.2 ms; of 1,500 at once a thousand find room."""
    tap = running.impair(means, *SERVER, rate=10_000_000)
    expected = 499 * 1500 * 8 / 10_000_000
    spans = []
    while not spans or abs(spans[-1] - expected) > 0.01:
        assert len(spans) < ROUNDS, (spans, expected)
        told = running.stream(500, 1500 - 42, 0.00005, tap)
        assert len(told["flights"]) == 500
        spans.append(told["span"])
        print(f"500 frames over {told['span']:.4f} s, expected {expected:.4f}")
    running.impair(means, *SERVER, rate=4_000_000)
    arrived = len(running.stream(1500, 458, 0.00001, tap)["flights"])
    print(f"{arrived} of 1,500 at once")
    assert 1000 <= arrived < 1400


def test_a_silent_link_has_carrier_and_passes_nothing_until_it_is_up(running: Running) -> None:
    lab = running.lab
    lab.silence("worker3", "net0")
    assert "0 received" in lab.execute("tor1", "ping -c 2 -i 0.2 -W 1 10.0.4.2").output
    assert "0 received" in lab.execute("worker3", "ping -c 2 -i 0.2 -W 1 10.0.4.1").output
    for device, interface in (("tor1", "net2"), ("worker3", "net0")):
        assert "LOWER_UP" in lab.execute(device, f"ip link show dev {interface}").output
    lab.set_interface("tor1", "net2", up=True)
    assert "2 received" in lab.execute("tor1", "ping -c 2 -i 0.2 -W 5 10.0.4.2").output
    assert lab.agent.call("impairments.list") == []
    assert "clsact" not in lab.execute("tor1", "tc qdisc show").output


def test_the_shipped_scenario_with_a_lossy_session(tmp_path: Path) -> None:
    """By hand: loss and delay alter nothing; a silent link takes its sessions with the hold time, not the carrier."""
    code, report, _ = run(SCENARIOS / "experiments" / "lossy-session.yaml", tmp_path)
    assert code == 0, report
    (done,) = report["runs"]
    assert done["confidence"] == "full"
    relays = [one for one in done["lab"]["stand_ins"] if one["for"] == "netem"]
    assert bool(relays) == (KERNELS == "relay")
    induced = " ".join(done["lab"]["induced"])
    assert ("to a relay" if relays else "the queueing discipline netem") in induced
    for step in done["steps"]:
        all_compared(step)
    silent = done["steps"][3]
    down = {(row["device"], row["neighbor"]) for row in silent["sessions"] if row["observed"]["state"] == "Down"}
    assert down == {("router0", "net1"), ("tor1", "net0")}
    (lost,) = (
        row
        for row in done["steps"][5]["reachability"]
        if (row["from"]["id"], row["to"]["id"]) == ("pod:default/netshoot@worker2", "pod:default/netshoot@worker")
    )
    (path,) = lost["observed"]["paths"]
    assert path["disposition"] == "blackhole"
    assert [(hop["device"], hop["out"]) for hop in path["hops"]] == [("worker2", "net0")]


def test_a_relay_that_is_gone_is_said(running: Running) -> None:
    """Last, for it takes the relay away for good."""
    running.impair("relay", *SERVER)
    (relay,) = (pid for pid, words in running.sealed.processes().items() if "bgpsim.agent.relay" in words)
    os.kill(relay, 9)
    eventually(lambda: relay not in running.sealed.processes(), "the relay has ended")
    with pytest.raises(DeviceDied, match="the relay ended by itself"):
        observe(running.lab.agent, running.lab.devices, running.flows)
