"""What `link-down`, `node-down` and `session-down` leave of a device."""

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


def set_down(device: Device, name: str) -> Device:
    interfaces = tuple(replace(i, up=False) if i.name == name else i for i in device.interfaces)
    return replace(device, interfaces=interfaces)


def after_a_cut(device: Device, name: str) -> Device:
    """What the kernel keeps of an interface that goes down: IPv4 addresses, and routes with another way too, which it
    brings back (net/ipv4/fib_semantics.c, fib_sync_down_dev; net/ipv6/addrconf.c, addrconf_ifdown). FRR puts its own
    static routes in again."""
    interfaces = tuple(
        replace(i, addresses=tuple(a for a in i.addresses if a.version == 4)) if i.name == name else i
        for i in device.interfaces
    )
    gone = [r for r in device.routes if r.protocol != "static" and {h.interface for h in r.next_hops} == {name}]
    # The kernel sends no message of a route that goes with its interface, and zebra may go on believing in it.
    still = {r: replace(r, lost=True) for r in gone} if device.kind == "router" else {}
    routes = tuple(still.get(r, r) for r in device.routes if r in still or r not in gone)
    return replace(device, interfaces=interfaces, routes=routes)
