"""Sends the packets of traces and keeps what answers them. Both are bytes here, made and read by
`bgpsim.observe.trace_packets`: scapy takes 30 MiB and 0.3 s, and the agent needs it for nothing.

Captures say only how far to trace and by which interface the sender sent: a raw socket's packet, unlike that of a UDP
socket, has no ports when the sender's own kernel chooses a branch.
"""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bgpsim.agent.namespaces import Namespaces
from bgpsim.agent.probe_sockets import BUFFER, raw_sender, read_all
from bgpsim.agent.sightings import ICMP_ERRORS, ICMPV6_ERRORS

_ICMP_HEADER = 8
"""Bytes of an error before what it quotes (RFC 792, RFC 4443)."""
_LONGEST = 10.0
"""Seconds that one call waits at most."""


@dataclass(slots=True)
class _Trace:
    """One flow's packets, and the distinct messages that quote one of them, each with who sent it."""

    source: str
    target: str
    egress: str
    token: bytes
    packets: tuple[bytes, ...]
    answers: dict[tuple[str, bytes], None] = field(default_factory=dict)

    @classmethod
    def of(cls, pair: Mapping[str, Any]) -> _Trace:
        packets = tuple(bytes.fromhex(packet) for packet in pair["packets"])
        return cls(pair["source"], pair["target"], pair["egress"], bytes.fromhex(pair["token"]), packets)

    @property
    def six(self) -> bool:
        return ":" in self.target

    @property
    def place(self) -> tuple[int, int]:
        """Where the token begins and ends in a message that quotes one of the packets."""
        start = _ICMP_HEADER + self.packets[0].index(self.token)
        return start, start + len(self.token)

    @property
    def open(self) -> bool:
        return len(self.answers) < len(self.packets)


class TracerouteService:
    """Methods `packets.trace`."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        return {"packets.trace": self.trace}

    def trace(self, pairs: Sequence[Mapping[str, Any]], quiet: float = 0.05) -> list[list[tuple[str, str]]]:
        """Trace one flow per pair {device, source, target, egress, token, packets}, with all its packets at once.

        `egress`: the interface by which the sender sends; `packets`: whole ones, IP header and all, and `token`: what
        all of them have and no other pair's, in hex. Per pair [address, message]: the ICMP errors that quote one of
        its packets, from their type on in hex, each once. Ends when each packet has an answer, or `quiet` seconds after
        the last new one: what has no way back, and what a sender's kernel refuses, is never answered.
        """
        traces = [_Trace.of(pair) for pair in pairs]
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
        return [[(address, message.hex()) for address, message in trace.answers] for trace in traces]


def _send(trace: _Trace) -> None:
    """All packets of a trace. Where the kernel refuses one, that one is not answered."""
    with contextlib.suppress(OSError), raw_sender(trace.source, trace.egress) as opened:
        for packet in trace.packets:
            with contextlib.suppress(OSError):
                opened.sendto(packet, (trace.target, 0))


class _Listening:
    """The senders' ICMP sockets; fills in the answers of the traces."""

    def __init__(self, traces: Sequence[_Trace], stack: contextlib.ExitStack) -> None:
        self._traces = traces
        self._by_token = {trace.token: trace for trace in traces}
        self._places = {trace.place for trace in traces}
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
        while any(trace.open for trace in self._traces) and (left := min(last + quiet, limit) - time.monotonic()) > 0:
            if self.read(left):
                last = time.monotonic()

    def read(self, seconds: float) -> bool:
        """Wait for something, then read what there is; whether anything of it was a new answer."""
        new = False
        for number, _ in self._poller.poll(round(1000 * seconds)):
            for address, message in _errors(*self._sockets[number]):
                trace = self._quoted(message)
                if trace is not None and (address, message) not in trace.answers:
                    trace.answers[address, message] = None
                    new = True
        return new

    def _quoted(self, message: bytes) -> _Trace | None:
        tokens = (message[start:end] for start, end in self._places)
        return next((self._by_token[token] for token in tokens if token in self._by_token), None)


def _errors(opened: socket.socket, six: bool) -> Iterator[tuple[str, bytes]]:
    """Who sent it, and the message from its type on: no IP header, by which copies of one message may differ."""
    for received, (address, *_) in read_all(opened):
        message = received if six else received[4 * (received[0] & 0x0F) :]
        if message[:1] and message[0] in (ICMPV6_ERRORS if six else ICMP_ERRORS):
            yield address.partition("%")[0], message
