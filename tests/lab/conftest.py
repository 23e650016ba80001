"""Fixtures of the lab tests."""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from keeping import Bgpsim

SEED = Path(__file__).parents[2] / "scenarios" / "cilium-bgp"

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


@pytest.fixture(scope="module")
def bgpsim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bgpsim]:
    """The command, with labs of its own, which end with the module."""
    runtime = tmp_path_factory.mktemp("runtime")
    runtime.chmod(0o700)
    command = Bgpsim(runtime)
    yield command
    command("lab", "down", "--all")


@pytest.fixture(scope="module")
def seed(bgpsim: Bgpsim) -> str:
    """The seed's lab, its Cilium peers up."""
    bgpsim("run", str(SEED / "scenario.yaml"), "--step", "cilium peers", "--keep", "-q")
    return "cilium-bgp"
