"""Whose address is it: addresses as routers show them -> the spellings of `network.state`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any


@dataclass(frozen=True, slots=True)
class Owners:
    """Built from every device's own addresses, asked of the kernel."""

    devices: Mapping[str, str]
    """Address -> device, link-local addresses left out."""
    link_local: Mapping[str, tuple[tuple[str, str], ...]]
    """Link-local address -> every (device, interface) that has it: it is unique on a link only."""
    links: Mapping[tuple[str, str], tuple[str, str]]
    """(device, interface) -> the other end of its veth."""

    def device(self, address: str, asking: str | None = None) -> str | None:
        """Whose address it is; a link-local one is looked up on the links of the device that is asking."""
        if ip_address(address).is_link_local:
            end = self.on_link(address, asking)
            return None if end is None else end[0]
        return self.devices.get(address)

    def next_hop(self, address: str, device: str, interface: str | None = None) -> str:
        """Canonical: `self` for the unspecified address, `device:interface` for a link-local one."""
        parsed = ip_address(address)
        if parsed.is_unspecified:
            return "self"
        if not parsed.is_link_local:
            return str(parsed)
        end = self.links.get((device, interface)) if interface is not None else self.on_link(address, device)
        return str(parsed) if end is None else f"{end[0]}:{end[1]}"

    def between(self, one: str, other: str, address: str) -> str:
        """The canonical spelling of an address in a message between two devices on a link of theirs."""
        for end in self.link_local.get(str(ip_address(address)), ()):
            if end in self.links and {end[0], self.links[end][0]} == {one, other}:
                return f"{end[0]}:{end[1]}"
        return str(ip_address(address))

    def on_link(self, address: str, device: str | None) -> tuple[str, str] | None:
        """Device and interface of who has a link-local address on a link of `device` (None: on any)."""
        ends = self.link_local.get(address, ())
        return next((e for e in ends if device is None or (e in self.links and self.links[e][0] == device)), None)


def owners(dumps: Mapping[str, Mapping[str, Any]], links: Sequence[Sequence[str]]) -> Owners:
    """`dumps`: `netlink.dump` of all devices; `links`: device and interface of both ends of each."""
    devices: dict[str, str] = {}
    link_local: dict[str, tuple[tuple[str, str], ...]] = {}
    for device, dump in dumps.items():
        for link in dump["links"]:
            for address in link.get("addr_info", ()):
                local = ip_address(address["local"])
                if local.version == 6 and local.is_link_local:
                    known = link_local.get(str(local), ())
                    link_local[str(local)] = (*known, (device, link["ifname"]))
                elif not local.is_loopback:
                    devices[str(local)] = device
    ends = {(a, a_interface): (b, b_interface) for a, a_interface, b, b_interface in links}
    return Owners(devices, link_local, ends | {far: near for near, far in ends.items()})
