"""Packets of given sizes that must not be fragmented: which arrive, and who says what of the rest.

Every device is watched (`agent/packets.py`): a packet that is too big was last seen coming in at the device that cannot
send it on, which answers with an ICMP error (RFC 1191: fragmentation needed; RFC 4443: packet too big); or leaving a
device for one that took nothing from the wire.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bgpsim.agent.protocol import Agent, LabDevice
from bgpsim.network.sizes import SizeFate, SizeKey
from bgpsim.network.state import FlowKey
from bgpsim.observe.owners import owners
from bgpsim.observe.path import Observer

FIRST_PORT = 43000
_TOO_BIG = {(3, 4), (2, 0)}
"""ICMP (type, code) of RFC 1191 and RFC 4443."""


def read_sizes(
    agent: Agent, devices: Mapping[str, LabDevice], flows: Sequence[FlowKey], asked: Sequence[int]
) -> dict[SizeKey, SizeFate]:
    """One packet per flow and size, all from ports of their own. Raises LabError when captures lose packets."""
    gateways = agent.call("nodes.gateways")
    observer = Observer(devices, frozenset(gateways), owners({}, agent.call("nodes.links")).links, {})
    keys = [SizeKey(flow, size) for flow in flows for size in asked]
    pairs = [
        {
            "device": observer.sender(key.flow),
            "source": key.flow.source_address,
            "target": key.flow.target_address,
            "ports": [FIRST_PORT + number % 1000],
            "size": key.size,
        }
        for number, key in enumerate(keys)
    ]
    probes = agent.call("packets.probe", devices=[*sorted(devices), *gateways], pairs=pairs)
    return {keys[probe["pair"]]: fate(observer, keys[probe["pair"]].flow, probe) for probe in probes}


def fate(observer: Observer, flow: FlowKey, probe: Mapping[str, Any]) -> SizeFate:
    device, _, egress = probe["visits"][-1]
    if probe["received"] is not None:
        return SizeFate("arrived", probe["received"])
    if probe["refused"] == "EMSGSIZE":
        return SizeFate("too-big", device)
    if _TOO_BIG & {(kind, code) for kind, code in probe["errors"]}:
        return SizeFate("fragmentation-needed", device)
    path = observer.path(flow, probe)
    # It went on, or should have: "filtered" is said of a packet that the kernel would have sent on.
    gone = not probe["looped"] and (egress is not None or path.disposition == "filtered")
    return SizeFate("dropped", device) if gone else SizeFate(path.disposition, path.at)
