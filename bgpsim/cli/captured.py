"""Captured frames, written as pcap or printed as BGP messages."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable

import click

from bgpsim.errors import InputError
from bgpsim.keeper.capturing import Frame

_ETHERNET = 1
"""LINKTYPE_ETHERNET."""


def print_bgp(frames: Iterable[Frame]) -> None:
    """A text per message, as it is complete. Ctrl-C is its normal end."""
    from bgpsim.observe.bgp_wire.printing import Captured, printed

    captured = (Captured(f.seconds * 10**9 + f.nanoseconds, f.interface, f.octets) for f in frames)
    with contextlib.suppress(KeyboardInterrupt):
        for text in printed(captured):
            click.echo(text)


def write_pcap(frames: Iterable[Frame], file: str | None) -> None:
    """To a file, or to standard output where that is no terminal; each packet at once. Ctrl-C is its normal end."""
    from scapy.utils import RawPcapWriter

    if file is None and sys.stdout.isatty():
        raise InputError("pcap is not for a terminal; expected -w FILE, or a pipe into wireshark or tcpdump")
    try:
        opened = sys.stdout.buffer if file is None else open(file, "wb", buffering=0)  # noqa: SIM115 - closed below
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}; expected a file that can be written") from None
    written = 0
    with (
        contextlib.suppress(KeyboardInterrupt, BrokenPipeError),
        RawPcapWriter(opened, linktype=_ETHERNET, nano=True, sync=True) as pcap,
    ):
        pcap.write_header(None)
        pcap.flush()
        for frame in frames:
            pcap.write_packet(frame.octets, sec=frame.seconds, usec=frame.nanoseconds)
            written += 1
    click.echo(f"{written} packets", err=True)
