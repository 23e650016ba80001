"""Which pairs lose packets while a step is under way, and whether they recover: from the states that it passes through.

Those are the state before, the interim ones (`Network.interim`) and the one that it comes to rest in. How routers get
from one to the next is not modelled: for how long, and over which ways that are in none of them.

- `must`: in the state before or in the one after the pair is not delivered; or its only way crosses a link that the
  step cuts, no kernel has another one, and no router at the cut knows another one: then somebody's UPDATE has to
  come, or the session over the link has to stand again.
- `none`: every state has the pair delivered by the same ways; on none of them a link, a kernel route or a best path
  differs in any of the states, and no other eligible path but that it comes or goes; no router is configured anew, if
  BGP brought one of the routes; and nobody types.
- `may`: all else.

A state that does not deliver but for the state before an action takes effect, and a cut, last as long as a BGP message
takes: some 20 ms at least. A stream that sends more seldom may miss it: then `must` is `may`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from itertools import pairwise

from bgpsim.model.fib import OBSERVED_KINDS, Fibs, kernel_table
from bgpsim.model.forwarding import Walker, forward
from bgpsim.model.prediction import predict
from bgpsim.model.rib import static_routes
from bgpsim.model.wiring import Wiring
from bgpsim.network.description import BgpInstance, InterfaceRef, Network
from bgpsim.network.loss import LossPrediction
from bgpsim.network.state import BgpPath, FibKey, FibRoute, FlowKey, Forwarding, Hop, NetworkState, PathKey
from bgpsim.network.types import Prefix

SHORTEST = 0.02
"""Seconds: an outage that takes a BGP message to end is no shorter. FRR's zebra alone waits 10 ms before it looks at
what changed (zebra/zebra_rib.c, ZEBRA_RIB_PROCESS_HOLD_TIME); a route announced is a kernel route 60 ms later."""


DELIVERED = ("delivered", "delivered-by-service")


@dataclass(frozen=True, slots=True)
class Moment:
    """A network and the state that it is in, or would come to rest in."""

    network: Network
    state: NetworkState


def losses(
    before: Moment | None,
    after: Moment,
    flows: Sequence[FlowKey],
    *,
    interval: float,
    outside: str | None = None,
) -> dict[FlowKey, LossPrediction]:
    """The prediction for each flow of a stream that sends every `interval` seconds while `before` becomes `after`.

    `before` None: the lab has just been started. `outside`: something the step does that the model does not know.
    """
    moments = [] if before is None else [before]
    for network in after.network.interim:
        earlier = moments[-1].state if moments else None
        moments.append(Moment(network, predict(network, earlier, ()).state))
    known = [_Known(moment) for moment in (*moments, after)]
    return {flow: _of(flow, known, before is None, interval, outside) for flow in flows}


def tables(moment: Moment) -> dict[FibKey, FibRoute]:
    """Every kernel route, those of pods too, which a state leaves out."""
    wiring = Wiring(moment.network)
    found = dict(moment.state.fib)
    for device in moment.network.devices.values():
        if device.kind not in OBSERVED_KINDS:
            found |= kernel_table(device, static_routes(wiring, device), (), {})
    return found


class _Known:
    """One moment, with what is asked of it for every flow."""

    def __init__(self, moment: Moment) -> None:
        self.network = moment.network
        self.wiring = Wiring(moment.network)
        self.routes = tables(moment)
        self.fibs = Fibs(self.routes)
        self.walker = Walker(self.wiring, self.fibs)
        self.configured = {name: _configured(d.bgp) for name, d in moment.network.devices.items()}
        self._paths: dict[tuple[str, Prefix], dict[PathKey, BgpPath]] = defaultdict(dict)
        for key, path in moment.state.paths.items():
            if path.valid:
                self._paths[key.device, key.prefix][key] = path

    def forwarding(self, flow: FlowKey) -> Forwarding | None:
        """None where the sender is not there."""
        if not any(flow.source == endpoint.id for endpoint in self.network.endpoints):
            return None
        return forward(self.walker, flow)

    def route(self, device: str, flow: FlowKey) -> tuple[Prefix, FibRoute] | None:
        return next(self.fibs.table(device).matches(ip_address(flow.target_address)), None)

    def eligible(self, device: str, prefix: Prefix) -> Mapping[PathKey, BgpPath]:
        return self._paths.get((device, prefix), {})


def _configured(instance: BgpInstance | None) -> BgpInstance | None:
    """What a session rests on: what is announced over it is not."""
    return None if instance is None else replace(instance, originated=())


def _of(flow: FlowKey, known: Sequence[_Known], started: bool, interval: float, outside: str | None) -> LossPrediction:
    ways = [moment.forwarding(flow) for moment in known]
    if outside is not None:
        return LossPrediction("may", None, outside)
    first, last = (None if way is None else way.disposition for way in (ways[0], ways[-1]))
    if last not in (*DELIVERED, "partial"):
        return LossPrediction("must", False, f"it ends as {last or 'nothing: its sender is not there'}")
    recovers = True if last in DELIVERED else None

    def brief(because: str) -> LossPrediction:
        if interval > SHORTEST:
            return LossPrediction("may", recovers, f"{because}; a stream with this interval may miss it")
        return LossPrediction("must", recovers, because)

    if started:
        return LossPrediction("may", recovers, "nothing is known of what was before the first step")
    if "partial" in (first, last):
        return LossPrediction("may", recovers, "only some of its ways deliver")
    if first not in DELIVERED:
        return brief(f"before it was {first or 'not there'}")
    changed = _changed(flow, known, ways)
    if changed is None:
        return LossPrediction("none", recovers, "nothing changes on its way")
    cut = _cut(flow, known, ways)
    return brief(cut) if cut else LossPrediction("may", recovers, changed)


def _on_the_way(ways: Iterable[Forwarding | None]) -> list[str]:
    devices = (hop.device for way in ways if way for path in way.paths for hop in path.hops)
    return list(dict.fromkeys(devices))


def _changed(flow: FlowKey, known: Sequence[_Known], ways: Sequence[Forwarding | None]) -> str | None:
    """The first thing on the flow's ways that is not the same in all moments."""
    walked = [None if way is None else {(path.hops, path.disposition) for path in way.paths} for way in ways]
    if any(way != walked[0] for way in walked):
        return "its way changes"
    rests_on_bgp = False
    for device in _on_the_way(ways):
        routes = [moment.route(device, flow) for moment in known]
        if any(_plain(route) != _plain(routes[0]) for route in routes):
            return f"the route at {device} changes"
        if routes[0] is None:
            continue
        prefix, route = routes[0]
        if route.protocol != "bgp":
            continue
        rests_on_bgp = True
        candidates = [moment.eligible(device, prefix) for moment in known]
        if not all(_same_choice(one, other) for one, other in pairwise(candidates)):
            return f"what {device} can choose from for {prefix} changes"
    if rests_on_bgp:
        for name in known[0].configured:
            if any(moment.configured.get(name) != known[0].configured[name] for moment in known):
                return f"BGP at {name} is configured anew"
    return None


def _same_choice(one: Mapping[PathKey, BgpPath], other: Mapping[PathKey, BgpPath]) -> bool:
    """The best paths are the same, and every path that is in both. One that is not chosen may come or go."""
    best = [{key for key, path in of.items() if path.best or path.multipath} for of in (one, other)]
    return best[0] == best[1] and all(one[key].attributes == other[key].attributes for key in one.keys() & other.keys())


def _plain(found: tuple[Prefix, FibRoute] | None) -> object:
    return None if found is None else (found[0], replace(found[1], sources=()))


def _cut(flow: FlowKey, known: Sequence[_Known], ways: Sequence[Forwarding | None]) -> str | None:
    """Where a cut is sure to lose packets, in words; None where it is not."""
    first = ways[0]
    assert first is not None
    for moment in known[1:]:
        places = [next(_cuts(known[0], moment, path.hops), None) for path in first.paths]
        if not all(places):
            continue
        left = Walker(moment.wiring, Fibs(_without_cut(known[0].routes, moment)))
        if any(path.disposition == "delivered" for path in forward(left, flow).paths):
            continue
        if any(_knows_another(known[0], moment, place, flow) for place in places if place is not None):
            continue
        named = ", ".join(sorted({str(place) for place in places}))
        return f"its only way crosses {named}, which is cut"
    return None


def _cuts(before: _Known, moment: _Known, hops: Iterable[Hop]) -> Iterator[InterfaceRef]:
    """Interfaces that the way leaves by and that lose their carrier."""
    for hop in hops:
        if hop.egress is not None:
            end = InterfaceRef(hop.device, hop.egress)
            if before.wiring.carrier(end) and not moment.wiring.carrier(end):
                yield end


def _without_cut(routes: Mapping[FibKey, FibRoute], moment: _Known) -> dict[FibKey, FibRoute]:
    """What kernels have at the moment of a cut, at best: the next hops behind it are gone, nothing else has changed."""
    left = {}
    for key, route in routes.items():
        hops = frozenset(
            hop
            for hop in route.next_hops
            if hop.interface is None or moment.wiring.carrier(InterfaceRef(key.device, hop.interface))
        )
        if hops or not route.next_hops:
            left[key] = replace(route, next_hops=hops)
    return left


def _knows_another(before: _Known, moment: _Known, place: InterfaceRef, flow: FlowKey) -> bool:
    """Whether the device at the cut could take another way by itself: how fast it is then, nobody knows.

    So it is with a route that BGP did not bring: it comes back with its interface.
    """
    found = before.route(place.device, flow)
    if found is None or found[1].protocol != "bgp":
        return True
    for key in before.eligible(place.device, found[0]):
        interface = _interface_of(before, key)
        if interface is None or moment.wiring.carrier(InterfaceRef(place.device, interface)):
            return True
    return False


def _interface_of(known: _Known, key: PathKey) -> str | None:
    """The interface that a session runs over, where it is known: its neighbor's name or scope, or its network."""
    instance = known.network.devices[key.device].bgp
    neighbor = next((n for n in instance.neighbors if n.name == key.neighbor), None) if instance else None
    if neighbor is None or neighbor.interface is not None or neighbor.address is None:
        return None if neighbor is None else neighbor.interface
    for interface in known.network.devices[key.device].interfaces:
        if any(neighbor.address in address.network for address in interface.addresses):
            return interface.name
    return None
