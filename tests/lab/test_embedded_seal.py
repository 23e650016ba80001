"""The seal: what is seen inside, who the lab is outside, Ctrl-C, an ordinary user, what FRR says at boot."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sealed import children, ordinary_user, this_user

from bgpsim.errors import DeviceDied, HostError
from bgpsim.inputs.files.containerlab import ExecLine, load_topology
from bgpsim.inputs.files.kind import load_cluster
from bgpsim.inputs.files.lab_files import LabFiles
from bgpsim.inputs.files.manifests import load_manifests
from bgpsim.lab.embedded import sandbox
from bgpsim.lab.embedded.lab import EmbeddedLab
from bgpsim.lab.images import default_store
from bgpsim.source import Source

pytestmark = pytest.mark.lab
REPOSITORY = Path(__file__).parents[2]
SEED = REPOSITORY / "scenarios" / "cilium-bgp"


def seed_files(first: str | None = None) -> LabFiles:
    """The seed's files; `first`: a line that tor0 runs before its own."""
    topology, _ = load_topology(SEED / "topo.yml", "topo.yml")
    cluster, _ = load_cluster(SEED / "cluster.yml", "cluster.yml")
    if first is not None:
        tor0 = topology.nodes["tor0"]
        tor0 = replace(tor0, exec=(ExecLine(first, Source("topo.yml", 1)), *tor0.exec))
        topology = replace(topology, nodes={**topology.nodes, "tor0": tor0})
    return LabFiles(topology, cluster, (load_manifests(SEED / "netshoot-ds.yaml", "netshoot-ds.yaml"),))


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedLab]:
    monkeypatch.setenv("A_SECRET", "of-the-user")
    lab = EmbeddedLab(seed_files(), default_store())
    lab.bring_up(lambda _: None)
    yield lab
    lab.close()


def lab_processes(lab: EmbeddedLab) -> dict[int, Path]:
    """All processes below the lab's outer supervisor, as the host sees them."""
    assert lab._sandbox is not None
    found, todo = {}, [lab._sandbox.pid]
    while todo:
        pid = todo.pop()
        found[pid] = Path(f"/proc/{pid}")
        todo += children(pid)
    return found


def test_nothing_of_the_user_is_in_any_process_of_the_lab(lab: EmbeddedLab) -> None:
    processes = lab_processes(lab)
    assert len(processes) > 20
    for pid, place in processes.items():
        # An ordinary user may not read the files of a process in another user namespace of its own either way round.
        for name in ("environ", "cmdline"):
            try:
                content = (place / name).read_bytes()
            except PermissionError:
                continue
            assert b"of-the-user" not in content, pid


def test_nobody_in_the_lab_is_root_outside(lab: EmbeddedLab) -> None:
    for pid, place in lab_processes(lab).items():
        uids = next(line for line in (place / "status").read_text().splitlines() if line.startswith("Uid:")).split()[1:]
        assert "0" not in uids, pid


def test_a_node_holds_no_descriptor_of_the_lab(lab: EmbeddedLab) -> None:
    held = lab.execute("tor0", "ls /proc/1/fd").output.split()
    assert held == ["0", "1", "2"]


def test_what_a_node_writes_stays_in_that_node(lab: EmbeddedLab) -> None:
    assert lab.execute("tor0", "touch /etc/of-the-lab /var/lib/of-the-lab").exit_code == 0
    assert lab.execute("tor1", "ls /etc/of-the-lab").exit_code != 0
    assert not Path("/etc/of-the-lab").exists()
    assert not list((default_store() / "images").glob("*/rootfs/etc/of-the-lab"))


def test_lines_of_frr_conf_that_are_skipped_at_boot_are_found() -> None:
    lines = "router bgp 65010\\n neighbor nobody at all\\n exit\\nnonsense\\n"
    lab = EmbeddedLab(seed_files(f"sh -c 'printf \"{lines}\" >> /etc/frr/frr.conf'"), default_store())
    try:
        lab.bring_up(lambda _: None)
        assert lab.facts.exec_failures == ()
        assert [(r.device, r.line.split(": ", 1)[1]) for r in lab.facts.rejected_lines] == [
            ("tor0", "neighbor nobody at all"),
            ("tor0", "nonsense"),
        ]
        assert all(r.source is not None and "frrinit" in r.source.text for r in lab.facts.rejected_lines)
    finally:
        lab.close()


def test_the_log_of_a_daemon_that_crashed_is_shown(lab: EmbeddedLab) -> None:
    (pid,) = [p for p, name in lab.agent.call("nodes.processes", device="tor1").items() if name == "bgpd"]
    assert pid
    lab.execute("tor1", "sh -c 'kill -SEGV $(cat /run/frr/bgpd.pid)'")
    deadline = time.monotonic() + 5
    died = None
    while died is None and time.monotonic() < deadline:
        try:
            lab.check_alive()
        except DeviceDied as error:
            died = error
    assert died is not None
    assert died.message == "tor1: bgpd ended by itself"
    assert any("Received signal 11" in line for line in died.log), died.log


def test_both_ends_follow_a_link(lab: EmbeddedLab) -> None:
    """Also where both ends are set down, and come up one after the other."""

    def flags(device: str, interface: str) -> set[str]:
        shown = lab.execute(device, f"ip link show {interface}").output
        return set(shown.split("<", 1)[1].split(">")[0].split(",")) & {"UP", "LOWER_UP", "NO-CARRIER"}

    lab.set_interface("tor1", "net0", up=False)
    assert (flags("tor1", "net0"), flags("router0", "net1")) == (set(), {"UP", "NO-CARRIER"})
    lab.set_interface("router0", "net1", up=False)
    lab.set_interface("tor1", "net0", up=True)
    assert (flags("tor1", "net0"), flags("router0", "net1")) == ({"UP", "NO-CARRIER"}, set())
    lab.set_interface("router0", "net1", up=True)
    assert (flags("tor1", "net0"), flags("router0", "net1")) == ({"UP", "LOWER_UP"}, {"UP", "LOWER_UP"})


_RUN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_embedded_seal import seed_files
from bgpsim.lab.embedded.lab import EmbeddedLab
lab = EmbeddedLab(seed_files(sys.argv[3] if len(sys.argv) > 3 else None), Path(sys.argv[2]))
try:
    lab.bring_up(lambda stage: print(stage, flush=True))
    print("failed", len(lab.facts.exec_failures), len(lab.facts.rejected_lines), flush=True)
    print(lab.execute("tor0", "vtysh -c 'show running-config'").output, flush=True)
    print("supervisor", lab._sandbox.pid, flush=True)
finally:
    lab.close()
"""


def test_ctrl_c_does_not_wait_for_a_command_inside() -> None:
    command = subprocess.Popen(
        [sys.executable, "-c", _RUN, str(Path(__file__).parent), str(default_store()), "sleep 60"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert command.stdout is not None
    assert any(line.startswith("running exec lines") for line in command.stdout)
    started = time.monotonic()
    command.send_signal(signal.SIGINT)
    _, said = command.communicate(timeout=10)
    assert time.monotonic() - started < 5
    assert said.rstrip().endswith("KeyboardInterrupt")


def test_an_ordinary_user_runs_the_same_lab(open_folder: Path) -> None:
    user = ordinary_user(open_folder) if os.geteuid() == 0 else this_user()
    command = user.start(str(user.source / "tests" / "lab"), str(user.store), code=_RUN)
    said, errors = command.communicate(timeout=60)
    assert command.returncode == 0, errors[-2000:]
    assert "failed 0 0" in said
    assert "neighbor net0 interface peer-group ROUTERS" in said


def test_a_machine_without_user_namespaces_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_setting", lambda name: "0" if name == "user/max_user_namespaces" else None)
    lab = EmbeddedLab(seed_files(), default_store())
    with pytest.raises(HostError) as refused:
        lab.bring_up(lambda stage: pytest.fail(f"something was started: {stage}"))
    assert refused.value.hint == "run: sudo sysctl -w user.max_user_namespaces=15000"
    assert "\n" not in refused.value.message
