"""Labs that come without a scenario file; what makes two labs the same one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgpsim.errors import InputError
from bgpsim.scenario.reading.document import read
from bgpsim.scenario.reading.loading import fingerprint, load

CLAB = "name: c\ntopology:\n  nodes:\n    r1: {kind: linux, image: frr, binds: ['f:/etc/frr/frr.conf']}\n"
TEST = "def build_topo(tgen):\n    tgen.add_router('r1')\n"
SCENARIO = "name: own\nlab: {topology: c.clab.yml}\nsteps: [{name: first}, {name: second}]\n"


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def test_a_containerlab_topology_stands_for_its_coming_up(tmp_path: Path) -> None:
    write(tmp_path, c__clab__yml=CLAB, f="")
    for path in (tmp_path / "c.clab.yml", tmp_path):
        scenario = load(path, "shown")
        assert ([step.name for step in scenario.steps], list(scenario.files.topology.nodes)) == (["up"], ["r1"])
    assert load(tmp_path / "c.clab.yml").name == "c"


def test_a_topotest_is_a_lab_by_its_folder(tmp_path: Path) -> None:
    scenario = load(write(tmp_path, test_a__py=TEST), "shown")
    assert [step.name for step in scenario.steps] == ["up"]
    assert [path.name for path in scenario.inputs] == ["test_a.py"]


def test_a_scenario_in_the_folder_counts_first(tmp_path: Path) -> None:
    scenario = load(write(tmp_path, scenario__yaml=SCENARIO, c__clab__yml=CLAB, f="", test_a__py=TEST), "shown/")
    assert (scenario.name, scenario.file) == ("own", "shown/scenario.yaml")


def test_of_two_topologies_one_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"found a\.clab\.yml, b\.clab\.yaml, expected one"):
        load(write(tmp_path, a__clab__yml=CLAB, b__clab__yaml=CLAB), "shown")


@pytest.mark.parametrize(
    ("lab", "message"),
    [
        ("{}", "key 'topology' is missing"),
        ("{topology: c.clab.yml, topotest: .}", "expected one of them"),
        ("{topotest: nothere}", "cannot read 'nothere'"),
    ],
)
def test_a_lab_needs_one_topology(tmp_path: Path, lab: str, message: str) -> None:
    write(tmp_path, s__yaml=f"name: s\nlab: {lab}\nsteps: [{{name: up}}]\n", c__clab__yml=CLAB, f="")
    with pytest.raises(InputError, match=message) as caught:
        load(tmp_path / "s.yaml", "s.yaml")
    assert caught.value.line == 2


def test_another_bound_file_is_another_lab(tmp_path: Path) -> None:
    write(tmp_path, scenario__yaml=SCENARIO, c__clab__yml=CLAB, f="hostname a\n")
    document = read(tmp_path / "scenario.yaml", "s")
    before = fingerprint(document, tmp_path)
    assert fingerprint(document, tmp_path) == before
    (tmp_path / "f").write_text("hostname b\n")
    assert fingerprint(document, tmp_path) != before


def test_bound_files_are_among_the_inputs(tmp_path: Path) -> None:
    write(tmp_path, scenario__yaml=SCENARIO, c__clab__yml=CLAB, f="hostname a\n")
    assert [path.name for path in load(tmp_path / "scenario.yaml").inputs] == ["scenario.yaml", "c.clab.yml", "f"]
