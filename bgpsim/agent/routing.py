"""The kernel's own answers about routes and neighbors, by raw rtnetlink (rtnetlink(7), linux/rtnetlink.h).

Written on the socket because pyroute2 0.9 leaves out, in silence, the protocol and ports of a lookup (attributes 27
to 29), and those decide which branch of a multipath route a flow takes.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from bgpsim.errors import LabError

NETLINK_ROUTE = 0
_HEADER = struct.Struct("=IHHII")
_ROUTE = struct.Struct("=BBBBBBBBI")
_NEIGHBOR = struct.Struct("=BBHiHBB")
_RTM_GETNEIGH, _RTM_GETROUTE = 30, 26
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_REQUEST, _DUMP = 0x1, 0x300
_RTA_DST, _RTA_SRC, _RTA_IIF, _RTA_OIF, _RTA_GATEWAY, _RTA_VIA = 1, 2, 3, 4, 5, 18
_RTA_IP_PROTO, _RTA_SPORT, _RTA_DPORT = 27, 28, 29
_NDA_DST = 1
_NESTED = 0x3FFF
_KINDS = {1: "unicast", 2: "local", 3: "broadcast", 5: "multicast", 6: "blackhole", 7: "unreachable", 8: "prohibit"}
_STATES = {
    0x01: "INCOMPLETE", 0x02: "REACHABLE", 0x04: "STALE", 0x08: "DELAY",
    0x10: "PROBE", 0x20: "FAILED", 0x40: "NOARP", 0x80: "PERMANENT",
}  # fmt: skip


class RoutingSocket:
    """A rtnetlink socket of the network namespace that the calling thread is in when it is made."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_ROUTE)
        self._socket.bind((0, 0))
        self._socket.settimeout(5.0)
        self._number = 0

    def __enter__(self) -> RoutingSocket:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def lookup(
        self,
        target: str,
        *,
        source: str | None = None,
        ingress: str | None = None,
        protocol: int | None = None,
        ports: tuple[int, int] | None = None,
    ) -> dict[str, Any]:
        """The route that a packet to `target` takes: {kind, interface, via}; or {error} by its errno name.

        `ingress` makes it the lookup of a forwarded packet. `ports`: source and destination.
        """
        address = ip_address(target)
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        bits = address.max_prefixlen
        attributes = _attribute(_RTA_DST, address.packed)
        source_bits = 0
        if source is not None:
            attributes += _attribute(_RTA_SRC, ip_address(source).packed)
            source_bits = bits
        if ingress is not None:
            attributes += _attribute(_RTA_IIF, struct.pack("=I", _index(ingress)))
        if protocol is not None:
            attributes += _attribute(_RTA_IP_PROTO, struct.pack("=B", protocol))
        if ports is not None:
            attributes += _attribute(_RTA_SPORT, struct.pack("!H", ports[0]))
            attributes += _attribute(_RTA_DPORT, struct.pack("!H", ports[1]))
        body = _ROUTE.pack(family, bits, source_bits, 0, 0, 0, 0, 0, 0) + attributes
        for kind, payload in self._ask(_RTM_GETROUTE, _REQUEST, body):
            if kind == _NLMSG_ERROR:
                number = -struct.unpack_from("=i", payload)[0]
                return {"error": errno.errorcode.get(number, str(number))}
            return _route(payload)
        raise LabError(f"the kernel did not answer a lookup of {target}")

    def neighbors(self) -> dict[tuple[str, str], str]:
        """(interface, address) -> state of the entry, as `ip neighbor` names it."""
        found = {}
        for kind, payload in self._ask(_RTM_GETNEIGH, _REQUEST | _DUMP, _NEIGHBOR.pack(0, 0, 0, 0, 0, 0, 0)):
            if kind == _NLMSG_ERROR:
                raise LabError(f"neighbor entries: {os.strerror(-struct.unpack_from('=i', payload)[0])}")
            family, _, _, index, state, _, _ = _NEIGHBOR.unpack_from(payload)
            attributes = dict(_attributes(payload, _NEIGHBOR.size))
            if family in (socket.AF_INET, socket.AF_INET6) and _NDA_DST in attributes:
                address = str(ip_address(attributes[_NDA_DST]))
                found[socket.if_indextoname(index), address] = _STATES.get(state, str(state))
        return found

    def _ask(self, kind: int, flags: int, body: bytes) -> Iterator[tuple[int, bytes]]:
        self._number += 1
        self._socket.send(_HEADER.pack(_HEADER.size + len(body), kind, flags, self._number, 0) + body)
        while True:
            part = self._socket.recv(1 << 17)
            for kind_of_answer, number, payload in messages(part):
                if number != self._number:
                    continue
                if kind_of_answer == _NLMSG_DONE:
                    return
                yield kind_of_answer, payload
                if not flags & _DUMP:
                    return


def messages(part: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Type, sequence number and payload of each netlink message in a datagram."""
    at = 0
    while at + _HEADER.size <= len(part):
        length, kind, _, number, _ = _HEADER.unpack_from(part, at)
        if length < _HEADER.size:
            raise LabError("a netlink message of an impossible length")
        yield kind, number, part[at + _HEADER.size : at + length]
        at += (length + 3) & ~3


def _attribute(kind: int, value: bytes) -> bytes:
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value + b"\0" * (-length % 4)


def _attributes(payload: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    while at + 4 <= len(payload):
        length, kind = struct.unpack_from("=HH", payload, at)
        if length < 4:
            return
        yield kind & _NESTED, payload[at + 4 : at + length]
        at += (length + 3) & ~3


def _route(payload: bytes) -> dict[str, Any]:
    kind = _ROUTE.unpack_from(payload)[7]
    attributes = dict(_attributes(payload, _ROUTE.size))
    via = None
    if _RTA_GATEWAY in attributes:
        via = str(ip_address(attributes[_RTA_GATEWAY]))
    elif _RTA_VIA in attributes:
        via = str(ip_address(attributes[_RTA_VIA][2:]))
    interface = None
    if _RTA_OIF in attributes:
        interface = socket.if_indextoname(struct.unpack("=I", attributes[_RTA_OIF])[0])
    return {"kind": _KINDS.get(kind, str(kind)), "interface": interface, "via": via}


def _index(interface: str) -> int:
    try:
        return socket.if_nametoindex(interface)
    except OSError:
        raise LabError(f"no interface {interface}") from None


def asked_neighbor(route: Mapping[str, Any], target: str) -> tuple[str, str] | None:
    """The neighbor entry that a looked-up route needs; None where it needs none."""
    if route.get("kind") != "unicast" or route["interface"] is None:
        return None
    return route["interface"], route["via"] or target
