"""Captured packets as a pcap file's bytes, which Wireshark opens."""

from __future__ import annotations

import io
from collections.abc import Iterable

_LINKTYPE_RAW = 101
"""Packets begin with their IPv4 or IPv6 header."""


def pcap_of(packets: Iterable[tuple[int, bytes]]) -> bytes:
    """`packets`: time in nanoseconds since the epoch, and the packet from its IP header on."""
    from scapy.utils import RawPcapWriter

    kept = io.BytesIO()
    pcap = RawPcapWriter(kept, linktype=_LINKTYPE_RAW, nano=True)
    pcap.write_header(None)
    for time, octets in packets:
        seconds, nanoseconds = divmod(time, 10**9)
        pcap.write_packet(octets, sec=seconds, usec=nanoseconds)
    pcap.flush()
    return kept.getvalue()
