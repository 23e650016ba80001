"""The seal: what is seen inside, who the lab is outside, Ctrl-C, an ordinary user, what FRR says at boot."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyroute2
import pytest

import bgpsim
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
        todo += [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
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


@pytest.mark.skipif(os.geteuid() != 0, reason="the other half of the rule is for root alone")
def test_started_as_root_it_is_not_root_outside(lab: EmbeddedLab) -> None:
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


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs all of these tests as one already")
def test_an_ordinary_user_runs_the_same_lab(tmp_path: Path) -> None:
    """What root has may be unreadable to others (a clone below /root), so it is bound to a place of the test's own,
    in a mount namespace of the test's own.
    """
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)
    trees = {
        "python": Path(sys.base_prefix),
        "site": Path(pyroute2.__file__).parents[1],
        "source": Path(bgpsim.__file__).resolve().parents[1],
        "store": default_store(),
    }
    for name in trees:
        (tmp_path / name).mkdir()
    binds = " && ".join(f"mount --bind {place} {tmp_path / name}" for name, place in trees.items())
    python = tmp_path / "python" / Path(os.path.realpath(sys.executable)).relative_to(sys.base_prefix)
    setpriv = "setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs"
    done = subprocess.run(
        [
            *("unshare", "-m", "--propagation", "private", "sh", "-c", f'{binds} && exec {setpriv} "$@"', "sh"),
            *(str(python), "-c", _RUN, str(tmp_path / "source" / "tests" / "lab"), str(tmp_path / "store")),
        ],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{tmp_path / 'source'}:{tmp_path / 'site'}",
            # A Python with a shared library would else load another one of the same name, the distribution's.
            "LD_LIBRARY_PATH": str(tmp_path / "python" / "lib"),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "failed 0 0" in done.stdout, done.stdout
    assert "neighbor net0 interface peer-group ROUTERS" in done.stdout
    assert shutil.which("setpriv") is not None


def test_a_machine_without_user_namespaces_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_setting", lambda name: "0" if name == "user/max_user_namespaces" else None)
    lab = EmbeddedLab(seed_files(), default_store())
    with pytest.raises(HostError) as refused:
        lab.bring_up(lambda stage: pytest.fail(f"something was started: {stage}"))
    assert refused.value.hint == "run: sudo sysctl -w user.max_user_namespaces=15000"
    assert "\n" not in refused.value.message
