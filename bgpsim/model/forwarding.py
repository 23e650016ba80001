"""Hop by hop from a device to an address, along every branch, to a disposition.

Conventions (shared with the observer of packets): hops are listed from the first device after a sending pod, or from
the sending node or host itself, to the device where the packet ends. A pod's own interface is not named: the hop of
its node has ingress None for a packet that comes from it and egress None for one that goes to it. `at` is the last
device of the hops; its egress is None, for the packet did not leave it, but where a silent link has swallowed it: then
it is the interface that leads there. In a loop the device that closes the cycle is
listed again, and is `at`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv4Address, ip_address

from bgpsim.errors import ModelError
from bgpsim.model.fib import Fibs
from bgpsim.model.wiring import Wiring, parse_link_local
from bgpsim.network.description import Device, InterfaceRef
from bgpsim.network.state import Disposition, FibNextHop, FlowKey, Forwarding, ForwardingPath, Hop
from bgpsim.network.types import Address
from bgpsim.source import Source, merged

TTL = 64
"""Of a probe as its sender makes it."""


@dataclass(frozen=True, slots=True)
class _Walk:
    """A packet on its way: where it is, how it came, and what led it there."""

    device: str
    ingress: str | None
    hops: tuple[Hop, ...]
    seen: frozenset[tuple[str, str | None]]
    sources: tuple[tuple[Source, ...], ...]
    """The lines behind each route taken, in the order of the hops."""
    address: Address | None
    """The packet's source address, where it matters."""
    ttl: int
    first: bool = False


class Walker:
    """Walks packets over one set of kernel tables."""

    def __init__(self, wiring: Wiring, fibs: Fibs) -> None:
        self.wiring = wiring
        self.fibs = fibs

    def paths(self, start: str, target: Address, source: Address | None = None) -> tuple[ForwardingPath, ...]:
        """Every branch of a packet sent by `start`, sorted, without repetition. `source`: its source address."""
        found: list[ForwardingPath] = []
        self._step(_Walk(start, None, (), frozenset(), (), source, TTL, first=True), target, found)
        return tuple(sorted(set(found), key=_order))

    def _step(self, walk: _Walk, target: Address, found: list[ForwardingPath]) -> None:
        device = self.wiring.device(walk.device)
        from_pod = device.kind == "pod" and walk.first

        def end(disposition: Disposition, because: str, egress: str | None = None) -> None:
            hops = walk.hops if device.kind == "pod" else (*walk.hops, Hop(device.name, walk.ingress, egress))
            at = hops[-1].device if hops else device.name
            found.append(ForwardingPath(hops, disposition, at, because, merged(*walk.sources)))

        if target in self.wiring.own_addresses(device.name):
            return end("delivered", f"{target} is an address of {device.name}")
        if not walk.first:
            if device.kind == "gateway":
                return end("exits-network", f"{device.name} is the far end of a management network")
            if device.kind == "speaker":
                if device.traffic == "answer" and _announces(device, target):
                    return end("delivered-to-speaker", f"{device.name} answers for what it attracts")
                return end("dropped-by-speaker", f"{device.name} drops what it attracts")
            if isinstance(walk.address, IPv4Address) and walk.address in self.wiring.own_addresses(device.name):
                # RFC 1812 section 5.3.7; net/ipv4/fib_frontend.c, fib_validate_source. IPv6 has no such check.
                return end("filtered", f"the source address {walk.address} is one of {device.name}'s own")
            if not device.forwards:
                return end("filtered", f"{device.name} does not forward")
            if (walk.device, walk.ingress) in walk.seen:
                return end("loop", f"{device.name} has seen this packet before")
            if walk.ttl <= 1:
                return end("ttl-expired", f"the TTL of {TTL} is used up")
        route = next((route for _, route in self.fibs.table(device.name).matches(target)), None)
        if route is None:
            return end("no-route", f"{device.name} has no route to {target}")
        walk = replace(walk, sources=(*walk.sources, route.sources))
        if route.kind != "unicast":
            kinds: dict[str, Disposition] = {
                "blackhole": "blackhole",
                "unreachable": "unreachable",
                "prohibit": "filtered",
            }
            return end(kinds[route.kind], f"{device.name} has a {route.kind} route")
        for hop in sorted(route.next_hops, key=str):
            assert hop.interface is not None
            out = InterfaceRef(device.name, hop.interface)
            if not self.wiring.carrier(out):
                end("neighbor-unresolved", f"no carrier on {out}")
                continue
            if self.wiring.silent(out):
                end("blackhole", f"nothing that leaves by {out} arrives", self._shown(out))
                continue
            far = self._resolve(out, hop, target)
            if far is None:
                asked = hop.via or str(target)
                end("neighbor-unresolved", f"nobody on {out} answers for {asked}")
                continue
            hops = walk.hops if from_pod else (*walk.hops, Hop(device.name, walk.ingress, self._shown(out)))
            self._step(
                _Walk(
                    far.device,
                    None if from_pod else far.interface,
                    hops,
                    walk.seen | {(walk.device, walk.ingress)},
                    walk.sources,
                    walk.address,
                    walk.ttl - (0 if walk.first else 1),
                ),
                target,
                found,
            )
        return None

    def _shown(self, out: InterfaceRef) -> str | None:
        """The interface towards a pod is not named."""
        others = self.wiring.others(out)
        if len(others) == 1 and self.wiring.device(others[0].device).kind == "pod":
            return None
        return out.interface

    def _resolve(self, out: InterfaceRef, hop: FibNextHop, target: Address) -> InterfaceRef | None:
        """The interface that takes the frame."""
        owner = parse_link_local(hop.via) if hop.via else None
        if owner is not None:
            return owner if owner in self.wiring.others(out) and self.wiring.up(owner) else None
        asked = ip_address(hop.via) if hop.via else target
        answering = self.wiring.answers(out, asked)
        if answering is None and self.wiring.device(out.device).kind == "pod":
            return self._node_of(out)
        return answering

    def _node_of(self, out: InterfaceRef) -> InterfaceRef | None:
        """A pod's gateway is nobody's address; its node takes what comes (docs/architecture.md)."""
        return next((end for end in self.wiring.others(out) if self.wiring.up(end)), None)


def _announces(device: Device, target: Address) -> bool:
    """To whichever of its peers: an impostor takes all of it for its own (speakers/answering.py)."""
    return device.bgp is not None and any(
        route.prefix.version == target.version and target in route.prefix for route in device.bgp.originated
    )


def _order(path: ForwardingPath) -> str:
    return repr((path.hops, path.disposition, path.at, path.because))


def forward(walker: Walker, flow: FlowKey) -> Forwarding:
    """All paths of one flow; `partial` where branches end differently. Raises ModelError for an unknown sender."""
    start = _sender(walker.wiring, flow)
    paths = walker.paths(start, ip_address(flow.target_address), ip_address(flow.source_address))
    dispositions = {path.disposition for path in paths}
    return Forwarding(dispositions.pop() if len(dispositions) == 1 else "partial", paths)


def _sender(wiring: Wiring, flow: FlowKey) -> str:
    for endpoint in wiring.network.endpoints:
        if endpoint.id == flow.source:
            return endpoint.device
    for owner in wiring.owners(ip_address(flow.source_address)):
        return owner.device
    raise ModelError(f"no endpoint is called {flow.source}, and nobody has the address {flow.source_address}")
