"""What a round must leave as it was: mounts, links, and every file that bgpsim keeps."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Surroundings:
    mounts: frozenset[str]
    links: frozenset[str]
    files: frozenset[tuple[str, int]]
    """Path and size."""

    @classmethod
    def now(cls, folders: Iterable[Path]) -> Surroundings:
        told = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
        return cls(
            frozenset(Path("/proc/self/mountinfo").read_text().splitlines()),
            frozenset(re.findall(r"^\d+: ([^:]+):", told, re.M)),
            frozenset(file for folder in folders for file in _files(folder)),
        )

    def since(self, before: Surroundings) -> tuple[str, ...]:
        """What is there now and was not then, and the other way round, in words."""
        found = []
        for what in ("mounts", "links", "files"):
            then, now = getattr(before, what), getattr(self, what)
            found += [f"{what[:-1]} {one}" for one in sorted(now - then, key=str)[:5]]
            found += [f"gone: {what[:-1]} {one}" for one in sorted(then - now, key=str)[:5]]
        return tuple(found)


def _files(folder: Path) -> Iterable[tuple[str, int]]:
    for at, folders, names in os.walk(folder):
        for name in (*names, *folders):
            path = os.path.join(at, name)
            try:
                yield path, os.lstat(path).st_size if name in names else 0
            except OSError:
                continue
