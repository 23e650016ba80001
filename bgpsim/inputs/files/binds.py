"""`binds:` of a containerlab node -> the files that its container sees, each read once, with its place on this machine.

A bind is `source:target[:options]`; the source is relative to the topology file (containerlab 0.79, clab/config.go).
Nothing is read that no line names: a link in a bound folder stays a link, and means a file of the container.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Literal

from bgpsim.inputs.files.part import Part
from bgpsim.source import Source, Unmodelled

_MOST_OCTETS = 64 << 20
_MOST_FILES = 4096
"""Of one bind: every node gets a copy of its own."""
_OPTIONS = frozenset("ro rw z Z consistent cached delegated rprivate private rshared shared rslave slave".split())
_OF_THE_HOST = {
    "/lib/modules": "they are the kernel's modules, and a lab loads none",
    "/usr/lib/modules": "they are the kernel's modules, and a lab loads none",
    "/usr/src": "the lab compiles nothing",
    "/boot": "the lab boots nothing",
    "/sys": "a node has its own",
    "/proc": "a node has its own",
    "/dev": "a node has its own",
    "/etc/localtime": "it names a time zone",
    "/etc/timezone": "it names a time zone",
    "/tmp/.X11-unix": "there is no screen",
}
"""Sources that belong to the machine and not to the lab: nothing of them is bound, and why that moves no packet."""


@dataclass(frozen=True, slots=True)
class BoundFile:
    """A regular file, or a symbolic link (`link`: where it leads, in the container)."""

    content: bytes = b""
    mode: int = 0o644
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Bind:
    """What one line of `binds` puts into a container. `files` by their path within a folder; a file alone is `""`."""

    target: str
    """Absolute, in the container."""
    source: Source
    path: Path | None = None
    """On this machine; None: made by no file (a volume of its own, which begins empty, or a text of bgpsim's)."""
    shown: str = ""
    """The source's name in reports."""
    files: Mapping[str, BoundFile] = field(default_factory=lambda: MappingProxyType({}))
    folders: tuple[str, ...] = ()
    """Folders within, empty ones too; `""` stands for the bound folder itself."""
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class BoundText:
    """A text file as a container sees it, and what it is called in reports."""

    text: str
    shown: str
    source: Source
    """The line that bound it."""

    def lines(self) -> Iterator[Source]:
        for number, line in enumerate(self.text.splitlines(), 1):
            yield Source(self.shown, number, line.strip())


def read_binds(entries: Sequence[Part], node: str, folder: Path) -> tuple[Bind, ...]:
    """The binds of a node, those of its defaults first: of two with one target the last is meant. Raises InputError."""
    found: dict[str, Bind] = {}
    for part in entries:
        bind = _bind(part, node, folder)
        if bind is not None:
            found[bind.target] = bind
    return tuple(found.values())


def bound_text(binds: Sequence[Bind], path: str) -> BoundText | None:
    """The file at that absolute path of a container; None where no bind puts one there."""
    for bind in sorted(binds, key=lambda b: -len(b.target)):
        within = _within(path, bind.target)
        if within is None:
            continue
        file = bind.files.get(within)
        if file is None or file.link is not None:
            return None
        shown = f"{bind.shown.rstrip('/')}/{within}" if within else bind.shown
        return BoundText(file.content.decode(errors="replace"), shown, bind.source)
    return None


def covers(binds: Sequence[Bind], path: str) -> bool:
    """Whether a bind says what is at that path, if only that nothing is."""
    return any(_within(path, bind.target) is not None for bind in binds)


def configuration_lines(binds: Sequence[Bind]) -> Iterator[str]:
    """The lines of all files below /etc/frr."""
    for bind in binds:
        for name, file in bind.files.items():
            if _within(f"{bind.target}/{name}".rstrip("/"), "/etc/frr"):
                yield from file.content.decode(errors="replace").splitlines()


def _within(path: str, target: str) -> str | None:
    if path == target:
        return ""
    return path[len(target) :].lstrip("/") if path.startswith(target.rstrip("/") + "/") else None


def _bind(part: Part, node: str, folder: Path) -> Bind | None:
    text = part.text().replace("__clabNodeName__", node)
    source_text, colon, rest = text.partition(":")
    if not colon:
        if not text.startswith("/"):
            part.fail("source:target[:ro]")
        return Bind(_target(part, text), part.source, folders=("",))
    target, _, options = rest.partition(":")
    if unknown := sorted(set(filter(None, options.split(","))) - _OPTIONS):
        part.fail(f"source:target[:ro], and no option {unknown[0]!r}")
    target = _target(part, target)
    known = next(
        (why for place, why in _OF_THE_HOST.items() if _within(source_text.rstrip("/"), place) is not None), None
    )
    if known is not None:
        _list(part, node, known)
        return None
    path = _path(part, source_text, folder)
    if stat.S_ISSOCK(path.stat().st_mode):
        _list(part, node, "", "a socket leads out of the lab, and is not bound")
        return None
    files, folders = _content(part, path)
    shown = os.path.normpath(os.path.join(os.path.dirname(part.document.file), source_text))
    return Bind(target, part.source, path, shown, files, folders, "ro" in options.split(","))


def _list(part: Part, node: str, harmless: str, possible: str = "") -> None:
    effect: Literal["none", "possible"] = "none" if harmless else "possible"
    part.unmodelled.append(Unmodelled(part.source, node, part.text(), effect, (node,), harmless or possible))


def _target(part: Part, text: str) -> str:
    path = PurePosixPath(os.path.normpath(text)) if text else PurePosixPath("")
    if not text.startswith("/") or path == PurePosixPath("/"):
        part.fail("source:target[:ro] with an absolute target other than /")
    return str(path)


def _path(part: Part, text: str, folder: Path) -> Path:
    """Where the source is. A name that stays in the topology's folder must not lead out of it by a symbolic link."""
    folder = folder.resolve()
    written = Path(text).expanduser() if text.startswith("~") else Path(text)
    path = Path(os.path.normpath(folder / written))
    try:
        resolved = path.resolve(strict=True)
        resolved.stat()
    except (OSError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) else "a symbolic link that leads to itself"
        raise part.document.error(
            f"{part.name}: cannot read '{text}': {why}, expected a file or folder (relative to the topology file)",
            part.location,
        ) from None
    if path.is_relative_to(folder) and not resolved.is_relative_to(folder):
        raise part.document.error(
            f"{part.name}: found '{text}', a symbolic link to {resolved} outside of the topology's folder, expected a "
            "file of it, or that one by its own name",
            part.location,
        )
    return resolved


def _content(part: Part, path: Path) -> tuple[Mapping[str, BoundFile], tuple[str, ...]]:
    if not path.is_dir():
        return {"": _file(part, path)}, ()
    files: dict[str, BoundFile] = {}
    folders = [""]
    octets = 0
    for at, names, members in os.walk(path):
        names.sort()
        for name in sorted(members) + [n for n in names if (Path(at) / n).is_symlink()]:
            place = Path(at) / name
            mode = place.lstat().st_mode
            within = str(place.relative_to(path))
            if stat.S_ISLNK(mode):
                files[within] = BoundFile(link=os.readlink(place))
            elif stat.S_ISREG(mode):
                files[within] = _file(part, place)
                octets += len(files[within].content)
            # A socket, a pipe or a device of this machine has no copy.
            if octets > _MOST_OCTETS or len(files) > _MOST_FILES:
                part.fail(f"a folder of at most {_MOST_FILES} files and {_MOST_OCTETS >> 20} MiB: each node has a copy")
        folders += [str((Path(at) / n).relative_to(path)) for n in names if not (Path(at) / n).is_symlink()]
    return files, tuple(folders)


def _file(part: Part, path: Path) -> BoundFile:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            part.fail("a file or a folder as the source, and no device or pipe")
        if path.stat().st_size > _MOST_OCTETS:
            part.fail(f"a file of at most {_MOST_OCTETS >> 20} MiB: each node has a copy")
        return BoundFile(path.read_bytes(), path.stat().st_mode & 0o777)
    except OSError as error:
        raise part.document.error(
            f"{part.name}: cannot read '{path.name}': {error.strerror}, expected a file that can be read", part.location
        ) from None
