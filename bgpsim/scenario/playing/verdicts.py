"""Verdicts, exit codes and the error part of a report."""

from __future__ import annotations

import os
import tempfile
import traceback
from collections.abc import Iterable

from bgpsim.errors import BgpsimError, InputError, LabError
from bgpsim.exhaustion import exhausted
from bgpsim.report.document import ErrorPart, ErrorVolatile, RunPart, Verdict

PASS, FAIL, BAD_INPUT, INCONCLUSIVE, BUG, INTERRUPTED = 0, 1, 2, 3, 4, 130

_VERDICTS: dict[int, Verdict] = {
    PASS: "pass",
    FAIL: "fail",
    BAD_INPUT: "error",
    INCONCLUSIVE: "inconclusive",
    BUG: "error",
    INTERRUPTED: "interrupted",
}


def verdict_of(exit_code: int) -> Verdict:
    return _VERDICTS[exit_code]


def highest(exit_codes: Iterable[int]) -> int:
    """An interrupt, then the highest of 4, 3, 2, 1, 0."""
    return max(exit_codes, default=PASS)


def error_part(error: BaseException) -> tuple[ErrorPart, int]:
    """What the report says of an exception, and its exit code. A bug's trace is kept in a file of its own."""
    if isinstance(error, KeyboardInterrupt):
        return ErrorPart(kind="interrupted", message="interrupted; the lab is gone"), INTERRUPTED
    if isinstance(error, BgpsimError):
        return (
            ErrorPart(
                kind=error.kind,
                message=error.message,
                file=error.file,
                line=error.line,
                hint=error.hint,
                volatile=ErrorVolatile(log=list(error.log) if isinstance(error, LabError) else []),
                others=[str(other) for other in error.others] if isinstance(error, InputError) else [],
            ),
            error.exit_code,
        )
    words = exhausted(error)
    if words is not None:
        return ErrorPart(kind="exhausted", message=f"bgpsim itself: {words}"), INCONCLUSIVE
    return (
        ErrorPart(
            kind="bug",
            message=f"a bug in bgpsim: {type(error).__name__}: {_first_line(error)}",
            hint=_kept_trace(error),
        ),
        BUG,
    )


def failed_load(name: str, file: str, error: BaseException) -> tuple[RunPart, int]:
    """The run of a scenario that could not be read."""
    part, code = error_part(error)
    return (
        RunPart(
            scenario=name, file=file, verdict=verdict_of(code), confidence="full", error=part, lab=None, steps=[]
        ),
        code,
    )  # fmt: skip


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0]


def _kept_trace(error: BaseException) -> str:
    try:
        handle, name = tempfile.mkstemp(prefix="bgpsim-trace-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write("".join(traceback.format_exception(error)))
    except OSError as problem:
        return f"the trace could not be kept: {problem.strerror}"
    return f"the trace is in {name}"
