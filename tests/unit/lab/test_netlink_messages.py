"""What goes to the kernel and what comes from it, by the layouts of linux/rtnetlink.h and linux/neighbour.h."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Mapping

import pytest
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from bgpsim.agent import routing
from bgpsim.agent.activity import event
from bgpsim.agent.routing import RoutingSocket

NEWROUTE, GETROUTE, NEWNEIGH, NEWADDR, ERROR, DONE = 24, 26, 28, 20, 2, 3
DST, SRC, IIF, OIF, GATEWAY, VIA, IP_PROTO, SPORT, DPORT = 1, 2, 3, 4, 5, 18, 27, 28, 29
UNICAST, BLACKHOLE = 1, 6
CLONED = 0x200


def attributes(of: Mapping[int, bytes]) -> bytes:
    return b"".join(
        struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4) for kind, value in of.items()
    )


def message(kind: int, body: bytes, number: int = 1) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, 0, number, 0) + body


def route(kind: int = UNICAST, flags: int = 0, protocol: int = 0, **of: bytes) -> bytes:
    named = {globals()[name]: value for name, value in of.items()}
    return struct.pack("=BBBBBBBBI", socket.AF_INET, 32, 0, 0, 254, protocol, 0, kind, flags) + attributes(named)


class Kernel:
    """The other end of a rtnetlink socket: keeps what it is asked, says what it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[bytes] = []
        self.answers: list[bytes] = []
        monkeypatch.setattr(routing.socket, "socket", lambda *_: self)
        monkeypatch.setattr(routing.socket, "if_nametoindex", {"net0": 7}.__getitem__)
        monkeypatch.setattr(routing.socket, "if_indextoname", {7: "net0"}.__getitem__)

    def bind(self, address: tuple[int, int]) -> None: ...
    def settimeout(self, seconds: float) -> None: ...
    def close(self) -> None: ...
    def send(self, question: bytes) -> None:
        self.asked.append(bytes(question))

    def recv(self, size: int) -> bytes:
        return self.answers.pop(0)

    def attributes(self) -> dict[int, bytes]:
        """Of the last question; its header and `struct rtmsg` are 28 bytes."""

        def read(rest: bytes) -> Iterator[tuple[int, bytes]]:
            while rest:
                length, kind = struct.unpack_from("=HH", rest)
                yield kind, rest[4:length]
                rest = rest[(length + 3) & ~3 :]

        return dict(read(self.asked[-1][28:]))


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    return Kernel(monkeypatch)


def test_a_lookup_asks_for_the_whole_flow(kernel: Kernel) -> None:
    """pyroute2's own class drops protocol and ports without a word, and is in use: a class above is compiled then."""
    plain = rtmsg()
    plain["family"] = socket.AF_INET
    plain["attrs"] = [("RTA_DST", "10.0.0.1"), ("RTA_SPORT", 40000)]
    plain.encode()
    kernel.answers.append(message(NEWROUTE, route(OIF=struct.pack("=I", 7), GATEWAY=bytes([10, 0, 12, 0]))))
    with RoutingSocket() as asking:
        found = asking.lookup("10.0.2.2", source="10.0.1.2", ingress="net0", protocol=17, ports=(40000, 33890))
    assert found == {"kind": "unicast", "interface": "net0", "via": "10.0.12.0"}
    assert kernel.attributes() == {
        DST: bytes([10, 0, 2, 2]),
        SRC: bytes([10, 0, 1, 2]),
        IIF: struct.pack("=I", 7),
        IP_PROTO: b"\x11",
        SPORT: struct.pack("!H", 40000),
        DPORT: struct.pack("!H", 33890),
    }
    length, kind, flags, _, _, family, dst_len, src_len = struct.unpack_from("=IHHIIBBB", kernel.asked[-1])
    assert (length, kind, flags) == (len(kernel.asked[-1]), GETROUTE, 1)
    assert (family, dst_len, src_len) == (socket.AF_INET, 32, 32)


def test_whose_route_it_is_is_asked_of_the_table(kernel: Kernel) -> None:
    kernel.answers.append(message(NEWROUTE, route(protocol=196)))
    with RoutingSocket() as asking:
        assert asking.installed_by("10.0.2.2") == 196
    assert struct.unpack_from("=I", kernel.asked[-1], 24) == (0x2000,)


def test_a_next_hop_of_the_other_family(kernel: Kernel) -> None:
    """Its last bytes are zero, which is no end of a text."""
    via = struct.pack("=H", socket.AF_INET6) + socket.inet_pton(socket.AF_INET6, "2001:db8::")
    kernel.answers.append(message(NEWROUTE, route(OIF=struct.pack("=I", 7), VIA=via)))
    with RoutingSocket() as asking:
        assert asking.lookup("10.0.2.2") == {"kind": "unicast", "interface": "net0", "via": "2001:db8::"}


@pytest.mark.parametrize(("number", "name"), [(101, "ENETUNREACH"), (113, "EHOSTUNREACH"), (22, "EINVAL")])
def test_what_the_kernel_refuses_has_its_errno_s_name(kernel: Kernel, number: int, name: str) -> None:
    kernel.answers.append(message(ERROR, struct.pack("=i", -number) + message(GETROUTE, route())))
    with RoutingSocket() as asking:
        assert asking.lookup("10.0.2.2") == {"error": name}


def test_answers_to_another_question_are_passed_over(kernel: Kernel) -> None:
    kernel.answers += [message(NEWROUTE, route(), number=9), message(NEWROUTE, route(BLACKHOLE))]
    with RoutingSocket() as asking:
        assert asking.lookup("10.0.2.2") == {"kind": "blackhole", "interface": None, "via": None}


def test_neighbor_entries_come_in_several_parts(kernel: Kernel) -> None:
    def entry(family: int, state: int, address: bytes) -> bytes:
        return message(NEWNEIGH, struct.pack("=BBHiHBB", family, 0, 0, 7, state, 0, 0) + attributes({1: address}))

    six = socket.inet_pton(socket.AF_INET6, "fe80::2")
    kernel.answers += [
        entry(socket.AF_INET, 0x02, bytes([10, 0, 1, 2])) + entry(socket.AF_INET6, 0x20, six),
        entry(socket.AF_BRIDGE, 0x80, bytes(6)),
        message(DONE, struct.pack("=i", 0)),
    ]
    with RoutingSocket() as asking:
        assert asking.neighbors() == {("net0", "10.0.1.2"): "REACHABLE", ("net0", "fe80::2"): "FAILED"}


def test_an_event_is_a_route_a_link_or_an_address() -> None:
    address = message(NEWADDR, struct.pack("=BBBBI", socket.AF_INET, 24, 0, 0, 7) + attributes({}))
    assert event("tor0", message(NEWROUTE, route(OIF=struct.pack("=I", 7)))) == "tor0: a route changed"
    assert event("tor0", address) == "tor0: an address changed"
    # A cache entry is no route; what follows it in the datagram is looked at too.
    assert event("tor0", message(NEWROUTE, route(flags=CLONED))) is None
    assert event("tor0", message(NEWROUTE, route(flags=CLONED)) + address) == "tor0: an address changed"
