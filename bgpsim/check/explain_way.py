"""Where packets go, hop by hop: by which route, learnt from whom and why; where the way ends, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from bgpsim.check.compare import path_agrees
from bgpsim.check.explain import KernelReason, Origin, PathReason, RouteReason, explain_route, owners
from bgpsim.check.lookup import tables_of
from bgpsim.check.missing import Missing
from bgpsim.check.spelling import forwarding_text
from bgpsim.network.state import FlowKey, Forwarding, ForwardingPath, Hop, NetworkState
from bgpsim.network.types import Address
from bgpsim.source import Source


@dataclass(frozen=True, slots=True)
class HopReason:
    """One device on the way. `route` is None where the packet ends without one (a speaker, a target, a pod's node)."""

    device: str
    ingress: str | None
    egress: str | None
    route: KernelReason | None
    learnt: tuple[PathReason, ...]
    """The BGP paths behind the route: the best, and those used beside it."""
    others: int
    """How many other paths the device has for that prefix (`explain --at` tells of them)."""


@dataclass(frozen=True, slots=True)
class WayEnd:
    device: str
    disposition: str
    because: str | None
    lines: tuple[Source, ...]
    missing: tuple[Missing, ...] = ()
    """Where the better route stops that would lead on."""


@dataclass(frozen=True, slots=True)
class Way:
    """One of the ways that packets of a pair take."""

    hops: tuple[HopReason, ...]
    end: WayEnd
    origin: Origin | None
    """Where the route that led to the end comes from."""
    hijack: str | None
    """In words, where a speaker's announcement led the packets to their end."""


@dataclass(frozen=True, slots=True)
class PairReason:
    sender: str
    target: str
    target_address: str
    disposition: str
    ways: tuple[Way, ...]
    observed: str | None = None
    """`as predicted`, or what the lab showed; None where no lab was asked."""


def explain_pair(state: NetworkState, flow: FlowKey, observed: NetworkState | None = None) -> PairReason:
    """`flow` is one that the state follows."""
    forwarding = state.forwarding[flow]
    ways = tuple(_way(state, flow, path) for path in forwarding.paths)
    seen = None if observed is None else _seen(forwarding, observed.forwarding.get(flow))
    return PairReason(flow.source, flow.target, flow.target_address, forwarding.disposition, ways, seen)


def _seen(predicted: Forwarding, there: Forwarding | None) -> str:
    if there is None:
        return "not observed"
    if not there.complete and not there.paths:
        return f"{there.disposition}, by some of several ways"
    return "as predicted" if path_agrees(predicted, there) else forwarding_text(there)


def _way(state: NetworkState, flow: FlowKey, path: ForwardingPath) -> Way:
    target = ip_address(flow.target_address)
    routes = [explain_route(state, hop.device, target) for hop in path.hops]
    hops = tuple(_hop(state, hop, target, route) for hop, route in zip(path.hops, routes, strict=True))
    last = routes[-1] if routes else None
    stops = path.disposition in ("no-route", "blackhole", "unreachable") and last is not None
    end = WayEnd(path.at, path.disposition, path.because, path.sources, last.missing if last and stops else ())
    source = next((o for o in _origins(path, routes)), None)
    return Way(hops, end, source, None if source is None else _hijack(state, source, routes))


def _hop(state: NetworkState, hop: Hop, target: Address, route: RouteReason) -> HopReason:
    if route.kernel is None or not tables_of(state, hop.device).fib:
        return HopReason(hop.device, hop.ingress, hop.egress, None, (), 0)
    prefix = ip_network(route.kernel.prefix)
    reasons = explain_route(state, hop.device, prefix).paths if " proto bgp" in f" {route.kernel.text}" else ()
    used = tuple(r for r in reasons if r.fate in ("best", "used beside the best"))
    return HopReason(hop.device, hop.ingress, hop.egress, route.kernel, used, len(reasons) - len(used))


def _origins(path: ForwardingPath, routes: list[RouteReason]) -> Iterator[Origin]:
    """From the end backwards: the last BGP route that sent the packets on."""
    for _, route in reversed(list(zip(path.hops, routes, strict=True))):
        if route.origin is not None and route.origin.by[1:] and route.kernel is not None:
            yield route.origin


def _hijack(state: NetworkState, source: Origin, routes: list[RouteReason]) -> str | None:
    if not source.speaker:
        return None
    text = f"speaker {source.device} announced {source.prefix}"
    if also := owners(state, source.prefix):
        return f"{text}, which is announced by {', '.join(also)} too"
    covering = next((r.covering for r in reversed(routes) if r.prefix == source.prefix and r.covering), None)
    if covering is None:
        return text
    whose = ", ".join(owners(state, covering))
    return f"{text}, which is longer than {covering}" + (f" of {whose}" if whose else "")
