"""Topology, sessions and forwarding as networkx graphs: for people and for further analysis.

networkx is imported when a graph is asked for, not before: it costs more than a whole prediction of a small lab.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from bgpsim.model.fib import Fibs
from bgpsim.model.wiring import Wiring, parse_link_local
from bgpsim.network.description import InterfaceRef, Network
from bgpsim.network.state import NetworkState
from bgpsim.network.types import Address

if TYPE_CHECKING:
    import networkx as nx


def topology_graph(network: Network) -> nx.MultiGraph[str]:
    """Devices (attributes kind, asn) and links (attributes ends, up, management); a bridge joins its ends in pairs."""
    import networkx as nx

    wiring = Wiring(network)
    graph: nx.MultiGraph[str] = nx.MultiGraph(name=network.name)
    for device in network.devices.values():
        graph.add_node(device.name, kind=device.kind, asn=device.bgp.asn if device.bgp else None)
    for segment in network.segments:
        for number, one in enumerate(segment.ends):
            for other in segment.ends[number + 1 :]:
                graph.add_edge(
                    one.device,
                    other.device,
                    ends={one.device: one.interface, other.device: other.interface},
                    up=wiring.up(one) and wiring.up(other),
                    management=segment.management,
                )
    return graph


def session_graph(network: Network, state: NetworkState) -> nx.DiGraph[str]:
    """An edge for each end of a session, from the device to its peer (attributes neighbor, state, type, because)."""
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph(name=network.name)
    for device in network.devices.values():
        if device.bgp is not None:
            graph.add_node(device.name, asn=device.bgp.asn, engine=device.bgp.engine)
    for key, session in state.sessions.items():
        if session.peer is not None:
            graph.add_edge(
                key.device,
                session.peer,
                neighbor=key.neighbor,
                state=session.state,
                type=session.type,
                because=session.because,
            )
    return graph


def forwarding_graph(network: Network, state: NetworkState, target: Address | str) -> nx.DiGraph[str]:
    """An edge from each device to each next device for packets to `target` (attributes interface, prefix).

    The owner of the address carries `owner=True`. A device without an edge drops the packet or is where it ends.
    """
    import networkx as nx

    wiring = Wiring(network)
    fibs = Fibs(state.fib)
    address = ip_address(target) if isinstance(target, str) else target
    graph: nx.DiGraph[str] = nx.DiGraph(name=f"{network.name} to {address}")
    for name in network.devices:
        graph.add_node(name, owner=address in wiring.own_addresses(name))
    for name in network.devices:
        if graph.nodes[name]["owner"]:
            continue
        if network.devices[name].kind == "pod":
            _add_pod_edge(graph, wiring, name)
            continue
        for prefix, route in fibs.table(name).matches(address):
            for hop in sorted(route.next_hops, key=str):
                far = _far(wiring, name, hop.interface, hop.via, address)
                if far is not None:
                    graph.add_edge(name, far, interface=hop.interface, prefix=str(prefix))
            break
    return graph


def _far(wiring: Wiring, device: str, interface: str | None, via: str | None, target: Address) -> str | None:
    if interface is None:
        return None
    ref = InterfaceRef(device, interface)
    if not wiring.carrier(ref):
        return None
    owner = parse_link_local(via) if via else None
    if owner is not None:
        return owner.device
    answering = wiring.answers(ref, ip_address(via) if via else target)
    return answering.device if answering is not None else None


def _add_pod_edge(graph: nx.DiGraph[str], wiring: Wiring, pod: str) -> None:
    """A pod sends everything to its node; its table is no part of the state."""
    for interface in wiring.device(pod).interfaces:
        ref = InterfaceRef(pod, interface.name)
        for end in wiring.others(ref):
            if wiring.carrier(ref):
                graph.add_edge(pod, end.device, interface=interface.name, prefix=None)
