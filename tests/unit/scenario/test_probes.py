"""`probe:` of a step: read, planned, and what follows from a measurement."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from bgpsim.errors import InputError
from bgpsim.model import predict
from bgpsim.model.losses import Moment
from bgpsim.network.loss import Measured, Measurement, Outage
from bgpsim.network.sizes import SizeFate, SizeKey
from bgpsim.network.state import FlowKey
from bgpsim.report.canonical import to_json, without_volatile
from bgpsim.report.document import Report, RunPart, StepPart
from bgpsim.report.markdown import render
from bgpsim.report.terminal import Terminal
from bgpsim.scenario.playing import continuous, probing
from bgpsim.scenario.playing.recording import Record
from bgpsim.scenario.reading.loading import load
from bgpsim.scenario.timeline import Scenario, Step

SHIPPED = Path(__file__).parents[3] / "scenarios" / "cilium-bgp"
HEAD = """\
name: x
lab:
  topology: topo.yml
  cluster: cluster.yml
  manifests: [netshoot-ds.yaml]
steps:
  - name: peers
    apply: [cilium-bgp-peering-policies.yaml]
  - name: cut
    link-down: ["tor1:net0"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("topo.yml", "cluster.yml", "netshoot-ds.yaml", "cilium-bgp-peering-policies.yaml"):
        shutil.copy(SHIPPED / name, tmp_path / name)
    return tmp_path


def read(folder: Path, probe: str, head: str = HEAD) -> Scenario:
    path = folder / "s.yaml"
    path.write_text(f"{head}    probe: {probe}\n")
    return load(path, "s.yaml")


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        ("continous", "steps[1].probe: found 'continous'; expected continuous"),
        ("{}", "expected `continuous` (with its keys, or {}) or `sizes`"),
        ("{continuous: {intervall: 10ms}}", "unknown key 'intervall' in steps[1].probe.continuous"),
        ("{continuous: {interval: 1ms}}", "expected an interval from 5ms to 100ms"),
        ("{continuous: {interval: 10}}", "found 10; expected a number with its unit, 20ms say"),
        ("{continuous: {lost: {at-most: soon}}}", "'soon' is not a duration; expected 20ms"),
        ("{continuous: {lost: {}}}", "key 'at-most' is missing"),
        ("{continuous: {pairs: []}}", "found an empty list"),
        ("{continuous: {pairs: [{from: nobody, to: '*'}]}}", "'nobody' is no endpoint"),
        ("{continuous: {pairs: [{from: 'node:worker', to: '*'}]}}", "'node:worker' cannot send"),
        ("{continuous: {control: {from: '*', to: '*'}}}", "control: '*' to '*' are 6 pairs; expected one"),
        ("{sizes: [10]}", "steps[1].probe.sizes[0]: found 10; expected a whole number, at least 100"),
        ("{sizes: [70000]}", "at most 65535"),
    ],
)
def test_bad_input_is_told_with_its_line(folder: Path, probe: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(folder, probe)
    assert (caught.value.file, caught.value.line) == ("s.yaml", 11)
    assert message in caught.value.message


def test_too_many_packets_a_second(folder: Path) -> None:
    """30 pairs (6 of pods, 24 to the four nodes' addresses and others) every 5 ms are 6000 a second."""
    targets = ", ".join(f"{{from: '*', to: 'address:10.0.{n}.2'}}" for n in range(1, 10))
    with pytest.raises(InputError, match=r"packets a second; expected at most 2400"):
        read(folder, f"{{continuous: {{interval: 5ms, pairs: [{targets}]}}}}")


def test_several_problems_are_told_together(folder: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(folder, "{continuous: {pairs: [{from: nobody, to: '*'}], control: {from: '*', to: '*'}}}")
    assert len(caught.value.others) == 1


def test_the_short_form_is_the_long_one_with_its_defaults(folder: Path) -> None:
    short, long = (read(folder, text).steps[1].probe.continuous for text in ("continuous", "{continuous: {}}"))
    assert short is not None
    assert long is not None
    assert replace(short, source=long.source) == long
    assert (short.flows, short.interval, short.control, short.at_most) == (None, 0.01, None, None)


def test_the_long_form(folder: Path) -> None:
    stream = "{pairs: [{from: netshoot@worker, to: '*'}], interval: 20ms, lost: {at-most: 1.5s}}"
    probe = read(folder, f"{{continuous: {stream}, sizes: [9000, 1400]}}").steps[1].probe
    assert probe.continuous is not None
    assert probe.continuous.flows is not None
    assert [flow.target for flow in probe.continuous.flows] == [pod("worker2"), pod("worker3")]
    assert (probe.continuous.interval, probe.continuous.at_most, probe.sizes) == (0.02, 1.5, (1400, 9000))


def pod(node: str) -> str:
    return f"pod:default/netshoot@{node}"


def planned(scenario: Scenario) -> tuple[Step, Moment, continuous.Plan]:
    """Of the last step."""
    first, last = scenario.steps[-2:]
    before = Moment(first.network, predict(first.network, None, first.flows).state)
    after = predict(last.network, before.state, last.flows).state
    found = continuous.plan(last, before, after)
    assert found is not None
    return last, before, found


def test_all_pairs_are_measured_and_the_control_is_one_that_nothing_touches(folder: Path) -> None:
    _, _, found = planned(read(folder, "continuous"))
    assert (len(found.flows), found.of) == (6, 6)
    assert (found.control.source, found.control.target) == (pod("worker2"), pod("worker3"))
    assert {found.predicted[flow].loss for flow in found.flows} == {"must", "none"}


def test_of_many_pairs_those_that_may_lose_are_measured_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(continuous, "MOST_PAIRS", 4)
    _, _, found = planned(read(folder, "continuous"))
    assert (len(found.flows), found.of) == (4, 6)
    assert {found.predicted[flow].loss for flow in found.flows} == {"must"}


def test_where_every_way_is_touched_the_control_ends_at_the_senders_node(folder: Path) -> None:
    _, _, found = planned(read(folder, "continuous", HEAD + '    exec: {tor0: "true"}\n'))
    assert found.control == FlowKey(pod("worker"), "node:worker", "10.1.1.2", "10.0.2.2")
    assert {found.predicted[flow].loss for flow in found.flows} == {"may"}


def test_the_control_that_the_scenario_names(folder: Path) -> None:
    _, _, found = planned(read(folder, "{continuous: {control: {from: netshoot@worker3, to: netshoot@worker2}}}"))
    assert (found.control.source, found.control.target) == (pod("worker3"), pod("worker2"))


def measured(found: continuous.Plan, lost: Sequence[FlowKey], seconds: float = 0.2, control: int = 0) -> Measurement:
    whole = Measured(500, 500, 0, 0, (), ())
    outage = Outage(0.1, seconds, 20, False, ("stopped at tor1",))
    broken = Measured(500, 480, 0, 0, (outage,), ())
    pairs = {flow: broken if flow in lost else whole for flow in found.flows}
    pairs[found.control] = replace(whole, received=500 - control)
    return Measurement(0.01, 5.0, pairs, found.control, 0.02, 1, (498, 1, 0))


def told(folder: Path, probe: str, lost: str, seconds: float = 0.2, control: int = 0) -> tuple[StepPart, Record]:
    """The step's part, where those pairs lost packets of which the model says it."""
    scenario = read(folder, probe)
    step, before, plan = planned(scenario)
    losing = [flow for flow in plan.flows if plan.predicted[flow].loss in lost.split()]
    measurement = measured(plan, losing, seconds, control)
    record = Record(scenario, strict=False)
    part = StepPart(name="cut", verdict="pass", settled=None)
    state = predict(step.network, before.state, step.flows).state
    probing.tell(record, part, probing.Ended(probing.Begun(step, before, plan, None), measurement, {}), state)
    return part, record


def test_losses_as_predicted_pass(folder: Path) -> None:
    part, record = told(folder, "continuous", "must")
    assert (part.verdict, record.codes) == ("pass", [])
    assert part.probe is not None
    assert part.probe.continuous is not None
    assert {row.agrees for row in part.probe.continuous.pairs} == {True}
    assert part.volatile["probe"]["pairs"][0]["outages"][0]["where"] == ["stopped at tor1"]


@pytest.mark.parametrize("lost", ["", "none", "must none"])
def test_a_loss_that_is_not_predicted_fails_and_so_does_one_that_is_missing(folder: Path, lost: str) -> None:
    part, _ = told(folder, "continuous", lost)
    assert part.verdict == "fail"


def test_a_loss_on_the_control_pair_voids_all(folder: Path) -> None:
    part, record = told(folder, "{continuous: {lost: {at-most: 500ms}}}", "none", control=1)
    assert (part.verdict, record.codes) == ("inconclusive", [3])
    assert record.error is not None
    assert record.error.kind == "probe-void"
    assert part.probe is not None
    assert part.probe.continuous is not None
    assert {row.agrees for row in part.probe.continuous.pairs} == {None}
    assert [(e.verdict, e.seen) for e in part.expectations] == [("inconclusive", "the measurement is void")]


@pytest.mark.parametrize(("seconds", "verdict"), [(0.2, "pass"), (0.5, "pass"), (0.51, "fail")])
def test_the_bound(folder: Path, seconds: float, verdict: str) -> None:
    part, _ = told(folder, "{continuous: {lost: {at-most: 500ms}}}", "must", seconds)
    (row,) = part.expectations
    assert (row.text, row.verdict, part.verdict) == ("each pair loses at most 500 ms", verdict, verdict)


def test_what_differs_from_run_to_run_is_volatile(folder: Path) -> None:
    def report(seconds: float) -> Report:
        part, _ = told(folder, "{continuous: {lost: {at-most: 500ms}}}", "must", seconds)
        run = RunPart(scenario="x", file="x", verdict="pass", confidence="full", error=None, lab=None, steps=[part])
        return Report(verdict="pass", exit_code=0, runs=[run])

    one, other = report(0.2), report(0.31)
    assert to_json(one) != to_json(other)
    assert without_volatile(one.model_dump(mode="json")) == without_volatile(other.model_dump(mode="json"))


def test_what_a_reader_sees(folder: Path) -> None:
    part, _ = told(folder, "{continuous: {lost: {at-most: 500ms}}}", "must")
    output = StringIO()
    Terminal(Console(file=output, width=120)).step(part)
    said = " ".join(output.getvalue().split())
    assert "netshoot@worker → netshoot@worker2 loses some, stays lost 20 of 500 200 and on 1" in said
    assert "netshoot@worker2 → netshoot@worker3 loses none 0 of 500" in said
    assert "control: netshoot@worker2 → netshoot@worker3 (nothing on its way is touched) lost 0 of 500" in said
    assert "✓ each pair loses at most 500 ms so do all 6 pairs; most: 200 ms" in said
    run = RunPart(scenario="x", file="x", verdict="pass", confidence="full", error=None, lab=None, steps=[part])
    text = render(Report(verdict="pass", exit_code=0, runs=[run]))
    assert "| netshoot@worker → netshoot@worker2 | loses some, stays lost | 20 of 500 | 200 and on | 1 | 0 |  |" in text


def test_sizes_against_the_prediction(folder: Path) -> None:
    """One size of one pair is not as predicted: it is told, and the step fails."""
    topo = folder / "topo.yml"
    topo.write_text(topo.read_text().replace('tor0:net0"]', 'tor0:net0"]\n      mtu: 1400'))
    scenario = read(folder, "{sizes: [1400, 1401]}", HEAD.replace('    link-down: ["tor1:net0"]\n', ""))
    step = scenario.steps[-1]
    before = Moment(scenario.steps[0].network, predict(scenario.steps[0].network, None, ()).state)
    state = predict(step.network, before.state, step.flows).state
    begun = probing.begin(None, step, before, state)  # type: ignore[arg-type]

    def verdict(seen: dict[SizeKey, SizeFate]) -> tuple[str, StepPart]:
        part = StepPart(name="x", verdict="pass", settled=None)
        probing.tell(Record(scenario, strict=False), part, probing.Ended(begun, None, seen), state)
        return part.verdict, part

    flows = {(flow.source, flow.target): flow for flow in step.flows}
    right = {}
    for (source, target), flow in flows.items():
        right[SizeKey(flow, 1400)] = SizeFate("arrived", target)
        over = {source, target} != {pod("worker2"), pod("worker3")}
        at = "tor0" if source == pod("worker") else "router0"
        right[SizeKey(flow, 1401)] = SizeFate("fragmentation-needed", at) if over else SizeFate("arrived", target)
    said, part = verdict(right)
    assert said == "pass"
    assert part.probe is not None
    assert {row.agrees for row in part.probe.sizes} == {True}
    wrong = SizeKey(flows[pod("worker"), pod("worker2")], 1401)
    said, part = verdict({**right, wrong: SizeFate("dropped", "router0")})
    assert said == "fail"
    output = StringIO()
    Terminal(Console(file=output, width=160)).step(part)
    assert "dropped at router0 ≠ fragmentation-needed at tor0" in output.getvalue()
