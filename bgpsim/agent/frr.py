"""FRR's daemons by their own vty sockets: a command answers in a fraction of a millisecond, vtysh takes thirty."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
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
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as vty:
            vty.settimeout(20.0)
            try:
                vty.connect(path)
                # vtysh's own first word (vtysh/vtysh.c): without it `show` is not allowed to see everything.
                _exchange(vty, "enable")
                return [self._texts.answer(_exchange(vty, command), most) for command in commands]
            except (FileNotFoundError, ConnectionError):
                return None
            except TimeoutError:
                raise LabError(f"{device}: {daemon} does not answer") from None


def _exchange(vty: socket.socket, command: str) -> bytearray:
    """lib/vty.c, vtysh_read: the command ends in NUL, the answer in three NULs and a status byte."""
    vty.sendall(command.encode() + b"\0")
    answer = bytearray()
    while len(answer) < 4 or answer[-4:-1] != _END:
        part = vty.recv(1 << 20)
        if not part:
            raise ConnectionResetError
        answer += part
    del answer[-4:]
    return answer
