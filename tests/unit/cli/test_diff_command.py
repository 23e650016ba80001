"""`bgpsim diff`: each form of A and B, what it prints and how it ends; predictions alone, so nothing is started."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from bgpsim.cli.main import main
from bgpsim.report.canonical import to_json
from bgpsim.report.diff_document import DiffReport
from bgpsim.report.document import Report
from bgpsim.report.states import RunStates, StepStates, to_bytes
from bgpsim.scenario.playing.planning import plan
from bgpsim.scenario.reading.loading import load

SHIPPED = Path(__file__).parents[3] / "scenarios" / "cilium-bgp"
PODS = "pod:default/netshoot@"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def diff(*words: str | Path) -> Result:
    done = CliRunner().invoke(main, ["diff", *map(str, words)])
    assert "bug in bgpsim" not in done.output, done.output
    return done


def as_json(*words: str | Path) -> dict:  # type: ignore[type-arg]
    document: dict = json.loads(diff(*words, "--json").stdout)  # type: ignore[type-arg]
    jsonschema.validate(document, DiffReport.model_json_schema(by_alias=True))
    return document


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The shipped folder, with one text replaced by another everywhere in it."""

    def copy(old: str = "", new: str = "") -> Path:
        folder = tmp_path_factory.mktemp("inputs") / "lab"
        shutil.copytree(SHIPPED, folder)
        for file in folder.iterdir() if old else ():
            file.write_text(file.read_text().replace(old, new))
        return folder

    return copy


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report as a run writes it; the prediction stands for what was observed."""

    class Nobody:
        def __getattr__(self, _: str) -> Callable[..., None]:
            return lambda *_: None

    folder = tmp_path_factory.mktemp("report")
    outcome = plan(load(SHIPPED / "scenario.yaml"), Nobody())  # type: ignore[arg-type]
    steps = tuple(StepStates(s.name, s.predicted, s.predicted, s.topology) for s in outcome.states.steps)
    states = RunStates(outcome.states.scenario, outcome.states.file, steps)
    whole = Report(verdict="pass", exit_code=0, states="states.json.gz", runs=[outcome.run])
    (folder / "report.json").write_text(to_json(whole))
    (folder / "states.json.gz").write_bytes(to_bytes([states]))
    return folder


def test_two_steps_of_one_scenario() -> None:
    done = diff("--plan", f"{SHIPPED}/scenario.yaml#anycast at tor1", "#hijack")
    assert done.exit_code == 1
    assert "routes: 10 added" in done.output
    assert "+ 10.1.3.0/25  injector announces it to tor1" in done.output
    assert f"lost {PODS}worker → {PODS}worker3" in done.output
    assert "before  worker2[>net0] → tor1[net1>net2] → worker3[net0>]: delivered" in done.output
    assert "after   worker2[>net0] → tor1[net1>x-injector] → injector[tor1>]: dropped-by-speaker" in done.output
    assert "6 → 4 of 9 ordered pairs delivered" in done.output


def test_equal_steps_and_quiet() -> None:
    words = ("--plan", f"{SHIPPED}/scenario.yaml#anycast at tor1", "#withdrawn")
    done = diff(*words)
    assert (done.exit_code, "no difference" in done.output) == (0, True)
    assert diff(*words, "-q").output == ""


def test_the_json_has_both_ways_and_the_attributes() -> None:
    document = as_json("--plan", f"{SHIPPED}/scenario.yaml#anycast at tor0", "#anycast at tor1")
    change = document["steps"][0]["predicted"]
    (at_tor1,) = [
        r for r in change["routes"]["changed"] if (r["device"], r["peer"], r["plane"]) == ("tor1", "net0", "bgp")
    ]
    assert {"name": "best", "before": "yes", "after": "no"} in at_tor1["attributes"]
    moved = change["reachability"]["moved"]
    assert [(p["from"]["id"], p["before"]["paths"][0]["at"], len(p["after"]["paths"])) for p in moved] == [
        (f"{PODS}worker2", "injector", 1),
        (f"{PODS}worker3", "injector", 1),
    ]


def test_a_report_has_both_views_once_where_they_changed_alike(report: Path) -> None:
    done = diff(f"{report}#fabric", f"{report / 'report.json'}#cilium-bgp/cilium peers")
    assert done.exit_code == 1
    assert done.output.count("predicted and observed") == 1
    assert done.output.count(f"gained {PODS}worker → {PODS}worker3") == 1


def test_two_reports_step_by_step(report: Path, tmp_path: Path) -> None:
    same = diff(report, report)
    assert (same.exit_code, "restored: no difference" in same.output) == (0, True)


def test_a_report_against_a_plan(report: Path, copied: Callable[..., Path]) -> None:
    assert diff("--plan", report, SHIPPED / "scenario.yaml").exit_code == 0
    other = diff("--plan", report, copied("half: low", "half: high") / "scenario.yaml")
    assert other.exit_code == 1
    assert "gained" in other.output


def test_without_the_states_it_compares_what_the_report_holds(report: Path, tmp_path: Path) -> None:
    shutil.copy(report / "report.json", tmp_path)
    done = diff(f"{tmp_path}#anycast at tor1", f"{tmp_path}#hijack")
    assert done.exit_code == 1
    assert "no whole states are beside it, so sessions and reachability are compared, and routes are not" in done.output
    assert f"lost {PODS}worker → {PODS}worker3" in done.output
    assert "accepted 6 → 7" in done.output
    assert "+ 10.1.3.0/25" not in done.output


def test_two_folders_of_input_files(copied: Callable[..., Path]) -> None:
    other = copied("localASN: 65011", "localASN: 65012")
    done = diff("--plan", SHIPPED, other)
    assert done.exit_code == 1
    assert "session tor1 10.0.3.2 (worker2): Established → Down" in done.output
    assert "removed at tor1, from 10.0.3.2: session tor1 10.0.3.2 went down" in done.output
    assert "baseline/fabric" in done.output


def test_a_step_that_one_side_alone_has(copied: Callable[..., Path]) -> None:
    done = diff("--plan", SHIPPED / "scenario.yaml", copied("name: restored", "name: mended") / "scenario.yaml")
    assert done.exit_code == 1
    assert f"only in {SHIPPED}/scenario.yaml: restored" in done.output
    assert "scenario.yaml: mended" in done.output


@pytest.fixture
def repository(copied: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository with one commit, and a working tree that differs from it."""
    folder = copied()
    top = folder.parent

    def git(*words: str) -> None:
        who = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main")
        subprocess.run(["git", "-C", str(top), *who, *words], check=True, capture_output=True)

    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    policies = folder / "cilium-bgp-peering-policies.yaml"
    policies.write_text(policies.read_text().replace("localASN: 65011", "localASN: 65012"))
    monkeypatch.chdir(top)
    return top


@pytest.mark.parametrize("revision", ["HEAD:lab/baseline.yaml", "main:./lab/baseline.yaml"])
def test_a_git_revision(repository: Path, revision: str) -> None:
    done = diff("--plan", revision, "lab/baseline.yaml")
    assert done.exit_code == 1
    assert "AS 65012 of worker2 is not the internal expected of it" in done.output
    assert diff("--plan", revision, "HEAD:lab/baseline.yaml").exit_code == 0


@pytest.mark.parametrize(
    ("a", "said"),
    [
        ("mian:lab/baseline.yaml", "'mian' is no revision of this repository; expected a commit, branch or tag"),
        ("HEAD:lab/baselin.yaml", "did you mean baseline.yaml"),
        ("HEAD:../outside.yaml", "is outside the repository"),
    ],
)
def test_a_revision_that_is_not_there(repository: Path, a: str, said: str) -> None:
    done = diff("--plan", a, "lab/baseline.yaml")
    assert (done.exit_code, said in done.output) == (2, True), done.output


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ("{shipped}/scenario.yaml#hijak", "#fabric", "no step is called 'hijak'; expected one of fabric,"),
        ("{shipped}/scenario.yaml#hijak", "#fabric", "did you mean hijack?"),
        ("{report}#hijak", "{report}", "did you mean hijack?"),
        ("{report}#cilium/hijack", "{report}", "no step is called 'cilium/hijack'"),
        ("{shipped}/scenaro.yaml", "{report}", "did you mean scenario.yaml"),
        ("#fabric", "#hijack", "expected a report or a scenario file before one of them"),
        ("{shipped}", "{shipped}/../..", "holds neither report.json nor a scenario file"),
        ("{empty}/report.json", "{report}", "expected a report.json (bgpsim.report/1)"),
    ],
)
def test_bad_input_says_what_was_found_and_expected(report: Path, tmp_path: Path, a: str, b: str, said: str) -> None:
    (tmp_path / "report.json").write_text("{}")
    words = [text.format(shipped=SHIPPED, report=report, empty=tmp_path) for text in (a, b)]
    done = diff("--plan", *words)
    assert (done.exit_code, said in done.output) == (2, True), done.output


def test_bad_states_are_named(report: Path, tmp_path: Path) -> None:
    shutil.copy(report / "report.json", tmp_path)
    (tmp_path / "states.json.gz").write_bytes(b"?")
    done = diff(tmp_path, report)
    assert (done.exit_code, "states.json.gz: found no states in it" in done.output) == (2, True)


def test_a_scenario_that_cannot_be_read_starts_nothing(
    monkeypatch: pytest.MonkeyPatch, copied: Callable[..., Path]
) -> None:
    def started(*_: object, **__: object) -> None:
        raise AssertionError("a lab was started")

    monkeypatch.setattr("bgpsim.lab.embedded.lab.EmbeddedLab", started)
    done = diff(SHIPPED / "baseline.yaml", copied("topology: topo.yml", "topology: tpo.yml") / "baseline.yaml")
    assert (done.exit_code, "did you mean topo.yml" in done.output) == (2, True)
