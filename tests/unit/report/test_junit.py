"""junit.xml: the shape that CI servers read, and which verdict becomes what."""

from typing import Any
from xml.etree import ElementTree

from bgpsim.report import junit
from bgpsim.report.document import (
    ErrorPart,
    ErrorVolatile,
    ExpectationPart,
    MismatchPart,
    Report,
    RunPart,
    Settled,
    StepPart,
)
from bgpsim.report.part import Line

# junit-4.xsd of Jenkins' xUnit plug-in: element -> its children in order, and its attributes (required first).
SHAPE: dict[str, tuple[tuple[str, ...], set[str], set[str]]] = {
    "testsuites": (("testsuite",), set(), {"name", "time", "tests", "failures", "disabled", "errors"}),
    "testsuite": (
        ("properties", "testcase", "system-out", "system-err"),
        {"name", "tests"},
        {"failures", "errors", "time", "disabled", "skipped", "timestamp", "hostname", "id", "package"},
    ),
    "properties": (("property",), set(), set()),
    "property": ((), {"name", "value"}, set()),
    "testcase": (
        ("skipped", "error", "failure", "system-out", "system-err"),
        {"name"},
        {"assertions", "time", "classname", "status"},
    ),
    "error": ((), set(), {"type", "message"}),
    "failure": ((), set(), {"type", "message"}),
    "system-err": ((), set(), set()),
}


def check_shape(element: ElementTree.Element) -> None:
    children, required, optional = SHAPE[element.tag]
    assert required <= set(element.attrib) <= required | optional, element.tag
    order = [children.index(child.tag) for child in element]
    assert order == sorted(order)
    for child in element:
        check_shape(child)


def run_of(*steps: StepPart, error: ErrorPart | None = None, **more: Any) -> RunPart:
    return RunPart(
        scenario="s", file="s.yaml", verdict="pass", confidence="full", lab=None, error=error, steps=list(steps), **more
    )


def rendered(*runs: RunPart) -> tuple[ElementTree.Element, dict[str, ElementTree.Element]]:
    root = ElementTree.fromstring(junit.render(Report(verdict="pass", exit_code=0, runs=list(runs))))
    check_shape(root)
    for suite in root:
        cases = suite.findall("testcase")
        assert int(suite.attrib["tests"]) == len(cases)
        assert int(suite.attrib["failures"]) == sum(case.find("failure") is not None for case in cases)
        assert int(suite.attrib["errors"]) == sum(case.find("error") is not None for case in cases)
    return root, {case.attrib["name"]: case for case in root.iter("testcase")}


def mismatch(prefix: str) -> MismatchPart:
    return MismatchPart(
        plane="bgp",
        kind="missing",
        device="tor1",
        peer="to net0",
        family="ipv4-unicast",
        prefix=prefix,
        field=None,
        predicted="next-hop self",
        observed="",
        because=[Line(text="  redistribute connected ", file="topo.yml", line=48)],
    )


def step(name: str, verdict: Any, **more: Any) -> StepPart:
    return StepPart(name=name, verdict=verdict, settled=Settled(how="quiet"), **more)


def test_a_step_and_each_of_its_expectations_is_a_case() -> None:
    passed = ExpectationPart(text="a reaches b", verdict="pass", seen="2 of 2 flows delivered")
    failed = ExpectationPart(text="exactly lost: nothing", verdict="fail", seen="2 pairs lost")
    root, cases = rendered(run_of(step("one", "fail", expectations=[passed, failed], volatile={"seconds": 2.25})))
    assert list(cases) == ["one: as predicted", "one: a reaches b", "one: exactly lost: nothing"]
    assert [case.find("failure") is not None for case in cases.values()] == [False, False, True]
    assert cases["one: exactly lost: nothing"].find("failure").attrib["message"] == "2 pairs lost"  # type: ignore[union-attr]
    assert cases["one: as predicted"].attrib["time"] == "2.250"
    assert (root.attrib["tests"], root.attrib["failures"], root.attrib["errors"]) == ("3", "1", "0")


def test_a_difference_is_a_failure_with_what_was_gathered_and_the_lines_behind_it() -> None:
    _, cases = rendered(run_of(step("one", "fail", mismatches=[mismatch("10.1.0.0/24"), mismatch("10.2.0.0/24")])))
    failure = cases["one: as predicted"].find("failure")
    assert failure is not None
    assert failure.attrib["message"] == "route 10.1.0.0/24: bgp missing at tor1, to net0 and 1 more"
    assert failure.text is not None
    assert "predicted: next-hop self\n  observed:  -\n  topo.yml:48  redistribute connected" in failure.text


def test_inconclusive_is_an_error_once() -> None:
    broke = ErrorPart(kind="died", message="bgpd of tor1 ended", volatile=ErrorVolatile(log=["\x1b[31mkilled\x00"]))
    root, cases = rendered(run_of(step("one", "inconclusive"), error=broke))
    error = cases["one: as predicted"].find("error")
    assert error is not None
    assert (error.attrib["type"], error.attrib["message"]) == ("inconclusive", "bgpd of tor1 ended")
    assert root.attrib["errors"] == "1"
    # The log is no part of what is the same in every run, and control characters are no part of XML.
    assert root.findtext("testsuite/system-err") == "�[31mkilled�"


def test_a_step_that_did_not_settle_says_so() -> None:
    waiting = StepPart(name="one", verdict="inconclusive", settled=Settled(how="timeout", because="tor0 net0 dials"))
    _, cases = rendered(run_of(waiting))
    assert cases["one: as predicted"].find("error").attrib["message"] == "did not settle: tor0 net0 dials"  # type: ignore[union-attr]


def test_bad_input_is_an_error_of_the_run() -> None:
    wrong = ErrorPart(kind="input", message="unknown key 'stpes'", file="s.yaml", line=3, hint="did you mean steps?")
    _, cases = rendered(run_of(error=wrong))
    assert list(cases) == ["the run"]
    assert cases["the run"].findtext("error") == "s.yaml:3: unknown key 'stpes'\nhint: did you mean steps?"


def test_times_alone_change() -> None:
    one, other = (
        junit.render(Report(verdict="pass", exit_code=0, runs=[run_of(step("one", "pass", volatile={"seconds": s}))]))
        for s in (1.0, 2.0)
    )
    assert one.replace('time="1.000"', 'time="2.000"') == other
