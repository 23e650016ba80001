"""`bgpsim watch` before it has a lab: what it needs, and what it does not."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from bgpsim.cli.watch import _check_textual
from bgpsim.errors import InputError


def test_without_textual_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError) as error:
        _check_textual()
    assert error.value.exit_code == 2
    assert "needs textual" in error.value.message
    assert "pip install 'bgpsim[watch]'" in (error.value.hint or "")


def test_events_need_no_textual() -> None:
    """Nor does the command line, until the screen is asked for."""
    program = (
        "import sys; sys.modules['textual'] = None\n"
        "import bgpsim.cli.main, bgpsim.cli.watch, bgpsim.keeper.client, bgpsim.keeper.server"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
