"""junit.xml: a test suite per scenario; a test case per step (the planes compared) and per expectation.

The shape that CI servers read (`junit-4.xsd`, from Jenkins' xUnit plug-in). A difference is a failure, what is
inconclusive, interrupted or bad input is an error (docs/reading-a-report.md). Times alone change from run to run,
and in `system-err` the log of what broke.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

from bgpsim.report.differences import Difference, gathered
from bgpsim.report.document import ErrorPart, ExpectationPart, Report, RunPart, StepPart

_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold (section 2.2); a router's log may."""
SHOWN_DIFFERENCES = 50


def render(report: Report) -> str:
    """The whole file; ends in one newline."""
    suites = [_suite(run) for run in report.runs]
    root = ElementTree.Element("testsuites", {"name": "bgpsim"})
    for suite in suites:
        root.append(suite)
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in suites)))
    root.set("time", _seconds(sum(float(suite.get("time", "0")) for suite in suites)))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(run: RunPart) -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", {"name": _clean(run.scenario)})
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in (("file", run.file), ("verdict", run.verdict), ("confidence", run.confidence)):
        ElementTree.SubElement(properties, "property", {"name": name, "value": _clean(value)})
    cases = list(_cases(run))
    suite.extend(cases)
    if run.error is not None and run.error.volatile.log:
        ElementTree.SubElement(suite, "system-err").text = _clean("\n".join(run.error.volatile.log))
    suite.set("tests", str(len(cases)))
    suite.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    suite.set("errors", str(sum(case.find("error") is not None for case in cases)))
    suite.set("time", _seconds(run.volatile.get("seconds", {}).get("total", 0.0)))
    return suite


def _cases(run: RunPart) -> Iterator[ElementTree.Element]:
    broken = [step for step in run.steps if step.verdict in ("inconclusive", "interrupted", "error")]
    for step in run.steps:
        yield _planes(run, step)
        for expectation in step.expectations:
            yield _expectation(run, step, expectation)
    if run.error is not None and not broken:
        case = _case(run, "the run")
        _add(case, "error", run.error.kind, run.error.message, _error_text(run.error))
        yield case


def _planes(run: RunPart, step: StepPart) -> ElementTree.Element:
    case = _case(run, f"{step.name}: as predicted", step.volatile.get("seconds", 0.0))
    if step.verdict in ("inconclusive", "interrupted", "error"):
        message, text = str(step.verdict), ""
        if step.settled is not None and step.settled.how == "timeout":
            message = f"did not settle: {step.settled.because}"
        elif run.error is not None:
            message, text = run.error.message, _error_text(run.error)
        _add(case, "error", step.verdict, message, text)
    if step.mismatches:
        differences = gathered(step.mismatches)
        more = f" and {len(differences) - 1} more" if len(differences) > 1 else ""
        _add(case, "failure", "difference", differences[0].title + more, "\n\n".join(_told(differences)))
    return case


def _told(differences: Sequence[Difference]) -> Iterator[str]:
    for difference in differences[:SHOWN_DIFFERENCES]:
        first = difference.first
        lines = [
            difference.title,
            f"  predicted: {first.predicted or '-'}",
            f"  observed:  {first.observed or '-'}",
        ]
        lines += [f"  {line.file}:{line.line}  {line.text.strip()}" for line in first.because]
        if difference.others:
            lines.append(f"  and {difference.elsewhere()}")
        yield "\n".join(lines)
    if len(differences) > SHOWN_DIFFERENCES:
        yield f"… and {len(differences) - SHOWN_DIFFERENCES} more in report.json"


def _expectation(run: RunPart, step: StepPart, expectation: ExpectationPart) -> ElementTree.Element:
    case = _case(run, f"{step.name}: {expectation.text}")
    if expectation.verdict == "fail":
        _add(case, "failure", "expectation", expectation.seen, "")
    return case


def _case(run: RunPart, name: str, seconds: float = 0.0) -> ElementTree.Element:
    return ElementTree.Element(
        "testcase", {"classname": _clean(run.scenario), "name": _clean(name), "time": _seconds(seconds)}
    )


def _add(case: ElementTree.Element, tag: str, kind: str, message: str, text: str) -> None:
    part = ElementTree.Element(tag, {"type": kind, "message": _clean(message)})
    part.text = _clean(text)
    # An error stands before a failure.
    case.insert(0 if tag == "error" else len(case), part)


def _error_text(error: ErrorPart) -> str:
    where = f"{error.file}:{error.line}: " if error.file else ""
    lines = [where + error.message, *error.others]
    if error.hint:
        lines.append(f"hint: {error.hint}")
    return "\n".join(lines)


def _clean(text: str) -> str:
    return _NO_XML.sub("�", text)


def _seconds(value: float) -> str:
    return f"{value:.3f}"
