"""Packet sockets for whoever captures outside: opened in a device, handed out as descriptors."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Mapping
from typing import Any

from bgpsim.agent.namespaces import Namespaces
from bgpsim.agent.server import WithDescriptors
from bgpsim.errors import LabError

_ETH_P_ALL = 0x0003
_SO_TIMESTAMPNS = 35
_BUFFER = 4 << 20


class CaptureService:
    """Methods `capture.*`."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        return {"capture.open": self.open}

    def open(self, device: str, interface: str | None = None) -> WithDescriptors:
        """A socket that receives every frame of one interface, or of all, in both directions, with its time
        (SCM_TIMESTAMPNS). Raises LabError where there is no such interface.
        """
        with self._namespaces.enter_network(device):
            opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
        try:
            opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            if interface is not None:
                opened.bind((interface, _ETH_P_ALL))
        except OSError as error:
            opened.close()
            if error.errno != errno.ENODEV:
                raise
            raise LabError(f"{device} has no interface {interface}") from None
        return WithDescriptors(None, (opened.detach(),))
