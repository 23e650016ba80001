"""`binds` in a node: a copy of each bound file or folder, mounted where the topology says, so that no node alters the
user's files and none sees another's. A mount, as in a container: `sed -i` and `rm` of a file that is bound alone fail
there too."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bgpsim.agent import kernel
from bgpsim.inputs.files.binds import Bind

_FRR = "/etc/frr"
_INTEGRATED = f"{_FRR}/frr.conf"
_MOST_LINKS = 40
"""Symbolic links on the way to one file (path_resolution(7))."""


def as_request(binds: Sequence[Bind]) -> list[dict[str, Any]]:
    """As `nodes.create` takes them; JSON."""
    return [
        {
            "target": bind.target,
            "read_only": bind.read_only,
            "folders": list(bind.folders),
            "files": [
                [name, file.mode, base64.b64encode(file.content).decode(), file.link]
                for name, file in bind.files.items()
            ],
        }
        for bind in sorted(binds, key=lambda bind: bind.target)
    ]


def left_out(binds: Sequence[Bind]) -> list[str]:
    """Files of the image that the containers of this name do not have: Debian's package brings a frr.conf, and with
    one there the daemons do not read files of their own."""
    here = [bind.target for bind in binds if bind.target.startswith(_FRR)]
    return [_INTEGRATED] if here and _FRR not in here and _INTEGRATED not in here else []


def lay_out(binds: Sequence[Mapping[str, Any]], place: Path) -> None:
    """Write the copies below `place`."""
    for number, bind in enumerate(binds):
        copy = place / str(number)
        for folder in bind["folders"]:
            (copy / folder).mkdir(parents=True, exist_ok=True)
        copy.parent.mkdir(parents=True, exist_ok=True)
        for name, mode, content, link in bind["files"]:
            file = copy / name if name else copy
            if link is not None:
                file.symlink_to(link)
                continue
            file.write_bytes(base64.b64decode(content))
            # The lab's root is its only user: what anybody may not read there, nobody could.
            file.chmod(mode | 0o600)


def mount(binds: Sequence[Mapping[str, Any]], place: Path, root: str) -> None:
    """Mount the copies below a node's root, the outer ones first."""
    for number, bind in enumerate(binds):
        copy = place / str(number)
        target = inside(root, bind["target"])
        if copy.is_dir():
            os.makedirs(target, exist_ok=True)
        elif not os.path.exists(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "w"):
                pass
        kernel.bind(str(copy), target, read_only=bind["read_only"])


def inside(root: str, path: str) -> str:
    """Where `path` leads for a process whose root that is; symbolic links on the way are followed below it."""
    left, at, followed = path.strip("/").split("/"), "", 0
    while left:
        part = left.pop(0)
        if part in ("", "."):
            continue
        if part == "..":
            at = os.path.dirname(at).rstrip("/")
            continue
        place = f"{root}{at}/{part}"
        if os.path.islink(place):
            followed += 1
            if followed > _MOST_LINKS:
                raise OSError(f"{path}: too many symbolic links")
            link = os.readlink(place)
            at = "" if link.startswith("/") else at
            left = link.split("/") + left
            continue
        at = f"{at}/{part}"
    return root + at
