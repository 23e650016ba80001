"""The seed's four files, field by field, and the network that they describe; all written by hand from the files."""

from ipaddress import IPv4Address, IPv4Network, ip_address, ip_interface, ip_network
from pathlib import Path

import pytest

from bgpsim.inputs.build import build_network
from bgpsim.inputs.files.containerlab import LinkEnd, TopologyFile, load_topology
from bgpsim.inputs.files.kind import ClusterFile, Taint, load_cluster
from bgpsim.inputs.files.lab_files import LabFiles, Timeline
from bgpsim.inputs.files.manifests import DaemonSet, LabelSelector, PeeringPolicy, Toleration, load_manifests
from bgpsim.inputs.files.speakers import Announcement, Attachment, SpeakerFile
from bgpsim.lab.embedded.plan import make_plan
from bgpsim.network.description import InterfaceRef, KernelRoute, Network, Origination, RouteNextHop
from bgpsim.source import Source

FOLDER = Path(__file__).parents[3] / "scenarios" / "cilium-bgp"
WHERE = Source("scenario.yaml", 9)


def topology() -> TopologyFile:
    return load_topology(FOLDER / "topo.yml", "topo.yml")[0]


def cluster() -> ClusterFile:
    return load_cluster(FOLDER / "cluster.yml", "cluster.yml")[0]


def policies() -> tuple[PeeringPolicy, ...]:
    file = load_manifests(FOLDER / "cilium-bgp-peering-policies.yaml", "policies.yaml")
    assert file.unmodelled == ()
    return tuple(r for r in file.resources if isinstance(r, PeeringPolicy))


SPEAKER = SpeakerFile(
    "injector",
    65099,
    IPv4Address("192.0.2.1"),
    (Attachment("tor0", "x-injector", "tor0"), Attachment("tor1", "x-injector", "tor1")),
    "drop",
    WHERE,
)


def network(*, applied: bool = True, speaker: bool = False, announced: tuple[Announcement, ...] = ()) -> Network:
    files = LabFiles(
        topology(),
        cluster(),
        (load_manifests(FOLDER / "netshoot-ds.yaml", "netshoot-ds.yaml"),),
        (SPEAKER,) if speaker else (),
    )
    manifest = load_manifests(FOLDER / "cilium-bgp-peering-policies.yaml", "policies.yaml")
    return build_network(files, Timeline(applied=(manifest,) if applied else (), announced=announced))


# --- the files ---


def test_topology_nodes() -> None:
    file = topology()
    assert (file.path, file.name, file.source.line) == ("topo.yml", "bgp-cplane-demo", 1)
    assert file.management == IPv4Network("172.20.20.0/24")
    servers = ["srv-control-plane", "srv-worker", "srv-worker2", "srv-worker3"]
    assert list(file.nodes) == ["router0", "tor0", "tor1", *servers]
    for name, line in (("router0", 7), ("tor0", 26), ("tor1", 41)):
        node = file.nodes[name]
        assert (node.kind, node.image, node.labels) == ("linux", "frrouting/frr:v8.2.2", {"app": "frr"})
        assert (node.network_mode, node.shares, node.cmd, node.env) == (None, None, "bash", {})
        assert (node.source.file, node.source.line) == ("topo.yml", line)
    for name, line in zip(servers, (56, 65, 72, 79), strict=True):
        node = file.nodes[name]
        assert (node.kind, node.image, node.labels) == ("linux", "nicolaka/netshoot:latest", {})
        assert node.shares == name.removeprefix("srv-")
        assert node.source.line == line


@pytest.mark.parametrize(
    ("node", "lines"),
    [
        (
            "tor0",
            [
                (32, "ip link del eth0"),
                (33, "ip addr add 10.0.0.1/32 dev lo"),
                (34, "ip addr add 10.0.1.1/24 dev net1"),
                (35, "ip addr add 10.0.2.1/24 dev net2"),
                (36, "touch /etc/frr/vtysh.conf"),
                (37, "sed -i -e 's/bgpd=no/bgpd=yes/g' /etc/frr/daemons"),
                (38, "/usr/lib/frr/frrinit.sh start"),
            ],
        ),
        ("srv-worker", [(70, "ip addr add 10.0.2.2/24 dev net0"), (71, "ip route replace default via 10.0.2.1")]),
    ],
)
def test_exec_lines(node: str, lines: list[tuple[int, str]]) -> None:
    found = [(line.source.line, line.text) for line in topology().nodes[node].exec]
    assert found[: len(lines)] == lines


def test_the_folded_vtysh_line_is_one_and_knows_where_it_stands() -> None:
    line = topology().nodes["router0"].exec[-1]
    assert line.text.startswith("vtysh -c 'conf t' -c 'frr defaults datacenter' -c 'router bgp 65000'")
    assert "\n" not in line.text
    assert line.source.line == 24
    assert [number for number, _ in line.lines] == [25]


def test_links() -> None:
    found = [(link.source.line, *link.ends) for link in topology().links]
    assert found == [
        (87, LinkEnd("router0", "net0"), LinkEnd("tor0", "net0")),
        (88, LinkEnd("router0", "net1"), LinkEnd("tor1", "net0")),
        (89, LinkEnd("tor0", "net1"), LinkEnd("srv-control-plane", "net0")),
        (90, LinkEnd("tor0", "net2"), LinkEnd("srv-worker", "net0")),
        (91, LinkEnd("tor1", "net1"), LinkEnd("srv-worker2", "net0")),
        (92, LinkEnd("tor1", "net2"), LinkEnd("srv-worker3", "net0")),
    ]


def test_what_is_not_modelled_is_listed_with_why() -> None:
    _, of_topology = load_topology(FOLDER / "topo.yml", "topo.yml")
    _, of_cluster = load_cluster(FOLDER / "cluster.yml", "cluster.yml")
    assert [(u.source.line, u.text, u.effect) for u in of_topology] == [(5, "cmd: bash", "none")]
    assert [(u.source.line, u.text, u.effect) for u in of_cluster] == [(40, "containerdConfigPatches:", "none")]
    assert all(u.why for u in (*of_topology, *of_cluster))


def test_cluster() -> None:
    file = cluster()
    assert (file.path, file.name, file.default_cni) == ("cluster.yml", "clab-bgp-cplane-demo", False)
    assert file.pod_subnets == (ip_network("10.1.0.0/16"),)
    assert file.management == IPv4Network("172.18.0.0/16")
    rows = [
        (n.name, n.container, n.role, n.labels["rack"], n.node_ips, n.source.line, n.node_ip_source) for n in file.nodes
    ]
    own = "node-ip: "
    expected = [
        ("control-plane", "control-plane", "rack0", "10.0.1.2", 8, 14),
        ("worker", "worker", "rack0", "10.0.2.2", 16, 22),
        ("worker2", "worker", "rack1", "10.0.3.2", 24, 30),
        ("worker3", "worker", "rack1", "10.0.4.2", 32, 38),
    ]
    assert rows == [
        (
            name,
            f"clab-bgp-cplane-demo-{name}",
            role,
            rack,
            (ip_address(ip),),
            line,
            Source("cluster.yml", at, f'{own}"{ip}"'),
        )
        for name, role, rack, ip, line, at in expected
    ]


def test_labels_and_taints_that_kubernetes_adds() -> None:
    """kubelet's hostname and os labels; kubeadm's role label, and its taint where there are workers."""
    control_plane, worker, *_ = cluster().nodes
    role = "node-role.kubernetes.io/control-plane"
    assert control_plane.labels[role] == ""
    assert control_plane.taints == (Taint(role, "", "NoSchedule"),)
    assert role not in worker.labels
    assert worker.taints == ()
    assert worker.labels["kubernetes.io/hostname"] == "clab-bgp-cplane-demo-worker"


def test_policies() -> None:
    for policy, rack, asn, peer, line in zip(
        policies(), ("rack0", "rack1"), (65010, 65011), ("10.0.0.1/32", "10.0.0.2/32"), (3, 18), strict=True
    ):
        assert (policy.name, policy.source.line) == (rack, line)
        assert policy.node_selector == LabelSelector({"rack": rack})
        (router,) = policy.virtual_routers
        assert (router.local_asn, router.export_pod_cidr, router.source.line) == (asn, True, line + 8)
        assert router.export_source == Source("policies.yaml", line + 9, "exportPodCIDR: true")
        (neighbor,) = router.neighbors
        assert (neighbor.peer_address, neighbor.peer_asn) == (ip_network(peer), asn)
        assert neighbor.source.line == line + 11
        # Cilium 1.14's defaults.
        assert (neighbor.peer_port, neighbor.ebgp_multihop_ttl) == (179, 1)
        assert (neighbor.connect_retry, neighbor.hold_time, neighbor.keepalive) == (120, 90, 30)
        assert (neighbor.graceful_restart, neighbor.graceful_restart_time) == (False, 120)


def test_daemon_set() -> None:
    file = load_manifests(FOLDER / "netshoot-ds.yaml", "netshoot-ds.yaml")
    assert file.resources == (
        DaemonSet(
            name="netshoot",
            namespace="default",
            pod_labels={"app": "netshoot"},
            source=Source("netshoot-ds.yaml", 2, "kind: DaemonSet"),
            node_selector={},
            tolerations=(Toleration("node-role.kubernetes.io/master", "Exists", "", "NoSchedule"),),
            host_network=False,
            image="nicolaka/netshoot:latest",
        ),
    )
    assert [(u.text, u.effect) for u in file.unmodelled] == [('command: ["sleep", "infinite"]', "none")]


# --- the network ---


def addresses(net: Network, device: str) -> dict[str, list[str]]:
    return {i.name: [str(a) for a in i.addresses] for i in net.devices[device].interfaces}


def test_devices_and_their_addresses() -> None:
    net = network()
    pods = [f"pod:default/netshoot@worker{n}" for n in ("", "2", "3")]
    # The DaemonSet tolerates `master`, which nothing has: no pod on the control plane.
    nodes = ["control-plane", "worker", pods[0], "worker2", pods[1], "worker3", pods[2]]
    assert list(net.devices) == ["router0", "tor0", "tor1", *nodes, "clab", "kind"]
    assert addresses(net, "router0") == {"lo": ["10.0.0.0/32"], "eth0": ["172.20.20.2/24"], "net0": [], "net1": []}
    assert addresses(net, "tor0") == {
        "lo": ["10.0.0.1/32"],
        "net0": [],
        "net1": ["10.0.1.1/24"],
        "net2": ["10.0.2.1/24"],
    }
    assert addresses(net, "control-plane") == {"lo": [], "eth0": ["172.18.0.2/16"], "net0": ["10.0.1.2/24"]}
    assert addresses(net, "worker3") == {"lo": [], "eth0": ["172.18.0.5/16"], "net0": ["10.0.4.2/24"], "lxc0": []}
    assert addresses(net, pods[2]) == {"lo": [], "eth0": ["10.1.3.2/32"]}
    assert addresses(net, "clab") == {"br0": ["172.20.20.1/24"]}
    assert addresses(net, "kind") == {"br0": ["172.18.0.1/16"]}
    assert {d.name for d in net.devices.values() if not d.forwards} == {*pods, "clab", "kind"}
    assert all(i.up for d in net.devices.values() for i in d.interfaces)


def test_segments() -> None:
    found = {tuple(map(str, s.ends)) for s in network().segments}
    assert found == {
        ("clab:br0", "router0:eth0"),  # the ToRs delete their eth0
        ("kind:br0", "control-plane:eth0", "worker:eth0", "worker2:eth0", "worker3:eth0"),
        ("router0:net0", "tor0:net0"),
        ("router0:net1", "tor1:net0"),
        ("tor0:net1", "control-plane:net0"),
        ("tor0:net2", "worker:net0"),
        ("tor1:net1", "worker2:net0"),
        ("tor1:net2", "worker3:net0"),
        *((f"pod:default/netshoot@{n}:eth0", f"{n}:lxc0") for n in ("worker", "worker2", "worker3")),
    }


def routes(net: Network, device: str) -> list[KernelRoute]:
    return list(net.devices[device].routes)


def test_kernel_routes() -> None:
    net = network()
    at = "ip route add blackhole 10.0.0.0/8"
    assert routes(net, "router0") == [
        KernelRoute(ip_network("0.0.0.0/0"), "unicast", (RouteNextHop(ip_address("172.20.20.1"), "eth0"),)),
        KernelRoute(ip_network("10.0.0.0/8"), "blackhole", source=Source("topo.yml", 18, at)),
    ]
    assert routes(net, "tor0") == []  # the default went with eth0
    replaced = Source("topo.yml", 71, "ip route replace default via 10.0.2.1")
    shown = [(str(r.prefix), r.kind, r.next_hops, r.protocol, r.metric) for r in routes(net, "worker")]
    assert shown == [
        ("0.0.0.0/0", "unicast", (RouteNextHop(ip_address("10.0.2.1"), "net0"),), "boot", 0),
        ("10.1.1.0/24", "blackhole", (), "boot", 0),
        ("10.1.1.2/32", "unicast", (RouteNextHop(None, "lxc0"),), "boot", 0),
    ]
    assert routes(net, "worker")[0].source == replaced
    assert [(str(r.prefix), r.next_hops) for r in routes(net, "pod:default/netshoot@worker")] == [
        ("169.254.1.1/32", (RouteNextHop(None, "eth0"),)),
        ("0.0.0.0/0", (RouteNextHop(ip_address("169.254.1.1"), "eth0"),)),
    ]


def test_routers_bgp() -> None:
    net = network()
    rows = {
        "router0": (65000, "10.0.0.0", False, 25, ["net0", "net1"]),
        "tor0": (65010, "10.0.0.1", False, 40, ["net0", "10.0.1.2", "10.0.2.2"]),
        "tor1": (65011, "10.0.0.2", True, 55, ["net0", "10.0.3.2", "10.0.4.2"]),
    }
    for name, (asn, router_id, relax, line, neighbors) in rows.items():
        bgp = net.devices[name].bgp
        assert bgp is not None
        assert (bgp.engine, bgp.asn, str(bgp.router_id), bgp.multipath_relax) == ("frr", asn, router_id, relax)
        assert not bgp.ebgp_requires_policy
        assert bgp.deterministic_med  # `frr defaults datacenter`
        assert (bgp.listens, bgp.installs, bgp.originated) == (True, True, ())
        assert [(r.family, r.protocol, r.source) for r in bgp.redistribute] == [
            ("ipv4-unicast", "connected", Source("topo.yml", line, "redistribute connected"))
        ]
        assert [n.name for n in bgp.neighbors] == neighbors
        for neighbor in bgp.neighbors:
            unnumbered = neighbor.name.startswith("net")
            assert neighbor.remote_as == ("external" if unnumbered else "internal")
            assert neighbor.peer_group == ("ROUTERS" if unnumbered else "SERVERS")
            assert (neighbor.interface, neighbor.address) == (
                (neighbor.name, None) if unnumbered else (None, ip_address(neighbor.name))
            )
            assert (neighbor.keepalive, neighbor.hold_time, neighbor.connect_retry) == (3, 9, 10)
            assert neighbor.extended_nexthop == unnumbered
            assert (neighbor.passive, neighbor.shutdown, neighbor.ebgp_ttl) == (False, False, 1)
            assert list(neighbor.families) == ["ipv4-unicast"]
            assert neighbor.families["ipv4-unicast"].default_originate == (name == "router0")
            assert {source.line for source in neighbor.sources} == {line}


def test_nodes_bgp() -> None:
    net = network()
    rows = {
        "control-plane": (65010, "10.0.1.2", "10.0.0.1", "10.1.0.0/24"),
        "worker": (65010, "10.0.2.2", "10.0.0.1", "10.1.1.0/24"),
        "worker2": (65011, "10.0.3.2", "10.0.0.2", "10.1.2.0/24"),
        "worker3": (65011, "10.0.4.2", "10.0.0.2", "10.1.3.0/24"),
    }
    for name, (asn, router_id, peer, cidr) in rows.items():
        device = net.devices[name]
        bgp = device.bgp
        assert bgp is not None
        assert (bgp.engine, bgp.asn, str(bgp.router_id), bgp.listens, bgp.installs) == (
            "gobgp",
            asn,
            router_id,
            False,
            False,
        )
        (neighbor,) = bgp.neighbors
        assert (neighbor.name, neighbor.address, neighbor.remote_as) == (peer, ip_address(peer), asn)
        assert (neighbor.hold_time, neighbor.keepalive, neighbor.connect_retry) == (90, 30, 120)
        assert list(neighbor.families) == ["ipv4-unicast", "ipv6-unicast"]
        assert [o.prefix for o in bgp.originated] == [ip_network(cidr)] == list(device.pod_cidrs)


def test_before_the_policies_no_node_speaks_bgp() -> None:
    net = network(applied=False)
    assert [d.name for d in net.devices.values() if d.bgp is not None] == ["router0", "tor0", "tor1"]


def test_endpoints() -> None:
    found = {e.id: ([str(a) for a in e.addresses], e.labels.get("rack")) for e in network().endpoints}
    assert found == {
        "router:router0": (["10.0.0.0", "172.20.20.2"], None),
        "router:tor0": (["10.0.0.1", "10.0.1.1", "10.0.2.1"], None),
        "router:tor1": (["10.0.0.2", "10.0.3.1", "10.0.4.1"], None),
        "node:control-plane": (["10.0.1.2", "172.18.0.2"], "rack0"),
        "node:worker": (["10.0.2.2", "172.18.0.3"], "rack0"),
        "node:worker2": (["10.0.3.2", "172.18.0.4"], "rack1"),
        "node:worker3": (["10.0.4.2", "172.18.0.5"], "rack1"),
        "pod:default/netshoot@worker": (["10.1.1.2"], "rack0"),
        "pod:default/netshoot@worker2": (["10.1.2.2"], "rack1"),
        "pod:default/netshoot@worker3": (["10.1.3.2"], "rack1"),
    }


def test_a_host_stands_for_its_address_on_a_link(tmp_path: Path) -> None:
    """And not for that on the management network, which it has first."""
    (tmp_path / "t.yml").write_text(
        "name: t\ntopology:\n  nodes:\n"
        "    h1: {kind: linux, image: nicolaka/netshoot, exec: [ip addr add 10.1.0.2/24 dev net0]}\n"
        "    h2: {kind: linux, image: nicolaka/netshoot}\n"
        '  links: [{endpoints: ["h1:net0", "h2:net0"]}]\n'
    )
    net = build_network(LabFiles(load_topology(tmp_path / "t.yml", "t.yml")[0]), Timeline())
    shown = {e.id: [str(a) for a in e.addresses] for e in net.endpoints}
    assert shown == {"host:h1": ["10.1.0.2", "172.20.20.2"], "host:h2": ["172.20.20.3"]}


def test_nothing_that_matters_is_unread() -> None:
    net = network()
    assert {u.effect for u in net.unmodelled} == {"none"}
    assert net.findings == ()


def test_a_speaker_and_what_it_announces() -> None:
    anycast = Announcement(
        "injector",
        "tor1",
        ip_network("10.99.0.1/32"),
        WHERE,
        as_path=(65099, 1),
        med=5,
        communities=("65099:1",),
        next_hop=ip_address("10.0.3.9"),
    )
    net = network(speaker=True, announced=(anycast,))
    speaker = net.devices["injector"]
    assert (speaker.kind, speaker.forwards, speaker.traffic) == ("speaker", False, "drop")
    assert [(i.name, i.link_local) for i in speaker.interfaces if i.name != "lo"] == [
        ("tor0", ip_address("fe80::2")),
        ("tor1", ip_address("fe80::2")),
    ]
    assert speaker.bgp is not None
    assert [(n.name, n.address, n.interface, n.remote_as) for n in speaker.bgp.neighbors] == [
        ("tor0", ip_address("fe80::1"), "tor0", 65010),
        ("tor1", ip_address("fe80::1"), "tor1", 65011),
    ]
    assert speaker.bgp.originated == (
        Origination(
            ip_network("10.99.0.1/32"),
            to=("tor1",),
            as_path=(65099, 1),
            next_hop=ip_address("10.0.3.9"),
            med=5,
            communities=("65099:1",),
            source=WHERE,
        ),
    )
    tor0 = net.devices["tor0"]
    assert tor0.bgp is not None
    added = tor0.bgp.neighbors[-1]
    assert (added.name, added.interface, added.remote_as, added.source) == ("fe80::2", "x-injector", 65099, WHERE)
    assert (added.keepalive, added.hold_time, added.connect_retry) == (3, 9, 1)
    assert added.extended_nexthop
    port = tor0.interface("x-injector")
    assert port is not None
    assert (port.link_local, port.addresses) == (ip_address("fe80::1"), ())
    assert (InterfaceRef("injector", "tor0"), InterfaceRef("tor0", "x-injector")) in [s.ends for s in net.segments]


def test_a_link_that_is_down() -> None:
    files = LabFiles(topology(), cluster())
    net = build_network(files, Timeline(interfaces_down=(("tor1", "net0"),)))
    down = [f"{d.name}:{i.name}" for d in net.devices.values() for i in d.interfaces if not i.up]
    assert down == ["tor1:net0"]


def test_what_an_interface_takes_with_it() -> None:
    """The kernel drops the routes by it for good, and tells nobody: a router's zebra may still believe in them."""
    cut = (("router0", "eth0"), ("worker", "net0"))
    net = build_network(LabFiles(topology(), cluster()), Timeline(interfaces_cut=cut))
    assert [(str(r.prefix), r.lost) for r in routes(net, "router0")] == [("0.0.0.0/0", True), ("10.0.0.0/8", False)]
    assert [(str(r.prefix), r.lost) for r in routes(net, "worker")] == [("10.1.1.0/24", False)]


def test_addresses_are_what_the_lines_say() -> None:
    lo = network().devices["tor1"].interface("lo")
    assert lo is not None
    assert lo.addresses == (ip_interface("10.0.0.2/32"),)
    assert lo.source == Source("topo.yml", 48, "ip addr add 10.0.0.2/32 dev lo")


def test_the_mtu_of_a_link(tmp_path: Path) -> None:
    """Both ends have it; containerlab's own is 9500, and 1500 on the management network."""
    (tmp_path / "topo.yml").write_text(
        "name: small\ntopology:\n  nodes:\n    h1: {kind: linux, image: nicolaka/netshoot}\n"
        "    h2: {kind: linux, image: nicolaka/netshoot}\n"
        '  links: [{endpoints: ["h1:a", "h2:a"], mtu: 1400}, {endpoints: ["h1:b", "h2:b"]}]\n'
    )
    topology, unmodelled = load_topology(tmp_path / "topo.yml", "topo.yml")
    assert unmodelled == ()
    files = LabFiles(topology)
    net = build_network(files, Timeline())
    for name in ("h1", "h2"):
        assert {i.name: i.mtu for i in net.devices[name].interfaces} == {
            "lo": 65536,
            "a": 1400,
            "b": 9500,
            "eth0": 1500,
        }
    assert [(c.a_interface, c.mtu) for c in make_plan(files).cables][:2] == [("a", 1400), ("b", 9500)]
