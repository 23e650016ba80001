"""A report that cannot be written whole: one line, exit code 3, and no part of a file."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from bgpsim.cli.output import finish
from bgpsim.report.document import Report


def test_a_disk_without_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(SystemExit) as ended:
        finish(Report(verdict="pass", exit_code=0, runs=[]), as_json=False, folder=tmp_path)
    assert ended.value.code == 3
    assert capsys.readouterr().err == (
        f"error: --report {tmp_path}: No space left on device; the report is not whole\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_one_with_room(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        finish(Report(verdict="fail", exit_code=1, runs=[]), as_json=False, folder=tmp_path)
    assert ended.value.code == 1
    assert {path.name for path in tmp_path.iterdir()} == {"report.json", "report.md", "junit.xml"}
