"""`bgpsim run` on labs that break: what it says, its exit code, its report, and that nothing is left."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from sealed import Host, SealedLab, eventually, this_user, two_routers

pytestmark = pytest.mark.lab
SEED = Path(__file__).parents[2] / "scenarios" / "cilium-bgp"
ONE = "name: one"
HELD = ("sleep", "300")
REFUSED = "vtysh -c 'conf t' -c 'router bgp 65002' -c 'neighbor nobody at all'"

Act = Callable[[SealedLab, subprocess.Popen[str]], None]


@dataclass(frozen=True, slots=True)
class Case:
    """A scenario, what is done to its lab once a device runs `sleep 300` (nothing: None), and what must come of it."""

    scenario: Path
    exit_code: int
    says: str
    """A regular expression for the terminal, over several lines."""
    act: Act | None = None
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    terminal: str
    report: Mapping[str, Any]

    @property
    def run(self) -> Mapping[str, Any]:
        (run,) = self.report["runs"]
        assert isinstance(run, dict)
        return run


@pytest.fixture(scope="module")
def schema() -> Mapping[str, Any]:
    """What `bgpsim schema report` prints."""
    code = "from bgpsim.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "schema", "report"], capture_output=True, text=True, check=True)
    found: Mapping[str, Any] = json.loads(done.stdout)
    return found


def take(case: Case, schema: Mapping[str, Any]) -> Done:
    folder = case.scenario.parent / "report"
    command = this_user().start("run", str(case.scenario), "--report", str(folder), *case.arguments)
    try:
        lab = SealedLab.of(command)
        if case.act is not None:
            eventually(lambda: bool(lab.running(*HELD)), "the command in the lab runs")
            case.act(lab, command)
        out, err = command.communicate(timeout=90)
    finally:
        command.kill()
        command.wait()
    eventually(lambda: not lab.processes(), "every process of the lab has ended", 2)
    assert err == ""
    assert "Traceback" not in out
    assert command.returncode == case.exit_code, out
    assert re.search(case.says, out, re.M | re.S), out
    report = json.loads((folder / "report.json").read_text())
    jsonschema.validate(report, schema)
    assert report["exit_code"] == case.exit_code
    assert "Traceback" not in json.dumps(report)
    assert report["verdict"] in (folder / "report.md").read_text()
    return Done(out, report)


def together(cases: Mapping[str, Case], schema: Mapping[str, Any]) -> dict[str, Done]:
    """All at once: they wait most of the time. Nothing of any of them is left on the host."""
    before = Host.now()
    with ThreadPoolExecutor(len(cases)) as pool:
        done = {name: pool.submit(take, case, schema) for name, case in cases.items()}
    failed = []
    for name, one in done.items():
        error = one.exception()
        if isinstance(error, Exception):
            error.add_note(f"the case: {name}")
            failed.append(error)
    if failed:
        raise ExceptionGroup("these cases failed", failed)
    assert Host.now() == before
    return {name: one.result() for name, one in done.items()}


def folder_for(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / re.sub(r"\W", "-", name)
    folder.mkdir()
    return folder


def seed_lab(folder: Path, *steps: str) -> Path:
    for file in ("topo.yml", "cluster.yml", "cilium-bgp-peering-policies.yaml", "netshoot-ds.yaml"):
        (folder / file).write_bytes((SEED / file).read_bytes())
    scenario = folder / "scenario.yaml"
    lines = "".join(f"  - {{{step}}}\n" for step in steps)
    scenario.write_text(
        "name: seed\nlab: {topology: topo.yml, cluster: cluster.yml, manifests: [netshoot-ds.yaml]}\nsteps:\n" + lines
    )
    return scenario


def killed(*devices: str) -> Act:
    """The inits of these devices, and then the command that holds the step."""

    def act(lab: SealedLab, command: subprocess.Popen[str]) -> None:
        for device in devices:
            os.kill(lab.node(device), signal.SIGKILL)
        for pid in lab.running(*HELD):
            os.kill(pid, signal.SIGKILL)

    return act


def interrupted(lab: SealedLab, command: subprocess.Popen[str]) -> None:
    command.send_signal(signal.SIGINT)


def test_a_daemon_that_dies_in_mid_run_is_named_with_its_last_words(tmp_path: Path, schema: Mapping[str, Any]) -> None:
    def case(name: str, line: str, says: str) -> Case:
        steps = [f"{{{ONE}}}", f'{{name: dies, exec: {{b1: "{line}"}}}}', "{name: never}"]
        return Case(two_routers(folder_for(tmp_path, name), steps), 3, says)

    later = "sh -c '(sleep 0.5; kill -9 $(pidof bgpd)) >/dev/null 2>&1 &'"
    done = together(
        {
            "killed": case("killed", "sh -c 'kill -9 $(pidof bgpd)'", r"^error: b1: bgpd ended by itself$"),
            "crashed": case(
                "crashed",
                "sh -c 'kill -SEGV $(pidof bgpd)'",
                r"^error: b1: bgpd ended by itself\n +BGP\[\d+\]: Received signal 11 .*still running on b1: .*zebra",
            ),
            "zebra": case("zebra", "sh -c 'kill -9 $(pidof zebra)'", r"^error: b1: zebra ended by itself$"),
            "while it settles": case("while it settles", later, r"^error: b1: bgpd ended by itself$"),
        },
        schema,
    )
    for name, one in done.items():
        assert [(s["name"], s["verdict"]) for s in one.run["steps"]] == [("one", "pass"), ("dies", "inconclusive")]
        assert "  ? dies\n    > exec on b1: sh" in one.terminal, one.terminal
        assert (one.run["verdict"], one.run["error"]["kind"]) == ("inconclusive", "died"), name
        assert any("watchfrr" in line for line in one.run["error"]["volatile"]["log"]), one.run["error"]


def test_a_speaker_that_dies_in_mid_run_is_named(tmp_path: Path, schema: Mapping[str, Any]) -> None:
    def act(lab: SealedLab, command: subprocess.Popen[str]) -> None:
        # Not the nsenter that waits for it.
        (pid,) = (p for p, words in lab.processes().items() if "exabgp" in words and words[0] != "nsenter")
        os.kill(pid, signal.SIGKILL)
        killed()(lab, command)

    speakers = "speakers: {injector: {asn: 65099, peers: [b0]}}\n"
    steps = [f"{{{ONE}}}", "{name: dies, exec: {b1: sleep 300}}"]
    case = Case(
        two_routers(tmp_path, steps, top=speakers), 3, r"^error: speaker injector: ExaBGP at b0 ended by itself", act
    )
    done = together({"speaker": case}, schema)["speaker"]
    assert [s["verdict"] for s in done.run["steps"]] == ["pass", "inconclusive"]
    assert done.run["error"]["kind"] == "died"


def stopped(which: Callable[[SealedLab], int]) -> Act:
    """One of the lab's processes, and then the step goes on; what is stopped ends with its lab."""

    def act(lab: SealedLab, command: subprocess.Popen[str]) -> None:
        os.kill(which(lab), signal.SIGSTOP)
        killed()(lab, command)

    return act


def full(lab: SealedLab, command: subprocess.Popen[str]) -> None:
    """Its disk, a tmpfs of its own, becomes as small as what lies on it; then the step goes on."""
    disk = os.statvfs(f"/proc/{lab.agent}/root/nodes")
    mount = f"remount,size={(disk.f_blocks - disk.f_bfree) * disk.f_frsize}"
    keep = () if os.geteuid() == 0 else ("--preserve-credentials",)
    enter = ("nsenter", "-t", str(lab.agent), "-U", "-m", *keep, "--")
    subprocess.run([*enter, "mount", "-o", mount, "/nodes"], check=True)
    killed()(lab, command)


def no_more(which: int, least: int) -> Act:
    """Its agent gets no more of that than `least`; then the step goes on."""

    def act(lab: SealedLab, command: subprocess.Popen[str]) -> None:
        agent = lab.agent
        resource.prlimit(agent, which, (least, resource.prlimit(agent, which)[1]))
        killed()(lab, command)

    return act


def test_what_is_stopped_or_used_up_is_named_long_before_any_time_limit(
    tmp_path: Path, schema: Mapping[str, Any]
) -> None:
    held = ["{name: broken, exec: {b1: sleep 300}}"]

    def case(name: str, says: str, act: Act | None = None, steps: list[str] = held) -> Case:
        return Case(two_routers(folder_for(tmp_path, name), steps), 3, f"^error: {says}$", act)

    def line(text: str) -> list[str]:
        return [f"{{name: broken, exec: {{b1: \"sh -c '{text}'\"}}}}"]

    silent = "the lab does not answer: its"
    begun = time.monotonic()
    done = together(
        {
            "bgpd": case("bgpd", r"b1: bgpd is stopped \(SIGSTOP\)", steps=line("kill -STOP $(pidof bgpd)")),
            # zebra's routes stay in the kernel: nothing but its state tells.
            "zebra": case("zebra", r"b1: zebra is stopped \(SIGSTOP\)", steps=line("kill -STOP $(pidof zebra)")),
            "init": case("init", r"b0: its init is stopped \(SIGSTOP\)", stopped(lambda lab: lab.node("b0"))),
            "agent": case("agent", rf"{silent} agent is stopped \(SIGSTOP\)", stopped(lambda lab: lab.agent)),
            "PID 1": case("PID 1", rf"{silent} PID 1 is stopped \(SIGSTOP\)", stopped(lambda lab: lab.first_process)),
        },
        schema,
    )
    done |= together(
        {
            "disk": case("disk", "no space left on device: the lab's disk is full", full),
            "files": case("files", r"the lab's agent: too many open files \(.*\)", no_more(resource.RLIMIT_NOFILE, 5)),
            "processes": case(
                "processes",
                r"the lab's agent: no more processes or threads can be started \(.*\)",
                no_more(resource.RLIMIT_NPROC, 1),
            ),
        },
        schema,
    )
    assert time.monotonic() - begun < 90
    for name, one in done.items():
        assert one.run["verdict"] == "inconclusive", name
        assert [s["verdict"] for s in one.run["steps"]] == ["inconclusive"], name


def test_a_device_that_dies_in_mid_run_is_named(tmp_path: Path, schema: Mapping[str, Any]) -> None:
    held = "name: dies, exec: {tor1: sleep 300}"
    # Half a second after the line has returned: bgpsim waits until nothing moves.
    later = "name: dies, exec: {tor1: \"sh -c '(sleep 0.5; exec sleep 300) >/dev/null 2>&1 &'\"}"
    policies = "apply: [cilium-bgp-peering-policies.yaml]"
    gone = "ended by itself: its init is gone"

    def case(name: str, step: str, says: str, act: Act | None = None) -> Case:
        return Case(seed_lab(folder_for(tmp_path, name), step), 3, f"^error: {re.escape(says)}$", act)

    done = together(
        {
            "node": case("node", held, f"worker {gone}", killed("worker")),
            "pod": case(
                "pod",
                held,
                f"pod:default/netshoot@worker2 {gone}",
                killed("pod:default/netshoot@worker2"),
            ),
            "router": case("router", held, f"router0 {gone}", killed("router0")),
            "gobgpd": case(
                "gobgpd",
                f"name: dies, {policies}, exec: {{worker: \"sh -c 'kill -9 $(pidof gobgpd)'\"}}",
                "worker: gobgpd ended by itself (killed by SIGKILL)",
            ),
        },
        schema,
    )
    done |= together(
        {
            "node, while it settles": case("node later", later, f"worker3 {gone}", killed("worker3")),
            "pod, while it settles": case(
                "pod later",
                later,
                f"pod:default/netshoot@worker {gone}",
                killed("pod:default/netshoot@worker"),
            ),
        },
        schema,
    )
    for one in done.values():
        assert (one.run["verdict"], one.run["error"]["kind"]) == ("inconclusive", "died")
        assert [s["verdict"] for s in one.run["steps"]] == ["inconclusive"]
    assert any("gobgpd started" in line for line in done["gobgpd"].run["error"]["volatile"]["log"])
    assert any("watchfrr" in line for line in done["router"].run["error"]["volatile"]["log"])


def test_ctrl_c_ends_the_lab_and_keeps_the_report(tmp_path: Path, schema: Mapping[str, Any]) -> None:
    says = r"^error: interrupted; the lab is gone\ninterrupted two \(\d step"
    bring_up = two_routers(folder_for(tmp_path, "bring-up"), [f"{{{ONE}}}"], last=["sleep 300"])
    steps = [f"{{{ONE}}}", "{name: two, exec: {b0: sleep 300}}", "{name: three}"]
    done = together(
        {
            "bring-up": Case(bring_up, 130, says, interrupted),
            "mid-run": Case(two_routers(folder_for(tmp_path, "mid-run"), steps), 130, says, interrupted),
        },
        schema,
    )
    for one in done.values():
        assert (one.report["verdict"], one.run["verdict"]) == ("interrupted", "interrupted")
    assert done["bring-up"].run["steps"] == []
    steps_done = [(s["name"], s["verdict"]) for s in done["mid-run"].run["steps"]]
    assert steps_done == [("one", "pass"), ("two", "interrupted")]


def test_a_line_that_is_refused_or_fails(tmp_path: Path, schema: Mapping[str, Any]) -> None:
    def case(name: str, code: int, says: str, *arguments: str, step: str = ONE, **more: Any) -> Case:
        return Case(two_routers(folder_for(tmp_path, name), [f"{{{step}}}"], **more), code, says, None, arguments)

    typed = f'name: one, exec: {{b1: "{REFUSED}"}}'
    wrong = "name: one, exec: {b1: ls /nowhere}"
    refused = r"b1 refused a configuration line: neighbor nobody at all$"
    allowed = ", allow-refused: true"
    failed = r"b1: an exec line failed, rc 2: ls /nowhere$"
    told = r"^ +exec failed on b1, rc 2: ls /nowhere \(\S*{}:\d+\)\n +ls: cannot access"
    first = together(
        {
            "refused": case("refused", 3, rf"^error: topo.yml:\d+: {refused}", last=[REFUSED]),
            "refused, allowed": case("refused, allowed", 0, "^pass two", last=[REFUSED], lab=allowed),
            "typed": case("typed", 3, rf"^error: \S*scenario.yaml:4: {refused}", step=typed),
            "typed, allowed": case("typed, allowed", 0, "^pass two", step=typed, lab=allowed),
        },
        schema,
    )
    second = together(
        {
            "failed": case("failed", 0, told.format("topo.yml"), last=["ls /nowhere"]),
            "failed, strict": case(
                "failed, strict", 3, rf"^error: topo.yml:\d+: {failed}", "--strict", last=["ls /nowhere"]
            ),
            "failed in a step": case("failed in a step", 0, told.format("scenario.yaml"), step=wrong),
            "failed in a step, strict": case(
                "failed in a step, strict", 3, rf"^error: \S*scenario.yaml:4: {failed}", "--strict", step=wrong
            ),
        },
        schema,
    )
    for name, one in first.items():
        (line,) = one.run["lab"]["rejected_lines"]
        assert (line["device"], line["text"]) == ("b1", "neighbor nobody at all"), name
        assert line["file"].endswith("scenario.yaml" if "typed" in name else "topo.yml")
        assert "refused by b1: neighbor nobody at all (" in one.terminal
    for name, one in second.items():
        (failure,) = one.run["lab"]["exec_failures"]
        assert (failure["device"], failure["command"], failure["exit_code"]) == ("b1", "ls /nowhere", 2), name
        assert one.run["lab"]["rejected_lines"] == []
