"""Names complete in the shell: by click's own interface, and in a real bash."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from bgpsim.cli.completion import VARIABLE, Bash
from bgpsim.cli.main import COMMANDS, main

ROOT = Path(__file__).parents[3]
SCENARIO = "scenarios/cilium-bgp/scenario.yaml"
BGPSIM = Path(sys.executable).with_name("bgpsim")


@pytest.fixture(autouse=True)
def _at_the_top(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def offered(*words: str) -> list[str]:
    *before, typed = words
    found = ShellComplete(main, {}, "bgpsim", VARIABLE).get_completions(list(before), typed)
    return [item.value for item in found if item.type == "plain"]


def test_commands_and_options() -> None:
    assert offered("") == list(COMMANDS)
    assert offered("ex") == ["explain"]
    assert {"--step", "--from", "--to", "--at", "--json"} <= set(offered("explain", "--"))
    assert offered("completion", "") == ["bash", "zsh", "fish"]


@pytest.mark.parametrize("command", ["run", "plan", "diff", "explain"])
def test_scenario_files_and_no_other_yaml(command: str) -> None:
    found = offered(command, "scenarios/cilium-bgp/")
    assert found == [f"scenarios/cilium-bgp/{name}.yaml" for name in ("baseline", "drift", "scenario")]
    assert SCENARIO in offered(command, "sce")


def test_where_there_is_no_scenario_the_shell_offers_its_own_files(tmp_path: Path) -> None:
    (item,) = ShellComplete(main, {}, "bgpsim", VARIABLE).get_completions(["run"], f"{tmp_path}/")
    assert item.type == "file"


@pytest.mark.parametrize("command", ["run", "plan", "explain"])
def test_steps_of_the_file_given(command: str) -> None:
    assert offered(command, SCENARIO, "--step", "an") == ["anycast at tor0", "anycast at tor1"]
    assert offered(command, "--step", "") == []


def test_steps_behind_a_file() -> None:
    assert offered("diff", f"{SCENARIO}#h") == [f"{SCENARIO}#hijack"]
    assert offered("diff", SCENARIO, f"{SCENARIO}#fa") == [f"{SCENARIO}#fabric"]


def test_devices_prefixes_and_endpoints() -> None:
    assert offered("explain", SCENARIO, "--at", "tor") == [
        *("tor0", "tor1"),
        *("tor0.lo", "tor0.net1", "tor0.net2", "tor1.lo", "tor1.net1", "tor1.net2"),
    ]
    assert "worker3.pod-cidr" in offered("explain", SCENARIO, "--at", "tor1", "worker")
    assert offered("explain", SCENARIO, "--from", "pod:") == [
        f"pod:default/netshoot@{node}" for node in ("worker", "worker2", "worker3")
    ]


@pytest.mark.parametrize("text", ["{", "steps: 3\nlab:\n", "steps: [1, {name: 2}]\nlab: x\n", "\udcff"])
def test_a_file_that_cannot_be_read_offers_nothing_and_says_nothing(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.yaml").write_bytes(text.encode(errors="surrogateescape"))
    file = str(tmp_path / "x.yaml")
    for words in (("run", file, "--step"), ("explain", file, "--at"), ("explain", file, "--from"), ("diff",)):
        assert offered(*words, f"{file}#" if words == ("diff",) else "") == []
    assert offered("run", "no-such.yaml", "--step", "") == []
    assert capsys.readouterr() == ("", "")


def test_a_plain_name_costs_no_heavy_import() -> None:
    """pydantic, rich and the model are not needed to complete a command, a file or a step."""
    probe = (
        "import sys; from click.shell_completion import ShellComplete; from bgpsim.cli.main import main\n"
        f"complete = ShellComplete(main, {{}}, 'bgpsim', '{VARIABLE}').get_completions\n"
        f"assert complete([], 'ru') and complete(['run'], 'sce') and complete(['run', '{SCENARIO}', '--step'], '')\n"
        "heavy = {'pydantic', 'rich', 'networkx', 'scapy', 'bgpsim.model', 'bgpsim.scenario'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", probe], check=True, cwd=ROOT)


@pytest.mark.parametrize(
    ("line", "words", "typed"),
    [
        ("bgpsim ", [], ""),
        ("bgpsim run f.yaml --step cilium\\ pe", ["run", "f.yaml", "--step"], "cilium pe"),
        ('bgpsim run f.yaml --step "cilium pe', ["run", "f.yaml", "--step"], "cilium pe"),
        ("bgpsim run f.yaml --step x ", ["run", "f.yaml", "--step", "x"], ""),
    ],
)
def test_a_line_of_bash_is_read_as_bash_reads_it(
    line: str, words: list[str], typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMP_LINE", line)
    assert Bash(main, {}, "bgpsim", VARIABLE).get_completion_args() == (words, typed)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_printed(shell: str) -> None:
    done = CliRunner().invoke(main, ["completion", shell])
    assert done.exit_code == 0
    assert f"{VARIABLE}={shell}_complete" in done.output


class Terminal:
    """A bash that somebody types into."""

    def __init__(self) -> None:
        self.pid, self.end = pty.fork()
        if self.pid == 0:
            where = {"PATH": f"{BGPSIM.parent}:{os.environ['PATH']}", "TERM": "dumb", "PS1": "$ ", "COLUMNS": "300"}
            inherited = {name: os.environ[name] for name in ("PYTHONPATH", "HOME") if name in os.environ}
            bash = shutil.which("bash") or "bash"
            os.execve(bash, [bash, "--norc", "--noprofile", "-i"], where | inherited)

    def typed(self, text: str, until: str, seconds: float = 30.0) -> str:
        """What the terminal shows until that text appears."""
        os.write(self.end, text.encode())
        shown, last = "", time.monotonic() + seconds
        while until not in shown and time.monotonic() < last:
            if select.select([self.end], [], [], 0.2)[0]:
                shown += os.read(self.end, 65536).decode(errors="replace")
        assert until in shown, shown
        return shown

    def close(self) -> None:
        os.close(self.end)
        os.waitpid(self.pid, 0)


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_in_a_real_bash() -> None:
    bash = Terminal()
    try:
        bash.typed("bind 'set enable-bracketed-paste off'; source <(bgpsim completion bash); echo rea''dy\n", "\nready")
        bash.typed(f"bgpsim explain {SCENARIO} --step cil\t", "cilium\\ peers ")
        bash.typed("--from pod:default/netshoot@worker3\t", "worker3 ")
        bash.typed("\x15bgpsim diff scenarios/cilium-bgp/base\t", "baseline.yaml ")
        # The words that come are the command's own again: typed out, they run.
        bash.typed(f"\x15bgpsim explain {SCENARIO} --step 'up\t", "uplink lost' ")
        bash.typed("--at tor0 10.1.3.2\n", "no carrier on router0:net1")
    finally:
        bash.close()
