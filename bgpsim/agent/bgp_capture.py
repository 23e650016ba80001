"""Every BGP message of the lab, captured passively: a packet ring per namespace, from before the first daemon starts.

What a device sends is captured where it leaves it. A thread empties the rings and stores bytes; they are decoded when
somebody asks, or when many have gathered.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bgpsim.agent.bgp_account import Account, Seen
from bgpsim.agent.bgp_filter import filter_of
from bgpsim.agent.namespaces import Namespaces
from bgpsim.agent.packet_ring import RETIRE, PacketRing
from bgpsim.errors import LabError

PORT = 179
_GATHERED = 1 << 22
"""Bytes that are stored before they are decoded unasked."""
_HORIZON = round(3 * RETIRE * 10**9)
"""Nanoseconds after which every ring has handed over what it had, so that packets can be put in order."""


class BgpCaptureService:
    """Methods `bgp_capture.*`."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces
        self._rings: dict[str, PacketRing] = {}
        self._names: dict[tuple[str, int], str] = {}
        self._links: dict[tuple[str, str], int] = {}
        self._ports: tuple[int, ...] = (PORT,)
        self._account = Account(lambda device, interface: self._links.get((device, interface)))
        self._stored: list[Seen] = []
        self._bytes = 0
        self._lost: dict[str, int] = {}
        self._lock = threading.Lock()
        self._poller = select.epoll()
        self._by_descriptor: dict[int, str] = {}

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "bgp_capture.start": self.start,
            "bgp_capture.ports": self.ports,
            "bgp_capture.sessions": self.sessions,
            "bgp_capture.counts": self.counts,
        }

    def start(self, devices: Sequence[str], links: Sequence[Sequence[str]]) -> None:
        """Begin; `links`: device and interface of both ends of each. Call it before any BGP process runs."""
        if self._rings:
            raise LabError("the capture of BGP runs already")
        for number, (a, a_interface, b, b_interface) in enumerate(links):
            self._links[a, a_interface] = self._links[b, b_interface] = number
        for device in devices:
            with self._namespaces.enter_network(device):
                ring = PacketRing(filter_of(self._ports))
                # Interfaces as they are now; one that comes later is asked for when it is first seen.
                for index, name in socket.if_nameindex():
                    self._names[device, index] = name
            self._rings[device] = ring
            self._by_descriptor[ring.fileno()] = device
            self._poller.register(ring, select.EPOLLIN)
        threading.Thread(target=self._run, name="bgp-capture", daemon=True).start()

    def ports(self, ports: Sequence[int]) -> None:
        """Capture these TCP ports too. Call it before anybody listens there."""
        with self._lock:
            wanted = tuple(sorted({*self._ports, *ports}))
            if wanted == self._ports:
                return
            self._ports = wanted
            for ring in self._rings.values():
                ring.filter(filter_of(wanted))

    def sessions(self) -> list[Mapping[str, Any]]:
        """See `Account.sessions`. What was sent in the last fifth of a second may not be in it."""
        with self._lock:
            self._read(self._rings)
            self._decode()
            return self._account.sessions()

    def counts(self) -> list[Mapping[str, Any]]:
        """See `Account.counts`."""
        with self._lock:
            self._read(self._rings)
            self._decode()
            return self._account.counts()

    def _run(self) -> None:
        while True:
            ready = [self._by_descriptor[number] for number, _ in self._poller.poll()]
            with self._lock:
                self._read(ready)
                if self._bytes > _GATHERED:
                    self._decode()

    def _read(self, devices: Sequence[str] | Mapping[str, PacketRing]) -> None:
        for device in devices:
            for packet in self._rings[device].read():
                self._stored.append(Seen(packet.time, device, self._name(device, packet.interface), packet.data))
                self._bytes += len(packet.data)

    def _decode(self) -> None:
        """All that is older than the horizon, in the order of its time."""
        horizon = time.time_ns() - _HORIZON
        ready = sorted((p for p in self._stored if p.time <= horizon), key=lambda packet: packet.time)
        self._stored = [packet for packet in self._stored if packet.time > horizon]
        self._bytes = sum(len(packet.data) for packet in self._stored)
        self._account.take(ready)
        for device, ring in self._rings.items():
            lost = ring.lost()
            if lost > self._lost.get(device, 0):
                self._lost[device] = lost
                self._account.lose(device, lost)

    def _name(self, device: str, index: int) -> str:
        if (device, index) not in self._names:
            try:
                with self._namespaces.enter_network(device):
                    self._names[device, index] = socket.if_indextoname(index)
            except (OSError, LabError):
                return f"interface {index}"  # it has gone, or its device
        return self._names[device, index]
