"""Whether a round ended as it had to: a function of what was done and what was seen, and of nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tests.soak.faults import Fault

BOUND = 60.0
"""Seconds from a fault to the end of the command that meets it; the longest wait of bgpsim's own is 30 s."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command of bgpsim's: its words, how it ended, what it said, and how long after the fault."""

    words: str
    code: int
    said: str
    seconds: float
    """From the fault, or from its start if that was later, to its end."""
    report: tuple[str, ...] = ()
    """What is wrong with its report."""
    hung: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """A whole round."""

    fault: Fault
    injected: bool
    late: bool
    """The lab was already being closed: nothing had to be seen of the fault any more."""
    device: str | None
    commands: tuple[Command, ...]
    left: tuple[str, ...]
    """What is there afterwards and was not before, or the other way round."""


def complaints(seen: Seen) -> tuple[str, ...]:
    """Empty where all is right."""
    found = [f"left behind: {what}" for what in seen.left]
    for command in seen.commands:
        found += _of_any(command)
    last = seen.commands[-1:] if seen.commands and seen.commands[-1].words.startswith("lab down") else ()
    for command in last:
        if command.code != 0:
            found.append(f"{command.words}: exit code {command.code}, expected 0")
    rest = seen.commands[: len(seen.commands) - len(last)]
    return tuple(found + _of_fault(seen, rest))


def _of_any(command: Command) -> list[str]:
    found = [f"{command.words}: report: {problem}" for problem in command.report]
    if command.hung or command.seconds > BOUND:
        found.append(f"{command.words}: {command.seconds:.0f} s, expected at most {BOUND:.0f}")
    if "Traceback (most recent" in command.said:
        found.append(f"{command.words}: a traceback")
    if command.code == 4 or "a bug in bgpsim" in command.said:
        found.append(f"{command.words}: exit code {command.code}, a bug: {cause(command.said)}")
    return found


def _of_fault(seen: Seen, commands: tuple[Command, ...]) -> list[str]:
    expected = seen.fault.codes if seen.injected else frozenset({0})
    if not seen.injected or (not seen.fault.says and expected == {3}):
        return [f"{c.words}: exit code {c.code}, expected 0: {cause(c.said)}" for c in commands if c.code != 0]
    met = [c for c in commands if c.code != 0]
    if not met:
        if seen.late or expected == {0}:
            return []
        return [f"nobody noticed: every exit code is 0, expected {_either(expected)}"]
    found = [
        f"{c.words}: exit code {c.code}, expected {_either(expected)}: {cause(c.said)}"
        for c in met
        if c.code not in expected
    ]
    says = seen.fault.says.replace("{device}", re.escape(seen.device or "?"))
    if says and not any(re.search(says, cause(c.said)) for c in met):
        found.append(f"the cause is not named: {' | '.join(cause(c.said) for c in met)}; expected /{says}/")
    return found


def cause(said: str) -> str:
    """The line of an error, with its file's place taken off; what else was said where there is none."""
    line = next((one for one in said.splitlines() if one.startswith("error: ")), said.strip()[-200:])
    return line.removeprefix("error: ")


def wrong_report(report: dict[str, Any] | None, problem: str | None, code: int, said: str) -> tuple[str, ...]:
    """A report, read, and the schema's complaint, beside what the command said and how it ended."""
    if report is None:
        return (problem or "there is none",)
    found = [] if problem is None else [problem]
    if report.get("exit_code") != code:
        found.append(f"its exit code is {report.get('exit_code')}, the command's {code}")
    errors = [run["error"]["message"] for run in report.get("runs", ()) if run.get("error")]
    if code not in (0, 1) and not errors:
        found.append("it says no error")
    if any(message not in said for message in errors):
        found.append(f"its error is not what was said: {errors}")
    return tuple(found)


def _either(codes: frozenset[int]) -> str:
    return " or ".join(str(code) for code in sorted(codes))
