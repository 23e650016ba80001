"""Packets and BGP messages as bytes, by hand from RFC 4271, 4760, 5492, 6793, 7911 and 9293."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address

MARKER = b"\xff" * 16
KEEPALIVE = MARKER + b"\0\x13\4"
SYN, ACK, FIN, RST = 2, 16, 1, 4


def packet(source: str, port: int, target: str, to: int, sequence: int, payload: bytes = b"", **head: int) -> bytes:
    """From the IP header on; `head`: flags, acknowledged."""
    tcp = struct.pack(
        "!HHIIBBHHH",
        port,
        to,
        sequence % (1 << 32),
        head.get("acknowledged", 0) % (1 << 32),
        8 << 4,
        head.get("flags", ACK),
        1000,
        0,
        0,
    )
    tcp += b"\1" * 12 + payload  # twelve octets of options
    a, b = ip_address(source).packed, ip_address(target).packed
    if len(a) == 4:
        return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0) + a + b + tcp
    return struct.pack("!IHBB", 6 << 28, len(tcp), 6, 64) + a + b + tcp


def message(kind: int, body: bytes = b"") -> bytes:
    return MARKER + struct.pack("!HB", 19 + len(body), kind) + body


def opened(asn: int, *capabilities: tuple[int, bytes]) -> bytes:
    values = b"".join(struct.pack("!BB", code, len(value)) + value for code, value in capabilities)
    parameters = struct.pack("!BB", 2, len(values)) + values if values else b""
    head = struct.pack("!BHH4sB", 4, min(asn, 23456), 90, b"\1\2\3\4", len(parameters))
    return message(1, head + parameters)


def four_octet_as(asn: int) -> tuple[int, bytes]:
    return 65, struct.pack("!I", asn)


def add_path(*families: tuple[int, int, int]) -> tuple[int, bytes]:
    return 69, b"".join(struct.pack("!HBB", *family) for family in families)


def route(prefix: str, path_id: int | None = None) -> bytes:
    network = IPv4Network(prefix) if "." in prefix else IPv6Network(prefix)
    octets = network.network_address.packed[: (network.prefixlen + 7) // 8]
    return (b"" if path_id is None else struct.pack("!I", path_id)) + bytes([network.prefixlen]) + octets


def attribute(code: int, value: bytes, flags: int = 0x40) -> bytes:
    if len(value) > 255:
        return struct.pack("!BBH", flags | 0x10, code, len(value)) + value
    return struct.pack("!BBB", flags, code, len(value)) + value


def path(*asns: int, wide: bool = True, kind: int = 2, code: int = 2) -> bytes:
    value = struct.pack("!BB", kind, len(asns)) + b"".join(struct.pack("!I" if wide else "!H", n) for n in asns)
    return attribute(code, value)


ORIGIN = attribute(1, b"\0")


def next_hop(address: str) -> bytes:
    return attribute(3, IPv4Address(address).packed)


def reach(afi: int, hops: Sequence[str], nlri: bytes) -> bytes:
    hop = b"".join(ip_address(one).packed for one in hops)
    return attribute(14, struct.pack("!HBB", afi, 1, len(hop)) + hop + b"\0" + nlri, 0x80)


def unreach(afi: int, nlri: bytes) -> bytes:
    return attribute(15, struct.pack("!HB", afi, 1) + nlri, 0x80)


def update(attributes: Iterable[bytes] = (), nlri: bytes = b"", withdrawn: bytes = b"") -> bytes:
    values = b"".join(attributes)
    return message(2, struct.pack("!H", len(withdrawn)) + withdrawn + struct.pack("!H", len(values)) + values + nlri)
