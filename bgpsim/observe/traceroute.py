"""The path plane's cross-check: a traceroute of one flow of each pair, held against what captures saw of that flow.

Captures and the kernels' lookups are one way to know where packets went; what devices answer to a TTL that ends there
is another. An answer must come from an address of the device that captures saw at that TTL. Silence says nothing, for
an answer needs a way back of its own; and two addresses name no device: the flow's own target, where nobody in the lab
has it (a translated address answers under it), and 192.0.0.8, under which a device without IPv4 answers (RFC 7600).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bgpsim.agent.protocol import Agent, LabDevice
from bgpsim.network.state import FlowKey, NetworkState
from bgpsim.observe.owners import Owners

_NOBODY = "192.0.0.8"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the answers say of one flow; `disagreement` is None but where they contradict the captures."""

    agrees: bool
    disagreement: str | None = None

    @property
    def word(self) -> Literal["agrees", "silent"]:
        return "agrees" if self.agrees else "silent"


@dataclass(frozen=True, slots=True)
class Tracer:
    """What is needed to hold answers against captures: the lab's devices, their addresses, whose they are."""

    devices: Mapping[str, LabDevice]
    dumps: Mapping[str, Mapping[str, Any]]
    known: Owners

    def askable(self, probe: Mapping[str, Any]) -> tuple[str, ...]:
        """The devices at TTL 1, 2 … that can be asked, up to the first that cannot.

        A management network's far end has addresses that nobody read; a speaker that drops answers nothing, and
        counts what it drops.
        """
        found = []
        for device, _, _ in probe["visits"][1:]:
            if device not in self.devices:
                break
            if self.devices[device].role == "speaker" and probe["received"] != device:
                break
            found.append(device)
        return tuple(found)

    def verdict(self, flow: FlowKey, probe: Mapping[str, Any], answers: Sequence[str | None]) -> Verdict:
        agrees = False
        for ttl, (device, address) in enumerate(zip(self.askable(probe), answers, strict=True), start=1):
            if address is not None and address in self._answering(flow, probe, device):
                agrees = True
            elif address is not None and not self._nameless(flow, address):
                owner = self.known.device(address, probe["visits"][0][0])
                return Verdict(
                    False,
                    f"capture and traceroute disagree: source port {probe['port']}, TTL {ttl}: captures saw {device}, "
                    f"and {address} answered, which is {'nobody' if owner is None else owner}'s",
                )
        return Verdict(agrees)

    def _nameless(self, flow: FlowKey, address: str) -> bool:
        return address == _NOBODY or (address == flow.target_address and address not in self.known.devices)

    def _answering(self, flow: FlowKey, probe: Mapping[str, Any], device: str) -> frozenset[str]:
        """The addresses under which a device may answer: its own, and the target's where its socket got the probe."""
        links = self.dumps.get(device, {}).get("links", ())
        own = frozenset(address["local"] for link in links for address in link.get("addr_info", ()))
        return own | {flow.target_address} if probe["received"] == device else own


_PAUSE = 0.05
"""Seconds without an answer after which none is waited for."""


def cross_check(
    agent: Agent, tracer: Tracer, probes: Mapping[FlowKey, Sequence[Mapping[str, Any]]], delay: float = 0.0
) -> dict[FlowKey, Verdict]:
    """The verdict on the first probe of each flow that reached a device that can be asked; no entry where none did.

    `probes`: as `packets.probe` tells of them. `delay`: seconds that a packet may take longer, on its way or back.
    """
    traced = {}
    for flow, sent in probes.items():
        probe = next((p for p in sent if p["visits"][0][2] is not None and tracer.askable(p)), None)
        if probe is not None:
            traced[flow] = probe
    if not traced:
        return {}
    from bgpsim.observe.trace_packets import Trace  # scapy's import takes 0.2 s

    traces = [
        Trace(flow.source_address, flow.target_address, probe["port"], len(tracer.askable(probe)))
        for flow, probe in traced.items()
    ]
    pairs = [
        {
            "device": probe["visits"][0][0],
            "source": trace.source,
            "target": trace.target,
            "egress": probe["visits"][0][2],
            "token": trace.token.hex(),
            "packets": [packet.hex() for packet in trace.packets()],
        }
        for probe, trace in zip(traced.values(), traces, strict=True)
    ]
    answered = agent.call("packets.trace", pairs=pairs, quiet=_PAUSE + 2 * delay)
    return {
        flow: tracer.verdict(flow, probe, trace.answering((a, bytes.fromhex(message)) for a, message in messages))
        for (flow, probe), trace, messages in zip(traced.items(), traces, answered, strict=True)
    }


def counts(state: NetworkState) -> dict[str, int]:
    """How many pairs were traced, in how many the answers agree with the captures, and where nobody answered."""
    words = [forwarding.traceroute for forwarding in state.forwarding.values()]
    agree, silent = words.count("agrees"), words.count("silent")
    return {"pairs": agree + silent + len(state.not_observed.get("path", {})), "agree": agree, "silent": silent}
