"""`bgpsim init`: what it writes, and when it writes nothing."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bgpsim.cli.main import main

SEED = Path(__file__).resolve().parents[3] / "scenarios" / "cilium-bgp"


def init(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["init", *map(str, arguments)])


def test_it_writes_the_shipped_lab_and_says_what_to_type_next(tmp_path: Path) -> None:
    done = init(tmp_path / "my lab")
    assert done.exit_code == 0
    assert {f.name: f.read_bytes() for f in (tmp_path / "my lab").iterdir()} == {
        f.name: f.read_bytes() for f in SEED.iterdir()
    }
    assert done.output.splitlines()[-1] == f"next: bgpsim run '{tmp_path}/my lab/scenario.yaml'"


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("--generate", "ring"), "ring-6"),
        (("--generate", "ring", "--routers", "4"), "ring-4"),
        (("--generate", "fat-tree"), "fat-tree-4"),
        (("--generate", "fat-tree", "--k", "4"), "fat-tree-4"),
    ],
)
def test_it_writes_a_fabric_that_plan_takes(arguments: tuple[str, ...], name: str, tmp_path: Path) -> None:
    done = init(tmp_path / "lab", *arguments)
    assert done.exit_code == 0
    assert sorted(f.name for f in (tmp_path / "lab").iterdir()) == ["scenario.yaml", "topo.yml"]
    planned = CliRunner().invoke(main, ["plan", "-q", str(tmp_path / "lab" / "scenario.yaml")])
    assert (planned.exit_code, planned.output.split()[:2]) == (0, ["pass", name])


@pytest.mark.parametrize("arguments", [(), ("--generate", "ring")])
def test_a_file_that_is_there_is_named_and_nothing_is_written(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "topo.yml").write_text("mine")
    done = init(tmp_path, *arguments)
    assert done.exit_code == 2
    assert f"error: {tmp_path}/topo.yml is there already" in done.output
    assert [(f.name, f.read_text()) for f in tmp_path.iterdir()] == [("topo.yml", "mine")]


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert init(tmp_path).exit_code == 0
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_dangling_link_is_a_file_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "scenario.yaml").symlink_to(tmp_path / "elsewhere")
    assert init(tmp_path).exit_code == 2
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "lab").write_text("mine")
    done = init(tmp_path / "lab")
    assert done.exit_code == 2
    assert f"error: {tmp_path}/lab" in done.output
    assert "expected a folder that can be written" in done.output


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--generate", "ring", "--routers", "2"), "--routers 2: expected 3 to 150"),
        (("--generate", "ring", "--routers", "151"), "--routers 151: expected 3 to 150"),
        (("--generate", "fat-tree", "--k", "3"), "--k 3: expected one of 4, 6, 8"),
        (("--generate", "fat-tree", "--routers", "6"), "--routers 6: expected --generate ring with it"),
        (("--k", "4"), "--k 4: expected --generate fat-tree with it"),
    ],
)
def test_a_size_that_does_not_fit(arguments: tuple[str, ...], expected: str, tmp_path: Path) -> None:
    done = init(tmp_path / "lab", *arguments)
    assert done.exit_code == 2
    assert expected in done.output
    assert not (tmp_path / "lab").exists()
