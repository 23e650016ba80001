"""The timeline's logic: what is done in which order, and which verdict and exit code come of it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bgpsim.check.expectations import ReachExpected, SameAsExpected
from bgpsim.errors import DeviceDied, HostError, LabError, ModelError
from bgpsim.inputs.files.containerlab import TopologyFile
from bgpsim.inputs.files.lab_files import LabFiles
from bgpsim.inputs.files.manifests import ManifestFile
from bgpsim.inputs.files.speakers import Announcement
from bgpsim.lab.base import CommandResult, LabFacts, RejectedLine
from bgpsim.model import Prediction, Tie
from bgpsim.model.propagation import TableKey
from bgpsim.network.description import Network
from bgpsim.network.state import FlowKey, Forwarding, ForwardingPath, Hop, NetworkState, Session, SessionKey
from bgpsim.observe.settle import Settled
from bgpsim.report.canonical import to_json, without_volatile
from bgpsim.report.document import Report, RunPart, StepPart
from bgpsim.scenario.playing import planning, runner
from bgpsim.scenario.timeline import Action, Announce, Apply, Delete, Execute, Scenario, SetInterface, Step, Withdraw
from bgpsim.source import Source, Unmodelled

HERE = Source("s.yaml", 4)
FLOW = FlowKey("pod:a", "pod:b", "10.1.1.2", "10.1.2.2")
BACK = FlowKey("pod:b", "pod:a", "10.1.2.2", "10.1.1.2")
MANIFEST = ManifestFile("m.yaml", ())
ROUTE = Announcement("injector", "tor0", IPv4Network("10.99.0.1/32"), HERE)


def walk(*devices: str, disposition: Any = "delivered") -> Forwarding:
    path = ForwardingPath(tuple(Hop(d, None, None) for d in devices), disposition, devices[-1])
    return Forwarding(disposition, (path,))


def state(disposition: Any = "delivered", session: Any = "Established") -> NetworkState:
    return NetworkState(
        sessions={SessionKey("tor0", "net0"): Session(session, "ebgp", "router0", word="Connect")},
        forwarding={FLOW: walk("worker", "tor0", disposition=disposition), BACK: walk("worker2", "tor0")},
    )


class ScriptedLab:
    """A Lab that remembers what it was told and breaks where the script says so."""

    def __init__(self, facts: LabFacts, breaks: dict[str, BaseException]) -> None:
        self.facts = facts
        self.breaks = breaks
        self.told: list[str] = []
        self.agent = SimpleNamespace(call=self._nobody_answers)
        self.devices: dict[str, Any] = {}

    def _tell(self, text: str) -> None:
        self.told.append(text)
        if text in self.breaks:
            raise self.breaks[text]

    def _nobody_answers(self, method: str, **_: Any) -> Any:
        raise LabError(f"nobody answers {method}")

    def log_lines(self) -> tuple[str, ...]:
        return ("the supervisor's last line",)

    def bring_up(self, progress: Callable[[str], None]) -> None:
        progress("up")
        self._tell("bring_up")

    def apply(self, manifest: ManifestFile) -> None:
        self._tell(f"apply {manifest.path}")

    def delete(self, manifest: ManifestFile) -> None:
        self._tell(f"delete {manifest.path}")

    def set_interface(self, device: str, interface: str, *, up: bool) -> None:
        self._tell(f"{device}:{interface} {'up' if up else 'down'}")

    def execute(self, device: str, command: str, source: Source | None = None) -> CommandResult:
        self._tell(f"exec {device} {command}")
        return CommandResult(device, command, 1 if command == "false" else 0, "no\n", source)

    def announce(self, announcement: Announcement) -> None:
        self._tell(f"announce {announcement.prefix} {announcement.router}")

    def withdraw(self, announcement: Announcement) -> None:
        self._tell(f"withdraw {announcement.prefix} {announcement.router}")

    def check_alive(self) -> None:
        self._tell("alive")

    def close(self) -> None:
        self._tell("close")


class Log:
    def __init__(self) -> None:
        self.steps: list[str] = []
        self.verdicts: list[str] = []

    def scenario(self, name: str, file: str) -> None: ...
    @contextmanager
    def working(self, text: str) -> Iterator[Callable[[str], None]]:
        yield lambda _: None

    def lab(self, lab: Any, seconds: float) -> None: ...
    def step(self, step: StepPart) -> None:
        self.steps.append(step.name)

    def verdict(self, run: RunPart) -> None:
        self.verdicts.append(run.verdict)


def step(name: str, *actions: Action, expected: tuple[Any, ...] = ()) -> Step:
    return Step(name, HERE, actions, Network(name, {}, ()), (FLOW, BACK), expected)


def scenario(*steps: Step, **files: Any) -> Scenario:
    topology = TopologyFile("topo.yml", "t", {}, (), HERE)
    return Scenario("s", "s.yaml", LabFiles(topology, **files), steps)


class Stage:
    """The model, the observers and the lab of one test; `quiet` keeps the windows that were asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.predicted: dict[str, NetworkState] = {}
        self.observed: dict[str, Any] = {}
        self.unmodelled: tuple[Unmodelled, ...] = ()
        self.ties: tuple[Tie, ...] = ()
        self.settled: dict[int, str] = {}
        self.quiet: list[float] = []
        self.facts = LabFacts("embedded", rootless=True)
        self.breaks: dict[str, BaseException] = {}
        self.log = Log()
        self.lab: ScriptedLab | None = None
        self.now = -1
        self.names: list[str] = []
        monkeypatch.setattr(runner, "predict", self.predict)
        monkeypatch.setattr(planning, "predict", self.predict)
        monkeypatch.setattr(runner, "wait_settled", self.wait_settled)
        monkeypatch.setattr(runner, "observe", self.observe)

    def predict(self, network: Network, before: NetworkState | None, flows: Any) -> Any:
        found = self.predicted.get(network.name, state())
        if isinstance(found, BaseException):
            raise found
        return Prediction(found, self.unmodelled, self.ties)

    def wait_settled(self, agent: Any, devices: Any, *, quiet: float, timeout: float) -> Any:
        self.quiet.append(quiet)
        self.now += 1
        how = self.settled.get(self.now, "quiet")
        return Settled(how, "tor0: still moving" if how == "timeout" else None, seconds=3.0, quiet=quiet)  # type: ignore[arg-type]

    def observe(self, agent: Any, devices: Any, flows: Any) -> NetworkState:
        found = self.observed.get(self.names[self.now], state())
        if isinstance(found, BaseException):
            raise found
        assert isinstance(found, NetworkState)
        return found

    def run(self, wanted: Scenario, **options: Any) -> runner.Outcome:
        self.names = [s.name for s in wanted.steps]
        self.lab = ScriptedLab(self.facts, self.breaks)
        lab: Any = self.lab
        return runner.run(wanted, lambda _: lab, self.log, **options)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(monkeypatch)


@pytest.mark.parametrize(("seen", "exit_code", "outcome"), [(0, 0, "1"), (1, 0, "2"), (2, 1, "1")])
def test_one_outcome_of_an_open_choice_must_explain_all_that_is_seen(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, seen: int, exit_code: int, outcome: str
) -> None:
    """Two states are possible; a third one is neither. The next step is predicted from the one that was seen."""
    states = [
        replace(state(), forwarding={FLOW: walk("worker", via), BACK: walk("worker2")}) for via in ("a", "b", "c")
    ]
    stage.ties = (Tie(TableKey("tor0", ROUTE.prefix), ()),)
    stage.predicted["one"] = states[0]
    monkeypatch.setattr(runner, "outcomes", lambda *_: tuple(Prediction(s, (), stage.ties) for s in states[:2]))
    monkeypatch.setattr(runner, "outcome_with", lambda *_: ())
    stage.observed["one"] = states[seen]
    befores = []
    predict = stage.predict

    def remember(network: Network, before: NetworkState | None, flows: Any) -> Any:
        befores.append((network.name, before))
        return predict(network, before, flows)

    monkeypatch.setattr(runner, "predict", remember)
    found = stage.run(scenario(step("one"), step("two")))
    first = found.run.steps[0]
    assert [part.id for part in first.outcomes] == ["1", "2"]
    assert first.volatile["outcome"] == outcome
    assert (first.verdict == "pass") is (exit_code == 0)
    assert befores[-1] == ("two", states[int(outcome) - 1])


def test_a_plane_that_nobody_could_read_is_inconclusive(stage: Stage) -> None:
    unread = replace(state(), sessions={}, not_observed={"bgp": {"tor0": "bgpd does not answer"}})
    stage.observed["one"] = unread
    outcome = stage.run(scenario(step("one")))
    assert (outcome.exit_code, outcome.run.steps[0].verdict) == (3, "inconclusive")
    assert outcome.run.error is not None
    assert outcome.run.error.message == (
        "step “one”: nothing of the bgp plane could be read: tor0: bgpd does not answer"
    )


def test_a_pair_that_could_not_be_read_is_inconclusive_though_the_rest_agrees(stage: Stage) -> None:
    seen = state()
    doubted = {flow: forwarding for flow, forwarding in seen.forwarding.items() if flow != FLOW}
    stage.observed["one"] = replace(seen, forwarding=doubted, not_observed={"path": {FLOW.pair: "they disagree"}})
    outcome = stage.run(scenario(step("one")))
    assert (outcome.exit_code, outcome.run.steps[0].verdict) == (3, "inconclusive")
    assert outcome.run.steps[0].mismatches == []
    assert outcome.run.steps[0].volatile["cross_check"]["pairs"] == 1
    assert outcome.run.error is not None
    assert outcome.run.error.message == (
        f"step “one”: not all of the path plane could be read: {FLOW.pair}: they disagree"
    )


def told(stage: Stage) -> list[str]:
    assert stage.lab is not None
    return [text for text in stage.lab.told if text != "alive"]


def test_all_as_predicted_passes(stage: Stage) -> None:
    reach = ReachExpected("a and b reach each other", (FLOW, BACK))
    outcome = stage.run(scenario(step("one"), step("two", expected=(reach, SameAsExpected("same", "one")))))
    assert (outcome.exit_code, outcome.run.verdict, outcome.run.confidence) == (0, "pass", "full")
    assert [s.verdict for s in outcome.run.steps] == ["pass", "pass"]
    assert [e.verdict for e in outcome.run.steps[1].expectations] == ["pass", "pass"]
    assert outcome.run.steps[0].diff is None
    assert outcome.run.steps[1].diff is not None
    assert outcome.run.steps[1].diff.against == "one"
    assert outcome.run.steps[0].volatile["session_words"] == {"tor0 net0": "Connect"}
    assert stage.log.steps == ["one", "two"]
    assert told(stage) == ["bring_up", "close"]


def test_actions_are_done_in_the_order_given_and_reported(stage: Stage) -> None:
    actions = (
        Apply(MANIFEST),
        Delete(MANIFEST),
        SetInterface("tor1", "net0", False),
        SetInterface("tor1", "net0", True),
        Withdraw(ROUTE),
        Announce(ROUTE),
        Announce(replace(ROUTE, router="tor1", as_path=(65099, 1), med=5, communities=("65099:1",))),
        Execute("tor1", "true", HERE),
    )
    outcome = stage.run(scenario(step("one", *actions)))
    assert told(stage)[1:-1] == [
        "apply m.yaml",
        "delete m.yaml",
        "tor1:net0 down",
        "tor1:net0 up",
        "withdraw 10.99.0.1/32 tor0",
        "announce 10.99.0.1/32 tor0",
        "announce 10.99.0.1/32 tor1",
        "exec tor1 true",
    ]
    assert outcome.run.steps[0].actions[-2:] == [
        "announce 10.99.0.1/32 by injector to tor1, as-path [65099 1], med 5, communities 65099:1",
        "exec on tor1: true",
    ]


def test_a_difference_fails(stage: Stage) -> None:
    stage.observed["two"] = state("blackhole")
    outcome = stage.run(scenario(step("one"), step("two"), step("three")))
    assert (outcome.exit_code, outcome.run.verdict) == (1, "fail")
    assert [s.verdict for s in outcome.run.steps] == ["pass", "fail", "pass"]
    (mismatch,) = outcome.run.steps[1].mismatches
    assert (mismatch.plane, mismatch.kind) == ("path", "differs")
    change = outcome.run.steps[1].diff
    assert change is not None
    assert change.observed is not None
    assert [(p.sender, p.target) for p in change.observed.reachability.lost] == [("pod:a", "pod:b")]


def test_an_expectation_that_is_not_met_fails_though_the_prediction_agrees(stage: Stage) -> None:
    stage.predicted["one"] = stage.observed["one"] = state("no-route")
    outcome = stage.run(scenario(step("one", expected=(ReachExpected("r", (FLOW, BACK)),))))
    assert outcome.exit_code == 1
    assert outcome.run.steps[0].mismatches == []
    assert outcome.run.steps[0].expectations[0].verdict == "fail"


def test_a_timeout_is_inconclusive_and_the_next_steps_still_run(stage: Stage) -> None:
    stage.settled[0] = "timeout"
    stage.observed["two"] = state("blackhole")
    outcome = stage.run(scenario(step("one"), step("two")))
    assert (outcome.exit_code, outcome.run.verdict) == (3, "inconclusive")
    assert [s.verdict for s in outcome.run.steps] == ["inconclusive", "fail"]
    assert outcome.run.error is not None
    assert outcome.run.error.kind == "not-settled"
    assert "tor0: still moving" in outcome.run.error.message


def test_a_daemon_that_died_is_told_with_its_log_and_the_steps_so_far(stage: Stage) -> None:
    stage.observed["two"] = LabError("tor0 does not answer")
    wanted = scenario(step("one"), step("two", Announce(ROUTE)), step("three"))
    stage.names = ["one", "two", "three"]
    lab = ScriptedLab(stage.facts, {})
    deaths = iter([None, None, None, None, None, DeviceDied("tor0: bgpd ended", log=("last words",))])
    lab.check_alive = lambda: _raise(next(deaths))  # type: ignore[method-assign]
    made: Any = lab
    outcome = runner.run(wanted, lambda _: made, stage.log)
    assert (outcome.exit_code, outcome.run.verdict) == (3, "inconclusive")
    assert outcome.run.error is not None
    assert (outcome.run.error.kind, outcome.run.error.volatile.log) == ("died", ["last words"])
    assert [(s.name, s.verdict) for s in outcome.run.steps] == [("one", "pass"), ("two", "inconclusive")]
    assert outcome.run.steps[1].actions == ["announce 10.99.0.1/32 by injector to tor0"]
    assert lab.told[-1] == "close"


def _raise(error: BaseException | None) -> None:
    if error is not None:
        raise error


@pytest.mark.parametrize(
    ("error", "code", "verdict", "kind"),
    [
        (HostError("user namespaces are switched off"), 2, "error", "host"),
        (LabError("the lab ended"), 3, "inconclusive", "lab"),
        (KeyboardInterrupt(), 130, "interrupted", "interrupted"),
    ],
)
def test_a_lab_that_does_not_come_up(stage: Stage, error: BaseException, code: int, verdict: str, kind: str) -> None:
    stage.breaks["bring_up"] = error
    outcome = stage.run(scenario(step("one")))
    assert (outcome.exit_code, outcome.run.verdict) == (code, verdict)
    assert outcome.run.error is not None
    assert outcome.run.error.kind == kind
    assert outcome.run.steps == []
    assert told(stage) == ["bring_up", "close"]


def test_ctrl_c_in_a_step_keeps_the_report_so_far(stage: Stage) -> None:
    stage.breaks["apply m.yaml"] = KeyboardInterrupt()
    outcome = stage.run(scenario(step("one"), step("two", Apply(MANIFEST))))
    assert outcome.exit_code == 130
    assert [(s.name, s.verdict) for s in outcome.run.steps] == [("one", "pass"), ("two", "interrupted")]
    assert told(stage)[-1] == "close"


def test_a_bug_is_one_line_and_a_trace_file(stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    stage.observed["one"] = KeyError("x")
    outcome = stage.run(scenario(step("one")))
    assert (outcome.exit_code, outcome.run.verdict) == (4, "error")
    assert outcome.run.error is not None
    assert outcome.run.error.message == "a bug in bgpsim: KeyError: 'x'"
    (trace,) = tmp_path.glob("bgpsim-trace-*.txt")
    assert str(trace) in (outcome.run.error.hint or "")
    assert "Traceback" in trace.read_text()


def test_a_model_that_refuses_to_guess_ends_the_lab(stage: Stage) -> None:
    refusal: Any = ModelError("two policies match worker", file="m.yaml", line=3)
    stage.predicted["one"] = refusal
    outcome = stage.run(scenario(step("one")))
    assert (outcome.exit_code, outcome.run.verdict) == (2, "error")
    assert outcome.run.error is not None
    assert (outcome.run.error.file, outcome.run.error.line) == ("m.yaml", 3)
    assert told(stage) == ["bring_up", "close"]


@pytest.mark.parametrize(("allowed", "code"), [(False, 3), (True, 0)])
def test_a_refused_line_is_inconclusive_unless_allowed(stage: Stage, allowed: bool, code: int) -> None:
    stage.facts = replace(stage.facts, rejected_lines=(RejectedLine("tor0", "nighbor x", "% Unknown command", HERE),))
    outcome = stage.run(scenario(step("one"), allow_refused=allowed))
    assert outcome.exit_code == code
    assert outcome.run.lab is not None
    assert [r.text for r in outcome.run.lab.rejected_lines] == ["nighbor x"]
    if not allowed:
        assert outcome.run.error is not None
        assert (outcome.run.error.file, outcome.run.error.line) == ("s.yaml", 4)
        assert "nighbor x" in outcome.run.error.message


@pytest.mark.parametrize(("strict", "code"), [(False, 0), (True, 3)])
def test_a_failed_exec_line_counts_with_strict_alone(stage: Stage, strict: bool, code: int) -> None:
    outcome = stage.run(scenario(step("one", Execute("tor1", "false", HERE))), strict=strict)
    assert outcome.exit_code == code
    assert outcome.run.lab is not None
    assert [(f.device, f.command, f.line) for f in outcome.run.lab.exec_failures] == [("tor1", "false", 4)]


def test_the_quiet_window_is_longer_after_a_route_map(stage: Stage) -> None:
    edit = Execute("tor1", "vtysh -c 'conf t' -c 'route-map UPLINK deny 5'", HERE)
    stage.run(scenario(step("one"), step("two", edit), step("three", Execute("tor1", "ip link", HERE))))
    assert stage.quiet == [1.75, 5.5, 1.75]


def test_what_is_typed_is_listed_as_not_modelled_and_makes_confidence_partial(stage: Stage) -> None:
    outcome = stage.run(scenario(step("one", Execute("tor1", "true", HERE))))
    assert outcome.run.confidence == "partial"
    assert [(u.device, u.text, u.line) for u in outcome.run.not_modelled] == [("tor1", "true", 4)]


def test_a_line_without_effect_leaves_confidence_full(stage: Stage) -> None:
    stage.unmodelled = (Unmodelled(HERE, "tor0", "iptables", "none"),)
    assert stage.run(scenario(step("one"))).run.confidence == "full"


def test_reports_of_two_runs_are_byte_equal_outside_volatile(stage: Stage) -> None:
    texts = []
    for _ in range(2):
        stage.now = -1
        outcome = stage.run(scenario(step("one"), step("two")))
        report = Report(verdict="pass", exit_code=0, runs=[outcome.run])
        texts.append(json.dumps(without_volatile(json.loads(to_json(report)))))
    assert texts[0] == texts[1]


def test_plan_judges_expectations_in_the_prediction(stage: Stage) -> None:
    stage.predicted["two"] = state("blackhole")
    expected = (ReachExpected("r", (FLOW, BACK)),)
    outcome = planning.plan(scenario(step("one", expected=expected), step("two", expected=expected)), stage.log)
    assert (outcome.exit_code, [s.verdict for s in outcome.run.steps]) == (1, ["pass", "fail"])
    assert outcome.run.lab is None
    change = outcome.run.steps[1].diff
    assert change is not None
    assert change.observed is None
    assert change.predicted is not None
    assert len(change.predicted.reachability.lost) == 1
