"""The seed's lab, against tables written by hand from its write-ups."""

import subprocess
import sys
from ipaddress import ip_network

import pytest
from drawing import flow, state, with_down
from seed_lab import announce, pod, seed

from bgpsim.model import forwarding_graph, predict, session_graph, topology_graph
from bgpsim.network.state import (
    Attributes,
    FibKey,
    FibNextHop,
    Hop,
    PathKey,
    SessionKey,
    WireKey,
)

V4 = "ipv4-unicast"


def counts(found, device, neighbor):
    numbers = found.sessions[SessionKey(device, neighbor)].families[V4]
    return numbers.accepted, numbers.sent


# Connected: router0 has 2 (its /32, the management network), each ToR 3 (its /32, two /24). router0 adds a default.
# Before: every table holds 2+3+3 = 8, with the default 9. A ToR refuses its own 3 back: 9-3 = 6. router0 refuses from
# a ToR all that carries its own AS (its 2, the default, the other ToR's 3): 9-6 = 3.
# After: 4 pod CIDRs more, 2 at each ToR: 13 in all; router0 accepts 3+2 = 5, a ToR refuses its own 5: 13-5 = 8.
# To a server go 13 less the 2 iBGP-learnt ones (no reflection) = 11; a server sends its pod CIDR.
def test_counters_of_the_fabric_alone() -> None:
    found = state(seed())
    for port in ("net0", "net1"):
        assert counts(found, "router0", port) == (3, 9)
    for tor in ("tor0", "tor1"):
        assert counts(found, tor, "net0") == (6, 9)
    down = found.sessions[SessionKey("tor0", "10.0.1.2")]
    assert (down.state, down.because) == ("Down", "no BGP process at 10.0.1.2 (control-plane)")
    assert down.because_sources


def test_counters_with_cilium() -> None:
    found = state(seed(cilium=True))
    for port in ("net0", "net1"):
        assert counts(found, "router0", port) == (5, 13)
    for tor, servers in (("tor0", ("10.0.1.2", "10.0.2.2")), ("tor1", ("10.0.3.2", "10.0.4.2"))):
        assert counts(found, tor, "net0") == (8, 13)
        for server in servers:
            assert counts(found, tor, server) == (1, 11)
    assert counts(found, "worker", "10.0.0.1") == (11, 1)


def test_a_pod_range_from_node_to_the_other_rack() -> None:
    found = state(seed(cilium=True))
    prefix = ip_network("10.1.1.0/24")

    def path(device, neighbor):
        return found.paths[PathKey(device, V4, prefix, neighbor)].attributes

    assert path("worker", "local") == Attributes("self")
    assert path("tor0", "10.0.2.2") == Attributes("10.0.2.2", local_preference=100)
    assert path("router0", "net0") == Attributes("tor0:net0", (65010,))
    assert path("tor1", "net0") == Attributes("router0:net1", (65000, 65010))
    assert path("worker3", "10.0.0.2") == Attributes("10.0.0.2", (65000, 65010), local_preference=100)
    looped = found.paths[PathKey("tor0", V4, prefix, "net0")]
    assert (looped.valid, looped.lost) == (False, "denied: own AS 65010 in the path")


def test_pods_of_rack0_reach_rack1_and_back_hop_by_hop() -> None:
    network = seed(cilium=True)
    there = flow(network, pod("worker"), pod("worker3"))
    back = flow(network, pod("worker3"), pod("worker"))
    found = state(network, None, (there, back))
    (path,) = found.forwarding[there].paths
    assert path.disposition == "delivered"
    assert path.at == "worker3"
    assert path.hops == (
        Hop("worker", None, "net0"),
        Hop("tor0", "net2", "net0"),
        Hop("router0", "net0", "net1"),
        Hop("tor1", "net0", "net2"),
        Hop("worker3", "net0", None),
    )
    assert path.sources
    (path,) = found.forwarding[back].paths
    assert [hop.device for hop in path.hops] == ["worker3", "tor1", "router0", "tor0", "worker"]


def test_the_kernel_tables() -> None:
    fib = state(seed(cilium=True)).fib
    default = fib[FibKey("router0", V4, ip_network("0.0.0.0/0"), 0)]
    assert (default.protocol, default.next_hops) == ("boot", {FibNextHop("172.20.20.1", "eth0")})
    assert fib[FibKey("router0", V4, ip_network("10.0.0.0/8"), 0)].kind == "blackhole"
    recursive = fib[FibKey("tor0", V4, ip_network("10.1.1.0/24"), 20)]
    assert (recursive.protocol, recursive.next_hops) == ("bgp", {FibNextHop("10.0.2.2", "net2")})
    assert fib[FibKey("tor1", V4, ip_network("10.1.1.0/24"), 20)].next_hops == {FibNextHop("router0:net1", "net0")}
    assert not [key for key in fib if key.device == "tor0" and str(key.prefix) == "10.0.0.1/32"]
    assert not [key for key in fib if key.device == "worker" and key.metric == 20], "Cilium installs nothing"


def test_an_idle_speaker_changes_no_table_of_the_fabric() -> None:
    without, idle = state(seed(cilium=True)), state(seed(cilium=True, announced=()))
    assert idle.paths == without.paths
    assert idle.fib == without.fib
    received = idle.wire[WireKey("injector", "received", "tor0", V4, ip_network("10.1.3.0/24"))]
    assert received == Attributes("tor0:x-injector", (65010, 65000, 65011))
    assert len([key for key in idle.wire if key.device == "injector" and key.neighbor == "tor0"]) == 13


def test_anycast_in_turn_is_settled_by_history() -> None:
    first = state(seed(announced=[announce("10.99.0.1/32", "tor0")]), state(seed(announced=())))
    both = seed(announced=[announce("10.99.0.1/32")])
    later = predict(both, first, ())
    best = later.state.paths[PathKey("router0", V4, ip_network("10.99.0.1/32"), "net0")]
    assert best.best
    assert best.reason == "Older Path"
    assert later.unmodelled == ()


def test_anycast_at_once_is_left_open() -> None:
    (item,) = predict(seed(announced=[announce("10.99.0.1/32")]), None, ()).unmodelled
    assert (item.device, item.effect) == ("router0", "possible")
    assert "order of arrival decides" in item.text


def test_a_hijack_of_half_a_pod_range_is_dropped_by_the_speaker() -> None:
    network = seed(cilium=True, announced=[announce("10.1.3.0/25", "tor1")])
    key = flow(network, pod("worker"), pod("worker3"))
    (path,) = state(network, None, (key,)).forwarding[key].paths
    assert (path.disposition, path.at) == ("dropped-by-speaker", "injector")
    assert path.hops[-1] == Hop("injector", "tor1", None)


def test_tor1_without_its_uplink() -> None:
    network = seed(cilium=True)
    cut = with_down(network, "tor1:net0")
    pods = [pod(node) for node in ("worker", "worker2", "worker3")]
    flows = [flow(network, a, b) for a in pods for b in pods if a != b]
    found = state(cut, state(network), flows)
    delivered = {
        (key.source, key.target) for key, value in found.forwarding.items() if value.disposition == "delivered"
    }
    assert delivered == {(pods[1], pods[2]), (pods[2], pods[1])}, "the pods of rack1 keep each other"
    assert found.forwarding[flows[0]].disposition == "blackhole", "10.0.0.0/8 ends at router0"
    assert found.forwarding[flow(network, pods[1], pods[0])].disposition == "no-route"
    assert found.sessions[SessionKey("router0", "net1")].because == "no carrier on router0:net1"
    assert found.sessions[SessionKey("tor1", "net0")].because == "tor1:net0 is down"
    assert state(network, found, flows) == state(network, None, flows), "and restored"


def test_a_target_outside_leaves_by_the_management_network() -> None:
    network = seed(cilium=True)
    key = flow(network, pod("worker"), "address:192.0.2.1")
    (path,) = state(network, None, (key,)).forwarding[key].paths
    assert (path.disposition, path.at) == ("exits-network", "clab")


def test_graphs() -> None:
    network = seed(cilium=True)
    found = state(network)
    assert topology_graph(network).number_of_edges() == 10
    assert set(session_graph(network, found)["tor0"]) == {"router0", "control-plane", "worker"}
    graph = forwarding_graph(network, found, "10.1.3.2")
    pytest.importorskip("networkx")
    import networkx as nx

    assert nx.shortest_path(graph, pod("worker"), pod("worker3")) == [
        pod("worker"),
        "worker",
        "tor0",
        "router0",
        "tor1",
        "worker3",
        pod("worker3"),
    ]


def test_predicting_does_not_import_networkx() -> None:
    code = "import sys, bgpsim.model; sys.exit('networkx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
