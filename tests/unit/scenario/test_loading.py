"""Everything a scenario names is read and checked before anything starts: exit 2, with the scenario's line."""

import shutil
from pathlib import Path

import pytest

from bgpsim.errors import InputError
from bgpsim.scenario.loading import load, up_to
from bgpsim.scenario.timeline import Announce, Apply, Execute, SetInterface, Withdraw

SHIPPED = Path(__file__).parents[3] / "scenarios" / "cilium-bgp"

HEAD = """\
name: x
lab:
  topology: topo.yml
  cluster: cluster.yml
  manifests: [netshoot-ds.yaml]
speakers:
  injector: {asn: 65099, peers: [tor0, tor1]}
steps:
  - name: one
"""
TOR0 = "    announce: [{speaker: injector, to: [tor0], prefix: 10.99.0.0/24}]\n"
EXPECT = "    expect:\n      "


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("topo.yml", "cluster.yml", "netshoot-ds.yaml", "cilium-bgp-peering-policies.yaml"):
        shutil.copy(SHIPPED / name, tmp_path / name)
    return tmp_path


def problems(folder: Path, text: str) -> list[InputError]:
    path = folder / "s.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load(path, "s.yaml")
    return [caught.value, *caught.value.others]


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        (HEAD.replace("topo.yml", "top.yml"), 3, "cannot read 'top.yml': No such file or directory", "topo.yml"),
        (HEAD.replace("topo.yml", "."), 3, "'.' is a folder; expected a file", None),
        (HEAD.replace("[netshoot-ds.yaml]", "[netshoot.yaml]"), 5, "cannot read 'netshoot.yaml'", "netshoot-ds.yaml"),
        (HEAD + "    apply: [policies.yaml]\n", 10, "cannot read 'policies.yaml'", None),
        (HEAD.replace("tor1]", "tor7]"), 7, "'tor7' is not in this lab; expected a router", "tor1"),
        (HEAD.replace("tor1]", "worker]"), 7, "'worker' is a node; expected a router", None),
        (HEAD.replace("tor1]", "tor0]"), 7, "'tor0' stands twice", None),
        (HEAD.replace("injector:", "tor0:"), 7, "'tor0' is a router of this lab already", None),
        (HEAD.replace("injector:", "in jector:"), 7, "'in jector' is no speaker's name", None),
        (HEAD + TOR0.replace("injector", "injecter"), 10, "no speaker 'injecter'", "did you mean injector?"),
        (HEAD + TOR0.replace("tor0", "router0"), 10, "'router0' is no peer of speaker injector", "tor0"),
        (HEAD + TOR0.replace("10.99.0.0/24", "{of: worker9.pod-cidr}"), 10, "'worker9' is not in this lab", "worker"),
        (
            HEAD + TOR0.replace("10.99.0.0/24", "2001:db8::/48, next-hop: 10.0.0.1"),
            10,
            "next-hop 10.0.0.1 is IPv4; expected IPv6",
            None,
        ),
        (HEAD + "    withdraw: [{speaker: injector, all: true}]\n", 10, "speaker injector announces nothing", None),
        (HEAD + "    link-down: ['tor1:net9']\n", 10, "tor1 has no interface 'net9'", "net0"),
        (HEAD + "    link-up: ['tor1']\n", 10, "expected DEVICE:INTERFACE", None),
        (HEAD + "    exec: {tor9: ls}\n", 10, "'tor9' is not in this lab", "tor0"),
        (
            HEAD + "    delete: [cilium-bgp-peering-policies.yaml]\n",
            10,
            "'cilium-bgp-peering-policies.yaml' is not applied here",
            None,
        ),
        (HEAD + EXPECT + "same-as: two\n", 11, "same-as: no step before is called 'two'", None),
        (HEAD + EXPECT + "same-as: one\n", 11, "same-as: no step before is called 'one'", None),
        (HEAD + EXPECT + "lost: []\n", 11, "lost: there is no step before the first", None),
        (HEAD + EXPECT + "sessions: {established: [tor9]}\n", 11, "'tor9' is not in this lab", "tor0"),
        (
            HEAD + EXPECT + "reach: [{from: '*', to: 'label:rack=rack9'}]\n",
            11,
            "no pod or host has label",
            "rack=rack1",
        ),
        (HEAD + "  - name: one\n", 10, "two steps are called 'one'", None),
    ],
)
def test_a_wrong_name(folder: Path, text: str, line: int, message: str, hint: str | None) -> None:
    found = problems(folder, text)
    assert [(e.file, e.line) for e in found] == [("s.yaml", line)]
    assert message in found[0].message
    assert found[0].exit_code == 2
    assert hint is None or hint in (found[0].hint or "")


def test_all_missing_files_are_told_together(folder: Path) -> None:
    found = problems(
        folder, HEAD.replace("topo.yml", "a.yml").replace("cluster.yml", "b.yml") + "    apply: [c.yaml]\n"
    )
    assert [e.line for e in found] == [3, 4, 10]


def test_what_is_withdrawn_must_be_announced_still(folder: Path) -> None:
    gone = "    withdraw: [{speaker: injector, prefix: 10.99.0.0/24}]\n"
    found = problems(folder, HEAD + TOR0 + "  - name: two\n" + gone + "  - name: three\n" + gone)
    assert [e.line for e in found] == [14]
    assert "announces not 10.99.0.0/24" in found[0].message


def test_the_shipped_scenario() -> None:
    """Names are resolved by the stated choices: worker3 is the fourth node, so 10.1.3.0/24; pods from .2 on."""
    scenario = load(SHIPPED / "scenario.yaml", "scenario.yaml")
    steps = {step.name: step for step in scenario.steps}
    assert list(steps)[1:3] == ["cilium peers", "anycast at tor0"]
    (apply,) = steps["cilium peers"].actions
    assert isinstance(apply, Apply)
    (hijack,) = steps["hijack"].actions
    assert isinstance(hijack, Announce)
    assert (str(hijack.announcement.prefix), hijack.announcement.router) == ("10.1.3.0/25", "tor1")
    assert hijack.announcement.as_path == (65099,)
    assert steps["withdrawn"].actions == (Withdraw(hijack.announcement),)
    assert steps["uplink lost"].actions == (SetInterface("tor1", "net0", False),)
    assert steps["restored"].actions == (SetInterface("tor1", "net0", True),)
    # 3 pods: 6 ordered pairs, and 3 to the anycast address, in every step so that any two can be compared.
    assert {len(step.flows) for step in scenario.steps} == {9}
    assert [str(a.router_id) for a in scenario.files.speakers] == ["192.0.2.1"]


def test_the_network_of_each_step_follows_the_timeline() -> None:
    scenario = load(SHIPPED / "scenario.yaml", "scenario.yaml")
    originated = []
    up = []
    for step in scenario.steps:
        injector = step.network.devices["injector"].bgp
        assert injector is not None
        originated.append(len(injector.originated))
        uplink = step.network.devices["tor1"].interface("net0")
        assert uplink is not None
        up.append(uplink.up)
    assert originated == [0, 0, 1, 2, 3, 2, 2, 2]
    assert up == [True] * 6 + [False, True]


def test_exec_lines_of_drift_stand_as_written_and_change_no_network() -> None:
    scenario = load(SHIPPED / "drift.yaml", "drift.yaml")
    typed = [a for step in scenario.steps for a in step.actions if isinstance(a, Execute)]
    assert [a.device for a in typed] == ["tor1", "tor1", "tor0", "tor1"]
    assert all(step.network == scenario.steps[0].network for step in scenario.steps)


def test_up_to_a_step() -> None:
    scenario = load(SHIPPED / "baseline.yaml", "baseline.yaml")
    assert [s.name for s in up_to(scenario, "fabric").steps] == ["fabric"]
    with pytest.raises(InputError) as caught:
        up_to(scenario, "cilium")
    assert "expected one of fabric, cilium peers" in caught.value.message
    assert "cilium peers" in (caught.value.hint or "")
