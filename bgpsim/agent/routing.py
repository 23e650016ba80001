"""The kernel's own answers about routes, neighbors and links: rtnetlink messages by pyroute2, sockets of our own.

pyroute2's IPRoute takes 15 ms to open (it brings an event loop and a thread) and a question here 0.2 ms, of a dozen
namespaces and more; its message classes are what is needed of it. pyroute2 0.9 does not know the protocol and ports
of a lookup and leaves them out in silence, and those decide which branch of a multipath route a flow takes: the class
of a route is extended here.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from pyroute2.netlink import NLM_F_DUMP, NLM_F_REQUEST, NLMSG_DONE, nlmsg
from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.netlink.rtnl import (
    RTM_DELROUTE,
    RTM_GETLINK,
    RTM_GETNEIGH,
    RTM_GETROUTE,
    RTM_NEWROUTE,
    rt_type,
)
from pyroute2.netlink.rtnl.ifinfmsg import IFF_RUNNING, ifinfmsg
from pyroute2.netlink.rtnl.marshal import MarshalRtnl
from pyroute2.netlink.rtnl.ndmsg import NUD_VALUES, ndmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg_base

from bgpsim.errors import LabError

_BUFFER = 1 << 17
"""Bytes; the kernel's dumps come in parts of at most 32 KiB (netlink_recvmsg of net/netlink/af_netlink.c)."""


_FIB_MATCH = 0x2000
"""RTM_F_FIB_MATCH (linux/rtnetlink.h): answer with the table's route, and not with what a packet makes of it."""


class RouteMessage(rtmsg_base, nlmsg):  # type: ignore[misc]
    """rtmsg with all attributes of linux/rtnetlink.h; their place in `nla_map` is their number.

    Not a subclass of pyroute2's `rtmsg`: a class takes over the compiled attributes of the one above it, if that was
    used before, and with them its gaps.
    """

    __slots__ = ()
    nla_map = (
        *rtmsg_base.nla_map[:24],
        ("RTA_PAD", "none"),
        ("RTA_UID", "uint32"),
        ("RTA_TTL_PROPAGATE", "uint8"),
        ("RTA_IP_PROTO", "uint8"),
        ("RTA_SPORT", "be16"),
        ("RTA_DPORT", "be16"),
        ("RTA_NH_ID", "uint32"),
    )


class Messages(MarshalRtnl):  # type: ignore[misc]
    """Datagrams of a rtnetlink socket -> messages."""

    msg_map = MarshalRtnl.msg_map | dict.fromkeys((RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE), RouteMessage)


class RoutingSocket:
    """A rtnetlink socket of the network namespace that the calling thread is in when it is made."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self._socket.bind((0, 0))
        self._socket.settimeout(5.0)
        self._messages = Messages()
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
        question = RouteMessage()
        question["family"] = socket.AF_INET if address.version == 4 else socket.AF_INET6
        question["dst_len"] = address.max_prefixlen
        question["attrs"] = [("RTA_DST", target)]
        if source is not None:
            question["src_len"] = address.max_prefixlen
            question["attrs"].append(("RTA_SRC", source))
        if ingress is not None:
            question["attrs"].append(("RTA_IIF", _index(ingress)))
        if protocol is not None:
            question["attrs"].append(("RTA_IP_PROTO", protocol))
        if ports is not None:
            question["attrs"] += [("RTA_SPORT", ports[0]), ("RTA_DPORT", ports[1])]
        try:
            return _route(next(self._ask(RTM_GETROUTE, question)))
        except NetlinkError as error:
            return {"error": errno.errorcode.get(error.code, str(error.code))}

    def installed_by(self, target: str) -> int | None:
        """The protocol (rtnetlink(7), RTPROT_*) of the route that a packet to `target` takes; None without one."""
        address = ip_address(target)
        question = RouteMessage()
        question["family"] = socket.AF_INET if address.version == 4 else socket.AF_INET6
        question["dst_len"] = address.max_prefixlen
        question["flags"] = _FIB_MATCH
        question["attrs"] = [("RTA_DST", target)]
        try:
            return int(next(self._ask(RTM_GETROUTE, question))["proto"])
        except NetlinkError:
            return None

    def neighbors(self) -> dict[tuple[str, str], str]:
        """(interface, address) -> state of the entry, as `ip neighbor` names it."""
        found = {}
        for entry in self._ask(RTM_GETNEIGH, ndmsg(), NLM_F_DUMP):
            address = entry.get_attr("NDA_DST")
            if entry["family"] in (socket.AF_INET, socket.AF_INET6) and address is not None:
                state = NUD_VALUES.get(entry["state"], str(entry["state"]))
                found[socket.if_indextoname(entry["ifindex"]), address] = state.removeprefix("NUD_")
        return found

    def has_carrier(self, interface: str) -> bool:
        """Whether an interface is up and its link too; False where there is no such interface."""
        try:
            question = ifinfmsg()
            question["index"] = socket.if_nametoindex(interface)
            return bool(next(self._ask(RTM_GETLINK, question))["flags"] & IFF_RUNNING)
        except (OSError, NetlinkError):
            return False

    def _ask(self, kind: int, question: nlmsg, flags: int = 0) -> Iterator[nlmsg]:
        """The answers to a question. Raises NetlinkError where the kernel refuses, TimeoutError where it is silent."""
        self._number += 1
        question["header"] = {"type": kind, "flags": NLM_F_REQUEST | flags, "sequence_number": self._number}
        question.encode()
        self._socket.send(question.data)
        while True:
            for answer in self._messages.parse(self._socket.recv(_BUFFER)):
                header = answer["header"]
                if header["sequence_number"] != self._number:
                    continue
                if header["error"] is not None:
                    raise header["error"]
                if header["type"] == NLMSG_DONE:
                    return
                yield answer
                if not flags & NLM_F_DUMP:
                    return


def _route(answer: nlmsg) -> dict[str, Any]:
    via = answer.get_attr("RTA_GATEWAY")
    if via is None and (other_family := answer.get_attr("RTA_VIA")) is not None:
        via = other_family["addr"]
    index = answer.get_attr("RTA_OIF")
    return {
        "kind": rt_type.get(answer["type"], str(answer["type"])),
        "interface": None if index is None else socket.if_indextoname(index),
        "via": via,
    }


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
