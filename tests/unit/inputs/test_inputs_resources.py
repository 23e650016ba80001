"""What else the formats allow: lists, other kinds, defaults, selectors, placement, dual stack, lines of YAML."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgpsim.inputs.build import build_network
from bgpsim.inputs.cluster import pods_of
from bgpsim.inputs.files.containerlab import load_topology
from bgpsim.inputs.files.kind import ClusterFile, load_cluster
from bgpsim.inputs.files.lab_files import LabFiles, Timeline
from bgpsim.inputs.files.manifests import (
    DaemonSet,
    LabelExpression,
    LabelSelector,
    ManifestFile,
    PeeringPolicy,
    load_manifests,
)
from bgpsim.inputs.files.yaml_source import parse_documents
from bgpsim.source import Source

Writer = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


HEAD = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n"
NO_CNI = "  disableDefaultCNI: true\n"
TOPOLOGY = "name: t\ntopology:\n  nodes:\n    r1: {kind: linux, image: frr}\n"


def cluster(write: Writer, text: str) -> ClusterFile:
    return load_cluster(write("cluster.yml", HEAD + text), "cluster.yml")[0]


def test_a_cluster_without_nodes_is_one_control_plane_without_a_taint(write: Writer) -> None:
    (node,) = cluster(write, "").nodes
    assert (node.name, node.container, node.role, node.taints) == ("control-plane", "kind-control-plane", node.role, ())


def test_kinds_own_cni_is_listed(write: Writer) -> None:
    _, unmodelled = load_cluster(write("cluster.yml", HEAD + "networking: {ipFamily: dual}\n"), "cluster.yml")
    assert [(u.source.line, u.effect) for u in unmodelled] == [(3, "possible"), (3, "possible")]


def test_a_patch_of_the_other_kind_changes_nothing(write: Writer) -> None:
    patch = "    kind: InitConfiguration\n    nodeRegistration: {kubeletExtraArgs: {node-labels: a=b}}\n"
    text = f"nodes:\n- role: control-plane\n- role: worker\n  kubeadmConfigPatches:\n  - |\n{patch}"
    file, unmodelled = load_cluster(write("cluster.yml", HEAD + "networking:\n" + NO_CNI + text), "cluster.yml")
    assert "a" not in file.nodes[1].labels
    assert [(u.source.line, u.device, u.effect) for u in unmodelled] == [(10, "worker", "none")]


@pytest.mark.parametrize("arguments", ["{node-ip: 10.0.0.9}", "[{name: node-ip, value: 10.0.0.9}]"])
@pytest.mark.parametrize("quoted", [False, True])
def test_kubelet_arguments_of_both_shapes(write: Writer, arguments: str, quoted: bool) -> None:
    patch = f"kind: InitConfiguration\\nnodeRegistration: {{kubeletExtraArgs: {arguments}}}"
    item = f'"{patch}"' if quoted else "|\n    " + patch.replace("\\n", "\n    ")
    (node,) = cluster(write, f"nodes:\n- role: control-plane\n  kubeadmConfigPatches:\n  - {item}\n").nodes
    assert [str(ip) for ip in node.node_ips] == ["10.0.0.9"]


def test_dual_stack(write: Writer) -> None:
    file = cluster(
        write,
        f'networking:\n{NO_CNI}  podSubnet: "10.1.0.0/16,fd00:1::/48"\n'
        "nodes: [{role: control-plane}, {role: worker}]\n",
    )
    pods = pods_of(LabFiles(load_topology(write("t.yml", TOPOLOGY), "t.yml")[0], file))
    assert [str(p) for p in pods.cidrs["worker"]] == ["10.1.1.0/24", "fd00:1:0:1::/64"]


def daemon_set(name: str, spec: str = "", namespace: str = "default") -> str:
    return (
        f"apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
        "spec:\n  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n"
        f"    spec:\n      containers: [{{name: c, image: i}}]\n{spec}"
    )


@pytest.mark.parametrize(
    ("spec", "nodes"),
    [
        ("", ["worker", "worker2"]),
        ("      tolerations: [{operator: Exists}]\n", ["control-plane", "worker", "worker2"]),
        ("      tolerations: [{key: node-role.kubernetes.io/master, operator: Exists}]\n", ["worker", "worker2"]),
        (
            "      tolerations: [{key: node-role.kubernetes.io/control-plane, effect: NoSchedule}]\n",
            ["control-plane", "worker", "worker2"],
        ),
        (
            "      tolerations: [{key: node-role.kubernetes.io/control-plane, effect: NoExecute}]\n",
            ["worker", "worker2"],
        ),
        ("      nodeSelector: {kubernetes.io/hostname: kind-worker2}\n", ["worker2"]),
        ("      nodeSelector: {rack: none}\n", []),
        ("      hostNetwork: true\n", []),
    ],
)
def test_where_pods_are_placed(write: Writer, spec: str, nodes: list[str]) -> None:
    file = cluster(
        write, f"networking:\n{NO_CNI}nodes: [{{role: control-plane}}, {{role: worker}}, {{role: worker}}]\n"
    )
    manifest = load_manifests(write("d.yaml", daemon_set("shell", spec)), "d.yaml")
    placed = pods_of(LabFiles(load_topology(write("t.yml", TOPOLOGY), "t.yml")[0], file, (manifest,)))
    assert [pod.id for pods in placed.pods.values() for pod in pods] == [f"pod:default/shell@{n}" for n in nodes]


def test_pods_of_a_node_are_ordered_by_namespace_and_name(write: Writer) -> None:
    file = cluster(write, f"networking:\n{NO_CNI}")
    documents = "---\n".join([daemon_set("b"), daemon_set("a"), daemon_set("z", namespace="another")])
    manifest = load_manifests(write("d.yaml", documents), "d.yaml")
    net = build_network(LabFiles(load_topology(write("t.yml", TOPOLOGY), "t.yml")[0], file, (manifest,)), Timeline())
    found = {e.id: str(e.addresses[0]) for e in net.endpoints if e.id.startswith("pod:")}
    assert found == {
        "pod:another/z@control-plane": "10.244.0.2",
        "pod:default/a@control-plane": "10.244.0.3",
        "pod:default/b@control-plane": "10.244.0.4",
    }
    assert [i.name for i in net.devices["control-plane"].interfaces] == ["lo", "eth0", "lxc0", "lxc1", "lxc2"]


def manifests(write: Writer, text: str) -> ManifestFile:
    return load_manifests(write("m.yaml", text), "m.yaml")


def test_a_list_of_resources(write: Writer) -> None:
    items = "".join(f"- {line}" if n == 0 else f"  {line}" for n, line in enumerate(daemon_set("a").splitlines(True)))
    file = manifests(write, f"kind: List\napiVersion: v1\nitems:\n{items}")
    assert [r.name for r in file.resources] == ["a"]
    assert file.resources[0].source.line == 5


@pytest.mark.parametrize(
    ("kind", "version", "effect"),
    [
        ("ConfigMap", "v1", "none"),
        ("Namespace", "v1", "none"),
        ("Service", "v1", "possible"),
        ("Deployment", "apps/v1", "possible"),
        ("CiliumNetworkPolicy", "cilium.io/v2", "possible"),
        ("NetworkPolicy", "networking.k8s.io/v1", "possible"),
    ],
)
def test_other_kinds_are_listed(write: Writer, kind: str, version: str, effect: str) -> None:
    file = manifests(write, f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x}}\n")
    assert file.resources == ()
    assert [(u.source.line, u.text, u.effect) for u in file.unmodelled] == [(2, f"{version} {kind}", effect)]


POLICY = """\
apiVersion: cilium.io/v2alpha1
kind: CiliumBGPPeeringPolicy
metadata: {name: p}
spec:
  virtualRouters:
  - localASN: 4200000000
    neighbors:
    - peerAddress: "2001:db8::1/128"
      peerASN: 1
"""


def test_a_policys_times(write: Writer) -> None:
    seconds = "      connectRetryTimeSeconds: 5\n      holdTimeSeconds: 9\n      keepAliveTimeSeconds: 3\n"
    durations = "      connectRetryTime: 5s\n      holdTime: 9s\n      keepAliveTime: 3s\n"  # Cilium 1.13
    for text, times in ((seconds, (5, 9, 3)), (durations, (5, 9, 3)), ("      holdTime: 1m30s\n", (120, 90, 30))):
        (policy,) = manifests(write, POLICY + text).resources
        assert isinstance(policy, PeeringPolicy)
        (neighbor,) = policy.virtual_routers[0].neighbors
        assert (neighbor.connect_retry, neighbor.hold_time, neighbor.keepalive) == times


def test_a_policys_fields_that_may_matter_are_listed(write: Writer) -> None:
    more = "      peerPort: 1790\n      gracefulRestart: {enabled: true}\n      families: []\n"
    file = manifests(write, POLICY + more)
    assert [(u.source.line, u.effect) for u in file.unmodelled] == [
        (12, "possible"),
        (10, "possible"),
        (11, "possible"),
    ]


def test_harmless_and_possible_settings_of_a_node(write: Writer) -> None:
    text = TOPOLOGY.replace("image: frr", "image: frr, memory: 1G, stages: {create: {}}")
    _, unmodelled = load_topology(write("t.yml", text), "t.yml")
    assert [(u.device, u.effect, u.affects) for u in unmodelled] == [
        ("r1", "none", ("r1",)),
        ("r1", "possible", ("r1",)),
    ]


def test_kinds_and_defaults_give_what_a_node_does_not_say(write: Writer) -> None:
    text = (
        "name: t\ntopology:\n  defaults: {kind: linux, env: {A: 1, B: 1}}\n"
        "  kinds: {linux: {image: frr, exec: [echo kind], env: {B: 2}}}\n"
        "  nodes:\n    r1: {exec: [echo $$HOME], env: {C: 3}, image: other}\n    r2: {}\n"
    )
    file, _ = load_topology(write("t.yml", text), "t.yml")
    assert [line.text for line in file.nodes["r1"].exec] == ["echo kind", "echo $HOME"]
    assert file.nodes["r1"].env == {"A": "1", "B": "2", "C": "3"}
    assert (file.nodes["r1"].image, file.nodes["r2"].image) == ("other", "frr")


def test_management_subnet(write: Writer) -> None:
    file, _ = load_topology(write("t.yml", TOPOLOGY + "mgmt: {network: m, ipv4-subnet: 192.0.2.0/29}\n"), "t.yml")
    net = build_network(LabFiles(file), Timeline())
    eth0 = net.devices["r1"].interface("eth0")
    assert eth0 is not None
    assert [str(a) for a in eth0.addresses] == ["192.0.2.2/29"]


# --- selectors: Kubernetes' own rules ---


@pytest.mark.parametrize(
    ("operator", "values", "labels", "matches"),
    [
        ("In", ("a", "b"), {"k": "b"}, True),
        ("In", ("a", "b"), {"k": "c"}, False),
        ("In", ("a",), {}, False),
        ("NotIn", ("a",), {"k": "a"}, False),
        ("NotIn", ("a",), {"k": "b"}, True),
        ("NotIn", ("a",), {}, True),
        ("Exists", (), {"k": ""}, True),
        ("Exists", (), {}, False),
        ("DoesNotExist", (), {"k": ""}, False),
        ("DoesNotExist", (), {}, True),
    ],
)
def test_expressions(operator: str, values: tuple[str, ...], labels: dict[str, str], matches: bool) -> None:
    expression = LabelExpression("k", operator, values)  # type: ignore[arg-type]
    assert LabelSelector({}, (expression,)).matches(labels) is matches


label_sets = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["", "x", "y"]), max_size=3)


@given(label_sets, label_sets)
def test_match_labels_is_inclusion(wanted: dict[str, str], labels: dict[str, str]) -> None:
    assert LabelSelector(wanted).matches(labels) == (wanted.items() <= labels.items())


@given(label_sets, st.sampled_from("abc"), st.lists(st.sampled_from(["", "x", "y"]), min_size=1, max_size=2))
def test_operators_come_in_opposites(labels: dict[str, str], key: str, values: list[str]) -> None:
    def holds(operator: str, *listed: str) -> bool:
        return LabelSelector({}, (LabelExpression(key, operator, listed),)).matches(labels)  # type: ignore[arg-type]

    assert holds("In", *values) is not holds("NotIn", *values)
    assert holds("Exists") is not holds("DoesNotExist")


# --- lines of YAML ---

NESTED = """\
# a comment
a:
  - b: 1

  - {c: 2, d: [3, 4]}
text: |
  first
  second
folded: >-
  one
  two
1: number
"""


@pytest.mark.parametrize(
    ("location", "line"),
    [
        ((), 2),
        (("a",), 2),
        (("a", 0), 3),
        (("a", 0, "b"), 3),
        (("a", 1, "d", 1), 5),
        (("a", 1, "not there", "at all"), 5),
        (("text",), 6),
        ((1,), 12),
    ],
)
def test_lines(location: tuple[str | int, ...], line: int) -> None:
    (document,) = parse_documents(NESTED, "x.yml")
    assert document.line(location) == line


def test_where_texts_are_written() -> None:
    (document,) = parse_documents(NESTED, "x.yml", 101)
    assert document.source(("a",)) == Source("x.yml", 102, "a:")
    assert document.written(("text",)) == ((107, "  first"), (108, "  second"))
    assert document.written(("folded",)) == ((110, "  one"), (111, "  two"))
    assert document.written(("a", 0, "b")) == ((103, "  - b: 1"),)
    assert document.first_line(("text",)) == 107


values = st.recursive(
    st.integers() | st.booleans() | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_values_are_pyyamls_and_every_part_has_a_line(value: object) -> None:
    import yaml

    text = yaml.safe_dump(value)
    (document,) = parse_documents(text, "x.yml")
    assert document.value == value
    assert all(1 <= line <= text.count("\n") for line in document.lines.values())


def test_daemon_sets_image_is_the_first_containers(write: Writer) -> None:
    (found,) = manifests(write, daemon_set("a")).resources
    assert isinstance(found, DaemonSet)
    assert found.image == "i"
