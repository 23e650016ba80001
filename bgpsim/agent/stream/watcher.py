"""Watches a stream at every device that it passes: `python -m bgpsim.agent.stream.watcher`.

A process of its own, so that it neither delays the sender nor waits for the agent's other work. It reads a line of
JSON, {devices, pairs, run, interval, port} (see `service`), answers "ready", reads the moment of the first slot, and
ends at the next line, the sender's answer, or when its input closes; with a line of JSON, `Tally.answer` and {lost:
[device]}, the devices whose capture or socket had no room for a packet.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import sys
import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bgpsim.agent.kernel import network_namespace
from bgpsim.agent.probe_sockets import read_all, sink
from bgpsim.agent.sightings import DIRECTIONS, MARK, read_mark
from bgpsim.agent.stream.lines import hear, say
from bgpsim.agent.stream.ring import Ring
from bgpsim.agent.stream.tally import Tally

LINGER = 2.0
"""Seconds after which a packet that did not arrive is lost. A kernel may hold one while it asks for a neighbor."""
_LAST_LINGER = 0.5
"""Of the packets sent last: then the lab is at rest."""
_PAUSE = 0.02
"""Seconds between two readings; the rings hold a hundred times as much."""
_CLOSERS = 32
_SO_MEMINFO, _DROPS = 55, 8
"""socket(7) has no word of it: include/uapi/linux/sock_diag.h, SK_MEMINFO_DROPS."""


class Watch:
    """The captures and sinks of every device."""

    def __init__(self, asked: Mapping[str, Any]) -> None:
        self._run = bytes.fromhex(asked["run"])
        self._interval: float = asked["interval"]
        self.begin = 0.0
        """Of the first slot, monotonic."""
        self._tally = Tally([pair["device"] for pair in asked["pairs"]])
        self._rings: list[tuple[str, Ring]] = []
        self._sinks: list[tuple[str, socket.socket]] = []
        for device, pid in asked["devices"].items():
            with network_namespace(pid):
                self._rings.append((device, Ring(asked["port"], self._run)))
                for family in (socket.AF_INET, socket.AF_INET6):
                    self._sinks.append((device, sink(device, family, asked["port"])))

    def run(self, control: int) -> None:
        """Until something comes on `control`."""
        while not select.select([control], [], [], _PAUSE)[0]:
            self._read()
            self._tally.look(self._slot(time.monotonic() - LINGER))

    def finish(self, slots: int, skipped: Collection[int]) -> None:
        """Once no more is sent: until all has arrived, or will not any more."""
        until = time.monotonic() + _LAST_LINGER
        self._read()
        while not self._tally.complete(slots, skipped) and time.monotonic() < until:
            time.sleep(_PAUSE)
            self._read()
        self._tally.look(slots)

    def _slot(self, at: float) -> int:
        return max(0, int((at - self.begin) / self._interval))

    def _read(self) -> None:
        for device, ring in self._rings:
            for interface, kind, packet in ring.read():
                four = packet[0] >> 4 == 4
                at = (packet[0] & 0x0F) * 4 + 8 if four else 48
                if len(packet) >= at + MARK.size:
                    _, _, pair, slot = MARK.unpack_from(packet, at)
                    ttl = packet[8] if four else packet[7]
                    self._tally.seen(pair, slot, device, interface, DIRECTIONS.get(kind, "in"), ttl)
        for _, opened in self._sinks:
            for packet, _ in read_all(opened):
                key = read_mark(packet, self._run)
                if key is not None:
                    self._tally.received(*key)

    def answer(self) -> dict[str, Any]:
        lost = {device for device, ring in self._rings if ring.lost()}
        lost |= {device for device, opened in self._sinks if _dropped(opened)}
        return {**self._tally.answer(), "lost": sorted(lost)}

    def close(self) -> None:
        """Side by side: the kernel makes each packet socket that closes wait until every CPU has let go of it."""
        with ThreadPoolExecutor(_CLOSERS, thread_name_prefix="close") as pool:
            list(pool.map(lambda entry: entry[1].close(), self._rings))


def _dropped(opened: socket.socket) -> bool:
    """Whether the socket's buffer was ever full."""
    told = struct.unpack("=9I", opened.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 36))
    return bool(told[_DROPS])


def main() -> int:
    control = sys.stdin.fileno()
    with contextlib.suppress(KeyboardInterrupt):
        watch = Watch(hear())
        say("ready")
        watch.begin = hear()
        watch.run(control)
        if (told := hear()) is not None:
            skipped = {slot for first, last in told["skipped"] for slot in range(first, last + 1)}
            watch.finish(told["slots"], skipped)
            say(watch.answer())
            watch.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
