"""`network-mode: none`: a node with no interface but those of its links."""

from pathlib import Path

import pytest

from bgpsim.errors import InputError
from bgpsim.inputs.build import build_network
from bgpsim.inputs.files.containerlab import load_topology
from bgpsim.inputs.files.lab_files import LabFiles, Timeline
from bgpsim.lab.embedded.plan import make_plan

TOPOLOGY = """\
name: two
topology:
  kinds: {linux: {image: nicolaka/netshoot}}
  nodes:
    a: {kind: linux, network-mode: none}
    b: {kind: linux}
  links:
    - endpoints: ["a:eth0", "b:net0"]
"""


def files(text: str, folder: Path) -> LabFiles:
    (folder / "topo.yml").write_text(text)
    return LabFiles(load_topology(folder / "topo.yml", "topo.yml")[0])


def test_it_has_no_management_interface_in_model_and_lab(tmp_path: Path) -> None:
    both = files(TOPOLOGY, tmp_path)
    network = build_network(both, Timeline())
    assert [i.name for i in network.devices["a"].interfaces] == ["lo", "eth0"]
    assert [i.name for i in network.devices["b"].interfaces] == ["lo", "eth0", "net0"]
    assert not network.devices["a"].routes
    cables = {(c.a, c.a_interface, c.b) for c in make_plan(both).cables}
    assert cables == {("a", "eth0", "b"), ("b", "eth0", "clab")}


def test_without_any_node_on_it_there_is_no_management_network(tmp_path: Path) -> None:
    neither = files(TOPOLOGY.replace("b: {kind: linux}", "b: {kind: linux, network-mode: none}"), tmp_path)
    assert "clab" not in build_network(neither, Timeline()).devices
    assert [c.name for c in make_plan(neither).containers] == ["a", "b"]


def test_eth0_of_another_node_stays_taken(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found b:eth0 at a link, expected another interface"):
        files(TOPOLOGY.replace("b:net0", "b:eth0"), tmp_path)
