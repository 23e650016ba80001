"""Switching a network interface's offloads off: netdevice(7)'s SIOCETHTOOL, as `ethtool -K` does it."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import socket
import struct

_SIOCETHTOOL = 0x8946
_COMMANDS = (0x17, 0x19, 0x1F, 0x24)
"""ETHTOOL_STXCSUM, _SSG, _STSO, _SGSO of linux/ethtool.h: checksums, scatter-gather, segmentation (TCP's, any)."""


def switch_off(interface: str) -> None:
    """In the calling thread's network namespace: what leaves by the interface is whole frames with their checksums.

    Else a packet socket at the other end would get TCP segments of up to 64 kB, longer than any frame.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for command in _COMMANDS:
            value = ctypes.create_string_buffer(struct.pack("=II", command, 0))
            request = struct.pack("16sP16x", interface.encode(), ctypes.addressof(value))
            # Segmentation is off already once checksums and scatter-gather are, and some drivers say so by an error.
            with contextlib.suppress(OSError):
                fcntl.ioctl(control, _SIOCETHTOOL, request)
