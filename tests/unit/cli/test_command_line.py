"""The commands: exit codes, the report's files, one line for what went wrong, and what `--help` imports."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from bgpsim.cli.main import main
from bgpsim.report.document import report_schema

BAD = "name: x\nlab: {topology: nowhere.yml}\nsteps: [{name: one}]\n"


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.yaml"
    path.write_text(BAD)
    return path


def test_help_imports_click_and_nothing_heavy() -> None:
    code = (
        "import sys; from bgpsim.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print(sorted({m.partition('.')[0] for m in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    text, _, modules = done.stdout.rstrip().rpartition("\n")
    for name in ("run", "plan", "schema"):
        assert f"\n  {name} " in text
    loaded = set(json.loads(modules.replace("'", '"')))
    assert "click" in loaded
    assert not loaded & {"scapy", "pyroute2", "networkx", "numba", "numpy", "pydantic", "rich", "yaml", "exabgp"}


def test_a_command_that_does_not_exist_is_refused() -> None:
    done = CliRunner().invoke(main, ["nonsense"])
    assert done.exit_code == 2
    assert "no such command 'nonsense'; expected one of run, plan, " in done.output


def test_version() -> None:
    done = CliRunner().invoke(main, ["--version"])
    assert (done.exit_code, done.output.startswith("bgpsim ")) == (0, True)


@pytest.mark.parametrize("what", ["scenario", "report"])
def test_schemas_are_valid_json_schema(what: str) -> None:
    done = CliRunner().invoke(main, ["schema", what])
    assert done.exit_code == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(done.output))


@pytest.mark.parametrize("name", ["plan", "run"])
def test_bad_input_is_exit_2_with_file_and_line(name: str, bad: Path) -> None:
    done = CliRunner().invoke(main, [name, str(bad)])
    assert done.exit_code == 2
    assert f"error: {bad}:2: cannot read 'nowhere.yml': No such file or directory" in done.output
    assert "Traceback" not in done.output


def test_a_missing_scenario_is_exit_2(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["run", str(tmp_path / "none.yaml")])
    assert done.exit_code == 2
    assert "none.yaml" in done.output


def test_json_is_the_report_alone_also_when_input_is_bad(bad: Path) -> None:
    done = CliRunner().invoke(main, ["plan", str(bad), "--json"])
    report = json.loads(done.output)
    jsonschema.validate(report, report_schema())
    assert (report["verdict"], report["exit_code"]) == ("error", 2)
    assert report["runs"][0]["error"]["line"] == 2


def test_report_writes_every_file_that_there_is_something_for(bad: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "report"
    done = CliRunner().invoke(main, ["run", str(bad), "--report", str(folder)])
    assert done.exit_code == 2
    assert sorted(p.name for p in folder.iterdir()) == ["junit.xml", "report.json", "report.md"]
    jsonschema.validate(json.loads((folder / "report.json").read_text()), report_schema())


def test_a_report_folder_that_cannot_be_made_is_refused_before_anything_starts(bad: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = CliRunner().invoke(main, ["run", str(bad), "--report", str(tmp_path / "file" / "report")])
    assert done.exit_code == 2
    assert "expected a folder that can be written" in done.output


def test_where_one_file_is_bad_none_is_started(bad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = Path(__file__).parents[3] / "scenarios" / "cilium-bgp" / "baseline.yaml"

    def started(*_: object) -> None:
        raise AssertionError("a lab was started")

    monkeypatch.setattr("bgpsim.lab.embedded.lab.EmbeddedLab", started)
    done = CliRunner().invoke(main, ["run", str(shipped), str(bad), "--json"])
    assert done.exit_code == 2
    assert [run["file"] for run in json.loads(done.output)["runs"]] == [str(bad)]


def test_an_unknown_step_is_exit_2_and_lists_the_steps() -> None:
    shipped = Path(__file__).parents[3] / "scenarios" / "cilium-bgp" / "baseline.yaml"
    done = CliRunner().invoke(main, ["plan", str(shipped), "--step", "fabrik"])
    assert done.exit_code == 2
    assert "no step is called 'fabrik'; expected one of fabric, cilium peers" in " ".join(done.output.split())


def test_a_bug_is_exit_4_and_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def broken() -> None:
        raise KeyError("x")

    monkeypatch.setattr("bgpsim.scenario.schema.scenario_schema", broken)
    done = CliRunner().invoke(main, ["schema"])
    (trace,) = tmp_path.glob("bgpsim-trace-*.txt")
    assert done.exit_code == 4
    assert done.output == f"error: a bug in bgpsim: KeyError: 'x'; the trace is in {trace}\n"


def test_descriptors_that_are_used_up_before_anything_could_be_loaded_are_an_error_line() -> None:
    code = (
        "import resource; from bgpsim.cli.main import main; "
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, resource.getrlimit(resource.RLIMIT_NOFILE)[1])); "
        "main(['run', 'scenario.yaml'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (3, "error: too many open files\n")
