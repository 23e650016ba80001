"""`impair:` and silent links in a scenario: read, refused at their line, and what the prediction makes of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bgpsim.errors import InputError
from bgpsim.inputs.files.impairments import Impairment
from bgpsim.model import predict
from bgpsim.network.state import NetworkState, SessionKey
from bgpsim.scenario.reading.loading import load
from bgpsim.scenario.timeline import Impair, Scenario, SetInterface, Silence

SHIPPED = Path(__file__).parents[3] / "scenarios" / "cilium-bgp"
HEAD = """\
name: x
lab: {topology: topo.yml, cluster: cluster.yml, manifests: [netshoot-ds.yaml]}
steps:
  - {name: peers, apply: [cilium-bgp-peering-policies.yaml]}
"""


def scenario(folder: Path, *steps: str) -> Scenario:
    for name in ("topo.yml", "cluster.yml", "netshoot-ds.yaml", "cilium-bgp-peering-policies.yaml"):
        shutil.copy(SHIPPED / name, folder / name)
    path = folder / "s.yaml"
    path.write_text(HEAD + "".join(f"  - {{name: s{n}, {step}}}\n" for n, step in enumerate(steps)))
    return load(path, "s.yaml")


def predicted(found: Scenario) -> list[NetworkState]:
    states: list[NetworkState] = []
    for step in found.steps:
        states.append(predict(step.network, states[-1] if states else None, step.flows).state)
    return states


def test_values_direction_and_clearing(tmp_path: Path) -> None:
    found = scenario(
        tmp_path,
        "impair: [{link: 'tor1:net0', delay: 20ms, jitter: 1ms, loss: 1%, rate: 10mbit}]",
        "impair: [{link: 'tor1:net0', loss: 0.5%, direction: out}]",
        "impair: [{link: 'router0:net1', clear: true}]",
        "impair: [{link: 'tor1:net0', delay: 0, loss: 0}]",
    )
    one, out, clear, zero = (step.actions[0] for step in found.steps[1:])
    assert one == Impair("tor1", "net0", Impairment(20_000, 1_000, 1.0, 10_000_000))
    assert str(one) == "impair tor1:net0: delay 20ms jitter 1ms loss 1% rate 10mbit"
    assert out == Impair("tor1", "net0", Impairment(loss=0.5), both=False)
    assert str(out) == "impair tor1:net0 outwards: loss 0.5%"
    assert clear == Impair("router0", "net1", Impairment())
    assert str(clear) == "impair router0:net1: clear"
    assert zero == Impair("tor1", "net0", Impairment())
    told = [[u.text for u in step.network.unmodelled if u.text.startswith("impair")] for step in found.steps]
    assert told == [
        [],
        ["impair: delay 20ms jitter 1ms loss 1% rate 10mbit"],
        ["impair: delay 20ms jitter 1ms loss 1% rate 10mbit", "impair: loss 0.5%"],
        [],
        [],
    ]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("impair: [{link: 'tor1:net0', delay: 20}]", "delay: found 20; expected a number with its unit"),
        ("impair: [{link: 'tor1:net0', delay: 20m}]", "'20m' is not a duration"),
        ("impair: [{link: 'tor1:net0', loss: 1}]", "expected a number with its unit"),
        ("impair: [{link: 'tor1:net0', rate: 10mbps}]", "'10mbps' is not a rate"),
        ("impair: [{link: 'tor1:net9', loss: 1%}]", "tor1 has no interface 'net9'"),
        ("impair: [{link: 'tor1', loss: 1%}]", "'tor1' is not an interface"),
        ("impair: [{link: 'worker:eth0', loss: 1%}]", "worker:eth0 is on a management network"),
        ("impair: [{link: 'tor1:net0'}]", "nothing is impaired"),
        ("impair: [{link: 'tor1:net0', jitter: 5ms}]", "expected a jitter of at most the delay"),
        ("impair: [{link: 'tor1:net0', delay: 3s}]", "a delay of 3s; expected at most 2s"),
        ("impair: [{link: 'tor1:net0', clear: true, loss: 1%}]", "found it with `loss:`"),
        ("impair: [{link: 'tor1:net0', loss: 1%, direction: in}]", "direction: found 'in'; expected one of both, out"),
        ("impair: [{link: 'tor1:net0', lost: 1%}]", "unknown key 'lost'"),
        ("link-down: [{link: 'worker:eth0', silent: true}]", "worker:eth0 is on a management network"),
        ("link-down: [{link: 'tor1:net9', silent: true}]", "tor1 has no interface 'net9'"),
        ("link-down: [{link: 'tor1:net0', quiet: true}]", "unknown key 'quiet'"),
    ],
)
def test_mistakes_are_told_at_their_line(tmp_path: Path, step: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        scenario(tmp_path, step)
    assert (caught.value.file, caught.value.line) == ("s.yaml", 5)
    assert message in caught.value.message


def test_a_silent_link_has_its_sessions_down_its_carrier_and_its_connected_routes(tmp_path: Path) -> None:
    found = scenario(
        tmp_path,
        "link-down: [{link: 'tor1:net0', silent: true}, 'tor0:net1', {link: 'tor0:net2'}]",
        "link-up: ['router0:net1', 'tor0:net1', 'tor0:net2']",
    )
    assert found.steps[1].actions == (
        Silence("tor1", "net0"),
        SetInterface("tor0", "net1", False),
        SetInterface("tor0", "net2", False),
    )
    peers, silent, up = predicted(found)
    for key in (SessionKey("tor1", "net0"), SessionKey("router0", "net1")):
        assert peers.sessions[key].state == up.sessions[key].state == "Established"
        assert silent.sessions[key].state == "Down"
        assert silent.sessions[key].because == f"nothing that leaves by {key.device}:{key.neighbor} arrives"
    assert not any(route.linkdown for key, route in silent.fib.items() if key.device in ("tor1", "router0"))


def test_packets_end_where_a_silent_link_swallows_them(tmp_path: Path) -> None:
    """worker2's default route leads there for ever; tor1 has lost the routes that BGP brought."""
    found = scenario(tmp_path, "link-down: [{link: 'worker2:net0', silent: true}]")
    _, silent = predicted(found)
    (path,) = next(
        f.paths for key, f in silent.forwarding.items() if (key.source[-7:], key.target[-6:]) == ("worker2", "worker")
    )
    assert path.disposition == "blackhole"
    assert [(hop.device, hop.egress) for hop in path.hops] == [("worker2", "net0")]
    assert path.because == "nothing that leaves by worker2:net0 arrives"


def test_losing_everything_is_silence_and_losing_much_is_open(tmp_path: Path) -> None:
    found = scenario(
        tmp_path,
        "impair: [{link: 'tor1:net0', loss: 100%}]",
        "impair: [{link: 'tor1:net0', loss: 30%}]",
        "impair: [{link: 'tor1:net0', rate: 32kbit}]",
        "impair: [{link: 'tor1:net0', delay: 1s}]",
        "impair: [{link: 'tor1:net0', loss: 100%, direction: out}]",
        "impair: [{link: 'tor1:net0', clear: true}]",
    )
    states = predicted(found)
    assert [state.sessions[SessionKey("router0", "net1")].state for state in states] == [
        "Established",
        "Down",
        "Established",
        "Established",
        "Established",
        "Down",
        "Established",
    ]
    effects = [{u.effect for u in step.network.unmodelled if u.text.startswith("impair")} for step in found.steps]
    assert effects == [set(), {"none"}, {"possible"}, {"possible"}, {"possible"}, {"possible"}, set()]
