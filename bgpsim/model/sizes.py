"""Which sizes get through, by the MTUs of the interfaces on the way; no packet may be fragmented.

At an interface that a packet leaves by, its own MTU counts: the sender's kernel refuses, a router throws the packet
away and says so (RFC 1812 section 4.3.2.3, RFC 8200 section 5), if it has a route to the source. At the far end of a
veth the MTU of that end counts too, and there nobody says anything (__is_skb_forwardable, include/linux/netdevice.h).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address

from bgpsim.model.fib import Fibs
from bgpsim.model.forwarding import Walker, forward
from bgpsim.model.losses import DELIVERED, Moment, tables
from bgpsim.model.wiring import Wiring
from bgpsim.network.description import InterfaceRef
from bgpsim.network.sizes import SizeFate, SizeKey
from bgpsim.network.state import FlowKey, ForwardingPath

_VETH_SLACK = 4
"""Bytes that a veth takes beyond its MTU: room for a VLAN tag."""


def sizes(moment: Moment, flows: Sequence[FlowKey], asked: Sequence[int]) -> Mapping[SizeKey, tuple[SizeFate, ...]]:
    """Per flow and size what may become of the packet, sorted; more than one where its branches differ."""
    wiring, fibs = Wiring(moment.network), Fibs(tables(moment))
    walker, narrow = Walker(wiring, fibs), _Narrow(wiring, fibs)
    found = {}
    for flow in flows:
        paths = forward(walker, flow).paths
        for size in asked:
            found[SizeKey(flow, size)] = tuple(sorted({narrow.fate(flow, path, size) for path in paths}))
    return found


class _Narrow:
    def __init__(self, wiring: Wiring, fibs: Fibs) -> None:
        self.wiring = wiring
        self.fibs = fibs

    def fate(self, flow: FlowKey, path: ForwardingPath, size: int) -> SizeFate:
        sender = next(e.device for e in self.wiring.network.endpoints if e.id == flow.source)
        for out, far in self._crossings(sender, flow, path):
            near = self.wiring.interface(out)
            assert near is not None
            if size > near.mtu:
                if out.device == sender:
                    return SizeFate("too-big", sender)
                said = next(self.fibs.table(out.device).matches(ip_address(flow.source_address)), None)
                heard = said is not None and said[1].kind == "unicast"
                return SizeFate("fragmentation-needed" if heard else "dropped", out.device)
            end = None if far is None else self.wiring.interface(far)
            if end is not None and size > end.mtu + _VETH_SLACK:
                return SizeFate("dropped", out.device)
        if path.disposition not in DELIVERED:
            return SizeFate(path.disposition, path.at)
        target = next((e for e in self.wiring.owners(ip_address(flow.target_address))), None)
        return SizeFate("arrived", path.at if target is None else target.device)

    def _crossings(
        self, sender: str, flow: FlowKey, path: ForwardingPath
    ) -> Iterator[tuple[InterfaceRef, InterfaceRef | None]]:
        """Each interface that the packet leaves by, and the one that it comes in by at the far end."""
        if self.wiring.device(sender).kind == "pod":
            yield self._to_neighbor(sender, flow)
        for number, hop in enumerate(path.hops):
            if hop.egress is not None:
                following = path.hops[number + 1] if number + 1 < len(path.hops) else None
                out = InterfaceRef(hop.device, hop.egress)
                ends = [end for end in self.wiring.others(out) if following and end.device == following.device]
                yield out, next((end for end in ends if following and end.interface == following.ingress), None)
            elif path.disposition in DELIVERED and not self._owns(hop.device, flow):
                yield self._to_neighbor(hop.device, flow)

    def _owns(self, device: str, flow: FlowKey) -> bool:
        return ip_address(flow.target_address) in self.wiring.own_addresses(device)

    def _to_neighbor(self, device: str, flow: FlowKey) -> tuple[InterfaceRef, InterfaceRef | None]:
        """A link with a pod at one end, which paths do not name."""
        route = next(self.fibs.table(device).matches(ip_address(flow.target_address)))[1]
        interface = min(hop.interface or "" for hop in route.next_hops)
        out = InterfaceRef(device, interface)
        return out, next(iter(self.wiring.others(out)), None)
