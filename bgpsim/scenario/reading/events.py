"""`after:` of an `at` entry -> `Event`, checked against the lab."""

from __future__ import annotations

from typing import Literal

from bgpsim.network.description import Network
from bgpsim.scenario.reading.names import Names, hint, problem
from bgpsim.scenario.schema import EventSection
from bgpsim.scenario.timeline import Event
from bgpsim.source import Source


def read_event(section: EventSection, names: Names, source: Source) -> Event:
    """Raises InputError for what is not in this lab, or cannot be watched."""
    network = names.network
    if section.session is not None:
        device, neighbor = session(section.session, network, source)
        bgp = network.devices[device].bgp
        return Event("session", device, neighbor, _state(section), source, None if bgp is None else bgp.engine)
    if section.link is not None:
        device, interface = names.interface(section.link, source)
        return Event("link", device, interface, _state(section), source)
    assert section.route is not None
    assert section.on is not None
    router = names.present(section.on, source, ("router",))
    neighbors = () if router.bgp is None else tuple(n.name for n in router.bgp.neighbors)
    if router.bgp is None:
        raise problem(source, f"router {router.name} has no `router bgp` here; expected one that speaks BGP")
    if section.best_via is not None and section.best_via not in (*neighbors, "local"):
        raise problem(
            source,
            f"{router.name} has no neighbor '{section.best_via}'; expected one that it has, or `local`",
            hint(section.best_via, neighbors, f"neighbors of {router.name}"),
        )
    prefix = str(names.prefix(section.route, source))
    state = "best" if section.best_via is not None else _state(section)
    return Event("route", router.name, prefix, state, source, "frr", section.best_via)


def _state(section: EventSection) -> Literal["established", "down", "up", "present", "absent"]:
    assert section.is_ is not None
    return section.is_


def session(text: str, network: Network, source: Source) -> tuple[str, str]:
    """`tor0:net0`, `worker:10.0.0.1` -> device and neighbor; `injector:tor1` is the session's end at the router.

    Raises InputError for what is no session of the network as it is here.
    """
    name, colon, neighbor = text.partition(":")
    if not colon or not name or not neighbor:
        raise problem(source, f"'{text}' is not a session; expected DEVICE:NEIGHBOR (tor0:net0)")
    device = Names(network).present(name, source, ("router", "node", "speaker"))
    if device.bgp is None:
        raise problem(source, f"{name} runs no BGP here; expected a device that does")
    if device.kind == "speaker":
        return _speakers_session(name, neighbor, network, source)
    known = [n.name for n in device.bgp.neighbors]
    if neighbor not in known:
        raise problem(
            source,
            f"{name} has no neighbor '{neighbor}'; expected one as {name} is configured with",
            hint(neighbor, known, f"neighbors of {name}"),
        )
    return name, neighbor


def _speakers_session(speaker: str, router: str, network: Network, source: Source) -> tuple[str, str]:
    """The neighbor that the router has for its link to the speaker."""
    links = {
        far.device: (end, far)
        for segment in network.segments
        for end in segment.ends
        for far in segment.ends
        if end.device == speaker and far != end
    }
    if router not in links:
        raise problem(
            source,
            f"'{router}' is no peer of speaker {speaker}; expected one of {', '.join(sorted(links))}",
            hint(router, links, f"peers of {speaker}"),
        )
    near, far = links[router]
    interface = network.devices[speaker].interface(near.interface)
    peer = Names(network).present(router, source, ("router",))
    address = None if interface is None else interface.link_local
    for neighbor in () if peer.bgp is None else peer.bgp.neighbors:
        if (neighbor.interface, neighbor.address) == (far.interface, address):
            return router, neighbor.name
    raise problem(source, f"{router} has no session with speaker {speaker} here; expected one that has")
