"""A traceroute with constant flow, after Paris traceroute: the path plane's cross-check, by packets of scapy.

What a router may hash stays the same in every packet of a trace: addresses, protocol, ports, flow label, even the UDP
checksum. What tells the packets apart is the IP identification, and where there is none (IPv6) two words of payload
whose sum is constant. Each device that takes the last of the TTL answers with an ICMP error that quotes the packet
(RFC 792, RFC 4443); the target answers with port unreachable, for nothing listens on a probe's port by then.

Captures say only how far to trace and by which interface the sender sent: a raw socket's packet, unlike that of a UDP
socket, has no ports when the sender's own kernel chooses a branch.
"""

from __future__ import annotations

import contextlib
import secrets
import select
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scapy.layers.inet import ICMP, IP, UDP, IPerror, UDPerror
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6ParamProblem, ICMPv6TimeExceeded, IPv6
from scapy.packet import Packet, Raw

from bgpsim.agent.namespaces import Namespaces
from bgpsim.agent.probe_sockets import BUFFER, raw_sender, read_all
from bgpsim.agent.sightings import PORT

_TOKEN_BYTES = 16
_ERRORS_FOUR = frozenset({3, 11, 12})
"""Destination unreachable, time exceeded, parameter problem (RFC 792)."""
_ERRORS_SIX: Mapping[int, type[Packet]] = {1: ICMPv6DestUnreach, 3: ICMPv6TimeExceeded, 4: ICMPv6ParamProblem}
"""The same of RFC 4443."""
_LONGEST = 10.0
"""Seconds that one call waits at most."""


@dataclass(slots=True)
class _Trace:
    """One flow and what answered, by TTL from 1 on."""

    source: str
    target: str
    port: int
    egress: str
    answers: list[str | None]
    token: bytes = field(default_factory=lambda: secrets.token_bytes(_TOKEN_BYTES))

    @property
    def six(self) -> bool:
        return ":" in self.target

    def packet(self, ttl: int) -> Packet:
        return packet(self.source, self.target, self.port, self.token, ttl)


def packet(source: str, target: str, port: int, token: bytes, ttl: int) -> Packet:
    """One packet of a trace; all that have the same source, target, port and token are one flow."""
    ports = UDP(sport=port, dport=PORT)
    if ":" in target:
        words = ttl.to_bytes(2, "big") + (0xFFFF - ttl).to_bytes(2, "big")
        return IPv6(src=source, dst=target, hlim=ttl) / ports / Raw(token + words)
    return IP(src=source, dst=target, ttl=ttl, id=ttl) / ports / Raw(token)


@dataclass(frozen=True, slots=True)
class Answer:
    """An ICMP error about a UDP packet; of which trace it was, if of any, `token` says."""

    address: str
    token: bytes
    ttl: int


def read_four(received: bytes) -> Answer | None:
    """What an IPv4 ICMP socket received, IP header and all; None for what is no error about a UDP packet."""
    answer = IP(received)
    if ICMP not in answer or answer[ICMP].type not in _ERRORS_FOUR or UDPerror not in answer:
        return None
    return Answer(answer.src, bytes(answer[UDPerror].payload)[:_TOKEN_BYTES], answer[IPerror].id)


def read_six(received: bytes, address: str) -> Answer | None:
    """What an ICMPv6 socket received from `address`, without the IP header."""
    kind = _ERRORS_SIX.get(received[0])
    if kind is None or UDPerror not in (answer := kind(received)):
        return None
    payload = bytes(answer[UDPerror].payload)
    return Answer(address, payload[:_TOKEN_BYTES], int.from_bytes(payload[_TOKEN_BYTES:][:2], "big"))


class TracerouteService:
    """Methods `packets.trace`."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        return {"packets.trace": self.trace}

    def trace(self, pairs: Sequence[Mapping[str, Any]], quiet: float = 0.05) -> list[list[str | None]]:
        """Trace one flow per pair {device, source, target, port, egress, ttls}, with TTLs from 1 to `ttls` at once.

        `port`: the source port; `egress`: the interface by which the sender sends. Per pair and TTL, the address that
        answered, None where none did. Ends when all have answered, or `quiet` seconds after the last new answer: what
        has no way back, and what a sender's kernel refuses, is never answered.
        """
        traces = [_Trace(p["source"], p["target"], p["port"], p["egress"], [None] * p["ttls"]) for p in pairs]
        with contextlib.ExitStack() as stack:
            # A sink of somebody's probes would take what the target is to answer.
            stack.enter_context(self._namespaces.probing)
            listening = _Listening(traces, stack)
            for device in dict.fromkeys(pair["device"] for pair in pairs):
                own = [trace for pair, trace in zip(pairs, traces, strict=True) if pair["device"] == device]
                with self._namespaces.enter_network(device):
                    for six in {trace.six for trace in own}:
                        listening.add(six)
                    for trace in own:
                        _send(trace)
                        listening.read(0.0)
            listening.await_all(quiet)
        return [trace.answers for trace in traces]


def _send(trace: _Trace) -> None:
    """All TTLs of a trace. Where the kernel refuses one, that one is not answered."""
    with contextlib.suppress(OSError), raw_sender(trace.source, trace.egress) as opened:
        for ttl in range(1, len(trace.answers) + 1):
            with contextlib.suppress(OSError):
                opened.sendto(bytes(trace.packet(ttl)), (trace.target, 0))


class _Listening:
    """The senders' ICMP sockets; fills in the answers of the traces."""

    def __init__(self, traces: Sequence[_Trace], stack: contextlib.ExitStack) -> None:
        self._by_token = {trace.token: trace for trace in traces}
        self._open = sum(len(trace.answers) for trace in traces)
        self._stack = stack
        self._sockets: dict[int, tuple[socket.socket, bool]] = {}
        self._poller = select.poll()

    def add(self, six: bool) -> None:
        """Listen in the network namespace that the calling thread is in."""
        family, protocol = (socket.AF_INET6, socket.IPPROTO_ICMPV6) if six else (socket.AF_INET, socket.IPPROTO_ICMP)
        opened = self._stack.enter_context(socket.socket(family, socket.SOCK_RAW, protocol))
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self._sockets[opened.fileno()] = (opened, six)
        self._poller.register(opened, select.POLLIN)

    def await_all(self, quiet: float) -> None:
        limit = time.monotonic() + _LONGEST
        last = time.monotonic()
        while self._open and (left := min(last + quiet, limit) - time.monotonic()) > 0:
            if self.read(left):
                last = time.monotonic()

    def read(self, seconds: float) -> bool:
        """Wait for something, then read what there is; whether anything of it was a new answer."""
        before = self._open
        for number, _ in self._poller.poll(round(1000 * seconds)):
            for answer in _answers(*self._sockets[number]):
                trace = self._by_token.get(answer.token)
                if trace is not None and 1 <= answer.ttl <= len(trace.answers):
                    self._open -= trace.answers[answer.ttl - 1] is None
                    trace.answers[answer.ttl - 1] = trace.answers[answer.ttl - 1] or answer.address
        return self._open < before


def _answers(opened: socket.socket, six: bool) -> Iterator[Answer]:
    for received, address in read_all(opened):
        answer = read_six(received, address[0].partition("%")[0]) if six else read_four(received)
        if answer is not None:
            yield answer
