"""The failure bundle: there on exit 3, whole, and without passwords."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from scapy.all import rdpcap
from sealed import COMMAND

pytestmark = pytest.mark.lab
SEED = Path(__file__).parents[2] / "scenarios" / "cilium-bgp"


def test_a_daemon_that_dies_leaves_a_bundle_without_passwords(tmp_path: Path) -> None:
    for name in ("topo.yml", "cluster.yml", "netshoot-ds.yaml"):
        (tmp_path / name).write_bytes((SEED / name).read_bytes())
    (tmp_path / "broken.yaml").write_text(
        "name: broken\n"
        "lab: {topology: topo.yml, cluster: cluster.yml, manifests: [netshoot-ds.yaml]}\n"
        "steps:\n"
        "- name: fabric\n"
        "- name: a password, then no bgpd\n"
        "  exec:\n"
        "    tor1:\n"
        "    - vtysh -c 'conf t' -c 'router bgp 65011' -c 'neighbor 10.0.3.2 password s3cret'\n"
        "    - pkill -9 bgpd\n"
    )
    argv = [sys.executable, "-c", COMMAND, "run", "broken.yaml", "--report", "out", "--json"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 3, done.stdout + done.stderr
    (run,) = json.loads(done.stdout)["runs"]
    bundle = tmp_path / run["volatile"]["bundle"]
    assert bundle == tmp_path / "out" / "bundle-broken"
    kept = {
        str(path.relative_to(bundle)): path.read_text(errors="replace") for path in bundle.rglob("*") if path.is_file()
    }
    for name in ("log/tor1.txt", "configuration/tor0-bgpd.conf", "rib/router0.json", "fib/tor1.json", "report.md"):
        assert kept[name].strip(), name
    assert "bgpd" in kept["README.md"]
    assert "bgpsim run inputs/broken.yaml" in kept["README.md"]
    assert "neighbor 10.0.3.2 password ***" in kept["inputs/broken.yaml"]
    assert not [name for name, text in kept.items() if "s3cret" in text]
    assert "s3cret" not in done.stdout
    assert json.loads(kept["rib/router0.json"])
    packets = rdpcap(str(bundle / "packets" / "tor0.pcap"))
    assert any(packet.haslayer("TCP") and 179 in (packet["TCP"].sport, packet["TCP"].dport) for packet in packets)
