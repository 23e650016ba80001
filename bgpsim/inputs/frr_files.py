"""The files of /etc/frr as a router's container has them: which daemons FRR starts, and what they read.

tools/frrcommon.sh: without a readable `daemons` nothing starts; zebra and staticd always do; a daemon is enabled by
any value but `no` and `0`. lib/vty.c, vty_read_config: where there is a frr.conf, daemons read no file of their own.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bgpsim.inputs.files.binds import Bind, BoundText, bound_text, covers
from bgpsim.source import Source

FOLDER = "/etc/frr"
DAEMONS = f"{FOLDER}/daemons"
INTEGRATED = f"{FOLDER}/frr.conf"
READ_BY = ("zebra", "staticd", "bgpd", "bfdd")
"""Daemons whose own files are read, in the order in which they are started; those of other protocols are listed."""
_OTHERS = (
    *("ospfd", "ospf6d", "ripd", "ripngd", "isisd", "pimd", "pim6d", "ldpd", "nhrpd", "eigrpd", "babeld", "sharpd"),
    *("pbrd", "fabricd", "vrrpd", "pathd", "mgmtd"),
)
_ASSIGNMENT = re.compile(r"(?:export +)?([A-Za-z_][A-Za-z0-9_]*)=(.*)")
_PLAIN_OPTION = re.compile(r"-A|--vty_addr|-s|--nl-bufsize|-P|--vty_port|-M|-t|-l|--log|--log-level|-u|-g")
_MOVES_NO_ROUTE = re.compile(
    r"vtysh_enable|watchfrr_\w+|MAX_FDS|FRR_NO_ROOT|all_wrap|\w+_wrap|valgrind\w*|\w+_instances"
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of `daemons` that may matter and is not known."""

    source: Source
    why: str


@dataclass(frozen=True, slots=True)
class DaemonsFile:
    """What /etc/frr/daemons says."""

    enabled: frozenset[str] = frozenset()
    profile: Source | None = None
    """The line that names a profile for routers that name none themselves; `text` is `frr defaults NAME`."""
    listed: tuple[Listed, ...] = ()


@dataclass
class FrrFiles:
    """What is in /etc/frr while a container's lines are run, in order."""

    binds: Sequence[Bind] = ()
    enabled_by_hand: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)

    def daemons(self) -> DaemonsFile | None:
        """None: there is none, and FRR starts nothing."""
        text = self._text(DAEMONS)
        if text is not None:
            told = read_daemons(text)
        elif covers(self.binds, DAEMONS):
            return None
        else:
            told = DaemonsFile()  # the image's own: all off
        return DaemonsFile(told.enabled | self.enabled_by_hand, told.profile, told.listed)

    def configurations(self, enabled: frozenset[str]) -> Iterator[tuple[str | None, BoundText]]:
        """What is read at the start: the integrated file (None), or each daemon's own one."""
        integrated = self._text(INTEGRATED)
        if integrated is not None:
            yield None, integrated
            return
        for daemon in (*READ_BY, *_OTHERS):
            if daemon in enabled or daemon in ("zebra", "staticd"):
                own = self._text(f"{FOLDER}/{daemon}.conf")
                if own is not None:
                    yield daemon, own

    def is_mount(self, path: str) -> bool:
        """A file that is bound alone: nothing can take its place, so `rm` and `sed -i` fail."""
        return any(bind.target == path for bind in self.binds)

    def _text(self, path: str) -> BoundText | None:
        return None if path in self.removed else bound_text(self.binds, path)


def read_daemons(text: BoundText) -> DaemonsFile:
    """`daemons` is a shell script of assignments; what else stands there is listed."""
    enabled: set[str] = set()
    listed: list[Listed] = []
    profile = None
    for line in text.lines():
        if not line.text or line.text.startswith("#"):
            continue
        match = _ASSIGNMENT.fullmatch(line.text)
        words = _words(match[2]) if match else None
        if match is None or words is None or len(words) > 1 or "$" in match[2] or "`" in match[2]:
            listed.append(Listed(line, "it is no assignment of a value"))
            continue
        name, value = match[1], words[0] if words else ""
        if name in READ_BY or name in _OTHERS:
            enabled.discard(name)
            if value not in ("", "no", "0"):
                enabled.add(name)
        elif name == "frr_profile":
            profile = Source(line.file, line.line, f"frr defaults {value}") if value else None
        elif name.endswith("_options"):
            if not _plain(value):
                listed.append(Listed(line, "what a daemon does may depend on its options"))
        elif not _MOVES_NO_ROUTE.fullmatch(name):
            listed.append(Listed(line, "it is not known to bgpsim"))
    return DaemonsFile(frozenset(enabled), profile, tuple(listed))


def _words(text: str) -> list[str] | None:
    try:
        return shlex.split(text, comments=True)
    except ValueError:
        return None


def _plain(options: str) -> bool:
    words = options.split()
    while words:
        option = words.pop(0)
        if option in ("-d", "--daemon"):
            continue
        if not _PLAIN_OPTION.fullmatch(option.partition("=")[0]):
            return False
        if "=" not in option and words:
            words.pop(0)
    return True
