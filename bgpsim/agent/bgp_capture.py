"""Every BGP message of the lab, captured passively: a packet ring per namespace, from before the first daemon starts.

What a device sends is captured where it leaves it. A thread empties the rings and stores bytes; they are decoded when
somebody asks, or when many have gathered.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bgpsim.agent.bgp_account import Account, Seen
from bgpsim.agent.bgp_filter import filter_of
from bgpsim.agent.namespaces import Namespaces
from bgpsim.agent.packet_ring import RETIRE, PacketRing
from bgpsim.agent.texts import KeptTexts, array
from bgpsim.errors import LabError

PORT = 179
_GATHERED = 1 << 22
"""Bytes that are stored before they are decoded unasked."""
_RECENT = 1 << 22
"""Bytes of packets that are kept as they were, for whoever asks what happened last."""
_ALL_BLOCKS = 128
"""Blocks of all rings together, where the devices are not too many for it: 16 MiB, which are memory of the lab."""
_MOST_BLOCKS, _FEWEST_BLOCKS = 16, 8
"""Of one ring."""
_HORIZON = round(3 * RETIRE * 10**9)
"""Nanoseconds after which every ring has handed over what it had, so that packets can be put in order."""


def parts_of(links: Sequence[Sequence[str]]) -> Mapping[str, int]:
    """Device -> which of the parts it is in that no link joins; a link: the devices on it."""
    found: dict[str, int] = {}
    for number, devices in enumerate(links):
        joined = {found[device] for device in devices if device in found}
        here = min(joined, default=number)
        found |= {device: here for device, part in found.items() if part in joined}
        found |= dict.fromkeys(devices, here)
    return found


class BgpCaptureService:
    """Methods `bgp_capture.*`."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces
        self._rings: dict[str, PacketRing] = {}
        self._blocks = _MOST_BLOCKS
        self._names: dict[tuple[str, int], str] = {}
        self._links: dict[tuple[str, str], int] = {}
        self._ports: tuple[int, ...] = (PORT,)
        self._parts: Mapping[str, int] = {}
        self._account = Account(
            lambda device, interface: self._links.get((device, interface)), lambda device: self._parts.get(device)
        )
        self._stored: list[Seen] = []
        self._bytes = 0
        self._recent: deque[Seen] = deque()
        self._recent_bytes = 0
        self._lost: dict[str, int] = {}
        self._texts = KeptTexts()
        self._lock = threading.Lock()
        """Of the account; whoever has it may want `_reading` too, never the other way round."""
        self._reading = threading.Lock()
        """Of the rings and of what is stored: decoding a large lab takes longer than the rings have room for."""
        self._poller = select.epoll()
        self._by_descriptor: dict[int, str] = {}

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "bgp_capture.start": self.start,
            "bgp_capture.follow": self.follow,
            "bgp_capture.recent": self.recent,
            "bgp_capture.ports": self.ports,
            "bgp_capture.sessions": self.sessions,
            "bgp_capture.part": self._texts.part,
            "bgp_capture.counts": self.counts,
        }

    def start(self, devices: Sequence[str], links: Sequence[Sequence[Sequence[str]]]) -> None:
        """Begin; `links`: device and interface of each end on a network. Call it before any BGP process can connect."""
        if self._rings:
            raise LabError("the capture of BGP runs already")
        for number, ends in enumerate(links):
            for device, interface in ends:
                self._links[device, interface] = number
        self._parts = parts_of([[device for device, _ in ends] for ends in links])
        self._blocks = max(_FEWEST_BLOCKS, min(_MOST_BLOCKS, _ALL_BLOCKS // max(1, len(devices))))
        # The kernel lets each wait some 10 ms until no packet is on its way past the new socket: all wait at once.
        with ThreadPoolExecutor(max_workers=16, thread_name_prefix="bgp-capture") as pool:
            opened = dict(zip(devices, pool.map(self._ring_of, devices), strict=True))
        for device, ring in opened.items():
            self._take(device, ring)
        threading.Thread(target=self._run, name="bgp-capture", daemon=True).start()

    def follow(self, device: str) -> None:
        """The device was made anew, with another network namespace. Call it before any BGP process runs there."""
        with self._reading:
            old = self._rings.pop(device, None)
            if old is None:
                return
            self._poller.unregister(old)
            del self._by_descriptor[old.fileno()]
            old.close()
            self._lost.pop(device, None)
            self._names = {key: name for key, name in self._names.items() if key[0] != device}
            self._take(device, self._ring_of(device))

    def _ring_of(self, device: str) -> PacketRing:
        with self._namespaces.enter_network(device):
            ring = PacketRing(filter_of(self._ports), self._blocks)
            # Interfaces as they are now; one that comes later is asked for when it is first seen.
            for index, name in socket.if_nameindex():
                self._names[device, index] = name
        return ring

    def _take(self, device: str, ring: PacketRing) -> None:
        self._rings[device] = ring
        self._by_descriptor[ring.fileno()] = device
        self._poller.register(ring, select.EPOLLIN)

    def recent(self) -> list[Mapping[str, Any]]:
        """The packets that were captured last, oldest first: time (ns since the epoch), device, data (hexadecimal,
        from the IP header on); 4 MiB of them at most.
        """
        with self._reading:
            self._read(self._rings)
            return [{"time": p.time, "device": p.device, "data": p.data.hex()} for p in self._recent]

    def ports(self, ports: Sequence[int]) -> None:
        """Capture these TCP ports too. Call it before anybody listens there."""
        with self._reading:
            wanted = tuple(sorted({*self._ports, *ports}))
            if wanted == self._ports:
                return
            self._ports = wanted
            for ring in self._rings.values():
                ring.filter(filter_of(wanted))

    def sessions(self, most: int) -> str | dict[str, int]:
        """See `Account.sessions`: a JSON array as text, or {kept}, for `bgp_capture.part`, where it is longer than
        `most` octets. What was sent in the last fifth of a second may not be in it."""
        with self._lock:
            self._decode()
            found = self._account.sessions()
        return self._texts.answer(array(found), most)

    def counts(self) -> list[Mapping[str, Any]]:
        """See `Account.counts`."""
        with self._lock:
            self._decode()
            return self._account.counts()

    def _run(self) -> None:
        while True:
            ready = [self._by_descriptor.get(number, "") for number, _ in self._poller.poll()]
            with self._reading:
                self._read(ready)
                many = self._bytes > _GATHERED
            if many:
                with self._lock:
                    self._decode()

    def _read(self, devices: Sequence[str] | Mapping[str, PacketRing]) -> None:
        for device in devices:
            if device not in self._rings:
                continue  # it was made anew meanwhile
            for packet in self._rings[device].read():
                seen = Seen(packet.time, device, self._name(device, packet.interface), packet.data)
                self._stored.append(seen)
                self._bytes += len(seen.data)
                self._recent.append(seen)
                self._recent_bytes += len(seen.data)
        while self._recent_bytes > _RECENT:
            self._recent_bytes -= len(self._recent.popleft().data)

    def _decode(self) -> None:
        """All that is older than the horizon, in the order of its time."""
        with self._reading:
            self._read(self._rings)
            horizon = time.time_ns() - _HORIZON
            ready = sorted((p for p in self._stored if p.time <= horizon), key=lambda packet: packet.time)
            self._stored = [packet for packet in self._stored if packet.time > horizon]
            self._bytes = sum(len(packet.data) for packet in self._stored)
            lost = {device: ring.lost() for device, ring in self._rings.items()}
        self._account.take(ready)
        for device, count in lost.items():
            if count > self._lost.get(device, 0):
                self._lost[device] = count
                self._account.lose(device, count)

    def _name(self, device: str, index: int) -> str:
        if (device, index) not in self._names:
            try:
                with self._namespaces.enter_network(device):
                    self._names[device, index] = socket.if_indextoname(index)
            except (OSError, LabError):
                return f"interface {index}"  # it has gone, or its device
        return self._names[device, index]
