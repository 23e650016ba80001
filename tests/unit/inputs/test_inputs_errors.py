"""Bad input: which file, which line, what was found and what was expected. One change to a good file for each."""

from pathlib import Path

import pytest

from bgpsim.errors import InputError
from bgpsim.inputs.build import build_network
from bgpsim.inputs.files.containerlab import load_topology
from bgpsim.inputs.files.kind import load_cluster
from bgpsim.inputs.files.lab_files import LabFiles, Timeline
from bgpsim.inputs.files.manifests import load_manifests
from bgpsim.network.description import Network
from bgpsim.source import Source

TOPOLOGY = """\
name: small
topology:
  nodes:
    r1:
      kind: linux
      image: frr
      exec:
        - ip addr add 10.0.0.1/24 dev net0
        - sed -i s/bgpd=no/bgpd=yes/ /etc/frr/daemons
        - /usr/lib/frr/frrinit.sh start
        - >-
          vtysh -c 'conf t'
          -c 'router bgp 65001'
          -c 'neighbor 10.0.0.2 remote-as 65002'
    r2:
      kind: linux
      image: frr
      exec:
        - ip addr add 10.0.0.2/24 dev net0
  links:
    - endpoints: ["r1:net0", "r2:net0"]
"""

CLUSTER = """\
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking:
  disableDefaultCNI: true
  podSubnet: 10.1.0.0/16
nodes:
- role: control-plane
  kubeadmConfigPatches:
  - |
    kind: InitConfiguration
    nodeRegistration:
      kubeletExtraArgs:
        node-ip: 10.0.1.2
- role: worker
  kubeadmConfigPatches:
  - |
    kind: JoinConfiguration
    nodeRegistration:
      kubeletExtraArgs:
        node-ip: 10.0.2.2
"""

POLICY = """\
apiVersion: cilium.io/v2alpha1
kind: CiliumBGPPeeringPolicy
metadata:
  name: all
spec:
  virtualRouters:
  - localASN: 65010
    neighbors:
    - peerAddress: 10.0.0.1/32
      peerASN: 65010
      holdTimeSeconds: 9
      keepAliveTimeSeconds: 3
"""

DAEMON_SET = """\
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: shell
spec:
  selector: {matchLabels: {app: shell}}
  template:
    metadata:
      labels: {app: shell}
    spec:
      containers:
      - name: shell
        image: shell
"""

LOADERS = {
    "topo.yml": (TOPOLOGY, load_topology),
    "cluster.yml": (CLUSTER, load_cluster),
    "policy.yaml": (POLICY, load_manifests),
    "daemonset.yaml": (DAEMON_SET, load_manifests),
}


def changed(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1)


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def build(folder: Path, topology: str, cluster: str | None = None, *manifests: str) -> Network:
    files = LabFiles(
        load_topology(written(folder, "topo.yml", topology), "topo.yml")[0],
        None if cluster is None else load_cluster(written(folder, "cluster.yml", cluster), "cluster.yml")[0],
        tuple(load_manifests(written(folder, f"m{n}.yaml", text), f"m{n}.yaml") for n, text in enumerate(manifests)),
    )
    return build_network(files, Timeline())


@pytest.mark.parametrize(
    ("name", "old", "new", "line", "found", "expected"),
    [
        # YAML
        ("topo.yml", "topology:", "topology: [", 4, "not valid YAML", "expected"),
        ("topo.yml", "    r2:", "    r1:", 15, "key 'r1' twice", "first at line 4"),
        ("topo.yml", "      image: frr", "      ? [a]\n      : b", 6, "a list or mapping as a key", "a text"),
        ("topo.yml", "name: small", "name: &a [*a]", 1, "levels", "expected less"),
        # containerlab
        ("topo.yml", "name: small\n", "", 1, "found a mapping", "`name`"),
        ("topo.yml", "  links:", "  lnks:", 20, "key 'lnks'", "expected one of defaults, groups, kinds, links, nodes"),
        ("topo.yml", "      image: frr", "      imge: frr", 6, "key 'imge'", "image"),
        ("topo.yml", "      image: frr\n", "", 4, "found a mapping", "`image`"),
        ("topo.yml", "kind: linux", "kind: ceos", 5, "'ceos'", "linux"),
        ("topo.yml", "kind: linux", "kind: linux\n      network-mode: nat", 6, "'nat'", "container:NAME"),
        ("topo.yml", "      exec:", "      exec: touch", 7, 'found "touch', "a list"),
        ("topo.yml", "      image: frr", "      image: 8", 6, "found 8", "a text"),
        ("topo.yml", '"r2:net0"', '"r3:net0"', 21, "a link to the node 'r3'", "expected one of r1, r2"),
        ("topo.yml", '"r2:net0"', '"r2"', 21, "'r2'", "node:interface"),
        ("topo.yml", '"r2:net0"', '"r1:net0"', 21, "r1:net0 at two links", "first at line 21"),
        ("topo.yml", '"r2:net0"', '"r2:eth0"', 21, "r2:eth0", "management network"),
        ("topo.yml", '"r2:net0"', '"r2:lo"', 21, "r2:lo", "other than the loopback"),
        ("topo.yml", '"r2:net0"', '"r2:an-interface-too-long"', 21, "too-long", "at most 15 characters"),
        ("topo.yml", ', "r2:net0"', "", 21, "found a list", "two endpoints"),
        (
            "topo.yml",
            '"r2:net0"]',
            '"r2:net0"]\n      mtu: 1000',
            22,
            "found 1000",
            "a whole number from 1280 to 65535",
        ),
        ("topo.yml", "name: small", "name: small\nmgmt: {ipv4-subnet: 10.0.0.1/24}", 2, "'10.0.0.1/24'", "a prefix"),
        ("topo.yml", "name: small", "name: small\nmgmt: {ipv4-subnet: 10.0.0.0/30}", 2, "10.0.0.0/30", "2 nodes"),
        # kind
        ("cluster.yml", "kind: Cluster", "kind: Clutser", 1, "'Clutser'", "Cluster"),
        ("cluster.yml", "v1alpha4", "v1", 2, "'kind.x-k8s.io/v1'", "kind.x-k8s.io/v1alpha4"),
        ("cluster.yml", "networking:", "netwroking:", 3, "'netwroking'", "networking"),
        ("cluster.yml", "podSubnet: 10.1.0.0/16", "podSubnet: 10.1.0.0/33", 5, "'10.1.0.0/33'", "a prefix"),
        ("cluster.yml", "podSubnet: 10.1.0.0/16", "podSubnet: 10.1.0.0/24", 5, "10.1.0.0/24", "a /24 for each of 2"),
        ("cluster.yml", "disableDefaultCNI: true", "disableDefaultCNI: 1", 4, "found 1", "true or false"),
        ("cluster.yml", "role: worker", "role: slave", 14, "'slave'", "control-plane or worker"),
        # YAML inside YAML: the outer file's line
        ("cluster.yml", "node-ip: 10.0.1.2", "node-ip: 10.0.1", 13, "'10.0.1'", "an IP address"),
        ("cluster.yml", "node-ip: 10.0.2.2", "node-ip: [", 21, "not valid YAML", ""),
        ("cluster.yml", "node-ip: 10.0.2.2", "node-ip: 10.0.1.2", 20, "the node-ip 10.0.1.2", "expected it on one"),
        ("cluster.yml", "    nodeRegistration:", "    nodeRegistraton:", 11, "'nodeRegistraton'", "nodeRegistration"),
        ("cluster.yml", "InitConfiguration", "Initconfiguration", 10, "'Initconfiguration'", "InitConfiguration"),
        ("cluster.yml", "node-ip: 10.0.1.2", "node-labels: rack", 13, "'rack' in node-labels", "key=value"),
        # Cilium
        ("policy.yaml", "v2alpha1", "v2", 1, "'cilium.io/v2'", "cilium.io/v2alpha1"),
        ("policy.yaml", "  virtualRouters:", "  virtualRouter:", 6, "'virtualRouter'", "virtualRouters"),
        ("policy.yaml", "localASN: 65010", "localASN: 0", 7, "found 0", "from 1 to 4294967295"),
        ("policy.yaml", "peerASN: 65010", "peerASN: 4294967296", 10, "found 4294967296", "from 1 to 4294967295"),
        ("policy.yaml", "peerASN: 65010", "peerASN: as65010", 10, "'as65010'", "an AS number"),
        ("policy.yaml", "10.0.0.1/32", "10.0.0.1/33", 9, "'10.0.0.1/33'", "a prefix"),
        ("policy.yaml", "10.0.0.1/32", "10.0.0.1", 9, "'10.0.0.1'", "one address, with /32"),
        ("policy.yaml", "10.0.0.1/32", "10.0.0.0/24", 9, "'10.0.0.0/24'", "one address, with /32"),
        ("policy.yaml", "holdTimeSeconds: 9", "holdTimeSeconds: 2", 11, "found 2", "from 3 to 65535"),
        ("policy.yaml", "keepAliveTimeSeconds: 3", "keepAliveTimeSeconds: 10", 12, "found 10", "at most the hold time"),
        ("policy.yaml", "holdTimeSeconds: 9", "holdTime: 9 minutes", 11, "'9 minutes'", "a time like 1m30s"),
        ("policy.yaml", "spec:", "spec:\n  nodeSelector: {matchLabel: {a: b}}", 6, "'matchLabel'", "matchLabels"),
        (
            "policy.yaml",
            "spec:",
            "spec:\n  nodeSelector:\n    matchExpressions:\n    - {key: a, operator: Is}",
            8,
            "'Is'",
            "NotIn",
        ),
        ("policy.yaml", "    neighbors:", "    exportPodCIDR: yep\n    neighbors:", 8, "'yep'", "true or false"),
        ("policy.yaml", "kind:", "knd:", 1, "found a mapping", "`kind`"),
        # DaemonSet
        ("daemonset.yaml", "{app: shell}}", "{app: sh}}", 6, "selector: found a mapping", "labels of its own template"),
        ("daemonset.yaml", "containers:", "contaners:", 11, "'contaners'", "containers"),
        ("daemonset.yaml", "        image: shell", "        imag: shell", 13, "'imag'", "image"),
        (
            "daemonset.yaml",
            "      containers:",
            "      tolerations: [{operator: Exist}]\n      containers:",
            11,
            "'Exist'",
            "Exists or Equal",
        ),
    ],
)
def test_a_bad_line(tmp_path: Path, name: str, old: str, new: str, line: int, found: str, expected: str) -> None:
    text, load = LOADERS[name]
    with pytest.raises(InputError) as caught:
        load(written(tmp_path, name, changed(text, old, new)), name)
    error = caught.value
    assert (error.file, error.line) == (name, line), str(error)
    assert found in error.message
    assert expected in error.message
    assert error.exit_code == 2


@pytest.mark.parametrize("name", LOADERS)
def test_the_good_files_are_good(tmp_path: Path, name: str) -> None:
    text, load = LOADERS[name]
    load(written(tmp_path, name, text), name)


@pytest.mark.parametrize("name", LOADERS)
def test_a_missing_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=f"there is no file {name}") as caught:
        LOADERS[name][1](tmp_path / name, name)
    assert caught.value.file == name


@pytest.mark.parametrize("name", ["topo.yml", "cluster.yml"])
@pytest.mark.parametrize("text", ["", "# nothing\n", "a: 1\n---\nb: 2\n", "- 1\n", "just words\n", "[" * 5000, "\x00"])
def test_files_of_another_shape(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(InputError) as caught:
        LOADERS[name][1](written(tmp_path, name, text), name)
    assert caught.value.file == name


def test_a_near_key_is_suggested(tmp_path: Path) -> None:
    text = changed(TOPOLOGY, "      image: frr", "      imge: frr")
    with pytest.raises(InputError) as caught:
        load_topology(written(tmp_path, "topo.yml", text), "topo.yml")
    assert caught.value.hint == "did you mean 'image'?"


def test_a_near_node_is_suggested(tmp_path: Path) -> None:
    text = TOPOLOGY.replace("r2", "router2")
    with pytest.raises(InputError) as caught:
        load_topology(written(tmp_path, "topo.yml", changed(text, '"router2:', '"roter2:')), "topo.yml")
    assert caught.value.hint == "did you mean 'router2'?"


def test_problems_of_a_file_are_told_of_together(tmp_path: Path) -> None:
    text = changed(changed(TOPOLOGY, "      image: frr", "      imge: frr"), '"r2:net0"', '"r9:net0"')
    text = changed(text, "    r2:\n      kind: linux", "    r2:\n      kind: ceos")
    with pytest.raises(InputError) as caught:
        load_topology(written(tmp_path, "topo.yml", text), "topo.yml")
    assert [e.line for e in (caught.value, *caught.value.others)] == [6, 16, 21]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        (
            "10.0.0.2/24 dev",
            "10.0.0.1/24 dev",
            19,
            "the address 10.0.0.1 on r2:net0 and on r1:net0, expected it on one",
        ),
        ("10.0.0.1/24 dev", "10.0.0.1/33 dev", 8, "r1: found '10.0.0.1/33' in"),
        ("10.0.0.1/24 dev", "10.0.0.256/24 dev", 8, "expected an address with its prefix length"),
        (
            "- sed",
            "- ip route add 10.9.0.1/24 via 10.0.0.2\n        - sed",
            9,
            "expected a prefix (10.9.0.1/24 has host",
        ),
        ("- sed", "- ip route add 10.9.0.0/24 via 10.0.0\n        - sed", 9, "found '10.0.0' in"),
        ("router bgp 65001", "router bgp 0", 13, "r1: found '0', expected an AS number from 1 to 4294967295"),
        ("remote-as 65002", "remote-as 4294967296", 14, "expected an AS number from 1 to 4294967295"),
        ("neighbor 10.0.0.2 ", "neighbor 10.0.0.256 ", 14, "found '10.0.0.256', expected an IP address"),
        ("neighbor 10.0.0.2 remote-as 65002", "network 10.0.0.0/33", 14, "found '10.0.0.0/33', expected a prefix"),
        ("neighbor 10.0.0.2 remote-as 65002", "bgp router-id 1.2.3", 14, "found '1.2.3', expected a router ID"),
        ("    r2:\n", "    clab:\n", 15, "the name 'clab' for a containerlab node"),
    ],
)
def test_a_bad_value_in_a_line_of_a_node(tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
    text = changed(TOPOLOGY, old, new)
    if "clab" in new:
        text = changed(text, '"r2:net0"', '"clab:net0"')
    with pytest.raises(InputError) as caught:
        build(tmp_path, text)
    assert (caught.value.file, caught.value.line) == ("topo.yml", line), str(caught.value)
    assert message in caught.value.message


def test_what_the_router_refuses_may_be_allowed(tmp_path: Path) -> None:
    text = changed(TOPOLOGY, "remote-as 65002", "remote-as 0")
    topology, _ = load_topology(written(tmp_path, "topo.yml", text), "topo.yml")
    net = build_network(LabFiles(topology, allow_refused=True), Timeline())
    (listed,) = net.unmodelled
    assert (listed.source.line, listed.text, listed.effect) == (14, "neighbor 10.0.0.2 remote-as 0", "none")
    assert "the router refuses it" in listed.why


JOINED = """\
    srv:
      kind: linux
      image: shell
      network-mode: container:worker
      exec: [ip addr add 10.0.2.2/24 dev net1]
  links:
    - endpoints: ["r2:net1", "srv:net1"]
"""


def test_a_namespace_that_is_not_there(tmp_path: Path) -> None:
    text = changed(changed(TOPOLOGY, "  links:\n", JOINED), "container:worker", "container:worker9")
    cluster = CLUSTER.replace("kind: Cluster", "kind: Cluster\nname: clab-small")
    with pytest.raises(InputError, match=r"network-mode 'container:worker9'.*container:clab-small-worker,") as caught:
        build(tmp_path, text, cluster)
    assert (caught.value.file, caught.value.line) == ("topo.yml", 20)


def test_an_address_on_a_node_and_elsewhere(tmp_path: Path) -> None:
    text = changed(TOPOLOGY, "10.0.0.2/24 dev net0", "10.0.1.2/24 dev net0")
    with pytest.raises(InputError, match=r"the address 10\.0\.1\.2 on r2:net0 and on control-plane") as caught:
        build(tmp_path, text, CLUSTER)
    assert (caught.value.file, caught.value.line) == ("topo.yml", 19)


def test_two_nodes_in_one_namespace_cannot_both_have_an_interface(tmp_path: Path) -> None:
    cluster = CLUSTER.replace("kind: Cluster", "kind: Cluster\nname: clab-small")
    second = JOINED.replace("srv", "other").replace("container:worker", "container:clab-small-worker")
    nodes, links = second.split("  links:\n")
    text = changed(TOPOLOGY, "  links:\n", nodes + JOINED + links.replace("r2:net1", "r2:net2"))
    with pytest.raises(InputError, match="the interface worker:net1 twice") as caught:
        build(tmp_path, text, cluster)
    assert caught.value.file == "topo.yml"


def test_a_policy_needs_a_router_id(tmp_path: Path) -> None:
    cluster = changed(CLUSTER, "node-ip: 10.0.2.2", "node-labels: a=b")
    with pytest.raises(InputError, match="node worker: found no IPv4 node-ip") as caught:
        build(tmp_path, TOPOLOGY, cluster, POLICY)
    assert (caught.value.file, caught.value.line) == ("cluster.yml", 14)


def told(net: Network) -> list[tuple[Source | None, str]]:
    """What was found, but for exec lines that start FRR though the image does."""
    return [(source, text) for source, text in net.findings if "exec lines start FRR" not in text]


def test_a_policy_that_matches_no_node_is_a_finding(tmp_path: Path) -> None:
    policy = changed(POLICY, "spec:", "spec:\n  nodeSelector: {matchLabels: {rack: none}}")
    net = build(tmp_path, TOPOLOGY, CLUSTER, policy)
    ((source, text),) = told(net)
    assert text == "policy all matches no node"
    assert (source.file, source.line) == ("m0.yaml", 2) if source else False
    assert net.devices["worker"].bgp is None


def test_two_policies_on_a_node_leave_it_without_sessions(tmp_path: Path) -> None:
    net = build(tmp_path, TOPOLOGY, CLUSTER, POLICY, changed(POLICY, "name: all", "name: more"))
    assert [text for _, text in told(net)] == [
        f"policies all, more match node {node}: Cilium clears its sessions" for node in ("control-plane", "worker")
    ]
    assert net.devices["worker"].bgp is None


def test_bgp_without_its_daemon_is_a_finding(tmp_path: Path) -> None:
    text = changed(TOPOLOGY, "        - sed -i s/bgpd=no/bgpd=yes/ /etc/frr/daemons\n", "")
    net = build(tmp_path, text)
    assert [text for _, text in told(net)] == ["r1: BGP is configured, but bgpd is not started"]
    assert net.devices["r1"].bgp is None
