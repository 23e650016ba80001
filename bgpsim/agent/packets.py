"""Marked probes, and what every device sees of them: the evidence of the path plane.

One packet socket per namespace, opened once, sees each forwarded packet twice: coming in and going out, with the
interface. Probes are UDP with a mark in the payload; sockets bound at the targets swallow them, so that no ICMP error
answers a probe that arrived.
"""

from __future__ import annotations

import contextlib
import secrets
import select
import socket
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bgpsim.agent.namespaces import Namespaces

PORT = 33890
_FIRST_SOURCE_PORT = 40000
_ETH_P_ALL = 0x0003
_MAGIC = b"bgpsim"
_UDP, _ICMP, _ICMPV6 = 17, 1, 58
_MARK = struct.Struct("!6s8sII")
"""Magic, run, pair, flow."""


class PacketService:
    """Methods `packets.*`."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        return {"packets.probe": self.probe}

    def probe(
        self,
        devices: Sequence[str],
        pairs: Sequence[Mapping[str, str]],
        flows: int = 8,
        quiet: float = 0.15,
        limit: float = 4.0,
    ) -> list[Mapping[str, Any]]:
        """Send `flows` probes per pair {device, source, target} at once; returns what `devices` saw of each.

        Ends when nothing was seen for `quiet` seconds, after `limit` seconds at most; 3.2 s of quiet where a probe was
        lost, for a device gives up on a silent neighbor after three requests (RFC 4861 section 10). One record per
        sighting, in order: {pair, flow, device, interface, out, ttl}; of an ICMP error about a probe also {icmp, by}.
        """
        run = secrets.token_bytes(8)
        with contextlib.ExitStack() as stack:
            captures = {}
            for device in devices:
                with self._namespaces.enter_network(device):
                    capture = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL))
                stack.enter_context(capture)
                capture.setblocking(False)
                captures[capture] = device
            self._swallow(stack, {pair["device"] for pair in pairs})
            for number, pair in enumerate(pairs):
                self._send(pair, run, number, flows)
            return self._collect(captures, run, len(pairs) * flows, quiet, limit)

    def _swallow(self, stack: contextlib.ExitStack, devices: set[str]) -> None:
        for device in sorted(devices):
            for family in (socket.AF_INET, socket.AF_INET6):
                with self._namespaces.enter_network(device):
                    sink = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
                if family == socket.AF_INET6:
                    sink.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                sink.bind(("", PORT))

    def _send(self, pair: Mapping[str, str], run: bytes, number: int, flows: int) -> None:
        family = socket.AF_INET6 if ":" in pair["target"] else socket.AF_INET
        for flow in range(flows):
            with self._namespaces.enter_network(pair["device"]), socket.socket(family, socket.SOCK_DGRAM) as sender:
                sender.bind((pair["source"], _FIRST_SOURCE_PORT + flow))
                # A sender without a route, or told of an earlier probe's error, has its answer in what was seen.
                with contextlib.suppress(OSError):
                    sender.sendto(_MARK.pack(_MAGIC, run, number, flow), (pair["target"], PORT))

    def _collect(
        self, captures: Mapping[socket.socket, str], run: bytes, expected: int, quiet: float, limit: float
    ) -> list[Mapping[str, Any]]:
        seen: list[Mapping[str, Any]] = []
        arrived: set[tuple[int, int]] = set()
        started = last = time.monotonic()
        poller = select.poll()
        by_number = {capture.fileno(): capture for capture in captures}
        for number in by_number:
            poller.register(number, select.POLLIN)
        while True:
            now = time.monotonic()
            window = quiet if len(arrived) >= expected else min(limit, 3.2)
            if now - last >= window or now - started >= limit:
                return seen
            for number, _ in poller.poll(max(1, int(1000 * min(window - (now - last), limit - (now - started))))):
                capture = by_number[number]
                with contextlib.suppress(BlockingIOError):
                    while True:
                        packet, address = capture.recvfrom(65535)
                        sighting = _sighting(packet, address, run)
                        if sighting is None:
                            continue
                        last = time.monotonic()
                        seen.append({**sighting, "device": captures[capture]})
                        if "icmp" in sighting or (captures[capture].startswith("pod:") and not sighting["out"]):
                            arrived.add((sighting["pair"], sighting["flow"]))


def _sighting(packet: bytes, address: tuple[Any, ...], run: bytes) -> dict[str, Any] | None:
    """A probe of this run, or an ICMP error that quotes one; None for all else."""
    at = packet.find(_MAGIC + run)
    if at < 0 or len(packet) < at + _MARK.size or not packet:
        return None
    _, _, pair, flow = _MARK.unpack_from(packet, at)
    version = packet[0] >> 4
    protocol, ttl = (packet[9], packet[8]) if version == 4 else (packet[6], packet[7])
    found = {
        "pair": pair,
        "flow": flow,
        "interface": address[0],
        "out": address[2] == socket.PACKET_OUTGOING,
        "ttl": ttl,
    }
    if protocol == _UDP:
        return found
    if protocol in (_ICMP, _ICMPV6):
        header = (packet[0] & 0x0F) * 4 if version == 4 else 40
        family = socket.AF_INET if version == 4 else socket.AF_INET6
        sender = packet[12:16] if version == 4 else packet[8:24]
        return {**found, "icmp": [packet[header], packet[header + 1]], "by": socket.inet_ntop(family, sender)}
    return None
