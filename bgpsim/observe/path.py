"""The path plane: where packets really went, from what every device saw of marked probes.

Packets alone tell `delivered`, `delivered-to-speaker` (a socket there got the probe), `dropped-by-speaker`,
`exits-network` (it came in there), `loop` (it came in twice by one interface) and `ttl-expired` (an ICMP error). The
rest stopped on a device without a trace, or with an ICMP error that fits several reasons; which of them it was is the
kernel's own answer for that very flow: `no-route`, `unreachable`, `blackhole`, `neighbor-unresolved`; and `filtered`
where the kernel says that it should have gone on.

A traceroute of one flow per pair is the cross-check (`observe.traceroute`): where it contradicts the captures the pair
is not observed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

from bgpsim.agent.protocol import Agent, LabDevice
from bgpsim.errors import LabError
from bgpsim.network.state import Disposition, FlowKey, Forwarding, ForwardingPath, Hop
from bgpsim.observe.impairments import LinkStates, link_states, send_until_through
from bgpsim.observe.owners import Owners
from bgpsim.observe.traceroute import Tracer, cross_check

FLOWS = 8
"""Probes per pair at first, each with a source port of its own."""
MOST_FLOWS = 64
"""Where branches are left, more are sent, each by a branch that was not walked yet."""
FIRST_PORT = 40000
_FROM_PACKETS: frozenset[Disposition] = frozenset(
    {"delivered", "delivered-to-speaker", "dropped-by-speaker", "exits-network", "loop", "ttl-expired"}
)
_TIME_EXCEEDED = {4: (11, 0), 6: (3, 0)}
_HOST_UNREACHABLE = {4: (3, 1), 6: (1, 3)}
"""ICMP (type, code) of RFC 792 and RFC 4443; a kernel sends it for an unresolved neighbor, among others."""


class Step(NamedTuple):
    """A device that chose a next hop for a probe; `egress` is the kernel's word where the packet did not leave."""

    device: str
    ingress: str | None
    egress: str


@dataclass(frozen=True, slots=True)
class Branching:
    """A device reached by `steps`, where flows with the ports `taken` leave `missing` branches unwalked."""

    steps: tuple[Step, ...]
    device: str
    ingress: str | None
    taken: tuple[int, ...]
    missing: int


@dataclass(frozen=True, slots=True)
class Observer:
    """What is needed to read probes: the lab's devices, the ends of its links, its kernels' routes."""

    devices: Mapping[str, LabDevice]
    gateways: frozenset[str]
    links: Mapping[tuple[str, str], tuple[str, str]]
    """(device, interface) -> the other end of its veth."""
    dumps: Mapping[str, Mapping[str, Any]]
    states: LinkStates = field(default_factory=LinkStates)

    def sender(self, flow: FlowKey) -> str:
        """The device of an endpoint id: `pod:…` is its own, `host:h1` is h1. Raises LabError for none."""
        for name in (flow.source, flow.source.partition(":")[2]):
            if name in self.devices:
                return name
        raise LabError(f"{flow.source} is no device of this lab, so nothing can be sent from it")

    def _is_pod(self, device: str) -> bool:
        return device in self.devices and self.devices[device].role == "pod"

    def _shown(self, device: str, egress: str | None) -> str | None:
        """An interface towards a pod is not named."""
        if egress is None:
            return None
        far = self.links.get((device, egress))
        return None if far is not None and self._is_pod(far[0]) else egress

    def path(self, flow: FlowKey, probe: Mapping[str, Any]) -> ForwardingPath:
        """What became of one probe."""
        disposition = self._disposition(flow, probe)
        visits = probe["visits"]
        hops = self.hops(visits)
        swallowed = self._swallowed(probe)
        if hops and swallowed is not None and swallowed[0] == hops[-1].device:
            hops = (*hops[:-1], hops[-1]._replace(egress=self._shown(*swallowed)))
        return ForwardingPath(hops, disposition, hops[-1].device if hops else visits[-1][0])

    def hops(self, visits: Sequence[Sequence[Any]]) -> tuple[Hop, ...]:
        """Visits [device, ingress, egress] as a path spells them; pods are left out."""
        hops: list[Hop] = []
        for number, (device, ingress, egress) in enumerate(visits):
            if self._is_pod(device):
                continue
            from_pod = number > 0 and self._is_pod(visits[number - 1][0])
            hops.append(Hop(device, None if from_pod else ingress, self._shown(device, egress)))
        return tuple(hops)

    def _swallowed(self, probe: Mapping[str, Any]) -> tuple[str, str] | None:
        """The silent interface by which the probe was sent last."""
        end = self.states.takes(probe)
        return end if end in self.states.silent else None

    def _disposition(self, flow: FlowKey, probe: Mapping[str, Any]) -> Disposition:
        last, ingress, egress = probe["visits"][-1]
        role = self.devices[last].role if last in self.devices else "gateway"
        version = ip_address(flow.target_address).version
        errors = {(kind, code) for kind, code in probe["errors"]}
        if probe["received"] is not None:
            attracted = role == "speaker" and flow.target_address not in self._addresses(last)
            return "delivered-to-speaker" if attracted else "delivered"
        if probe["looped"]:
            return "loop"
        if ingress is not None and last in self.gateways:
            return "exits-network"
        if ingress is not None and role == "speaker":
            return "dropped-by-speaker"
        if self._swallowed(probe) is not None:
            return "blackhole"
        kernel = probe["kernel"]
        if egress is not None or kernel is None:
            return "filtered"
        if kernel["kind"] == "unicast" and _TIME_EXCEEDED[version] in errors:
            return "ttl-expired"
        if probe["refused"] == "EPERM":
            # The sender's own firewall.
            return "filtered"
        return _stopped(kernel, gave_up=probe["resolving"] or _HOST_UNREACHABLE[version] in errors)

    def _addresses(self, device: str) -> frozenset[str]:
        links = self.dumps.get(device, {}).get("links", ())
        return frozenset(address["local"] for link in links for address in link.get("addr_info", ()))

    def unwalked(self, flow: FlowKey, probes: Sequence[Mapping[str, Any]]) -> list[Branching]:
        """Where flows could have gone and none has, by the kernels' routes; empty when every branch was walked.

        A device is looked at once for each way to it: two splits one after the other are four paths.
        """
        chosen: dict[tuple[tuple[Step, ...], str, str | None], dict[int, tuple[str, str | None]]] = {}
        for probe in probes:
            steps: tuple[Step, ...] = ()
            for device, ingress, egress, far in self._choices(probe):
                chosen.setdefault((steps, device, ingress), {})[probe["port"]] = (egress, far)
                steps = (*steps, Step(device, ingress, egress))
        found = []
        for (steps, device, ingress), by_port in chosen.items():
            missing = self._missing(device, flow.target_address, set(by_port.values()))
            if missing:
                found.append(Branching(steps, device, ingress, tuple(sorted(by_port)), missing))
        return found

    def _choices(self, probe: Mapping[str, Any]) -> Iterator[tuple[str, str | None, str, str | None]]:
        """Device, ingress, egress and the next device, at every device that chose a next hop."""
        visits = probe["visits"]
        for number, (device, ingress, egress) in enumerate(visits):
            kernel = probe["kernel"] if number == len(visits) - 1 else None
            if (
                egress is None
                and kernel is not None
                and kernel["kind"] == "unicast"
                and kernel["forwards"] is not False
            ):
                egress = kernel["interface"]
            if egress is not None:
                yield device, ingress, egress, visits[number + 1][0] if number + 1 < len(visits) else None

    def _missing(self, device: str, target: str, walked: set[tuple[str, str | None]]) -> int:
        """How many next hops of the route used were not walked. Next hops by one interface differ in where they lead.

        One that is not in the main table (another rule's) counts as a branch that was not walked: nothing is known.
        """
        interfaces = next_hop_interfaces(self.dumps.get(device, {}), target)
        if interfaces is None:
            return 1
        missing = 0
        for interface in set(interfaces):
            seen = {far for egress, far in walked if egress == interface}
            missing += max(0, interfaces.count(interface) - len(seen))
        return missing


def _stopped(kernel: Mapping[str, Any], *, gave_up: bool) -> Disposition:
    """Why a probe that came in (or was made) at a device did not leave it, by what the kernel says of that flow.

    `gave_up`: the kernel was seen asking for a neighbor, or an ICMP error says that it did in vain. An entry that
    failed before proves nothing: a firewall may have thrown the probe away before it was asked for again.
    """
    if kernel["forwards"] is False:
        return "filtered"
    by_kind: Mapping[str, Disposition] = {
        "no-route": "no-route",
        "unreachable": "unreachable",
        "blackhole": "blackhole",
    }
    if kernel["kind"] != "unicast":
        # prohibit; refused; or local, and the socket there did not get it.
        return by_kind.get(kernel["kind"], "filtered")
    if kernel["carrier"] is False or kernel["neighbor"] == "INCOMPLETE":
        return "neighbor-unresolved"
    # None: the kernel has forgotten the entry since.
    return "neighbor-unresolved" if gave_up and kernel["neighbor"] in ("FAILED", None) else "filtered"


def next_hop_interfaces(dump: Mapping[str, Any], target: str) -> list[str] | None:
    """The interface of each live next hop of the route for an address: longest prefix, then lowest metric.

    None where no unicast route fits.
    """
    address = ip_address(target)
    family, default = ("ipv4-unicast", "0.0.0.0/0") if address.version == 4 else ("ipv6-unicast", "::/0")
    best: tuple[int, int] | None = None
    found: list[str] | None = None
    for route in dump.get("routes", {}).get(family, ()):
        prefix = ip_network(default if route["dst"] == "default" else route["dst"])
        rank = (-prefix.prefixlen, route.get("metric", 0))
        if address not in prefix or (best is not None and rank >= best):
            continue
        if route.get("type", "unicast") != "unicast":
            best, found = rank, None
            continue
        hops = route.get("nexthops") or [route]
        alive = [hop["dev"] for hop in hops if "dead" not in hop.get("flags", ())]
        if alive:
            best, found = rank, alive
    return found


@dataclass(frozen=True, slots=True)
class PathPlane:
    forwarding: dict[FlowKey, Forwarding] = field(default_factory=dict)
    not_observed: dict[str, str] = field(default_factory=dict)
    """`FlowKey.pair` -> in what the captures and the traceroute disagree."""


def read_paths(
    agent: Agent,
    devices: Mapping[str, LabDevice],
    gateways: Sequence[str],
    flows: Sequence[FlowKey],
    dumps: Mapping[str, Mapping[str, Any]],
    known: Owners,
) -> PathPlane:
    """Send probes for all flows at once, follow each, send more where branches are left, and trace a flow of each.

    `gateways`: the far ends of management networks. `dumps`: `netlink.dump` of all devices, of which `known` was made.
    Raises LabError when captures lose packets.
    """
    states = link_states(agent)
    observer = Observer(devices, frozenset(gateways), known.links, dumps, states)
    probes: dict[FlowKey, list[Mapping[str, Any]]] = {flow: [] for flow in flows}
    ports: dict[FlowKey, list[int]] = {flow: list(range(FIRST_PORT, FIRST_PORT + FLOWS)) for flow in flows}
    left: dict[FlowKey, list[Branching]] = {}
    while ports:
        pairs = [
            {"device": observer.sender(f), "source": f.source_address, "target": f.target_address, "ports": p}
            for f, p in ports.items()
        ]
        sent = list(ports)
        for probe in send_until_through(agent, [*sorted(devices), *gateways], pairs, states):
            probes[sent[probe["pair"]]].append(probe)
        left = left | {flow: observer.unwalked(flow, probes[flow]) for flow in sent}
        ports = _more_ports(agent, {flow: left[flow] for flow in sent}, probes)
    traced = cross_check(agent, Tracer(devices, dumps, known), probes, states.delay)
    plane = PathPlane()
    for flow in flows:
        lost = next((end for probe in probes[flow] if (end := states.takes(probe)) in states.lossy), None)
        if lost is not None and not states.certain:
            plane.not_observed[flow.pair] = f"each of {states.tries} probes of a flow was lost on {lost[0]}:{lost[1]}"
            continue
        verdict = traced.get(flow)
        if verdict is not None and verdict.disagreement is not None:
            plane.not_observed[flow.pair] = verdict.disagreement
            continue
        found = _forwarding(observer, flow, probes[flow], not left[flow])
        plane.forwarding[flow] = found if verdict is None else replace(found, traceroute=verdict.word)
    return plane


def _more_ports(
    agent: Agent, left: Mapping[FlowKey, Sequence[Branching]], probes: Mapping[FlowKey, Sequence[Mapping[str, Any]]]
) -> dict[FlowKey, list[int]]:
    """Source ports that take branches not walked yet; only flows that have any."""
    open_ends = [(flow, branching) for flow, branchings in left.items() for branching in branchings]
    if not open_ends:
        return {}
    wanted = [
        {
            "source": flow.source_address,
            "target": flow.target_address,
            "steps": b.steps,
            "device": b.device,
            "ingress": b.ingress,
            "taken": b.taken,
            "missing": b.missing,
        }
        for flow, b in open_ends
    ]
    found: dict[FlowKey, set[int]] = {}
    for (flow, _), answer in zip(open_ends, agent.call("packets.ports", wanted=wanted), strict=True):
        found.setdefault(flow, set()).update(answer)
    more = {}
    for flow, able in found.items():
        used = {probe["port"] for probe in probes[flow]}
        fresh = sorted(able - used)[: MOST_FLOWS - len(used)]
        if fresh:
            more[flow] = fresh
    return more


def _forwarding(observer: Observer, flow: FlowKey, probes: Sequence[Mapping[str, Any]], complete: bool) -> Forwarding:
    walked = {observer.path(flow, probe) for probe in probes}
    paths = tuple(sorted(walked, key=lambda path: (str(path.hops), path.disposition)))
    dispositions = {path.disposition for path in paths}
    evidence = "capture" if dispositions <= _FROM_PACKETS else "capture+kernel"
    disposition: Disposition = dispositions.pop() if len(dispositions) == 1 else "partial"
    return Forwarding(disposition, paths, complete, len(probes), evidence)
