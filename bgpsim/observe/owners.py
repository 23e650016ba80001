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
    link_local: Mapping[str, str]
    """Link-local address -> `device:interface`."""
    links: Mapping[tuple[str, str], tuple[str, str]]
    """(device, interface) -> the other end of its veth."""

    def device(self, address: str) -> str | None:
        if ip_address(address).is_link_local and address in self.link_local:
            return self.link_local[address].rsplit(":", 1)[0]
        return self.devices.get(address)

    def next_hop(self, address: str, device: str, interface: str | None = None) -> str:
        """Canonical: `self` for the unspecified address, `device:interface` for a link-local one."""
        parsed = ip_address(address)
        if parsed.is_unspecified:
            return "self"
        if not parsed.is_link_local:
            return str(parsed)
        # The far end of the link decides where the same link-local address is used on several.
        far = self.links.get((device, interface or ""))
        if far is not None:
            return f"{far[0]}:{far[1]}"
        return self.link_local.get(str(parsed), str(parsed))


def owners(dumps: Mapping[str, Mapping[str, Any]], links: Sequence[Sequence[str]]) -> Owners:
    """`dumps`: `netlink.dump` of all devices; `links`: device and interface of both ends of each."""
    devices: dict[str, str] = {}
    link_local: dict[str, str] = {}
    for device, dump in dumps.items():
        for link in dump["links"]:
            for address in link.get("addr_info", ()):
                local = ip_address(address["local"])
                if local.version == 6 and local.is_link_local:
                    link_local[str(local)] = f"{device}:{link['ifname']}"
                elif not local.is_loopback:
                    devices[str(local)] = device
    ends = {(a, a_interface): (b, b_interface) for a, a_interface, b, b_interface in links}
    return Owners(devices, link_local, ends | {far: near for near, far in ends.items()})
