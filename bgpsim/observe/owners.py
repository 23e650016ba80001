"""Whose address is it: addresses as routers show them -> the spellings of `network.state`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
    """(device, interface) -> the other end of its veth; nothing where a bridge has several."""
    shared: Mapping[tuple[str, str], frozenset[tuple[str, str]]] = field(default_factory=dict)
    """(device, interface) -> the others on its bridge, where there are several."""

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
        end = self.links.get((device, interface)) if interface is not None else None
        if end is None:
            end = self._beside(address, device, interface) or self.on_link(address, device)
        return str(parsed) if end is None else f"{end[0]}:{end[1]}"

    def between(self, one: str, other: str, address: str) -> str:
        """The canonical spelling of an address in a message between two devices on a link of theirs."""
        for end in self.link_local.get(str(ip_address(address)), ()):
            if end in self.links and {end[0], self.links[end][0]} == {one, other}:
                return f"{end[0]}:{end[1]}"
            if end[0] in (one, other) and {one, other} <= {end[0], *(e[0] for e in self.shared.get(end, ()))}:
                return f"{end[0]}:{end[1]}"
        return str(ip_address(address))

    def _beside(self, address: str, device: str, interface: str | None) -> tuple[str, str] | None:
        """Who has a link-local address on the bridge of that interface (None: on any of the device's)."""
        ends = self.link_local.get(address, ())
        return next(
            (
                end
                for end in ends
                if any(other[0] == device and interface in (None, other[1]) for other in self.shared.get(end, ()))
            ),
            None,
        )

    def on_link(self, address: str, device: str | None) -> tuple[str, str] | None:
        """Device and interface of who has a link-local address on a link of `device` (None: on any)."""
        ends = self.link_local.get(address, ())
        known = next((e for e in ends if device is None or (e in self.links and self.links[e][0] == device)), None)
        return known if known is not None or device is None else self._beside(address, device, None)


def owners(dumps: Mapping[str, Mapping[str, Any]], links: Sequence[Sequence[str]]) -> Owners:
    """`dumps`: `netlink.dump` of all devices; `links`: device and interface of every two ends on one network."""
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
    others: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for a, a_interface, b, b_interface in links:
        others.setdefault((a, a_interface), []).append((b, b_interface))
        others.setdefault((b, b_interface), []).append((a, a_interface))
    ends = {end: far[0] for end, far in others.items() if len(far) == 1}
    return Owners(devices, link_local, ends, {end: frozenset(far) for end, far in others.items() if len(far) > 1})
