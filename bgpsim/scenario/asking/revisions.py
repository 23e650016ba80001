"""Files as they are in a git revision, `REV:PATH` as git itself writes it, laid out in a temporary folder.

`PATH` counts from the top of the repository, one that begins with `./` or `../` from the current folder
(gitrevisions(7)). The whole tree is laid out, since a scenario may name files beside its own folder.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from bgpsim.errors import InputError
from bgpsim.scenario.reading.names import hint

GIT_TIMEOUT = 60.0
"""Seconds."""


class Revisions:
    """Revisions of the repository around `here`, each laid out once, while `opened` lasts."""

    def __init__(self, here: Path, folder: Path) -> None:
        self._here = here
        self._folder = folder
        self._laid: dict[str, Path] = {}

    def path(self, text: str) -> Path:
        """Where `REV:PATH` is laid out. Raises InputError for a revision or a path that is not there."""
        revision, _, inside = text.partition(":")
        top = self._git("rev-parse", "--show-toplevel").strip()
        commit = self._commit(revision)
        if commit not in self._laid:
            self._laid[commit] = self._lay(commit)
        relative = _from_top(inside, self._here, Path(top))
        found = self._laid[commit] / relative
        if not found.exists():
            raise InputError(f"{revision} has no '{relative}'; expected a file or folder of it", hint=self._near(found))
        return found

    def _commit(self, revision: str) -> str:
        try:
            return self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").strip()
        except InputError:
            known = self._git("for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags", "refs/remotes")
            raise InputError(
                f"'{revision}' is no revision of this repository; expected a commit, branch or tag",
                hint=hint(revision, [*known.split(), "HEAD"], "branches and tags"),
            ) from None

    def _lay(self, commit: str) -> Path:
        folder = self._folder / commit
        folder.mkdir()
        done = self._run("-C", self._top(), "archive", "--format=tar", commit)
        with tarfile.open(fileobj=io.BytesIO(done)) as archive:
            archive.extractall(folder, filter="data")
        return folder

    def _top(self) -> str:
        return self._git("rev-parse", "--show-toplevel").strip()

    def _near(self, missing: Path) -> str | None:
        parent = missing.parent
        return hint(missing.name, (p.name for p in parent.iterdir()), "files there") if parent.is_dir() else None

    def _git(self, *words: str) -> str:
        return self._run("-C", str(self._here), *words).decode(errors="replace")

    def _run(self, *words: str) -> bytes:
        git = shutil.which("git")
        if git is None:
            raise InputError("a git revision needs the command git, which is not installed", hint="apt install git")
        try:
            done = subprocess.run([git, *words], capture_output=True, timeout=GIT_TIMEOUT, check=False)
        except subprocess.TimeoutExpired:
            raise InputError(f"git {words[2]} took longer than {GIT_TIMEOUT:.0f} s") from None
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip().splitlines() or ["it failed"]
            raise InputError(f"git: {said[0].removeprefix('fatal: ')}")
        return done.stdout


@contextmanager
def opened(here: Path) -> Iterator[Revisions]:
    with tempfile.TemporaryDirectory(prefix="bgpsim-revisions-") as name:
        # A lab runs as another user, who reads its files too.
        Path(name).chmod(0o755)
        yield Revisions(here, Path(name))


def _from_top(inside: str, here: Path, top: Path) -> PurePosixPath:
    if not inside.startswith(("./", "../")) and inside not in (".", ".."):
        return PurePosixPath(inside)
    inside = (here / inside).resolve().as_posix()
    try:
        return PurePosixPath(inside).relative_to(top.resolve().as_posix())
    except ValueError:
        raise InputError(f"'{inside}' is outside the repository; expected a path in {top}") from None
