"""What containerlab's nodes inherit, bridges, the management network, and what is refused by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgpsim.errors import InputError
from bgpsim.inputs.build import build_network
from bgpsim.inputs.files.containerlab import TopologyFile, load_topology
from bgpsim.inputs.files.lab_files import LabFiles, Timeline
from bgpsim.source import Unmodelled

LEVELS = """\
name: t
topology:
  defaults:
    kind: linux
    env: {A: default, B: default, C: default, D: default}
    exec: [echo default]
    labels: {l: default}
  kinds:
    linux: {image: alpine, env: {B: kind, C: kind, D: kind}, exec: [echo kind]}
    bridge: {}
  groups:
    leaf: {image: busybox, env: {C: group, D: group}, exec: [echo group], labels: {g: group}}
    lan: {kind: bridge}
  nodes:
    n: {group: leaf, env: {D: node}, exec: [echo node], labels: {n: node}}
    plain: {}
    lan: {group: lan}
"""


def read(folder: Path, text: str) -> tuple[TopologyFile, tuple[Unmodelled, ...]]:
    path = folder / "t.yml"
    path.write_text(text)
    return load_topology(path, "t.yml")


def refused(folder: Path, text: str) -> InputError:
    with pytest.raises(InputError) as caught:
        read(folder, text)
    return caught.value


def topology(*nodes: str, links: str = "", mgmt: str = "") -> str:
    shown = "".join(f"    {node}\n" for node in nodes)
    return f"name: t\n{mgmt}topology:\n  nodes:\n{shown}" + (f"  links:\n{links}" if links else "")


def test_a_node_is_over_its_group_over_its_kind_over_the_defaults(tmp_path: Path) -> None:
    nodes = read(tmp_path, LEVELS)[0].nodes
    assert nodes["n"].image == "busybox"
    assert nodes["n"].env == {"A": "default", "B": "kind", "C": "group", "D": "node"}
    assert [line.text for line in nodes["n"].exec] == ["echo default", "echo kind", "echo group", "echo node"]
    assert nodes["n"].labels == {"l": "default", "g": "group", "n": "node"}
    assert (nodes["plain"].image, len(nodes["plain"].exec)) == ("alpine", 2)
    assert (nodes["lan"].kind, nodes["lan"].is_bridge) == ("bridge", True)


def test_env_files_are_below_env(tmp_path: Path) -> None:
    (tmp_path / "e").write_text("# a comment\nA=file\nexport B='quoted text'\n\n")
    nodes = read(tmp_path, topology("n: {kind: linux, image: alpine, env-files: [e], env: {A: own}}"))[0].nodes
    assert nodes["n"].env == {"A": "own", "B": "quoted text"}


@pytest.mark.parametrize("text", [None, "no assignment\n"])
def test_an_env_file_that_is_none(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "e").write_text(text)
    error = refused(tmp_path, topology("n: {kind: linux, image: alpine, env-files: [e]}"))
    assert (error.line, "KEY=value" in error.message) == (4, True)


def test_static_management_addresses_are_left_out_for_others(tmp_path: Path) -> None:
    mgmt = "mgmt: {ipv4-subnet: 10.9.0.0/24, ipv4-gw: 10.9.0.254}\n"
    files, _ = read(
        tmp_path,
        topology(
            "a: {kind: linux, image: alpine}",
            "b: {kind: linux, image: alpine, mgmt-ipv4: 10.9.0.2}",
            "c: {kind: linux, image: alpine}",
            mgmt=mgmt,
        ),
    )
    network = build_network(LabFiles(files), Timeline())
    assert [str(network.devices[n].interfaces[1].addresses[0]) for n in "abc"] == [
        "10.9.0.1/24",
        "10.9.0.2/24",
        "10.9.0.3/24",
    ]
    assert str(network.devices["a"].routes[0].next_hops[0].address) == "10.9.0.254"


@pytest.mark.parametrize(
    ("address", "message"),
    [("10.9.9.2", "on the management network 172.20.20.0/24"), ("172.20.20.1", "it is the gateway's"), ("x", "IP")],
)
def test_a_management_address_that_cannot_be(tmp_path: Path, address: str, message: str) -> None:
    error = refused(tmp_path, topology(f"a: {{kind: linux, image: alpine, mgmt-ipv4: {address}}}"))
    assert (error.line, message in error.message) == (4, True)


def test_a_bridge_is_one_network_of_all_that_are_linked_to_it(tmp_path: Path) -> None:
    routers = [f"r{n}: {{kind: linux, image: alpine, network-mode: none}}" for n in (1, 2, 3)]
    links = "".join(
        f'    - endpoints: ["{one}", "{other}"]\n'
        for one, other in (("r1:e", "b1:p1"), ("r1:x", "r2:x"), ("b2:p2", "r2:e"), ("b1:up", "b2:up"), ("r3:e", "b2:p"))
    )
    files, _ = read(tmp_path, topology(*routers, "b1: {kind: bridge}", "b2: {kind: ovs-bridge}", links=links))
    network = build_network(LabFiles(files), Timeline())
    assert set(network.devices) == {"r1", "r2", "r3"}
    ends = [([str(end) for end in segment.ends], segment.bridged) for segment in network.segments]
    assert ends == [(["r1:e", "r2:e", "r3:e"], True), (["r1:x", "r2:x"], False)]


def test_forwarding_that_is_off_is_the_hosts(tmp_path: Path) -> None:
    off = "{net.ipv4.ip_forward: 0, net.ipv6.conf.all.forwarding: 0}"
    files, notes = read(tmp_path, topology(f"a: {{kind: linux, image: alpine, sysctls: {off}}}"))
    assert not build_network(LabFiles(files), Timeline()).devices["a"].forwards
    assert notes == ()


def test_sysctls_that_may_matter_are_listed(tmp_path: Path) -> None:
    some = "{net.ipv4.ip_forward: 1, net.ipv4.conf.all.rp_filter: 2, net.core.rmem_max: 9, net.ipv4.ip_forward_x: 0}"
    _, notes = read(tmp_path, topology(f"a: {{kind: linux, image: alpine, sysctls: {some}}}"))
    assert sorted(note.effect for note in notes) == ["none", "none", "possible", "possible"]


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ("a: {kind: host}", "no way out to this machine"),
        ("a: {kind: ext-container}", "network-mode: container:NAME"),
        ("a: {kind: nokia_srlinux, image: x}", "a kind that bgpsim runs (linux, bridge, ovs-bridge)"),
        ("a: {kind: linux, image: alpine, network-mode: host}", "no way out to this machine"),
    ],
)
def test_kinds_and_modes_that_are_not_run_are_refused_by_name(tmp_path: Path, node: str, message: str) -> None:
    error = refused(tmp_path, topology(node))
    assert (error.line, message in error.message) == (4, True)


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("{type: host, endpoint: {node: a, interface: e}, host-interface: x}", "expected veth: the lab has no way out"),
        ("{type: dummy, endpoint: {node: a, interface: e}}", "expected veth: a dummy has no other end"),
        ("{type: vxlan, endpoint: {node: a, interface: e}}", "no way out to another machine"),
        ("{type: mgmt-net, endpoint: {node: a, interface: e}}", "has the nodes' eth0 alone"),
        ("{type: other, endpoints: []}", "found 'other', expected veth"),
        ('{endpoints: ["a:e", "host:x"]}', "expected a link between two nodes"),
        ('{endpoints: ["a:e", "macvlan:eth0"]}', "no way out to this machine"),
        ('{type: veth, endpoints: [{node: a, interface: e, mac: "01:00:00:00:00:01"}, "b:e"]}', "unicast MAC"),
    ],
)
def test_links_that_lead_elsewhere_are_refused_by_name(tmp_path: Path, link: str, message: str) -> None:
    nodes = ("a: {kind: linux, image: alpine}", "b: {kind: linux, image: alpine}")
    error = refused(tmp_path, topology(*nodes, links=f"    - {link}\n"))
    assert (error.line, message in error.message) == (7, True), error.message


def test_a_link_in_the_extended_form(tmp_path: Path) -> None:
    nodes = ("a: {kind: linux, image: alpine}", "b: {kind: linux, image: alpine}")
    ends = '[{node: a, interface: e, mac: "02:00:00:00:00:0A"}, {node: b, interface: e}]'
    (link,) = read(tmp_path, topology(*nodes, links=f"    - {{type: veth, mtu: 1500, endpoints: {ends}}}\n"))[0].links
    assert (link.mtu, link.macs) == (1500, ("02:00:00:00:00:0a", None))
