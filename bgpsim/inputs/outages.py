"""What a step's `node-down` and `session-down` leave of a device."""

from __future__ import annotations

from dataclasses import replace

from bgpsim.network.description import Device


def away(device: Device) -> Device:
    """A device without power: its links have no carrier at the other ends, its kernel and its daemons are gone."""
    interfaces = tuple(replace(interface, up=False) for interface in device.interfaces)
    return replace(device, interfaces=interfaces, routes=(), bgp=None, away=True)


def with_session_shut(device: Device, neighbor: str) -> Device:
    """Administratively down at this end; nothing where there is no such neighbor any more."""
    if device.bgp is None:
        return device
    neighbors = tuple(replace(n, shutdown=True) if n.name == neighbor else n for n in device.bgp.neighbors)
    return replace(device, bgp=replace(device.bgp, neighbors=neighbors))
