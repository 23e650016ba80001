"""Marked probes from namespace to namespace, captured at every device that they pass (the path plane's evidence).

A probe is a UDP datagram whose payload names the run and the flow. One packet socket per namespace, bound to no
interface, sees a forwarded packet twice: as it comes in (TTL n) and as it goes out (n - 1), each with the interface.
ICMP errors quote the mark, so they are told apart from probes by their protocol (packet(7), RFC 792, RFC 4443).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import selectors
import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bgpsim.agent.namespaces import Namespaces
from bgpsim.agent.routing import RoutingSocket, asked_neighbor
from bgpsim.errors import LabError

_MAGIC = b"bgpsim\x00p"
_MARK = struct.Struct("!8s8sI")
_ETH_P_ALL = 0x0003
_SOL_PACKET, _PACKET_STATISTICS = 263, 6
_PACKET_HOST, _PACKET_OUTGOING = 0, 4
_SO_RCVBUFFORCE = 33
_BUFFER = 16 << 20
"""Bytes; a loop makes 64 x 2 packets of each flow in one socket."""
_UDP, _ICMP, _ICMPV6 = 17, 1, 58
_ERRORS = {_ICMP: (3, 11), _ICMPV6: (1, 3)}
"""Destination unreachable and time exceeded."""
FIRST_SOURCE_PORT = 33000
TARGET_PORT = 33434


@dataclass(slots=True)
class _Evidence:
    """What was seen of the flows of one run."""

    passages: list[tuple[int, str, str, str, int]] = field(default_factory=list)
    """Flow, device, interface, in or out, TTL (hop limit); each device's in the order of its socket."""
    errors: list[tuple[int, str, str, int, int, int]] = field(default_factory=list)
    """Flow, device, in or out, IP version, ICMP type and code."""
    received: list[tuple[int, str]] = field(default_factory=list)
    not_sent: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Flow:
    number: int
    device: str
    source: str
    target: str
    port: int


class PacketService:
    """Methods `packets.*`."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        return {"packets.probe": self.probe}

    def probe(
        self,
        watch: Sequence[str],
        pairs: Sequence[Mapping[str, str]],
        listen: Sequence[Sequence[str]],
        count: int = 8,
        quiet: float = 0.06,
        longest: float = 3.5,
    ) -> dict[str, Any]:
        """Send `count` flows per pair {device, source, target}, all at once, and tell what became of them.

        `watch`: the devices where packets are captured; `listen`: device and address of each target that somebody
        owns (a socket takes the probes there, so that no port is unreachable). Flow number = pair x count + n.

        Ends `quiet` seconds after the last packet, or as soon as every probe was received; an address that is being
        resolved is waited for, `longest` seconds at most (the kernel asks three times, a second apart).
        """
        flows = [
            _Flow(number * count + n, pair["device"], pair["source"], pair["target"], FIRST_SOURCE_PORT + n)
            for number, pair in enumerate(pairs)
            for n in range(count)
        ]
        run = os.urandom(8)
        started = time.monotonic()
        with contextlib.ExitStack() as stack:
            capture = _Capture(run, stack)
            for device in watch:
                with self._namespaces.enter_network(device):
                    capture.watch(device)
            for device, address in listen:
                with self._namespaces.enter_network(device):
                    capture.listen(device, address)
            self._send(run, flows, capture.evidence, stack)
            ends = self._collect(flows, capture, quiet, started + longest)
            lost = capture.lost()
        if lost:
            raise LabError(f"the packet capture lost {lost} packets")
        evidence = capture.evidence
        return {
            "passages": evidence.passages,
            "errors": evidence.errors,
            "received": evidence.received,
            "not_sent": evidence.not_sent,
            "ends": ends,
            "seconds": time.monotonic() - started,
        }

    def _send(self, run: bytes, flows: Sequence[_Flow], evidence: _Evidence, stack: contextlib.ExitStack) -> None:
        sockets: dict[tuple[str, str, int], socket.socket] = {}
        for flow in flows:
            key = (flow.device, flow.source, flow.port)
            if key not in sockets:
                with self._namespaces.enter_network(flow.device):
                    sender = stack.enter_context(socket.socket(_family(flow.source), socket.SOCK_DGRAM))
                _send_buffer(sender)
                try:
                    sender.bind((flow.source, flow.port))
                except OSError as error:
                    raise LabError(f"{flow.device}: probes from {flow.source}: {error.strerror}") from None
                sockets[key] = sender
        for flow in flows:
            mark = _MARK.pack(_MAGIC, run, flow.number)
            try:
                sockets[flow.device, flow.source, flow.port].sendto(mark, (flow.target, TARGET_PORT))
            except OSError as error:
                evidence.not_sent.append((flow.number, errno.errorcode.get(error.errno or 0, str(error))))

    def _collect(
        self, flows: Sequence[_Flow], capture: _Capture, quiet: float, deadline: float
    ) -> dict[str, dict[str, Any]]:
        """Reads until it is quiet; then, per flow that nobody received, what the kernel says where it ended."""
        while True:
            capture.read(quiet, deadline, len(flows))
            ends = self._ends(flows, capture.evidence)
            resolving = any(end["neighbor"] == "INCOMPLETE" and end["carrier"] for end in ends.values())
            if not resolving or time.monotonic() >= deadline:
                return ends

    def _ends(self, flows: Sequence[_Flow], evidence: _Evidence) -> dict[str, dict[str, Any]]:
        arrived = {number for number, _ in evidence.received}
        last = last_passages(evidence.passages)
        at: dict[str, list[tuple[_Flow, str | None]]] = {}
        for flow in flows:
            if flow.number in arrived:
                continue
            _, device, interface, direction, _ = last.get(flow.number, (0, flow.device, "", "out", 0))
            at.setdefault(device, []).append((flow, interface if direction == "in" else None))
        ends: dict[str, dict[str, Any]] = {}
        for device, ended in at.items():
            with self._namespaces.enter_network(device), RoutingSocket() as kernel:
                neighbors = kernel.neighbors()
                forwards = {4: _setting("ipv4/ip_forward"), 6: _setting("ipv6/conf/all/forwarding")}
                for flow, ingress in ended:
                    route = kernel.lookup(
                        flow.target,
                        source=flow.source,
                        ingress=ingress,
                        protocol=_UDP,
                        ports=(flow.port, TARGET_PORT),
                    )
                    asked = asked_neighbor(route, flow.target)
                    ends[str(flow.number)] = {
                        "device": device,
                        "forwards": forwards[6 if ":" in flow.target else 4],
                        "route": route,
                        "neighbor": None if asked is None else neighbors.get(asked),
                        "carrier": None if asked is None else _carrier(asked[0]),
                    }
        return ends


def last_passages(passages: Iterable[tuple[int, str, str, str, int]]) -> dict[int, tuple[int, str, str, str, int]]:
    """Where each flow was seen last: the lowest TTL; at one TTL it leaves a device before it comes into the next."""
    last: dict[int, tuple[int, str, str, str, int]] = {}
    for passage in passages:
        flow, _, _, direction, ttl = passage
        known = last.get(flow)
        if known is None or (ttl, direction != "in") <= (known[4], known[3] != "in"):
            last[flow] = passage
    return last


class _Capture:
    """The packet sockets and the targets' sockets of one run."""

    def __init__(self, run: bytes, stack: contextlib.ExitStack) -> None:
        self.evidence = _Evidence()
        self._run = run
        self._stack = stack
        self._selector = stack.enter_context(selectors.DefaultSelector())
        self._packets: list[socket.socket] = []

    def watch(self, device: str) -> None:
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, socket.htons(_ETH_P_ALL))
        self._stack.enter_context(opened)
        try:
            opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        except PermissionError:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._packets.append(opened)
        self._selector.register(opened, selectors.EVENT_READ, lambda: self._passages(device, opened))

    def listen(self, device: str, address: str) -> None:
        opened = socket.socket(_family(address), socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._stack.enter_context(opened)
        try:
            opened.bind((address, TARGET_PORT))
        except OSError as error:
            raise LabError(f"{device}: probes to {address}: {error.strerror}") from None
        self._selector.register(opened, selectors.EVENT_READ, lambda: self._receipts(device, opened))

    def read(self, quiet: float, deadline: float, wanted: int) -> None:
        """Until nothing came for `quiet` seconds, or `wanted` probes were received and all is read."""
        while True:
            done = len(self.evidence.received) >= wanted
            patience = 0.0 if done else min(quiet, max(deadline - time.monotonic(), 0.0))
            ready = self._selector.select(patience)
            # Other traffic (keepalives, address resolution) does not prolong the wait.
            marked = sum(key.data() for key, _ in ready)
            if not ready or (done and not marked):
                return
            if not marked and not self._more(quiet, deadline):
                return

    def _more(self, quiet: float, deadline: float) -> bool:
        """Whether a marked packet comes within `quiet` seconds."""
        until = min(time.monotonic() + quiet, deadline)
        while (left := until - time.monotonic()) > 0:
            if sum(key.data() for key, _ in self._selector.select(left)):
                return True
        return False

    def lost(self) -> int:
        """Packets that the kernel could not put into a socket's buffer (packet(7), PACKET_STATISTICS)."""
        return sum(
            int(struct.unpack("=II", opened.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))[1])
            for opened in self._packets
        )

    def _passages(self, device: str, opened: socket.socket) -> int:
        count = 0
        for packet, (interface, _, kind, *_) in _received(opened):
            if kind not in (_PACKET_HOST, _PACKET_OUTGOING):
                continue
            direction = "out" if kind == _PACKET_OUTGOING else "in"
            seen = parse(packet, self._run)
            if seen is None:
                continue
            count += 1
            if seen.error is None:
                self.evidence.passages.append((seen.flow, device, interface, direction, seen.ttl))
            else:
                self.evidence.errors.append((seen.flow, device, direction, seen.version, *seen.error))
        return count

    def _receipts(self, device: str, opened: socket.socket) -> int:
        count = 0
        for payload, _ in _received(opened):
            number = _flow_of(payload, self._run)
            if number is not None:
                count += 1
                self.evidence.received.append((number, device))
        return count


def _received(opened: socket.socket) -> Iterator[tuple[bytes, Any]]:
    while True:
        try:
            yield opened.recvfrom(2048)
        except BlockingIOError:
            return


@dataclass(frozen=True, slots=True)
class Seen:
    """A captured packet of a run: a probe, or an ICMP error (type, code) that quotes one."""

    flow: int
    version: int
    ttl: int
    error: tuple[int, int] | None = None


def parse(packet: bytes, run: bytes) -> Seen | None:
    """A captured packet from its IP header on; None for what is not of this run."""
    headers = _ip(packet)
    if headers is None:
        return None
    version, protocol, ttl, payload = headers
    if protocol == _UDP:
        number = _flow_of(payload[8:], run)
        return None if number is None else Seen(number, version, ttl)
    if protocol in _ERRORS and len(payload) > 8 and payload[0] in _ERRORS[protocol]:
        quoted = _ip(payload[8:])
        if quoted is not None and quoted[1] == _UDP:
            number = _flow_of(quoted[3][8:], run)
            return None if number is None else Seen(number, version, ttl, (payload[0], payload[1]))
    return None


def _ip(packet: bytes) -> tuple[int, int, int, bytes] | None:
    """Version, protocol, TTL and payload (no IPv6 extension headers: probes and errors have none)."""
    if len(packet) >= 20 and packet[0] >> 4 == 4:
        return 4, packet[9], packet[8], packet[(packet[0] & 15) * 4 :]
    if len(packet) >= 40 and packet[0] >> 4 == 6:
        return 6, packet[6], packet[7], packet[40:]
    return None


def _flow_of(payload: bytes, run: bytes) -> int | None:
    if len(payload) < _MARK.size:
        return None
    magic, of_run, number = _MARK.unpack_from(payload)
    return number if magic == _MAGIC and of_run == run else None


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _send_buffer(sender: socket.socket) -> None:
    """Probes that wait for an address to be resolved stay in the sender's buffer."""
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)


def _setting(name: str) -> bool:
    with open(f"/proc/sys/net/{name}") as setting:
        return setting.read().strip() != "0"


def _carrier(interface: str) -> bool:
    """By the flag that netdevice(7) calls IFF_RUNNING, in the calling thread's namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        answer = fcntl.ioctl(any_socket, 0x8913, struct.pack("16sh22x", interface.encode(), 0))
    return bool(struct.unpack("16sH22x", answer)[1] & 0x40)
