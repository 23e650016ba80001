"""Packets on a lab of plain hosts with static routes: every way that they can go and end, against the model.

                      +-- p0 --+      +-- a --+      net0 --- net0 h2
    h1 net0 --- net0 r1        r2 ----+       +---- r3 net1 --- net0 h3 (down)
                |     +-- p1 --+      +-- b --+      net2 --- net0 control-plane, with two pods
                eth0 --- the management network --- eth0 h2

Two parallel links, then a diamond: four ways from h1 to h2. One lab for all tests; what a test adds it takes away.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bgpsim.check.compare import path_agrees
from bgpsim.errors import LabError
from bgpsim.inputs.build import build_network
from bgpsim.inputs.files.containerlab import load_topology
from bgpsim.inputs.files.kind import load_cluster
from bgpsim.inputs.files.lab_files import LabFiles, Timeline
from bgpsim.inputs.files.manifests import load_manifests
from bgpsim.lab.embedded.lab import EmbeddedLab
from bgpsim.lab.images import default_store
from bgpsim.model import predict
from bgpsim.network.state import FlowKey, Forwarding, Hop
from bgpsim.observe.owners import owners
from bgpsim.observe.path import FLOWS, MOST_FLOWS, PathPlane, read_paths

pytestmark = pytest.mark.lab

LINKS = (
    "h1:net0 r1:net0",
    "r1:p0 r2:p0",
    "r1:p1 r2:p1",
    "r2:da a:net0",
    "r2:db b:net0",
    "a:net1 r3:ua",
    "b:net1 r3:ub",
    "r3:net0 h2:net0",
    "r3:net1 h3:net0",
    "r3:net2 srv:net0",
)
BOTH_A_AND_B = "nexthop via 10.0.24.1 dev da nexthop via 10.0.25.1 dev db"
EXEC = {
    "h1": """
        ip link del eth0
        ip addr add 10.0.1.2/24 dev net0
        ip addr add 2001:db8:1::2/64 dev net0
        ip route add default via 10.0.1.1
        ip -6 route add default via 2001:db8:1::1
        """,
    "r1": """
        iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE
        ip addr add 10.0.1.1/24 dev net0
        ip addr add 2001:db8:1::1/64 dev net0
        ip addr add 10.0.12.0/31 dev p0
        ip addr add 10.0.13.0/31 dev p1
        ip addr add 2001:db8:12::1/64 dev p0
        ip addr add 2001:db8:13::1/64 dev p1
        ip route add 10.0.0.0/8 nexthop via 10.0.12.1 dev p0 nexthop via 10.0.13.1 dev p1
        ip -6 route add 2001:db8::/32 nexthop via 2001:db8:12::2 dev p0 nexthop via 2001:db8:13::2 dev p1
        ip route add 10.65.0.0/16 via 10.0.12.1
        ip route add 10.68.0.0/16 via 10.0.1.2
        """,
    "r2": """
        ip link del eth0
        ip addr add 10.0.12.1/31 dev p0
        ip addr add 10.0.13.1/31 dev p1
        ip addr add 2001:db8:12::2/64 dev p0
        ip addr add 2001:db8:13::2/64 dev p1
        ip addr add 10.0.24.0/31 dev da
        ip addr add 10.0.25.0/31 dev db
        ip addr add 2001:db8:24::1/64 dev da
        ip addr add 2001:db8:25::1/64 dev db
        ip route add 10.0.1.0/24 nexthop via 10.0.12.0 dev p0 nexthop via 10.0.13.0 dev p1
        ip -6 route add 2001:db8:1::/64 via 2001:db8:12::1
        ip route add 10.0.2.0/24 BOTH
        ip route add 10.0.3.0/24 BOTH
        ip route add 10.74.0.0/16 BOTH
        ip -6 route add 2001:db8:2::/64 nexthop via 2001:db8:24::2 dev da nexthop via 2001:db8:25::2 dev db
        ip route add 10.65.0.0/16 via 10.0.12.0
        ip route add 10.67.0.0/16 via 10.0.24.1
        ip route add blackhole 10.70.0.0/16
        ip route add unreachable 10.71.0.0/16
        ip route add prohibit 10.72.0.0/16
        ip -6 route add blackhole 2001:db8:70::/48
        ip -6 route add unreachable 2001:db8:71::/48
        ip -6 route add prohibit 2001:db8:72::/48
        ip route add 10.76.0.1/32 via 10.0.24.1
        ip route add 10.0.4.0/24 BOTH
        ip route add 10.244.0.0/16 BOTH
        ip route add 10.79.0.0/16 nexthop via 10.0.24.1 dev da nexthop via 10.0.25.9 dev db onlink
        """,
    "a": """
        ip link del eth0
        ip addr add 10.0.24.1/31 dev net0
        ip addr add 10.0.34.0/31 dev net1
        ip addr add 2001:db8:24::2/64 dev net0
        ip addr add 2001:db8:34::1/64 dev net1
        ip route add 10.0.0.0/8 via 10.0.34.1
        ip route add 10.0.1.0/24 via 10.0.24.0
        ip -6 route add 2001:db8:2::/64 via 2001:db8:34::2
        ip -6 route add 2001:db8:1::/64 via 2001:db8:24::1
        """,
    "b": """
        ip link del eth0
        ip addr add 10.0.25.1/31 dev net0
        ip addr add 10.0.35.0/31 dev net1
        ip addr add 2001:db8:25::2/64 dev net0
        ip addr add 2001:db8:35::1/64 dev net1
        ip route add 10.0.0.0/8 via 10.0.35.1
        ip route add 10.0.1.0/24 via 10.0.25.0
        ip route add 10.67.0.0/16 via 10.0.25.0
        ip -6 route add 2001:db8:2::/64 via 2001:db8:35::2
        ip -6 route add 2001:db8:1::/64 via 2001:db8:25::1
        """,
    "r3": """
        ip link del eth0
        ip addr add 10.0.34.1/31 dev ua
        ip addr add 10.0.35.1/31 dev ub
        ip addr add 2001:db8:34::2/64 dev ua
        ip addr add 2001:db8:35::2/64 dev ub
        ip addr add 10.0.2.1/24 dev net0
        ip addr add 10.0.3.1/24 dev net1
        ip addr add 2001:db8:2::1/64 dev net0
        ip route add 10.0.1.0/24 via 10.0.34.0
        ip -6 route add 2001:db8:1::/64 via 2001:db8:34::1
        ip addr add 10.0.4.1/24 dev net2
        ip route add 10.244.0.0/24 via 10.0.4.2
        ip route add 10.67.0.0/16 via 10.0.35.0
        ip route add 10.74.0.0/16 via 10.0.2.2
        ip route add 10.76.0.1/32 via 10.0.2.2
        ip route add 10.79.0.0/16 via 10.0.2.2
        """,
    "h2": """
        ip addr add 10.0.2.2/24 dev net0
        ip addr add 2001:db8:2::2/64 dev net0
        ip route add 10.0.1.0/24 via 10.0.2.1
        ip -6 route add default via 2001:db8:2::1
        ip addr add 10.76.0.1/32 dev lo
        ip addr add 10.79.0.1/32 dev lo
        """,
    "h3": """
        ip link del eth0
        ip addr add 10.0.3.2/24 dev net0
        ip route add default via 10.0.3.1
        ip link set net0 down
        """,
    "srv": """
        ip addr add 10.0.4.2/24 dev net0
        ip route replace default via 10.0.4.1
        """,
}
CLUSTER = """\
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
name: paths
networking: {disableDefaultCNI: true, podSubnet: 10.244.0.0/16}
nodes:
- role: control-plane
  kubeadmConfigPatches:
  - |
    kind: InitConfiguration
    nodeRegistration:
      kubeletExtraArgs:
        node-ip: "10.0.4.2"
"""
DAEMON_SET = """\
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: NAME}
spec:
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      tolerations: [{operator: Exists}]
      containers: [{name: NAME, image: "nicolaka/netshoot:latest"}]
---
"""
H1, H2, H1_SIX, H2_SIX = "10.0.1.2", "10.0.2.2", "2001:db8:1::2", "2001:db8:2::2"


POD, OTHER_POD = "pod:default/one@control-plane", "pod:default/two@control-plane"
POD_ADDRESS, OTHER_POD_ADDRESS = "10.244.0.2", "10.244.0.3"


def topology() -> str:
    text = "name: paths\ntopology:\n  nodes:\n"
    for name, lines in EXEC.items():
        text += f"    {name}:\n      kind: linux\n      image: nicolaka/netshoot:latest\n"
        if name == "srv":
            text += "      network-mode: container:paths-control-plane\n"
        text += "      exec:\n"
        text += "".join(
            f"        - {line.strip()}\n" for line in lines.replace("BOTH", BOTH_A_AND_B).strip().splitlines()
        )
    text += "  links:\n"
    for link in LINKS:
        a, b = link.split()
        text += f'    - endpoints: ["{a}", "{b}"]\n'
    return text


class Paths:
    """The lab, and its model."""

    def __init__(self, folder: Path) -> None:
        (folder / "topo.yml").write_text(topology())
        (folder / "cluster.yml").write_text(CLUSTER)
        (folder / "pods.yml").write_text("".join(DAEMON_SET.replace("NAME", name) for name in ("one", "two")))
        self.files = LabFiles(
            load_topology(folder / "topo.yml", "topo.yml")[0],
            load_cluster(folder / "cluster.yml", "cluster.yml")[0],
            (load_manifests(folder / "pods.yml", "pods.yml"),),
            ecmp="forced",
        )
        self.lab = EmbeddedLab(self.files, default_store())
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.before: dict[str, tuple[tuple[str, str], ...]] = {}
        """Method -> (device, command) that are run before each call of it."""

    def call(self, method: str, /, timeout: float = 60.0, **params: Any) -> Any:
        """The lab's agent, written down."""
        self.calls.append((method, params))
        for command in self.before.get(method, ()):
            self.run(*command)
        return self.lab.agent.call(method, timeout, **params)

    def read(self, *flows: FlowKey) -> PathPlane:
        agent, devices = self.lab.agent, self.lab.devices
        dumps = agent.call("netlink.dump", devices=sorted(devices))
        return read_paths(self, devices, self.lab.gateways, flows, dumps, owners(dumps, agent.call("nodes.links")))

    def observed(self, *flows: FlowKey) -> list[Forwarding]:
        """The traceroute contradicts none of them."""
        plane = self.read(*flows)
        assert plane.not_observed == {}
        return [plane.forwarding[flow] for flow in flows]

    def predicted(self, *flows: FlowKey, down: tuple[tuple[str, str], ...] = ()) -> list[Forwarding]:
        network = build_network(self.files, Timeline(interfaces_down=down))
        forwarding = predict(network, None, flows).state.forwarding
        return [forwarding[flow] for flow in flows]

    def run(self, device: str, *commands: str) -> None:
        for command in commands:
            done = self.lab.execute(device, command)
            assert done.exit_code == 0, done


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paths]:
    made = Paths(tmp_path_factory.mktemp("paths"))
    try:
        made.lab.bring_up(lambda _: None)
        assert made.lab.facts.exec_failures == ()
        yield made
    finally:
        made.lab.close()


def to(target: str, sender: str = "host:h1", source: str | None = None) -> FlowKey:
    return FlowKey(sender, f"address:{target}", source or (H1_SIX if ":" in target else H1), target)


FATES: dict[FlowKey, tuple[str, str, int]] = {
    # Disposition, evidence, how many ways.
    to(H2): ("delivered", "capture", 4),
    to(H2_SIX): ("delivered", "capture", 4),
    to("10.0.12.1"): ("delivered", "capture", 1),
    to("10.76.0.1"): ("delivered", "capture", 2),
    to(H1): ("delivered", "capture", 1),
    to("172.20.20.1"): ("delivered", "capture", 1),
    # Bridged by the management network, which is no hop.
    to("172.20.20.8"): ("delivered", "capture", 1),
    to("192.0.2.1"): ("exits-network", "capture", 1),
    to("10.65.0.1"): ("loop", "capture", 1),
    # Through r2 twice, by different interfaces, before it closes at a.
    to("10.67.0.1"): ("loop", "capture", 2),
    to("10.70.0.1"): ("blackhole", "capture+kernel", 2),
    to("10.71.0.1"): ("unreachable", "capture+kernel", 2),
    to("10.72.0.1"): ("filtered", "capture+kernel", 2),
    to("10.73.0.1"): ("no-route", "capture+kernel", 2),
    to("2001:db8:70::1"): ("blackhole", "capture+kernel", 2),
    to("2001:db8:71::1"): ("unreachable", "capture+kernel", 2),
    to("2001:db8:72::1"): ("filtered", "capture+kernel", 2),
    to("2001:db8:73::1"): ("no-route", "capture+kernel", 2),
    to("10.0.2.99"): ("neighbor-unresolved", "capture+kernel", 4),
    to("2001:db8:2::99"): ("neighbor-unresolved", "capture+kernel", 4),
    # h3's end of the link is down.
    to("10.0.3.9"): ("neighbor-unresolved", "capture+kernel", 4),
    # Of two next hops of r2 nobody is at the second.
    to("10.79.0.1"): ("partial", "capture+kernel", 4),
    # A pod's node drops the rest of its pod CIDR.
    to("10.244.0.99"): ("blackhole", "capture+kernel", 4),
    FlowKey("host:h1", POD, H1, POD_ADDRESS): ("delivered", "capture", 4),
    FlowKey("host:h1", "node:control-plane", H1, "10.0.4.2"): ("delivered", "capture", 4),
    FlowKey("host:h2", "host:h1", H2, H1): ("delivered", "capture", 2),
    FlowKey("host:h2", "host:h1", H2_SIX, H1_SIX): ("delivered", "capture", 1),
    FlowKey("host:h3", "host:h1", "10.0.3.2", H1): ("no-route", "capture+kernel", 1),
    FlowKey("node:control-plane", "host:h1", "10.0.4.2", H1): ("delivered", "capture", 2),
    FlowKey("node:control-plane", POD, "10.0.4.2", POD_ADDRESS): ("delivered", "capture", 1),
    FlowKey(POD, "host:h1", POD_ADDRESS, H1): ("delivered", "capture", 2),
    FlowKey(POD, OTHER_POD, POD_ADDRESS, OTHER_POD_ADDRESS): ("delivered", "capture", 1),
    FlowKey(POD, "node:control-plane", POD_ADDRESS, "10.0.4.2"): ("delivered", "capture", 1),
    to("10.0.2.99", POD, POD_ADDRESS): ("neighbor-unresolved", "capture+kernel", 1),
}


def test_every_fate_is_as_the_model_says(paths: Paths) -> None:
    seen = dict(zip(FATES, paths.observed(*FATES), strict=True))
    predicted = dict(zip(FATES, paths.predicted(*FATES), strict=True))
    for flow, (disposition, evidence, ways) in FATES.items():
        found = seen[flow]
        assert (found.disposition, found.evidence, len(found.paths)) == (disposition, evidence, ways), flow
        assert found.complete, flow
        assert FLOWS <= found.flows <= MOST_FLOWS
        assert path_agrees(predicted[flow], found), (flow, predicted[flow].paths, found.paths)


def test_a_traceroute_of_one_flow_agrees_with_the_captures(paths: Paths) -> None:
    """Every device answers, in both families, over links that flows share; also the target. Loops are told in full."""
    flows = (to(H2), to(H2_SIX), to("10.65.0.1"), FlowKey(POD, "host:h1", POD_ADDRESS, H1))
    plane = paths.read(*flows)
    assert plane.not_observed == {}
    assert [plane.forwarding[flow].traceroute for flow in flows] == ["agrees"] * 4
    method, params = paths.calls[-1]
    assert method == "packets.trace"
    answers = paths.call(method, **params)
    assert [len(of) for of in answers] == [5, 5, 4, 6]
    # By as many addresses: every packet's own. In the loop by those of the two routers, in turn.
    assert [len({address for address, _ in of}) for of in answers] == [5, 5, 2, 6]
    # Nobody to ask: it does not leave h3, and h1 is its own target.
    alone = (FlowKey("host:h3", "host:h1", "10.0.3.2", H1), to(H1))
    assert [paths.read(*alone).forwarding[flow].traceroute for flow in alone] == [None, None]


def test_a_device_without_a_way_back_is_silent(paths: Paths) -> None:
    """r1 sends what is for that source on to r2, which has no route; probes need no way back."""
    paths.run("h1", "ip addr add 10.99.0.1/32 dev lo")
    try:
        flow = to("10.0.12.1", source="10.99.0.1")
        plane = paths.read(flow)
    finally:
        paths.run("h1", "ip addr del 10.99.0.1/32 dev lo")
    assert plane.not_observed == {}
    assert (plane.forwarding[flow].disposition, plane.forwarding[flow].traceroute) == ("delivered", "silent")


def test_a_way_that_changed_between_capture_and_traceroute_is_not_observed(paths: Paths) -> None:
    """r2 sends all by a for the captures, and by b for the traceroute: one of the two is not what the lab does."""
    route = "ip route replace 10.0.2.0/24"
    paths.run("r2", f"{route} via 10.0.24.1")
    paths.before["packets.trace"] = (("r2", f"{route} via 10.0.25.1"),)
    try:
        plane = paths.read(to(H2), to("10.0.12.1"))
    finally:
        paths.before.clear()
        paths.run("r2", f"{route} {BOTH_A_AND_B}")
    assert list(plane.forwarding) == [to("10.0.12.1")]
    assert plane.not_observed == {
        to(H2).pair: "capture and traceroute disagree: source port 40000, TTL 3: captures saw a, and 10.0.25.1 "
        "answered, which is b's"
    }


def test_a_packet_with_one_s_own_source_address_is_thrown_away(paths: Paths) -> None:
    """RFC 1812 section 5.3.7: r1 sends it back to h1, which does not send it round again."""
    (found,) = paths.observed(to("10.68.0.1"))
    hops = (Hop("h1", None, "net0"), Hop("r1", "net0", "net0"), Hop("h1", "net0", None))
    assert [(path.hops, path.disposition, path.at) for path in found.paths] == [(hops, "filtered", "h1")]


@pytest.mark.parametrize(
    ("device", "rule", "sender", "target", "at"),
    [
        ("r3", "FORWARD -d 10.0.2.2 -j DROP", "host:h1", H2, "r3"),
        ("h2", "INPUT -p udp -j DROP", "host:h1", H2, "h2"),
        ("h1", "OUTPUT -p udp -j DROP", "host:h1", H2, "h1"),
        # An address that was asked for in vain by the test before: the entry that failed is still there.
        ("r3", "FORWARD -d 10.0.2.99 -j DROP", "host:h1", "10.0.2.99", "r3"),
        ("control-plane", "FORWARD -j DROP", POD, H2, "control-plane"),
    ],
)
def test_what_a_firewall_throws_away_is_filtered(
    paths: Paths, device: str, rule: str, sender: str, target: str, at: str
) -> None:
    paths.run(device, f"iptables -A {rule}")
    try:
        (found,) = paths.observed(to(target, sender, POD_ADDRESS if sender == POD else None))
    finally:
        paths.run(device, f"iptables -D {rule}")
    assert {(path.disposition, path.at) for path in found.paths} == {("filtered", at)}
    assert found.evidence == "capture+kernel"


def test_captures_and_the_kernel_s_own_lookups_agree_hop_by_hop(paths: Paths) -> None:
    """Every hop of every flow went out where RTM_GETROUTE says; so ports can be chosen by lookups."""
    ends = [(H1, H2), (H1_SIX, H2_SIX)]
    pairs = [{"device": "h1", "source": s, "target": t, "ports": list(range(40000, 40032))} for s, t in ends]
    probes = paths.call("packets.probe", devices=sorted(paths.lab.devices), pairs=pairs)
    queries, went = [], []
    for probe in probes:
        source, target = ends[probe["pair"]]
        for device, ingress, egress in probe["visits"][:-1]:
            ports = [probe["port"], 33890]
            query = {"device": device, "source": source, "target": target, "ingress": ingress}
            queries.append({**query, "protocol": 17, "ports": ports})
            went.append(egress)
    assert len(went) == 2 * 32 * 5
    assert {"p0", "p1", "da", "db"} <= set(went)
    assert [answer["interface"] for answer in paths.call("netlink.lookup", queries=queries)] == went


def test_flows_are_the_same_in_every_run(paths: Paths) -> None:
    """The hash has fixed seeds and IPv6 no flow label: what is chosen is a matter of topology."""
    flows = (to(H2), to(H2_SIX), to("10.244.0.99"))
    assert [f.flows for f in paths.observed(*flows)] == [f.flows for f in paths.observed(*flows)]


def test_branches_that_hashing_never_chooses_are_not_claimed(paths: Paths) -> None:
    """By addresses alone all flows of a pair go one way: a part of what is predicted, and no more are sent."""
    for router in ("r1", "r2"):
        paths.run(router, "sysctl -w net.ipv4.fib_multipath_hash_policy=0")
    try:
        ((found,), (expected,)) = paths.observed(to(H2)), paths.predicted(to(H2))
    finally:
        for router in ("r1", "r2"):
            paths.run(router, "sysctl -w net.ipv4.fib_multipath_hash_policy=1")
    assert (len(found.paths), found.complete, found.flows) == (1, False, FLOWS)
    assert path_agrees(expected, found)
    assert not path_agrees(expected, replace(found, complete=True))


def test_more_flows_are_sent_for_a_branch_that_few_take(paths: Paths) -> None:
    """One flow in 31 goes by p0: eight would mostly miss it."""
    weights = "nexthop via 10.0.12.1 dev p0 weight 1 nexthop via 10.0.13.1 dev p1 weight 30"
    paths.run("r1", f"ip route replace 10.0.0.0/8 {weights}")
    try:
        paths.calls.clear()
        targets = ["10.0.24.0", "10.0.25.0", "10.0.12.1", H2]
        found = paths.observed(*map(to, targets))
    finally:
        paths.run("r1", f"ip route replace 10.0.0.0/8 {weights.replace('weight 30', 'weight 1')}")
    assert [(f.disposition, len(f.paths), f.complete) for f in found] == [
        ("delivered", 2, True),
        ("delivered", 2, True),
        ("delivered", 1, True),
        ("delivered", 4, True),
    ]
    assert max(f.flows for f in found) < 2 * FLOWS
    assert found[2].flows == FLOWS
    assert len([method for method, _ in paths.calls if method == "packets.probe"]) > 1


def test_a_capture_that_loses_packets_is_told_and_not_read(paths: Paths) -> None:
    """With room for two packets a path is read probe by probe, and a loop not at all."""

    def probe(target: str) -> Any:
        pairs = [{"device": "h1", "source": H1, "target": target, "ports": list(range(40000, 40008))}]
        return paths.call("packets.probe", devices=sorted(paths.lab.devices), pairs=pairs, buffer=1)

    assert [p["received"] for p in probe(H2)] == ["h2"] * 8
    with pytest.raises(LabError, match=r"the captures of r1, r2 lost packets even of probes sent one by one"):
        probe("10.65.0.1")


def test_a_port_that_is_taken_is_told(paths: Paths) -> None:
    paths.run(
        "h2",
        "sh -c 'nc -u -l -p 33890 >/dev/null 2>&1 & echo $! >/tmp/nc; while ! ss -lun | grep -q 33890; do :; done'",
    )
    try:
        with pytest.raises(LabError, match="h2: UDP port 33890"):
            paths.observed(to(H2))
    finally:
        paths.run("h2", "sh -c 'kill $(cat /tmp/nc)'")
    assert paths.observed(to(H2))[0].disposition == "delivered"


def test_a_dead_next_hop_is_no_branch(paths: Paths) -> None:
    paths.lab.set_interface("r2", "da", up=False)
    try:
        ((found,), (expected,)) = paths.observed(to(H2)), paths.predicted(to(H2), down=(("r2", "da"),))
    finally:
        paths.lab.set_interface("r2", "da", up=True)
        paths.run(
            "r2",
            # The kernel takes IPv6 addresses and routes away with the interface, and IPv4 routes that have no other.
            "ip -6 addr add 2001:db8:24::1/64 dev da",
            "ip -6 route replace 2001:db8:2::/64 nexthop via 2001:db8:24::2 dev da nexthop via 2001:db8:25::2 dev db",
            "ip route add 10.67.0.0/16 via 10.0.24.1",
            "ip route add 10.76.0.1/32 via 10.0.24.1",
        )
    assert (len(found.paths), found.complete) == (2, True)
    assert path_agrees(expected, found)
