"""Generated fabrics as graphs, as files, and as what the model makes of them."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import networkx as nx
import pytest

from bgpsim.errors import InputError
from bgpsim.generate.fabric import MOST_NODES, Fabric, Place, wired
from bgpsim.generate.fat_tree import SIZES, fat_tree
from bgpsim.generate.files import frr_lines, lab_files
from bgpsim.generate.ring import FEWEST, MOST, MOST_HOSTS, ring
from bgpsim.generate.writing import write_new
from bgpsim.model import predict
from bgpsim.scenario.reading.loading import load


def routers(fabric: Fabric) -> nx.Graph:
    """The routers and the links between them."""
    graph = nx.Graph()
    graph.add_nodes_from(router.name for router in fabric.routers)
    graph.add_edges_from((c.a[0], c.b[0]) for c in fabric.cables if c.a[0] in graph and c.b[0] in graph)
    return graph


def hosts(fabric: Fabric) -> list[str]:
    return [router.host.name for router in fabric.routers if router.host is not None]


@pytest.mark.parametrize("count", [FEWEST, 4, 12, 13, 60, MOST])
def test_a_ring_is_a_cycle_with_hosts_spread_over_it(count: int) -> None:
    fabric = ring(count)
    assert nx.is_isomorphic(routers(fabric), nx.cycle_graph(count))
    assert len({router.asn for router in fabric.routers}) == count
    with_host = [number for number, router in enumerate(fabric.routers) if router.host is not None]
    assert 2 <= len(with_host) <= MOST_HOSTS
    assert len({b - a for a, b in pairwise(with_host)}) == 1
    if count <= MOST_HOSTS:
        assert len(with_host) == count


@pytest.mark.parametrize("k", SIZES)
def test_a_fat_tree_has_the_counts_of_its_paper(k: int) -> None:
    half = k // 2
    fabric, graph = fat_tree(k), routers(fat_tree(k))
    tier = Counter(name.rstrip("0123456789-") for name in graph)
    assert tier == {"core": half * half, "agg": k * half, "edge": k * half}
    assert graph.number_of_edges() == k * half * half * 2
    assert {graph.degree(name) for name in graph if not name.startswith("edge")} == {k}
    assert {graph.degree(name) for name in graph if name.startswith("edge")} == {half}
    # Each core reaches each pod by one aggregation switch, and two edges of two pods are four links apart.
    assert all({int(n[3:].split("-")[0]) for n in graph[c]} == set(range(k)) for c in graph if c.startswith("core"))
    assert nx.shortest_path_length(graph, "edge0-0", f"edge{k - 1}-0") == 4
    assert len(list(nx.all_shortest_paths(graph, "edge0-0", f"edge{k - 1}-0"))) == half * half
    assert len(hosts(fabric)) == k * half


@pytest.mark.parametrize("k", SIZES)
def test_its_as_numbers_are_those_of_rfc_7938(k: int) -> None:
    of = {router.name: router.asn for router in fat_tree(k).routers}
    assert len({asn for name, asn in of.items() if name.startswith("core")}) == 1
    for pod in range(k):
        assert len({asn for name, asn in of.items() if name.startswith(f"agg{pod}-")}) == 1
    assert len(set(of.values())) == 1 + k + k * (k // 2)
    assert all(64512 <= asn <= 65534 for asn in of.values())


@pytest.mark.parametrize("fabric", [ring(3), ring(60), fat_tree(4), fat_tree(8)], ids=lambda fabric: fabric.name)
def test_every_name_and_address_is_there_once(fabric: Fabric) -> None:
    names = [router.name for router in fabric.routers] + hosts(fabric)
    addresses = [router.loopback for router in fabric.routers]
    addresses += [a for r in fabric.routers if r.host is not None for a in (r.host.gateway.ip, r.host.address.ip)]
    ends = [end for cable in fabric.cables for end in (cable.a, cable.b)]
    for found in (names, addresses, ends):
        assert len(set(found)) == len(found)
    assert sum(len(router.fabric) for router in fabric.routers) + 2 * len(hosts(fabric)) == len(ends)


def test_a_fabric_has_no_more_nodes_than_a_lab_has_addresses() -> None:
    places = {f"r{n}": Place(65000 + n, ring(3).routers[0].loopback) for n in range(MOST_NODES + 1)}
    with pytest.raises(InputError, match=f"found {MOST_NODES + 1} routers and hosts, expected {MOST_NODES} at most"):
        wired("large", (), places, [])


def test_its_files_are_the_same_each_time() -> None:
    assert lab_files(ring(6)) == lab_files(ring(6))
    assert lab_files(fat_tree(4)) == lab_files(fat_tree(4))


@pytest.mark.parametrize("fabric", [ring(3), ring(6), ring(13), fat_tree(4)], ids=lambda fabric: fabric.name)
def test_its_scenario_is_read_and_expects_what_is_predicted(fabric: Fabric, tmp_path: Path) -> None:
    write_new(tmp_path, lab_files(fabric))
    scenario = load(tmp_path / "scenario.yaml", "scenario.yaml")
    assert scenario.name == fabric.name
    read = scenario.files.topology
    assert {*read.nodes} == {router.name for router in fabric.routers} | {*hosts(fabric)}
    assert [tuple((e.node, e.interface) for e in link.ends) for link in read.links] == [
        (c.a, c.b) for c in fabric.cables
    ]
    first = scenario.steps[0]
    prediction = predict(first.network, None, first.flows)
    assert (prediction.unmodelled, prediction.ties) == ((), ())
    assert {s.state for s in prediction.state.sessions.values()} == {"Established"}
    assert len(prediction.state.forwarding) == len(hosts(fabric)) * (len(hosts(fabric)) - 1)
    assert {f.disposition for f in prediction.state.forwarding.values()} == {"delivered"}


def test_frr_gets_each_line_as_it_stands(tmp_path: Path) -> None:
    """The topology's folded text is one vtysh command."""
    fabric = ring(3)
    write_new(tmp_path, lab_files(fabric))
    topology = load(tmp_path / "scenario.yaml").files.topology
    for router in fabric.routers:
        (line,) = [e.text for e in topology.nodes[router.name].exec if e.text.startswith("vtysh")]
        assert line == " ".join(["vtysh -c 'conf t'", *(f"-c '{text}'" for text in frr_lines(router))])
