"""Fixtures of the lab tests."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """An empty folder that every user can read. pytest's own cannot be made so: it closes them to others again each
    time that somebody starts it.
    """
    folder = Path(tempfile.mkdtemp(prefix="bgpsim-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
