"""What a device's kernel says of one flow: its route, the neighbor that the route needs, whether it forwards at all.

Every function works in the network namespace that the calling thread is in.
"""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Any

from bgpsim.agent.routing import RoutingSocket, asked_neighbor
from bgpsim.agent.sightings import Header

_UDP = 17
_HASHES_PORTS = ("1", "3")
"""fib_multipath_hash_policy (ip-sysctl): 1 is layer 4; 3 is fields of one's own choice, ports maybe among them."""


class KernelAnswers:
    """Asks one device's kernel; neighbor entries and links are read once, so make a new one to look again."""

    def __init__(self, routing: RoutingSocket) -> None:
        self._routing = routing
        self._neighbors: dict[tuple[str, str], str] | None = None
        self._carrier: dict[str, bool] = {}

    def about(self, header: Header, ingress: str | None) -> dict[str, Any]:
        """{kind, interface, via, neighbor, carrier, forwards} of a flow that came in by `ingress` (None: made here).

        kind: unicast, local, blackhole, unreachable, prohibit, no-route, or refused: the kernel throws the packet away
        before it looks for a route (a source address that is its own, a reverse path filter). neighbor: the state of
        the entry that the route needs, None where there is none. forwards: None for a flow made here.
        """
        route = self._route(header, ingress)
        answer: dict[str, Any] = {"interface": None, "via": None, **route, "neighbor": None, "carrier": None}
        answer["forwards"] = None if ingress is None else forwards(header.target, ingress)
        asked = asked_neighbor(route, header.target)
        if asked is not None:
            if self._neighbors is None:
                self._neighbors = self._routing.neighbors()
            answer["neighbor"] = self._neighbors.get(asked)
            answer["carrier"] = self._has_carrier(asked[0])
        return answer

    def _has_carrier(self, interface: str) -> bool:
        if interface not in self._carrier:
            self._carrier[interface] = self._routing.has_carrier(interface)
        return self._carrier[interface]

    def _route(self, header: Header, ingress: str | None) -> dict[str, Any]:
        ports = (header.source_port, header.target_port)
        found = self._routing.lookup(header.target, source=header.source, ingress=ingress, protocol=_UDP, ports=ports)
        error = found.get("error")
        if error is None:
            return found
        if error in ("EINVAL", "EXDEV"):
            # EINVAL is a blackhole's, and that of a source address that cannot be (a martian, RFC 1812 section 5.3.7).
            plain = self._routing.lookup(header.target)
            return {"kind": "blackhole" if plain.get("error") == error else "refused"}
        kinds = {"ENETUNREACH": "no-route", "EHOSTUNREACH": "unreachable", "EACCES": "prohibit"}
        return {"kind": kinds.get(error, "refused")}


def forwards(target: str, ingress: str) -> bool:
    """Whether packets of the target's family that come in by `ingress` are forwarded at all (ip-sysctl)."""
    if ip_address(target).version == 4:
        return _sysctl(f"ipv4/conf/{ingress}/forwarding") == "1"
    return _sysctl("ipv6/conf/all/forwarding") == "1"


def hashes_ports(target: str) -> bool:
    """Whether the branch of a multipath route depends on ports."""
    return _sysctl(f"ipv{ip_address(target).version}/fib_multipath_hash_policy") in _HASHES_PORTS


def _sysctl(name: str) -> str | None:
    """The kernel shows each thread the values of its own network namespace."""
    try:
        return Path("/proc/sys/net", name).read_text().strip()
    except OSError:
        return None
