"""A lab that stays, as its users have it: the commands, on real routers, each in a process of its own."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from keeping import Bgpsim
from sealed import Host, SealedLab, eventually

from bgpsim.agent.rpc import Connection
from bgpsim.keeper.places import start_of

pytestmark = pytest.mark.lab
SEED = Path(__file__).parents[2] / "scenarios" / "cilium-bgp"


def step(report: dict) -> dict:
    return report["runs"][0]["steps"][-1]


def differences(report: dict) -> set[tuple[str, str]]:
    return {(m["device"], m["plane"]) for m in step(report)["mismatches"]}


def test_it_outlives_the_command_and_says_what_it_is(bgpsim: Bgpsim, seed: str) -> None:
    (lab,) = bgpsim.labs()
    assert (lab["name"], lab["state"], lab["steps"]) == (seed, "up", 2)
    told = bgpsim.json("lab", "inspect", seed)
    assert [s["step"] for s in told["timeline"]] == ["fabric", "cilium peers"]
    assert {d["name"]: d["engine"] for d in told["devices"]}["tor1"] == "frr"
    assert os.getsid(lab["keeper"]) == lab["keeper"] != os.getsid(0)


def test_exec_is_transparent(bgpsim: Bgpsim, seed: str) -> None:
    assert bgpsim("lab", "exec", "tor0", "cat", stdin="over there\n").stdout == "over there\n"
    done = bgpsim("lab", "exec", "worker", "sh", "-c", "echo seen; echo wrong >&2; exit 7", code=7)
    assert (done.stdout, done.stderr) == ("seen\n", "wrong\n")
    assert "router0(net0)" in bgpsim("lab", "exec", "tor0", "vtysh", "-c", "show bgp summary").stdout
    assert "10.0.2.2" in bgpsim("lab", "exec", "srv-worker", "ip", "-br", "address").stdout
    # As kubectl's users write it; and what the command itself has after its own `--` is the command's.
    assert bgpsim("lab", "exec", "tor0", "--", "echo", "--", "here").stdout == "-- here\n"
    wrong = bgpsim("lab", "exec", "tr0", "true", code=2)
    assert "no device is called 'tr0'" in wrong.stderr
    assert "did you mean tor0" in wrong.stderr


def test_a_command_ends_with_whoever_started_it(bgpsim: Bgpsim, seed: str) -> None:
    running = bgpsim.start("lab", "exec", "worker2", "sleep", "4321")

    def sleeps() -> bool:
        return "sleep 4321" in bgpsim("lab", "exec", "worker2", "ps", "-eo", "args").stdout

    eventually(sleeps, "the command runs")
    running.kill()
    running.communicate()
    eventually(lambda: not sleeps(), "the command has ended")


PROMPT = r"bash-[\d.]+# $"


class Terminal:
    """A terminal that a person sits at."""

    def __init__(self, bgpsim: Bgpsim, words: Sequence[str], rows: int, columns: int) -> None:
        self.master, slave = pty.openpty()
        self.resize(rows, columns)
        self.process = subprocess.Popen(
            bgpsim.argv(*words), env=bgpsim.environment, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        self.seen = ""

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def types(self, text: str) -> None:
        self.seen = ""
        os.write(self.master, text.encode())

    def answers(self, text: str, pattern: str) -> str:
        """The first group of what it shows."""
        self.types(text)
        self.shows(pattern)
        found = re.search(pattern, self.seen, re.S)
        assert found
        return found[1]

    def shows(self, pattern: str, seconds: float = 20.0) -> str:
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.seen, re.S)):
            assert time.monotonic() < deadline, f"never {pattern!r} in {self.seen!r}"
            if select.select([self.master], [], [], 0.1)[0]:
                self.seen += os.read(self.master, 65536).decode(errors="replace")
        return found[0]


def test_a_shell_is_a_real_terminal(bgpsim: Bgpsim, seed: str) -> None:
    terminal = Terminal(bgpsim, ("lab", "shell", "tor0", "--bash"), 33, 101)
    terminal.shows(PROMPT)
    terminal.types("stty size; tty\n")
    terminal.shows(r"33 101\r\n/dev/pts/\d+.*" + PROMPT)
    terminal.types("sh -c 'echo be\"\"gun; exec sleep 1000'\n")
    terminal.shows(r"begun")
    terminal.types("\x03")
    terminal.shows(r"\^C.*" + PROMPT)
    terminal.types("echo then $?\n")
    terminal.shows(r"then 130.*" + PROMPT)
    terminal.resize(20, 55)
    os.kill(terminal.process.pid, signal.SIGWINCH)
    eventually(lambda: terminal.answers("stty size\n", r"(\d+ \d+)\r.*" + PROMPT) == "20 55", "it has the new size")
    terminal.types("less /etc/passwd\n")
    terminal.shows(r"\x1b\[\?1049h")  # a full-screen program takes the alternate screen
    terminal.types("q")
    terminal.shows(r"\x1b\[\?1049l.*" + PROMPT)
    terminal.types("exit 3\n")
    assert terminal.process.wait(timeout=20) == 3


def test_a_shell_on_a_router_is_vtysh(bgpsim: Bgpsim, seed: str) -> None:
    terminal = Terminal(bgpsim, ("lab", "shell", "tor0"), 40, 120)
    terminal.shows(r"tor0# ")
    terminal.types("show version\n")
    terminal.shows(r"FRRouting 8\.4\.4")
    terminal.types("\x03")
    terminal.shows(r"tor0# ")
    terminal.types("exit\n")
    assert terminal.process.wait(timeout=20) == 0


def test_what_is_typed_is_drift_and_what_bgpsim_does_is_predicted(bgpsim: Bgpsim, seed: str) -> None:
    cut = bgpsim("lab", "link-down", "tor0:net0", "--json")
    assert step(json.loads(cut.stdout))["verdict"] == "pass"
    bgpsim("lab", "link-up", "tor0:net0", "-q")
    typed = ("vtysh", "-c", "configure terminal", "-c", "router bgp 65011")
    bgpsim("lab", "exec", "tor1", *typed, "-c", "neighbor 10.0.3.2 shutdown")
    report = bgpsim.json("lab", "check")
    assert report["exit_code"] == 1
    assert ("tor1", "bgp") in differences(report)
    bgpsim("lab", "exec", "tor1", *typed, "-c", "no neighbor 10.0.3.2 shutdown")
    back = bgpsim("lab", "check", "--json", code=None)
    assert back.returncode == 0, back.stdout


def test_steps_of_a_file_are_played_on_a_running_lab(bgpsim: Bgpsim, seed: str, tmp_path: Path) -> None:
    more = tmp_path / "more.yaml"
    text = (SEED / "scenario.yaml").read_text().split("steps:")[0]
    for name in ("topo.yml", "cluster.yml", "netshoot-ds.yaml"):
        text = text.replace(name, os.path.relpath(SEED / name, tmp_path))
    more.write_text(
        text + "steps:\n- name: anycast\n  announce: [{speaker: injector, to: [tor0], prefix: 10.77.0.1/32}]\n"
        "- name: back\n  withdraw: [{speaker: injector, all: true}]\n  expect: {same-as: cilium peers}\n"
    )
    done = bgpsim("run", str(more), "--lab", seed)
    assert "pass" in done.stdout.splitlines()[-1]
    more.write_text(more.read_text().replace("asn: 65099", "asn: 65098"))
    wrong = bgpsim("run", str(more), "--lab", seed, code=2)
    assert "are not those that the lab runs on" in wrong.stderr + wrong.stdout


def test_routes_by_hand_with_every_attribute(bgpsim: Bgpsim, seed: str) -> None:
    """Compared on all planes as they are announced, replaced and withdrawn; two of them by name."""
    words = (
        *("announce", "100.64.1.0/24", "2001:db8:7::/48", "--to", "tor1", "--as-path", "65099 65020 {65021 65022}"),
        *("--origin", "egp", "--med", "7", "--community", "65000:1 no-export", "--community", "65000:2"),
        *(
            "--large-community",
            "65000:1:2",
            "--extended-community",
            "target:65000:9",
            "--aggregator",
            "65020:192.0.2.9",
        ),
        *("--atomic-aggregate", "--attribute", "[ 0x63 0xc0 0x00000001 ]"),
    )
    report = json.loads(bgpsim(*words, "--json").stdout)
    (said, _) = step(report)["actions"]
    for part in ("100.64.1.0/24", "egp", "med 7", "65000:1", "no-export", "65000:1:2", "65020:192.0.2.9"):
        assert part in said
    assert step(report)["planes"]["wire"]["compared"] > 0
    table = json.loads(bgpsim("lab", "exec", "tor1", "vtysh", "-c", "show bgp ipv4 unicast 100.64.1.0/24 json").stdout)
    (path,) = table["paths"]
    assert (path["metric"], path["origin"], path["atomicAggregate"]) == (7, "EGP", True)
    assert path["aspath"]["string"] == "65099 65020 {65021,65022}"
    bgpsim("announce", "100.64.1.0/24", "--to", "tor1", "--replace", "--med", "9", "-q")
    bgpsim("announce", "worker3.pod-cidr", "--half", "low", "--to", "tor0", "-q")
    assert "announces not 100.64.9.0/24" in bgpsim("announce", "100.64.9.0/24", "--replace", code=2).stderr
    bgpsim("withdraw", "100.64.1.0/24", "-q")
    gone = json.loads(bgpsim("withdraw", "--all", "--json").stdout)
    assert gone["exit_code"] == 0
    assert bgpsim.json("lab", "inspect", seed)["announced"] == []


def test_a_scenario_against_a_running_lab(bgpsim: Bgpsim, seed: str) -> None:
    """As the file says until somebody types; then the difference says what and where."""
    predicted = f"{SEED / 'scenario.yaml'}#cilium peers"
    assert "no difference" in bgpsim("diff", "--plan", predicted, f"lab:{seed}").stdout
    bgpsim("lab", "exec", "tor1", "ip", "route", "add", "blackhole", "10.1.1.0/24", "metric", "1")
    found = bgpsim("diff", "--plan", predicted, f"lab:{seed}", "--json", code=1).stdout
    (compared,) = json.loads(found)["steps"]
    lost = {(pair["from"]["id"], pair["to"]["id"]) for pair in compared["observed"]["reachability"]["lost"]}
    assert ("pod:default/netshoot@worker3", "pod:default/netshoot@worker") in lost
    bgpsim("lab", "exec", "tor1", "ip", "route", "del", "blackhole", "10.1.1.0/24", "metric", "1")
    bgpsim("diff", "--plan", predicted, f"lab:{seed}", "-q")


def test_a_report_of_a_run_on_a_running_lab_has_its_states(bgpsim: Bgpsim, seed: str, tmp_path: Path) -> None:
    bgpsim("run", str(SEED / "scenario.yaml"), "--lab", seed, "--step", "fabric", "--report", str(tmp_path), code=None)
    assert (tmp_path / "states.json.gz").exists()
    assert json.loads((tmp_path / "report.json").read_text())["states"] == "states.json.gz"


def test_bad_input_changes_nothing(bgpsim: Bgpsim, seed: str) -> None:
    before = bgpsim.json("lab", "inspect", seed)["timeline"]
    for words, said in (
        (("link-down", "tor1:net9"), "tor1 has no interface 'net9'"),
        (("do", "lnik-down: [tor1:net0]"), "unknown key 'lnik-down'"),
        (("do", "["), "this is not YAML"),
        (("capture", "tor1:net9", "-w", "/dev/null"), "tor1 has no interface net9"),
        (("check", "--lab", "nobody"), "no lab is called nobody"),
        (("up", str(SEED / "scenario.yaml")), "a lab called cilium-bgp is there already"),
    ):
        done = bgpsim("lab", *words, code=2)
        assert said in done.stderr, done.stderr
        assert "Traceback" not in done.stderr
    assert bgpsim.json("lab", "inspect", seed)["timeline"] == before


def test_writers_take_turns_and_readers_do_not_wait(bgpsim: Bgpsim, seed: str) -> None:
    earlier = len(bgpsim.json("lab", "inspect", seed)["timeline"])
    writers = [bgpsim.start("lab", "check", "--json") for _ in range(2)]
    eventually(lambda: bgpsim.labs()[0]["writer"] is not None, "somebody writes")
    assert "tor0" in bgpsim("lab", "exec", "tor0", "hostname").stdout
    reports = [json.loads(writer.communicate(timeout=120)[0]) for writer in writers]
    assert {report["exit_code"] for report in reports} == {0}
    played = [s["step"] for s in bgpsim.json("lab", "inspect", seed)["timeline"]][earlier:]
    assert len(set(played)) == len(played) == 2


def test_a_client_that_does_not_read_holds_up_nobody(bgpsim: Bgpsim, seed: str) -> None:
    stuck = socket.socket(socket.AF_UNIX)
    stuck.connect(str(bgpsim.runtime / "bgpsim" / seed / "control"))
    request = json.dumps({"op": "status"}).encode()
    message = struct.pack("!I", len(request)) + request
    stuck.setblocking(False)

    def ask_without_end() -> None:
        for _ in range(100_000):
            stuck.send(message)

    with pytest.raises(BlockingIOError):
        ask_without_end()
    assert "tor0" in bgpsim("lab", "exec", "tor0", "hostname").stdout
    stuck.close()


def test_a_client_that_speaks_nonsense_harms_nobody(bgpsim: Bgpsim, seed: str, tmp_path: Path) -> None:
    control = str(bgpsim.runtime / "bgpsim" / seed / "control")
    unfinished = socket.socket(socket.AF_UNIX)
    unfinished.connect(control)
    unfinished.sendall(struct.pack("!I", 1000) + b"{")
    for nonsense in (b"GET / HTTP/1.1\r\n\r\n", b"\xff\xff\xff\xff" + b"x" * 1000, struct.pack("!I", 4) + b"null"):
        with socket.socket(socket.AF_UNIX) as stream:
            stream.settimeout(20)
            stream.connect(control)
            stream.sendall(nonsense)
            with contextlib.suppress(ConnectionResetError):  # it was closed with something of this unread
                assert stream.recv(100) == b""
    with socket.socket(socket.AF_UNIX) as stream:
        stream.connect(control)
        client = Connection(stream)
        client.send({"op": "dance"})
        answer = client.receive()
        assert answer is not None
        assert "found op 'dance'; expected one of" in answer["error"]["message"]
    assert "tor0" in bgpsim("lab", "exec", "tor0", "hostname").stdout
    unfinished.close()
    log = (bgpsim.runtime / "bgpsim" / seed / "keeper.log").read_text()
    assert "Traceback" not in log, log


def test_a_capture_is_pcap(bgpsim: Bgpsim, seed: str, tmp_path: Path) -> None:
    from scapy.all import rdpcap

    file = tmp_path / "tor1.pcap"
    bgpsim("lab", "capture", "tor1:net0", "-w", str(file), "--count", "12")
    packets = rdpcap(str(file))
    assert len(packets) == 12
    assert any(packet.haslayer("TCP") and 179 in (packet["TCP"].sport, packet["TCP"].dport) for packet in packets)
    assert abs(float(packets[0].time) - time.time()) < 60


@pytest.mark.parametrize(
    ("form", "holds"),
    [("svg", "<svg "), ("mermaid", "flowchart TD"), ("dot", 'graph "'), ("graphml", "<graphml ")],
)
def test_a_picture_has_every_device(bgpsim: Bgpsim, seed: str, form: str, holds: str) -> None:
    text = bgpsim("lab", "graph", "--format", form).stdout
    assert holds in text
    for name in ("router0", "tor1", "worker3", "injector"):
        assert name in text


def test_the_socket_is_this_users_alone(bgpsim: Bgpsim, seed: str) -> None:
    folder = bgpsim.runtime / "bgpsim" / seed
    assert (folder / "control").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    if os.geteuid() != 0:
        return  # another user is needed for the rest, and only root can be one
    # Even where the folders are opened by mistake, the keeper does not listen to another uid.
    opened = [*folder.parents[:-1], folder, folder / "control"]
    modes = {path: path.stat().st_mode for path in opened}
    try:
        for path in opened:
            path.chmod(0o777)
        ask = (
            "import os, socket, struct, sys; os.setresuid(65534, 65534, 65534); s = socket.socket(socket.AF_UNIX);"
            "s.connect(sys.argv[1]); m = b'{\"op\": \"status\"}'; s.sendall(struct.pack('!I', len(m)) + m);"
            "sys.stdout.write(repr(s.recv(100)))"
        )
        asked = subprocess.run(
            [sys.executable, "-c", ask, str(folder / "control")], capture_output=True, text=True, check=False
        )
        assert asked.stdout in ("", "b''"), asked.stdout
        assert asked.stdout or "ConnectionReset" in asked.stderr or "BrokenPipe" in asked.stderr, asked.stderr
    finally:
        for path, mode in modes.items():
            path.chmod(mode & 0o7777)
    assert bgpsim.labs()[0]["state"] == "up"


def test_several_labs_and_how_each_of_them_ends(bgpsim: Bgpsim, seed: str) -> None:
    """Taken down; its supervisor killed; its keeper killed: nothing is left, and the next command says what was."""
    host = Host.now()
    for name in ("one", "two", "three"):
        bgpsim("lab", "up", str(SEED / "baseline.yaml"), "--lab", name, "-q")
    assert [lab["name"] for lab in bgpsim.labs()] == [seed, "one", "three", "two"]
    assert "several labs are up" in bgpsim("lab", "check", code=2).stderr
    sealed = {name: SealedLab(bgpsim.json("lab", "inspect", name)["supervisor"]) for name in ("one", "two", "three")}
    keepers = {lab["name"]: lab["keeper"] for lab in bgpsim.labs()}

    os.kill(keepers["one"], signal.SIGSTOP)
    stopped = f"its keeper (pid {keepers['one']}) is stopped (SIGSTOP)"
    assert stopped in bgpsim("lab", "check", "--lab", "one", code=3).stderr
    assert {lab["name"]: lab["because"] for lab in bgpsim.labs()}["one"] == f"lab one does not answer: {stopped}"
    os.kill(keepers["one"], signal.SIGCONT)
    bgpsim("lab", "down", "one")
    assert not sealed["one"].processes()

    os.kill(sealed["two"].supervisor, signal.SIGKILL)
    eventually(lambda: not sealed["two"].processes(), "the second lab has ended")
    said = bgpsim("lab", "check", "--lab", "two", code=3).stderr
    assert "its supervisor was killed by SIGKILL" in said

    os.kill(keepers["three"], signal.SIGKILL)
    eventually(lambda: not sealed["three"].processes(), "the third lab has ended")
    assert "its keeper was killed" in bgpsim("lab", "exec", "--lab", "three", "tor0", "true", code=3).stderr
    states = {lab["name"]: lab["state"] for lab in bgpsim.labs()}
    assert states == {seed: "up", "two": "ended", "three": "ended"}

    os.kill(keepers["two"], signal.SIGSTOP)  # whoever does not answer is ended all the same
    bgpsim("lab", "down", "two", "three")
    assert [lab["name"] for lab in bgpsim.labs()] == [seed]
    assert start_of(keepers["two"]) is None
    assert Host.now() == host
