"""What a built wheel has in it: `pip install` gives the same commands as the source tree."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import click
import pytest
import setuptools

ROOT = Path(__file__).resolve().parents[2]
SEED = ROOT / "scenarios" / "cilium-bgp"

pytestmark = pytest.mark.skipif(
    int(setuptools.__version__.split(".")[0]) < 77, reason=f"setuptools {setuptools.__version__} cannot build it"
)


def run(argv: Sequence[str | Path], **environment: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=os.environ | environment, cwd="/")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built of a copy, for a build leaves files in its tree; without the network."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tree)
    for name in ("bgpsim", "speakers", "scenarios"):
        shutil.copytree(ROOT / name, tree / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    to = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    run([*pip, "wheel", "--quiet", "--no-build-isolation", "--no-deps", "--no-index", "-w", to, tree])
    (found,) = to.iterdir()
    return found


def test_it_has_the_shipped_lab(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for file in SEED.iterdir():
            assert archive.read(f"bgpsim/generate/seed/{file.name}") == file.read_bytes()


def test_installed_it_writes_a_lab_and_predicts_it(wheel: Path, tmp_path: Path) -> None:
    """Without anything of the source tree; the dependencies are those of this environment."""
    venv = tmp_path / "venv"
    run([sys.executable, "-m", "venv", "--without-pip", venv])
    python = venv / "bin" / "python"
    run([sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel])
    dependencies = str(Path(click.__file__).parents[1])
    said = run([venv / "bin" / "bgpsim", "init", tmp_path / "lab"], PYTHONPATH=dependencies)
    assert str(tmp_path / "lab" / "scenario.yaml") in said
    assert "pass" in run(
        [venv / "bin" / "bgpsim", "plan", "-q", tmp_path / "lab" / "scenario.yaml"], PYTHONPATH=dependencies
    )
    where = "import bgpsim, bgpsim.speakers; print(bgpsim.__file__, bgpsim.speakers.__file__)"
    assert run([python, "-c", where], PYTHONPATH=dependencies).count(str(venv)) == 2
