"""What GoBGP is given for Cilium's resources: which node, which values, by Cilium 1.14's pkg/bgpv1."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from bgpsim.errors import InputError
from bgpsim.inputs.files.kind import KindNode
from bgpsim.inputs.files.manifests import LabelSelector, ManifestFile, PeeringNeighbor, PeeringPolicy, VirtualRouter
from bgpsim.lab.embedded.kubernetes import NodeBgp, desired
from bgpsim.source import Source

LINE = Source("policy.yaml", 3)
NEIGHBOR = PeeringNeighbor(ip_network("10.0.0.1/32"), 65010, LINE)
ROUTER = VirtualRouter(65010, True, (NEIGHBOR,), LINE)
NODES = tuple(
    KindNode(name, f"c-{name}", "worker", LINE, {"rack": rack}, (), (ip_address(address),))
    for name, rack, address in (("worker", "rack0", "10.0.2.2"), ("worker2", "rack1", "10.0.3.2"))
)
CIDRS = {"worker": (ip_network("10.1.1.0/24"),), "worker2": (ip_network("10.1.2.0/24"),)}


def policy(name: str, rack: str, *routers: VirtualRouter) -> PeeringPolicy:
    return PeeringPolicy(name, LabelSelector({"rack": rack}), routers or (ROUTER,), LINE)


def wanted(*policies: PeeringPolicy, cilium: str = "1.14") -> dict[str, NodeBgp]:
    return desired([ManifestFile("p", policies)], NODES, CIDRS, cilium)


def toml(neighbor: PeeringNeighbor, *, cilium: str = "1.14") -> dict[str, Any]:
    router = replace(ROUTER, neighbors=(neighbor,))
    return tomllib.loads(wanted(policy("p", "rack0", router), cilium=cilium)["worker"].toml())


def test_a_policy_acts_on_the_nodes_that_it_selects() -> None:
    found = wanted(policy("rack0", "rack0"))
    assert set(found) == {"worker"}
    assert found["worker"].router_id == "10.0.2.2"
    assert found["worker"].prefixes == CIDRS["worker"]


def test_two_policies_for_one_node_clear_it() -> None:
    assert set(wanted(policy("a", "rack0"), policy("b", "rack0"), policy("c", "rack1"))) == {"worker2"}


def test_without_export_pod_cidr_nothing_is_originated() -> None:
    found = wanted(policy("p", "rack0", replace(ROUTER, export_pod_cidr=False)))
    assert found["worker"].prefixes == ()


def test_the_agent_dials_and_does_not_listen() -> None:
    given = toml(NEIGHBOR)
    assert given["global"]["config"] == {"as": 65010, "router-id": "10.0.2.2", "port": -1}
    (neighbor,) = given["neighbors"]
    assert neighbor["config"] == {"neighbor-address": "10.0.0.1", "peer-as": 65010}
    # The defaults of Cilium 1.14, and its constant of 5 s after a reset.
    assert neighbor["timers"]["config"] == {
        "connect-retry": 120,
        "hold-time": 90,
        "keepalive-interval": 30,
        "idle-hold-time-after-reset": 5,
    }
    assert [a["config"]["afi-safi-name"] for a in neighbor["afi-safis"]] == ["ipv4-unicast", "ipv6-unicast"]
    assert "graceful-restart" not in neighbor
    assert "ebgp-multihop" not in neighbor


def test_graceful_restart_is_for_every_family() -> None:
    (neighbor,) = toml(replace(NEIGHBOR, graceful_restart=True, graceful_restart_time=60))["neighbors"]
    assert neighbor["graceful-restart"]["config"] == {
        "enabled": True,
        "restart-time": 60,
        "notification-enabled": True,
    }
    assert all(family["mp-graceful-restart"]["config"]["enabled"] for family in neighbor["afi-safis"])


@pytest.mark.parametrize(("peer_asn", "multihop"), [(65010, False), (65020, True)])
def test_a_multihop_ttl_counts_for_ebgp_alone(peer_asn: int, multihop: bool) -> None:
    (neighbor,) = toml(replace(NEIGHBOR, peer_asn=peer_asn, ebgp_multihop_ttl=4))["neighbors"]
    assert ("ebgp-multihop" in neighbor) is multihop


@pytest.mark.parametrize(("cilium", "rejects"), [("1.14", False), ("1.15", False), ("1.16", True)])
def test_from_1_16_on_what_is_received_is_rejected(cilium: str, rejects: bool) -> None:
    given = toml(NEIGHBOR, cilium=cilium)
    assert ("apply-policy" in given["global"]) is rejects


def test_a_second_virtual_router_is_refused_with_its_line() -> None:
    second = replace(ROUTER, source=Source("policy.yaml", 30))
    with pytest.raises(InputError) as refused:
        wanted(policy("p", "rack0", ROUTER, second))
    assert (refused.value.file, refused.value.line) == ("policy.yaml", 30)
