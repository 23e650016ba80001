"""FRR's daemons by their own vty sockets: a command answers in a fraction of a millisecond, vtysh takes thirty."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bgpsim.agent.namespaces import Namespaces
from bgpsim.agent.texts import KeptTexts
from bgpsim.errors import LabError

_END = b"\0\0\0"


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
        try:
            return [self._texts.answer(_answer(path, command), most) for command in commands]
        except (FileNotFoundError, ConnectionError):
            return None
        except TimeoutError:
            raise LabError(f"{device}: {daemon} does not answer") from None


def _answer(path: str, command: str) -> Iterator[bytes]:
    """A connection for each command: an answer may be read later than the next."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as vty:
        vty.settimeout(20.0)
        vty.connect(path)
        # vtysh's own first word (vtysh/vtysh.c): without it `show` is not allowed to see everything.
        for _ in _exchange(vty, "enable"):
            pass
        yield from _exchange(vty, command)


def _exchange(vty: socket.socket, command: str) -> Iterator[bytes]:
    """lib/vty.c, vtysh_read: the command ends in NUL, the answer in three NULs and a status byte."""
    vty.sendall(command.encode() + b"\0")
    last = b""
    while len(last) < 4 or last[-4:-1] != _END:
        part = last + vty.recv(1 << 20)
        if len(part) == len(last):
            raise ConnectionResetError
        last = part[-4:]
        if len(part) > 4:
            yield part[:-4]
