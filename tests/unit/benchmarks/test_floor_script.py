"""The floor gives its routers and GoBGPs what the seed's files give bgpsim's."""

import re
import shlex
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from bgpsim.inputs.files.manifests import PeeringPolicy
from bgpsim.lab.embedded.kubernetes import NodeBgp, desired
from bgpsim.lab.embedded.plan import make_plan
from bgpsim.scenario.reading.loading import load
from bgpsim.scenario.timeline import Apply, Scenario

ROOT = Path(__file__).resolve().parents[3]
FLOOR = (ROOT / "benchmarks/floor.sh").read_text()


@pytest.fixture(scope="module")
def baseline() -> Scenario:
    return load(ROOT / "scenarios/cilium-bgp/baseline.yaml", "baseline.yaml")


def _here_documents(of: str) -> list[str]:
    body = FLOOR[FLOOR.index(f"\n{of}() {{") :]
    return re.findall(r"<<'?END'?\n(.*?)\nEND\n", body[: body.index("\n}\n") + 1], re.S)


def test_routers_get_the_seeds_bgp_lines(baseline: Scenario) -> None:
    given = []
    for name in ("router0", "tor0", "tor1"):
        (line,) = [e.text for e in baseline.files.topology.nodes[name].exec if e.text.startswith("vtysh")]
        words = shlex.split(line)[1:]
        assert words[:2] == ["-c", "conf t"]
        given.append("\n".join(word for word in words[2:] if word != "-c"))
    assert _here_documents("bgpd_conf") == given


def test_routers_get_the_seeds_addresses(baseline: Scenario) -> None:
    lines = [e.text for n in baseline.files.topology.nodes.values() if n.shares is None for e in n.exec]
    for line in lines:
        if line.startswith(("ip addr add", "ip route add")):
            assert f"'{line.removeprefix('ip ')}'" in FLOOR


def test_gobgp_gets_what_bgpsim_gives_it(baseline: Scenario) -> None:
    plan = make_plan(baseline.files)
    assert baseline.files.cluster is not None
    manifests = [a.manifest for step in baseline.steps for a in step.actions if isinstance(a, Apply)]
    assert any(isinstance(r, PeeringPolicy) for m in manifests for r in m.resources)
    wanted = desired(manifests, baseline.files.cluster.nodes, plan.pod_cidrs, baseline.files.cilium)
    assert len(wanted) == 4
    (template,) = _here_documents("gobgpd_toml")
    for device, bgp in wanted.items():
        asn, router_id, peer = _arguments(device, bgp)
        given = template.replace("$1", asn).replace("$2", router_id).replace("$3", peer) + "\n"
        assert given == bgp.toml()
        assert f"kubernetes_node {device} {asn} {router_id} {peer}\n" in FLOOR
        (prefix,) = bgp.prefixes
        assert isinstance(prefix, IPv4Network)
        assert f"own_path {device} {prefix}\n" in FLOOR


def _arguments(device: str, bgp: NodeBgp) -> tuple[str, str, str]:
    (neighbor,) = bgp.router.neighbors
    return str(bgp.router.local_asn), bgp.router_id, str(neighbor.peer_address.network_address)
