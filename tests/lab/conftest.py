"""Fixtures of the lab tests."""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# A shell's background job ignores Ctrl-C, and so would every command that a test starts from it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """An empty folder that every user can read. pytest's own cannot be made so: it closes them to others again each
    time that somebody starts it.
    """
    folder = Path(tempfile.mkdtemp(prefix="bgpsim-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
