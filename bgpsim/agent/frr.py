"""FRR's daemons by their own vty sockets: a command answers in a fraction of a millisecond, vtysh takes thirty."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from bgpsim.agent.namespaces import Namespaces
from bgpsim.agent.texts import KeptTexts
from bgpsim.errors import LabError

_T = TypeVar("_T")
_END = b"\0\0\0"
_LIMIT = 20.0
"""Seconds that a daemon may take for a part of its answer."""
_BUSY = 0.05
_LOOKS_EVERY = 1.0
"""Seconds between two looks at whether it is stopped."""


class FrrService:
    """Methods `frr.*`."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces
        self._texts = KeptTexts()

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        return {"frr.show": self.show, "frr.part": self._texts.part}

    def show(
        self, devices: Sequence[str], commands: Sequence[str], daemon: str = "bgpd", most: int | None = None
    ) -> dict[str, list[Any] | None]:
        """The answers of each device's daemon to these commands; None where it does not answer.

        With `most`, an answer of more octets is {kept}, for `frr.part`.
        """
        return {device: self._ask(device, daemon, commands, most) for device in devices}

    def _ask(self, device: str, daemon: str, commands: Sequence[str], most: int | None) -> list[Any] | None:
        path = f"{self._namespaces.root(device)}/run/frr/{daemon}.vty"
        patience = _Patience(lambda: self._namespaces.check_not_stopped(device))
        try:
            return [self._texts.answer(_answer(path, command, patience), most) for command in commands]
        except (FileNotFoundError, ConnectionError):
            return None
        except TimeoutError:
            raise LabError(f"{device}: {daemon} does not answer within {_LIMIT:.0f} s") from None


class _Patience:
    """For one daemon: waits `_LIMIT` seconds for whatever it does next, and looks meanwhile whether it is stopped."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check

    def until(self, act: Callable[[], _T]) -> _T:
        """`act` raises TimeoutError after `_LOOKS_EVERY` seconds, and may be tried again.

        BlockingIOError is what a connection gets at once where as many wait as the daemon has room for.
        """
        deadline = time.monotonic() + _LIMIT
        while True:
            try:
                return act()
            except (TimeoutError, BlockingIOError) as error:
                if isinstance(error, BlockingIOError):
                    time.sleep(_BUSY)
                self._check()
                if time.monotonic() > deadline:
                    raise TimeoutError from None


def _answer(path: str, command: str, patience: _Patience) -> Iterator[bytes]:
    """A connection for each command: an answer may be read later than the next."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as vty:
        vty.settimeout(_LOOKS_EVERY)
        patience.until(lambda: vty.connect(path))
        # vtysh's own first word (vtysh/vtysh.c): without it `show` is not allowed to see everything.
        for _ in _exchange(vty, "enable", patience):
            pass
        yield from _exchange(vty, command, patience)


def _exchange(vty: socket.socket, command: str, patience: _Patience) -> Iterator[bytes]:
    """lib/vty.c, vtysh_read: the command ends in NUL, the answer in three NULs and a status byte."""
    vty.sendall(command.encode() + b"\0")
    last = b""
    while len(last) < 4 or last[-4:-1] != _END:
        part = last + patience.until(lambda: vty.recv(1 << 20))
        if len(part) == len(last):
            raise ConnectionResetError
        last = part[-4:]
        if len(part) > 4:
            yield part[:-4]
