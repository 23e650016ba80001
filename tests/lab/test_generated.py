"""A generated fabric on real routers: as predicted on every plane, with nothing to say about its files."""

from pathlib import Path

from click.testing import CliRunner

from bgpsim.cli.main import main
from bgpsim.report.document import Report


def test_a_ring_passes(tmp_path: Path) -> None:
    folder = tmp_path / "ring"
    assert CliRunner().invoke(main, ["init", str(folder), "--generate", "ring", "--routers", "5"]).exit_code == 0
    done = CliRunner().invoke(main, ["run", str(folder / "scenario.yaml"), "--json", "--strict"])
    (run,) = Report.model_validate_json(done.output).runs
    assert (done.exit_code, run.verdict, run.confidence) == (0, "pass", "full")
    assert (run.lab.exec_failures, run.lab.rejected_lines) == ([], [])
    for step in run.steps:
        for plane in ("bgp", "fib", "path"):
            counted = step.planes[plane]
            assert counted.compared
            assert (counted.equal, counted.not_observed) == (counted.compared, 0)
        assert len(step.reachability) == 5 * 4
