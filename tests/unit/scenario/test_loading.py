"""Everything a scenario names is read and checked before anything starts: exit 2, with the scenario's line."""

import shutil
from ipaddress import ip_network
from pathlib import Path

import pytest

from bgpsim.errors import InputError
from bgpsim.model import predict
from bgpsim.network.state import NetworkState, SessionKey
from bgpsim.scenario.reading.loading import load, up_to
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
            HEAD + TOR0.replace("to: [tor0], prefix: 10.99.0.0/24", "prefix: 2001:db8::/48, next-hop: 10.0.0.1"),
            10,
            "next-hop 10.0.0.1 is IPv4; expected IPv6",
            None,
        ),
        (
            HEAD + TOR0.replace("10.99.0.0/24", "10.99.0.0/24, next-hop: 'fe80::7'"),
            10,
            "next-hop fe80::7 is link-local, and nobody's on the link to tor0; expected a global address or fe80::2",
            None,
        ),
        (
            HEAD + TOR0.replace("10.99.0.0/24", "{of: tor1.lo, half: low}"),
            10,
            "tor1.lo is 10.0.0.2/32, a single address: it has no half; expected a wider prefix",
            None,
        ),
        (
            HEAD + TOR0.replace("10.99.0.0/24", "{of: tor1.pod-cidr, half: low}"),
            10,
            "'tor1' is no Kubernetes node: it has no pod CIDR; expected one that has",
            "worker",
        ),
        (
            HEAD + TOR0.replace("10.99.0.0/24", "{of: 10.1.3.0/24, half: low}"),
            10,
            "'10.1.3.0/24' is a prefix; expected the name of one",
            "prefix: 10.1.3.0/24",
        ),
        (
            HEAD + TOR0.replace("10.99.0.0/24", "{of: worker.pod-cidr, family: ipv6}"),
            10,
            "worker.pod-cidr has no ipv6 prefix; expected one that has",
            None,
        ),
        (HEAD + "    withdraw: [{speaker: injecter, all: true}]\n", 10, "no speaker 'injecter'", "injector"),
        (HEAD + "    withdraw: [{speaker: injector, to: [tor7], all: true}]\n", 10, "'tor7' is no peer", "tor0"),
        (HEAD + "    link-down: ['injecter:tor0']\n", 10, "'injecter' is not in this lab", "injector"),
        (HEAD + "    link-down: ['injector:router0']\n", 10, "injector has no interface 'router0'", "tor0"),
        (HEAD + "    link-down: ['tor0:lo']\n", 10, "tor0:lo is on no link; expected an interface that is", None),
        (HEAD + '    exec: {tor1: [ls, "vtysh -c \'conf t"]}\n', 10, "no closing quotation; expected words", None),
        (HEAD + "    exec: {tor1: ''}\n", 10, "exec line '' is empty; expected a command", None),
        (HEAD + "    exec: {injector: ls}\n", 10, "'injector' is a speaker; expected a router or node", None),
        (HEAD + "    withdraw: [{speaker: injector, all: true}]\n", 10, "speaker injector announces nothing", None),
        (HEAD.replace("injector:", f"{'i' * 64}:"), 7, "is no speaker's name; expected up to 63 letters", None),
        (HEAD + "    link-down: ['tor1:net9']\n", 10, "tor1 has no interface 'net9'", "net0"),
        (HEAD + "    link-up: ['tor1']\n", 10, "expected DEVICE:INTERFACE", None),
        (HEAD + "    exec: {tor9: ls}\n", 10, "'tor9' is not in this lab", "tor0"),
        (
            HEAD + "    link-down: ['srv-worker:net0']\n",
            10,
            "'srv-worker' lives in the network namespace of worker; expected a router or node",
            "its interfaces and routes are those of worker",
        ),
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


@pytest.mark.parametrize("key", ["apply", "delete"])
def test_a_manifest_needs_a_cluster(folder: Path, key: str) -> None:
    (folder / "small.yml").write_text("name: small\ntopology: {nodes: {r: {kind: linux, image: frr}}}\n")
    text = f"name: x\nlab: {{topology: small.yml}}\nsteps:\n  - name: one\n    {key}: [netshoot-ds.yaml]\n"
    (found,) = problems(folder, text)
    assert (found.file, found.line) == ("s.yaml", 5)
    assert (
        found.message == "'netshoot-ds.yaml' is for a cluster, and this lab has none; expected a `cluster:` in `lab:`"
    )


def test_what_is_wrong_with_speakers_and_steps_is_told_together(folder: Path) -> None:
    """Each once: what names a speaker that is wrong itself, or withdraws what could not be read, is no new problem."""
    text = (
        HEAD.replace("tor1]", "tor7]")
        + "    announce:\n"
        + "      - {speaker: injector, to: [tor0], prefix: 10.99.0.0/24}\n"
        + "      - {speaker: injecter, to: [tor0], prefix: {of: worker9.pod-cidr}}\n"
        + "  - name: two\n"
        + "    withdraw: [{speaker: injector, all: true}]\n"
        + "    link-down: ['tor0:x-injector', 'injector:tor0', 'tor9:net0']\n"
        + "    expect: {sessions: {established: [injector, tor8]}}\n"
    )
    assert [(e.line, e.message.partition(";")[0]) for e in problems(folder, text)] == [
        (7, "'tor7' is not in this lab"),
        (12, "no speaker 'injecter'"),
        (12, "'worker9' is not in this lab"),
        (15, "'tor9' is not in this lab"),
        (16, "'tor8' is not in this lab"),
    ]


def test_problems_of_shape_and_of_names_are_told_together(folder: Path) -> None:
    """As long as the file makes sense without the values that are wrong."""
    text = (
        HEAD.replace("tor1]", "tor1], traffic: swallow")
        + "    announce:\n"
        + "      - {speaker: injector, to: [tor0], prefix: 10.99.0.0/24, med: -1, communities: ['1:x']}\n"
        + "      - {speaker: injecter, to: [tor0], prefix: 10.98.0.0/24}\n"
        + "  - name: two\n"
        + "    withdraw: [{speaker: injector, prefix: 10.99.0.0/24}]\n"
        + "    link-down: ['tor9:net0']\n"
        + "    expect: {sessions: {established: [injector], don: [tor0]}}\n"
    )
    assert [(e.line, e.message.partition(";")[0]) for e in problems(folder, text)] == [
        (7, "speakers.injector.traffic: found 'swallow'"),
        (11, "steps[0].announce[0].med: found -1"),
        (11, "steps[0].announce[0].communities[0]: '1:x' is not a community"),
        (12, "no speaker 'injecter'"),
        (15, "'tor9' is not in this lab"),
        (16, "unknown key 'don' in steps[1].expect.sessions"),
    ]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("    announcd: [{speaker: injector, prefix: 10.99.0.0/24}]\n", "unknown key 'announcd'"),
        ("    announce: {speaker: injector, prefix: 10.99.0.0/24}\n", "found a mapping; expected a list"),
        ("    announce: [{speaker: injector, prefix: 10.99.0.1/24}]\n", "'10.99.0.1/24' is not a prefix"),
    ],
)
def test_what_cannot_be_told_without_the_wrong_part_is_not_guessed(folder: Path, broken: str, message: str) -> None:
    """The withdrawal is right, once the announcement is."""
    found = problems(folder, HEAD + broken + "  - name: two\n    withdraw: [{speaker: injector, all: true}]\n")
    assert [e.line for e in found] == [10]
    assert message in found[0].message


def test_a_withdrawal_of_what_could_not_be_read_is_no_second_problem(folder: Path) -> None:
    wrong = TOR0.replace("[tor0]", "[tor9, router0]")
    found = problems(
        folder, HEAD + wrong + "  - name: two\n    withdraw: [{speaker: injector, prefix: 10.99.0.0/24}]\n"
    )
    assert [(e.line, e.message) for e in found] == [
        (10, "'tor9' is no peer of speaker injector; expected one of tor0, tor1"),
        (10, "'router0' is no peer of speaker injector; expected one of tor0, tor1"),
    ]


def test_the_speaker_s_own_address_as_next_hop_is_the_same_as_none(folder: Path) -> None:
    path = folder / "s.yaml"
    path.write_text(HEAD + TOR0.replace("10.99.0.0/24", "10.99.0.0/24, next-hop: 'fe80::2'"))
    (announce,) = load(path, "s.yaml").steps[0].actions
    assert isinstance(announce, Announce)
    assert announce.announcement.next_hop is None


def test_a_speaker_s_link_goes_down_and_comes_back_in_the_prediction(folder: Path) -> None:
    path = folder / "s.yaml"
    text = HEAD + TOR0
    for number, end in enumerate(("tor0:x-injector", "injector:tor0")):
        text += f"  - {{name: down {number}, link-down: ['{end}']}}\n  - {{name: up {number}, link-up: ['{end}']}}\n"
    path.write_text(text)
    seen, because = [], []
    before: NetworkState | None = None
    for step in load(path, "s.yaml").steps:
        before = predict(step.network, before, step.flows).state
        session = before.sessions[SessionKey("tor0", "fe80::2")]
        known = {key.device for key in before.paths if key.prefix == ip_network("10.99.0.0/24")}
        seen.append((session.state, known))
        because.append((session.because, before.sessions[SessionKey("injector", "tor0")].because))
    # tor0 tells router0, which tells tor1.
    there, gone = ("Established", {"router0", "tor0", "tor1"}), ("Down", set())
    assert seen == [there, gone, there, gone, there]
    assert because[1] == ("tor0:x-injector is down", "no carrier on injector:tor0")
    assert because[3] == ("no carrier on tor0:x-injector", "injector:tor0 is down")


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


@pytest.mark.parametrize(
    ("entries", "down", "announced"),
    [
        ("link-down: ['tor0:net0']\n    link-up: ['tor0:net0']\n", [("tor0", "net0")], 1),
        ("link-down: ['tor1:net0']\n    link-up: ['tor0:net0']\n", None, 1),
        (f"withdraw: [{{speaker: injector, all: true}}]\n    {TOR0.strip()}\n", [], 0),
        ("withdraw: [{speaker: injector, all: true}]\n", None, 0),
    ],
)
def test_what_goes_and_comes_back_in_one_step(
    folder: Path, entries: str, down: list[tuple[str, str]] | None, announced: int
) -> None:
    """The network between the two is kept: routers choose anew while something is away."""
    (folder / "s.yaml").write_text(HEAD + TOR0 + "  - name: two\n    " + entries)
    network = load(folder / "s.yaml", "s.yaml").steps[1].network
    if down is None:
        assert network.interim == ()
        return
    (between,) = network.interim
    injector = between.devices["injector"].bgp
    assert injector is not None
    assert len(injector.originated) == announced
    interfaces = [(d.name, i.name) for d in between.devices.values() for i in d.interfaces if not i.up]
    assert interfaces == down
    assert all(i.up for d in network.devices.values() for i in d.interfaces)


def test_kubectl_knows_objects_by_their_names_and_not_by_their_files(folder: Path) -> None:
    """One policy of a file with two is deleted by a file of its own; then the file with both names one that is gone."""
    both = (folder / "cilium-bgp-peering-policies.yaml").read_text()
    (folder / "rack1.yaml").write_text("---\n" + both.split("---\n")[2])
    policies = "    apply: [cilium-bgp-peering-policies.yaml]\n  - name: two\n    delete: [rack1.yaml]\n"
    (folder / "s.yaml").write_text(HEAD + policies)
    one, two = load(folder / "s.yaml", "s.yaml").steps
    speak = [[d.name for d in step.network.devices.values() if d.kind == "node" and d.bgp] for step in (one, two)]
    assert speak == [["control-plane", "worker", "worker2", "worker3"], ["control-plane", "worker"]]
    again = HEAD + policies + "  - name: three\n    delete: [cilium-bgp-peering-policies.yaml]\n"
    (error,) = problems(folder, again)
    assert str(error.message).startswith("CiliumBGPPeeringPolicy rack1 of 'cilium-bgp-peering-policies.yaml' is not")


def test_a_line_may_be_typed_in_a_side_container(folder: Path) -> None:
    path = folder / "s.yaml"
    path.write_text(HEAD + "    exec: {srv-worker: ip route flush cache}\n")
    (action,) = load(path).steps[0].actions
    assert isinstance(action, Execute)
    assert (action.device, action.container) == ("worker", "srv-worker")
    assert str(action) == "exec on srv-worker: ip route flush cache"
