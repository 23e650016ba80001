"""The embedded lab on the seed's files: real FRR, real GoBGP, real packets; and nothing left of it afterwards."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sealed import SealedLab, eventually

from bgpsim.errors import DeviceDied, LabError
from bgpsim.inputs.files.containerlab import ExecLine, NodeDefinition, TopologyFile, load_topology
from bgpsim.inputs.files.kind import load_cluster
from bgpsim.inputs.files.lab_files import LabFiles
from bgpsim.inputs.files.manifests import ManifestFile, load_manifests
from bgpsim.lab.embedded.lab import EmbeddedLab
from bgpsim.lab.images import default_store
from bgpsim.source import Source

pytestmark = pytest.mark.lab
SEED = Path(__file__).parents[2] / "scenarios" / "cilium-bgp"
LINE = Source("test", 1)


def seed_files() -> LabFiles:
    """The seed's files, as they are."""
    topology, _ = load_topology(SEED / "topo.yml", "topo.yml")
    cluster, _ = load_cluster(SEED / "cluster.yml", "cluster.yml")
    return LabFiles(topology, cluster, (load_manifests(SEED / "netshoot-ds.yaml", "netshoot-ds.yaml"),))


def policies() -> ManifestFile:
    return load_manifests(SEED / "cilium-bgp-peering-policies.yaml", "cilium-bgp-peering-policies.yaml")


@pytest.fixture
def lab() -> Iterator[EmbeddedLab]:
    lab = EmbeddedLab(seed_files(), default_store())
    lab.bring_up(lambda _: None)
    yield lab
    lab.close()


def counters(lab: EmbeddedLab, router: str) -> dict[str, tuple[str, str]]:
    """Neighbor -> (State/PfxRcd, PfxSnt), from FRR's own table."""
    output = lab.execute(router, "vtysh -c 'show bgp ipv4 summary wide'").output
    rows = re.findall(r"^(\S+) +4 +.* +(\S+) +(\d+) N/A$", output, re.M)
    return {name: (accepted, sent) for name, accepted, sent in rows}


def test_the_seed_comes_up_as_people_saw_it(lab: EmbeddedLab) -> None:
    """The counters are those of the two public write-ups of this topology.

    Before Cilium peers: router0 has lo, its management network and the default route it originates (3), each ToR has
    lo and two server networks (3): 9 in all; each ToR learns 6 of them. After: a pod CIDR per node, 4 more; to the
    servers a ToR sends 13 less the 2 it learnt by iBGP.
    """
    assert lab.facts.exec_failures == ()
    assert lab.facts.rejected_lines == ()
    eventually(
        lambda: set(counters(lab, "router0").values()) == {("3", "9")}, "router0 has 3 and sends 9 on both sessions"
    )
    eventually(lambda: counters(lab, "tor0").get("router0(net0)") == ("6", "9"), "tor0 has 6 and sends 9")
    assert counters(lab, "tor0")["10.0.1.2"] == ("Active", "0")
    lab.apply(policies())
    eventually(lambda: set(counters(lab, "router0").values()) == {("5", "13")}, "router0 has 5 and sends 13")
    for tor, nodes in (("tor0", ("control-plane(10.0.1.2)", "worker(10.0.2.2)")), ("tor1", ("worker2(10.0.3.2)",))):
        expected = {"router0(net0)": ("8", "13")}
        expected |= {f"clab-bgp-cplane-demo-{node}": ("1", "11") for node in nodes}
        eventually(lambda t=tor, e=expected: e.items() <= counters(lab, t).items(), f"{tor}: {expected}")
    ping = lab.execute("pod:default/netshoot@worker", "ping -c 1 -W 5 10.1.3.2")
    # Five routers on the way: worker, tor0, router0, tor1, worker3.
    assert "ttl=59" in ping.output
    lab.check_alive()
    lab.delete(policies())
    eventually(lambda: set(counters(lab, "router0").values()) == {("3", "9")}, "the pod CIDRs are gone again")


def test_the_inside_sees_neither_the_user_nor_a_way_out(lab: EmbeddedLab) -> None:
    environment = lab.execute("tor0", "env").output
    assert set(re.findall(r"^(\w+)=", environment, re.M)) <= {"PATH", "HOME", "LANG", "TERM", "PWD"}
    assert lab.execute("tor0", "ls -A /home").output == ""
    assert lab.execute("tor0", f"ls {SEED}").exit_code != 0
    gone_out = lab.execute("router0", "ping -c 1 -W 1 192.0.2.1")
    assert gone_out.exit_code != 0
    outside = Path("/proc/self/ns/net").readlink()
    inside = lab.execute("tor0", "readlink /proc/self/ns/net").output.strip()
    assert str(outside) != inside


def test_a_command_runs_in_all_namespaces_of_its_node_and_nowhere_else(lab: EmbeddedLab) -> None:
    """The agent's threads go in and come back, many at once."""
    kinds = "mnt uts ipc net pid"
    asked = f"sh -c 'for kind in {kinds}; do readlink /proc/self/ns/$kind /proc/1/ns/$kind; done; hostname'"
    devices = ["tor0", "tor1", "router0", "srv-worker"] * 8
    with ThreadPoolExecutor(len(devices)) as pool:
        answers = list(pool.map(lambda device: lab.execute(device, asked).output.split(), devices))
    seen = {}
    for device, (*links, name) in zip(devices, answers, strict=True):
        assert links[::2] == links[1::2]
        assert name == device
        assert seen.setdefault(device, links) == links
    assert len({links[0] for links in seen.values()}) == 4
    missing = lab.execute("tor0", "no-such-command")
    assert (missing.exit_code, missing.output) == (127, "no-such-command: No such file or directory\n")


def test_a_refused_line_and_a_failed_exec_are_found() -> None:
    files = seed_files()
    tor0 = files.topology.nodes["tor0"]
    bad = (
        ExecLine("ip addr add nonsense dev lo", Source("topo.yml", 7)),
        ExecLine("vtysh -c 'conf t' -c 'router bgp 65010' -c 'neighbor nobody at all'", Source("topo.yml", 8)),
    )
    node = NodeDefinition(tor0.name, tor0.kind, tor0.image, tor0.exec + bad, tor0.source)
    topology = TopologyFile(
        "topo.yml", files.topology.name, {**files.topology.nodes, "tor0": node}, files.topology.links, LINE
    )
    lab = EmbeddedLab(LabFiles(topology, files.cluster, files.manifests), default_store())
    try:
        lab.bring_up(lambda _: None)
        assert [r.source for r in lab.facts.exec_failures] == [line.source for line in bad]
        assert [(r.device, r.source) for r in lab.facts.rejected_lines] == [("tor0", bad[1].source)]
    finally:
        lab.close()


def death(lab: EmbeddedLab) -> DeviceDied:
    """What check_alive raises, as soon as it does: on one processor a killed process runs on for a moment."""
    died: list[DeviceDied] = []

    def noticed() -> bool:
        try:
            lab.check_alive()
        except DeviceDied as error:
            died.append(error)
        return bool(died)

    eventually(noticed, "check_alive raises", 5)
    return died[0]


def test_a_dead_router_daemon_is_named(lab: EmbeddedLab) -> None:
    killed = lab.execute("tor1", "sh -c 'kill -9 $(cat /run/frr/bgpd.pid)'")
    assert killed.exit_code == 0, killed.output
    assert death(lab).message == "tor1: bgpd ended by itself"


def test_whatever_is_asked_of_a_device_that_is_gone_says_so(lab: EmbeddedLab) -> None:
    """An error of the lab's, and no bug: the observers may be at work when a device dies."""
    pod = "pod:default/netshoot@worker2"
    assert lab._sandbox is not None
    os.kill(SealedLab(lab._sandbox.pid).node(pod), signal.SIGKILL)
    eventually(lambda: not lab.agent.call("nodes.alive")[pod], "the pod is gone", 5)
    with pytest.raises(LabError):
        lab.agent.call("netlink.dump", devices=[pod])
    with pytest.raises(DeviceDied, match=f"^{pod} ended by itself: its init is gone$"):
        lab.agent.call("netlink.lookup", queries=[{"device": pod, "target": "10.1.1.2"}])
    with pytest.raises(DeviceDied, match=f"^{pod} ended by itself: its init is gone$"):
        lab.execute(pod, "ip link")
    with pytest.raises(DeviceDied, match=f"^{pod} ended by itself: its init is gone$"):
        lab.check_alive()


def test_link_down_and_up_are_seen_at_both_ends(lab: EmbeddedLab) -> None:
    lab.set_interface("tor1", "net0", up=False)
    assert "NO-CARRIER" in lab.execute("router0", "ip link show net1").output
    lab.set_interface("tor1", "net0", up=True)
    assert "LOWER_UP" in lab.execute("router0", "ip link show net1").output


def test_unknown_links_are_refused(lab: EmbeddedLab) -> None:
    with pytest.raises(LabError, match="no link at net9"):
        lab.set_interface("tor1", "net9", up=False)


def test_two_labs_do_not_disturb_each_other(lab: EmbeddedLab) -> None:
    """They have the same names, addresses and files; what is done in one is seen there, and not in the other."""
    eventually(lambda: set(counters(lab, "router0").values()) == {("3", "9")}, "the first lab's sessions are up")
    other = EmbeddedLab(seed_files(), default_store())
    try:
        other.bring_up(lambda _: None)
        assert other.execute("tor0", "touch /etc/of-the-other").exit_code == 0
        other.set_interface("tor0", "net0", up=False)
        assert other.execute("tor1", "sh -c 'kill -9 $(pidof bgpd)'").exit_code == 0
        assert death(other).message == "tor1: bgpd ended by itself"
        links = [one.execute("router0", "ip link show net0").output for one in (lab, other)]
        assert ["LOWER_UP" in link for link in links] == [True, False]
        assert lab.execute("tor0", "ls /etc/of-the-other").exit_code != 0
        lab.check_alive()
    finally:
        other.close()
    lab.check_alive()
    assert lab.execute("tor0", "hostname").output.strip() == "tor0"
    summary = lab.execute("router0", "vtysh -c 'show bgp ipv4 unicast summary json'").output
    assert {peer["connectionsDropped"] for peer in json.loads(summary)["peers"].values()} == {0}
    assert set(counters(lab, "router0").values()) == {("3", "9")}
