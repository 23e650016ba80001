"""Interfaces, carrier and who owns which address: what links say before any routing is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from bgpsim.network.description import Device, Interface, InterfaceRef, Network, Segment
from bgpsim.network.types import Address

LOOPBACK = "lo"


class Wiring:
    """Read-only index over a Network's interfaces and segments."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._segments: dict[InterfaceRef, Segment] = {end: s for s in network.segments for end in s.ends}
        self._owners: dict[Address, list[InterfaceRef]] = {}
        self._own: dict[str, frozenset[Address]] = {}
        for device in network.devices.values():
            mine = []
            for interface in device.interfaces:
                if interface.up:
                    for address in interface.addresses:
                        self._owners.setdefault(address.ip, []).append(InterfaceRef(device.name, interface.name))
                        mine.append(address.ip)
            self._own[device.name] = frozenset(mine)

    def device(self, name: str) -> Device:
        return self.network.devices[name]

    def interface(self, ref: InterfaceRef) -> Interface | None:
        device = self.network.devices.get(ref.device)
        return device.interface(ref.interface) if device else None

    def others(self, ref: InterfaceRef) -> tuple[InterfaceRef, ...]:
        """The other ends of the segment, in its order."""
        segment = self._segments.get(ref)
        return tuple(end for end in segment.ends if end != ref) if segment else ()

    def segment(self, ref: InterfaceRef) -> Segment | None:
        return self._segments.get(ref)

    def up(self, ref: InterfaceRef) -> bool:
        interface = self.interface(ref)
        return interface is not None and interface.up

    def carrier(self, ref: InterfaceRef) -> bool:
        """A veth has carrier while both ends are administratively up; a bridge's port and `lo` while they are up."""
        if not self.up(ref):
            return False
        segment = self.segment(ref)
        others = self.others(ref)
        return len(others) != 1 or self.up(others[0]) or (segment is not None and segment.bridged)

    def silent(self, ref: InterfaceRef) -> bool:
        """Whether nothing that leaves by it arrives, though it has carrier."""
        interface = self.interface(ref)
        return interface is not None and interface.silent

    def own_addresses(self, device: str) -> frozenset[Address]:
        """Addresses on interfaces that are up: with the interface down the kernel has no local route for them."""
        return self._own[device]

    def owners(self, address: Address) -> Iterator[InterfaceRef]:
        yield from self._owners.get(address, ())

    def link_local_owner(self, ref: InterfaceRef, address: Address) -> InterfaceRef | None:
        """The end of the segment, other than `ref`, that carries this fixed link-local address."""
        for end in self.others(ref):
            interface = self.interface(end)
            if interface is not None and interface.up and interface.link_local == address:
                return end
        return None

    def answers(self, ref: InterfaceRef, address: Address) -> InterfaceRef | None:
        """Who answers ARP or neighbor discovery for `address` on the segment of `ref`.

        Linux answers ARP for any address of the machine (arp_ignore 0), neighbor discovery for the interface's own.
        """
        for end in self.others(ref):
            interface = self.interface(end)
            if interface is None or not interface.up:
                continue
            if isinstance(address, IPv6Address):
                if any(a.ip == address for a in interface.addresses) or interface.link_local == address:
                    return end
            elif address in self._own[end.device]:
                return end
        return None


def link_local_text(ref: InterfaceRef) -> str:
    """The canonical spelling of a link-local address: whose it is."""
    return str(ref)


@lru_cache(maxsize=4096)
def parse_link_local(text: str) -> InterfaceRef | None:
    """`device:interface` back to its parts; None for an IPv4 or IPv6 address or `self`."""
    if text == "self" or not text:
        return None
    device, _, interface = text.rpartition(":")
    # No address has just one colon: most names need no closer look.
    if not device or (":" in device and _is_address(text)):
        return None
    return InterfaceRef(device, interface)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
