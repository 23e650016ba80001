"""Where labs that stay are found: one private folder per lab, below one private folder per user."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bgpsim.errors import HostError, InputError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_SOCKET = "control"
_CARD = "lab.json"
_LOG = "keeper.log"


@dataclass(frozen=True, slots=True)
class Card:
    """What a lab's folder says of it, whether or not its keeper still lives."""

    name: str
    file: str
    """Absolute path of the file it was brought up from."""
    keeper: int
    """The keeper's pid."""
    keeper_started: int
    """In clock ticks since boot (proc_pid_stat(5)): tells it from a later process of the same number."""
    started: float
    """Seconds since the epoch."""

    def keeper_lives(self) -> bool:
        return start_of(self.keeper) == self.keeper_started


@dataclass(frozen=True, slots=True)
class Place:
    """One lab's folder."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def log(self) -> Path:
        return self.folder / _LOG

    def listen(self) -> socket.socket:
        """A control socket that this user alone can open."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            with self._short(_SOCKET) as path:
                listener.bind(path)
        finally:
            os.umask(before)
        listener.listen(64)
        return listener

    def connect(self) -> socket.socket:
        """Raises OSError where nobody listens."""
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with self._short(_SOCKET) as path:
                stream.connect(path)
        except OSError:
            stream.close()
            raise
        return stream

    @contextmanager
    def _short(self, name: str) -> Iterator[str]:
        """A path below the 107 bytes that a Unix socket's may have, however long the folder's is."""
        folder = os.open(self.folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield f"/proc/self/fd/{folder}/{name}"
        finally:
            os.close(folder)

    def card(self) -> Card | None:
        try:
            return Card(**json.loads((self.folder / _CARD).read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write_card(self, card: Card) -> None:
        new = self.folder / f".{_CARD}"
        new.write_text(json.dumps(asdict(card)))
        new.replace(self.folder / _CARD)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def start_of(pid: int) -> int | None:
    """When a process began, in clock ticks since boot; None where there is none, or it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def places() -> tuple[Place, ...]:
    """Every lab's, by name."""
    folder = _labs()
    return tuple(Place(one) for one in sorted(folder.iterdir()) if one.is_dir())


def place(name: str) -> Place:
    """Whether there is such a lab or not. Raises InputError for a name that can be none."""
    if not _NAME.fullmatch(name):
        raise InputError(f"'{name}' is no lab's name; expected up to 63 letters, digits, '.', '-' and '_'")
    return Place(_labs() / name)


def make(name: str) -> Place:
    """A new lab's folder. Raises InputError where it is taken."""
    new = place(name)
    try:
        new.folder.mkdir(mode=0o700)
    except FileExistsError:
        raise InputError(
            f"a lab called {name} is there already; expected another --lab NAME", hint=f"or: bgpsim lab down {name}"
        ) from None
    return new


def _labs() -> Path:
    """Made where it is not there. Raises HostError where somebody else could look inside."""
    given = os.environ.get("XDG_RUNTIME_DIR")
    folders = [Path(given, "bgpsim")] if given and _is_private(Path(given)) else []
    for folder in [*folders, Path(f"/tmp/bgpsim-{os.geteuid()}")]:
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError:
            continue
        if _is_private(folder):
            return folder
    raise HostError(
        f"{folder} is not this user's alone; expected a folder with mode 0700 for the control sockets of labs",
        hint="remove it, or set XDG_RUNTIME_DIR",
    )


def _is_private(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
