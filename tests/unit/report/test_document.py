"""report.json keeps its published shape."""

import json

import jsonschema
from rich.console import Console

from bgpsim.report.canonical import to_json, without_volatile
from bgpsim.report.change_parts import DiffPart, PairChangePart, ReachabilityDiff, RoutesDiff, StateDiffPart
from bgpsim.report.document import (
    EndpointPart,
    ErrorPart,
    ExpectationPart,
    HopPart,
    LabPart,
    MismatchPart,
    ObservedForwarding,
    PathPart,
    PlanePart,
    PredictedForwarding,
    ReachabilityPart,
    Report,
    RunPart,
    Settled,
    StepPart,
    report_schema,
)
from bgpsim.report.markdown import render
from bgpsim.report.part import Line
from bgpsim.report.terminal import Terminal

PATH = PathPart(
    hops=[
        HopPart(device="worker", ingress=None, egress="net0"),
        HopPart(device="worker3", ingress="net0", egress=None),
    ],
    disposition="delivered",
    at="worker3",
    ttl=59,
)


def sample() -> Report:
    change = StateDiffPart(
        routes=RoutesDiff(),
        reachability=ReachabilityDiff(
            lost=[PairChangePart(sender="pod:a", target="pod:b", before="worker", after="tor1: no-route at tor1")]
        ),
    )
    step = StepPart(
        name="hijack",
        verdict="fail",
        settled=Settled(how="quiet"),
        planes={"bgp": PlanePart(status="compared", compared=96, equal=95, differs=1)},
        mismatches=[
            MismatchPart(
                plane="fib",
                kind="differs",
                device="tor1",
                peer=None,
                family="ipv4-unicast",
                prefix="10.1.3.0/24",
                field="nexthops",
                predicted="via 10.0.4.2 dev net2",
                observed="",
                because=[Line(text="neighbor 10.0.4.2 peer-group SERVERS", file="topo.yml", line=48)],
            )
        ],
        reachability=[
            ReachabilityPart(
                sender=EndpointPart(id="pod:a", address="10.1.1.2"),
                target=EndpointPart(id="pod:b", address="10.1.3.2"),
                predicted=PredictedForwarding(disposition="delivered", paths=[PATH]),
                observed=ObservedForwarding(
                    disposition="delivered", paths=[PATH], complete=True, flows=8, evidence="capture"
                ),
                agrees=True,
            )
        ],
        diff=DiffPart(against="fabric", predicted=change, observed=change),
        expectations=[ExpectationPart(text="rack0 reaches rack1", verdict="pass", seen="12 of 12")],
        volatile={"seconds": 2.2},
    )
    run = RunPart(
        scenario="baseline",
        file="baseline.yaml",
        verdict="fail",
        confidence="full",
        error=None,
        lab=LabPart(backend="embedded", rootless=True),
        steps=[step],
        volatile={"seconds": {"total": 19.1, "bring_up": 8.4}},
    )
    return Report(verdict="fail", exit_code=1, runs=[run])


def test_the_contract_s_keys_are_there_and_the_schema_accepts_them() -> None:
    document = json.loads(to_json(sample()))
    jsonschema.Draft202012Validator.check_schema(report_schema())
    jsonschema.validate(document, report_schema())
    assert set(document) == {"schema", "verdict", "exit_code", "states", "runs"}
    assert document["schema"] == "bgpsim.report/1"
    run = document["runs"][0]
    assert {"scenario", "file", "verdict", "confidence", "error", "lab", "not_modelled", "steps", "volatile"} <= set(
        run
    )
    assert {"backend", "rootless", "images", "stand_ins", "induced", "exec_failures", "rejected_lines"} <= set(
        run["lab"]
    )
    step = run["steps"][0]
    assert {
        "name",
        "verdict",
        "settled",
        "sessions",
        "planes",
        "mismatches",
        "reachability",
        "diff",
        "expectations",
        "volatile",
    } <= set(step)
    pair = step["reachability"][0]
    assert pair["from"]["id"] == "pod:a"
    assert pair["predicted"]["paths"][0]["hops"][0] == {"device": "worker", "in": None, "out": "net0"}
    assert set(step["diff"]["predicted"]["reachability"]) == {"lost", "gained", "moved"}


def test_the_schema_refuses_an_unknown_key() -> None:
    document = json.loads(to_json(sample())) | {"extra": 1}
    assert not jsonschema.Draft202012Validator(report_schema()).is_valid(document)


def test_volatile_is_taken_out_at_any_depth() -> None:
    stripped = json.dumps(without_volatile(json.loads(to_json(sample()))))
    assert "volatile" not in stripped
    assert "8.4" not in stripped


def test_markdown_has_the_matrix_with_the_lost_pair() -> None:
    text = render(sample())
    assert "| `pod:a` | ✓ (**lost**) |" in text
    assert "topo.yml:48" in text


def test_terminal_names_what_differs_and_where_it_comes_from() -> None:
    console = Console(width=100, record=True, no_color=True, force_terminal=False)
    terminal = Terminal(console)
    report = sample()
    terminal.step(report.runs[0].steps[0])
    terminal.verdict(report.runs[0])
    text = console.export_text()
    for expected in (
        "route 10.1.3.0/24: fib differs (nexthops) at tor1",
        "topo.yml:48",
        "bgp 95/96",
        "lost pod:a → pod:b",
        "fail baseline",
    ):
        assert expected in text


def test_terminal_shows_markup_in_input_as_it_is() -> None:
    console = Console(width=100, record=True, force_terminal=False)
    Terminal(console).error(ErrorPart(kind="input", message="found [bold], expected [/]", file="a.yml", line=3))
    assert "a.yml:3: found [bold], expected [/]" in console.export_text()
