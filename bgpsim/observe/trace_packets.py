"""The packets of a traceroute with constant flow, after Paris traceroute, and what answers one: by scapy.

What a router may hash stays the same in every packet of a trace: addresses, protocol, ports, flow label, even the UDP
checksum. What tells the packets apart is the IP identification, and where there is none (IPv6) two words of payload
whose sum is constant. Each device that takes the last of the TTL answers with an ICMP error that quotes the packet
(RFC 792, RFC 4443); the target answers with port unreachable, for nothing listens on a probe's port by then.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from scapy.layers.inet import ICMP, IP, UDP, IPerror, UDPerror
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6ParamProblem, ICMPv6TimeExceeded, IPv6
from scapy.packet import Packet, Raw

from bgpsim.agent.sightings import PORT

_TOKEN_BYTES = 16
"""The start of a packet's payload, by which its trace is known."""
_ERRORS_FOUR = frozenset({3, 11, 12})
"""Destination unreachable, time exceeded, parameter problem (RFC 792)."""
_ERRORS_SIX: Mapping[int, type[Packet]] = {1: ICMPv6DestUnreach, 3: ICMPv6TimeExceeded, 4: ICMPv6ParamProblem}
"""The same of RFC 4443."""


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

    token: bytes
    ttl: int
    """Of the packet, as it was sent."""


def read_four(message: bytes) -> Answer | None:
    """An ICMP message, from its type on; None for what is no error about a UDP packet."""
    answer = ICMP(message)
    if answer.type not in _ERRORS_FOUR or UDPerror not in answer:
        return None
    return Answer(bytes(answer[UDPerror].payload)[:_TOKEN_BYTES], answer[IPerror].id)


def read_six(message: bytes) -> Answer | None:
    """The same of ICMPv6."""
    kind = _ERRORS_SIX.get(message[0])
    if kind is None or UDPerror not in (answer := kind(message)):
        return None
    payload = bytes(answer[UDPerror].payload)
    return Answer(payload[:_TOKEN_BYTES], int.from_bytes(payload[_TOKEN_BYTES:][:2], "big"))


@dataclass(frozen=True, slots=True)
class Trace:
    """One flow, with TTLs from 1 to `ttls`; `port`: the source port."""

    source: str
    target: str
    port: int
    ttls: int
    token: bytes = field(default_factory=lambda: secrets.token_bytes(_TOKEN_BYTES))

    def packets(self) -> list[bytes]:
        """In order of TTL."""
        ttls = range(1, self.ttls + 1)
        return [bytes(packet(self.source, self.target, self.port, self.token, ttl)) for ttl in ttls]

    def answering(self, messages: Iterable[tuple[str, bytes]]) -> list[str | None]:
        """Per TTL the address that answered first, of (address, ICMP message) as they came; None where none did."""
        read = read_six if ":" in self.target else read_four
        found: list[str | None] = [None] * self.ttls
        for address, message in messages:
            answer = read(message)
            if answer is not None and answer.token == self.token and 1 <= answer.ttl <= self.ttls:
                found[answer.ttl - 1] = found[answer.ttl - 1] or address
        return found
