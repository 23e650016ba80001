"""The check can fail: whatever is changed in the description that the model reads, and not in the lab, is noticed.

One lab is observed once. Then each kind of field of `Network` is changed in turn, predicted from, and compared with
what was observed: every change must show as a difference. Fields that no state at rest can show are named with the
reason, and a field that is neither changed nor named fails the test.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import replace
from ipaddress import IPv4Address, ip_address, ip_interface, ip_network
from pathlib import Path
from typing import Any

import pytest

from bgpsim.check.compare import compare
from bgpsim.lab.embedded.lab import EmbeddedLab
from bgpsim.lab.images import default_store
from bgpsim.model import predict
from bgpsim.network.description import (
    BgpInstance,
    Device,
    Endpoint,
    Interface,
    KernelRoute,
    Neighbor,
    NeighborFamily,
    Network,
    OriginatedTable,
    Origination,
    Redistribution,
    RouteNextHop,
    Segment,
)
from bgpsim.network.internal_bgp import Choice, Confederation
from bgpsim.network.policies import Filters, Use
from bgpsim.network.route_options import Aggregate, RouteOptions
from bgpsim.network.session_options import SessionOptions
from bgpsim.network.state import NetworkState
from bgpsim.network.types import UnknownAttribute
from bgpsim.observe import observe
from bgpsim.observe.settle import wait_settled
from bgpsim.scenario.reading.loading import load
from bgpsim.scenario.timeline import Announce, Apply, Scenario
from bgpsim.speakers.control import SpeakerControl

pytestmark = pytest.mark.lab
SCENARIOS = Path(__file__).parents[2] / "scenarios" / "cilium-bgp"
STEP = 3
"""Of scenario.yaml: Cilium peers, and the speaker announces one prefix to both ToRs."""

Change = Callable[[Network], Network]


def device(name: str, change: Callable[[Device], Device]) -> Change:
    return lambda n: replace(n, devices={**n.devices, name: change(n.devices[name])})


def bgp(of: str, /, **fields: Any) -> Change:
    return device(of, lambda d: replace(d, bgp=replace(d.bgp, **fields)))  # type: ignore[type-var]


def interface(of: str, which: str, /, **fields: Any) -> Change:
    def one(d: Device) -> Device:
        return replace(d, interfaces=tuple(replace(i, **fields) if i.name == which else i for i in d.interfaces))

    return device(of, one)


def neighbor(of: str, which: str, /, **fields: Any) -> Change:
    def one(d: Device) -> Device:
        assert d.bgp is not None
        assert any(x.name == which for x in d.bgp.neighbors)
        changed = tuple(replace(x, **fields) if x.name == which else x for x in d.bgp.neighbors)
        return replace(d, bgp=replace(d.bgp, neighbors=changed))

    return device(of, one)


def family(of: str, which: str, /, **fields: Any) -> Change:
    def one(d: Device) -> Device:
        assert d.bgp is not None
        changed = tuple(
            replace(x, families={f: replace(s, **fields) for f, s in x.families.items()}) if x.name == which else x
            for x in d.bgp.neighbors
        )
        return replace(d, bgp=replace(d.bgp, neighbors=changed))

    return device(of, one)


def announced(**fields: Any) -> Change:
    """The speaker's route at tor0."""

    def one(d: Device) -> Device:
        assert d.bgp is not None
        first, *others = d.bgp.originated
        return replace(d, bgp=replace(d.bgp, originated=(replace(first, **fields), *others)))

    return device("injector", one)


def with_add_path(n: Network) -> Network:
    """At both ends of the speaker's session with tor0; one alone changes nothing."""
    return neighbor("injector", "tor0", add_path=True)(neighbor("tor0", "fe80::2", add_path=True)(n))


def route(of: str, at: str, /, **fields: Any) -> Change:
    wanted = ip_network(at)

    def one(d: Device) -> Device:
        assert any(r.prefix == wanted for r in d.routes)
        return replace(d, routes=tuple(replace(r, **fields) if r.prefix == wanted else r for r in d.routes))

    return device(of, one)


def without_a_link(n: Network) -> Network:
    gone = next(s for s in n.segments if {str(end) for end in s.ends} == {"router0:net1", "tor1:net0"})
    return replace(n, segments=tuple(s for s in n.segments if s is not gone))


def crossed_links(n: Network) -> Network:
    """tor1's two servers change places."""
    swap = {"worker2": "worker3", "worker3": "worker2"}

    def one(s: Segment) -> Segment:
        if {end.device for end in s.ends} & {"tor1"}:
            return replace(s, ends=tuple(replace(end, device=swap.get(end.device, end.device)) for end in s.ends))
        return s

    return replace(n, segments=tuple(map(one, n.segments)))


def endpoint_addresses(n: Network) -> Network:
    """worker's pod is taken to be called by worker2's address."""
    other = next(e for e in n.endpoints if e.id.endswith("@worker2"))
    return replace(
        n, endpoints=tuple(replace(e, device=other.device) if e.id.endswith("@worker") else e for e in n.endpoints)
    )


def without(n: Network, name: str) -> Network:
    return replace(n, devices={key: d for key, d in n.devices.items() if key != name})


V4 = "ipv4-unicast"
NO_MAP = Use("NOWHERE")
"""A route-map that is not there denies everything."""
TABLE = Origination(ip_network("10.98.0.0/24"), ("tor0",))
CHANGES: Mapping[tuple[type, str], Change] = {
    (Network, "devices"): lambda n: without(n, "control-plane"),
    (Network, "segments"): without_a_link,
    (Network, "endpoints"): endpoint_addresses,
    (Segment, "ends"): crossed_links,
    (Device, "kind"): device("injector", lambda d: replace(d, kind="host")),
    (Device, "interfaces"): device("tor0", lambda d: replace(d, interfaces=d.interfaces[:-1])),
    (Device, "routes"): device("worker", lambda d: replace(d, routes=())),
    (Device, "bgp"): device("worker3", lambda d: replace(d, bgp=None)),
    (Device, "forwards"): device("router0", lambda d: replace(d, forwards=False)),
    (Device, "traffic"): device("injector", lambda d: replace(d, traffic="answer")),
    (Endpoint, "device"): endpoint_addresses,
    (Interface, "name"): interface("tor1", "net2", name="net9"),
    (Interface, "addresses"): interface("tor0", "lo", addresses=(ip_interface("10.0.0.9/32"),)),
    (Interface, "up"): interface("worker2", "net0", up=False),
    (Interface, "silent"): interface("tor1", "net1", silent=True),
    (Interface, "link_local"): interface("tor0", "x-injector", link_local=ip_address("fe80::7")),
    (KernelRoute, "prefix"): route("router0", "10.0.0.0/8", prefix=ip_network("10.0.0.0/9")),
    (KernelRoute, "kind"): route("router0", "10.0.0.0/8", kind="unreachable"),
    (KernelRoute, "next_hops"): route(
        "worker", "0.0.0.0/0", next_hops=(RouteNextHop(IPv4Address("10.0.2.9"), "net0"),)
    ),
    (KernelRoute, "protocol"): route("router0", "10.0.0.0/8", protocol="static"),
    (KernelRoute, "metric"): route("router0", "10.0.0.0/8", metric=7),
    (KernelRoute, "lost"): route("router0", "10.0.0.0/8", lost=True),
    (RouteNextHop, "address"): route("worker", "0.0.0.0/0", next_hops=(RouteNextHop(None, "net0"),)),
    (RouteNextHop, "interface"): route("worker3", "10.1.3.2/32", next_hops=(RouteNextHop(None, "net0"),)),
    (BgpInstance, "asn"): bgp("router0", asn=65001),
    (BgpInstance, "neighbors"): device(
        "tor0",
        lambda d: replace(d, bgp=replace(d.bgp, neighbors=d.bgp.neighbors[1:])),  # type: ignore[union-attr,type-var]
    ),
    (BgpInstance, "redistribute"): bgp("tor1", redistribute=()),
    (BgpInstance, "originated"): bgp("worker", originated=()),
    (BgpInstance, "tables"): bgp("injector", tables=(OriginatedTable(TABLE, (TABLE.prefix,)),)),
    (BgpInstance, "aggregates"): bgp("tor0", aggregates=(Aggregate(ip_network("10.99.0.0/24")),)),
    (BgpInstance, "graceful_shutdown"): bgp("tor1", graceful_shutdown=True),
    (BgpInstance, "shutdown"): bgp("tor1", shutdown=True),
    (BgpInstance, "choice"): bgp("tor0", choice=Choice(default_local_preference=90)),
    (BgpInstance, "confederation"): bgp("tor0", confederation=Confederation(65100)),
    (BgpInstance, "ebgp_requires_policy"): bgp("tor0", ebgp_requires_policy=True),
    (BgpInstance, "listens"): bgp("tor0", listens=False),
    (BgpInstance, "installs"): bgp("worker", installs=True),
    (BgpInstance, "engine"): bgp("worker", engine="frr"),
    (Redistribution, "family"): bgp("tor0", redistribute=(Redistribution("ipv6-unicast", "connected"),)),
    (Redistribution, "protocol"): bgp("tor0", redistribute=(Redistribution(V4, "kernel"),)),
    (Redistribution, "metric"): bgp("tor0", redistribute=(Redistribution(V4, "connected", metric=5),)),
    (Redistribution, "route_map"): bgp("tor0", redistribute=(Redistribution(V4, "connected", route_map=NO_MAP),)),
    (Neighbor, "name"): neighbor("tor0", "10.0.1.2", name="10.0.1.3"),
    (Neighbor, "address"): neighbor("tor0", "10.0.1.2", address=IPv4Address("10.0.1.3")),
    (Neighbor, "interface"): neighbor("tor0", "net0", interface="net1"),
    (Neighbor, "remote_as"): neighbor("tor0", "10.0.1.2", remote_as="external"),
    (Neighbor, "families"): neighbor("tor0", "10.0.1.2", families={"ipv6-unicast": NeighborFamily()}),
    (Neighbor, "update_source"): neighbor("worker", "10.0.0.1", update_source=IPv4Address("192.0.2.1")),
    (Neighbor, "passive"): neighbor("worker", "10.0.0.1", passive=True),
    (Neighbor, "extended_nexthop"): neighbor("router0", "net0", extended_nexthop=False),
    (Neighbor, "shutdown"): neighbor("tor1", "net0", shutdown=True),
    (Neighbor, "options"): neighbor("tor1", "net0", options=SessionOptions(password="secret")),
    (Neighbor, "add_path"): lambda n: with_add_path(n),
    (NeighborFamily, "options"): family("tor0", "net0", options=RouteOptions(unchanged=frozenset(("as-path",)))),
    (NeighborFamily, "default_originate"): family("router0", "net0", default_originate=False),
    (NeighborFamily, "reflector_client"): family("tor0", "10.0.1.2", reflector_client=True),
    (NeighborFamily, "default_map"): family("router0", "net0", default_map=NO_MAP),
    (NeighborFamily, "inbound"): family("tor0", "net0", inbound=Filters(route_map=NO_MAP)),
    (NeighborFamily, "outbound"): family("tor0", "net0", outbound=Filters(route_map=NO_MAP)),
    (NeighborFamily, "weight"): family("tor0", "net0", weight=7),
    (NeighborFamily, "import_accept"): family("worker", "10.0.0.1", import_accept=False),
    (Origination, "prefix"): announced(prefix=ip_network("10.99.0.2/32")),
    (Origination, "to"): announced(to=("tor1",)),
    (Origination, "as_path"): announced(as_path=(65099, 65098)),
    (Origination, "origin"): announced(origin="egp"),
    (Origination, "next_hop"): announced(next_hop=IPv4Address("10.0.1.2")),
    (Origination, "med"): announced(med=5),
    (Origination, "communities"): announced(communities=("65000:1",)),
    (Origination, "large_communities"): announced(large_communities=("65000:1:1",)),
    (Origination, "extended_communities"): announced(extended_communities=("RT:65000:1",)),
    (Origination, "originator_id"): announced(originator_id="192.0.2.9"),
    (Origination, "cluster_list"): announced(cluster_list=("192.0.2.9",)),
    (Origination, "aggregator"): announced(aggregator="65000:192.0.2.9"),
    (Origination, "atomic_aggregate"): announced(atomic_aggregate=True),
    (Origination, "unknown"): announced(unknown=(UnknownAttribute(99, 0xC0, b"\1"),)),
    (Origination, "path_id"): lambda n: announced(path_id=7)(with_add_path(n)),
    (Origination, "local_preference"): device(
        "worker",
        lambda d: replace(
            d,
            bgp=replace(d.bgp, originated=(replace(d.bgp.originated[0], local_preference=50),)),  # type: ignore[union-attr,type-var]
        ),
    ),
}

_LABEL = "it is for people and for expectations, and is in no fact"
_SOURCE = "where it comes from"
UNSEEN: Mapping[tuple[type, str], str] = {
    (Network, "name"): _LABEL,
    (Network, "unmodelled"): _LABEL,
    (Network, "findings"): _LABEL,
    (Network, "interim"): "no step of this scenario takes something away and puts it back",
    (Network, "chosen_anew"): "no line is typed in this scenario, so no router chooses anew",
    (Network, "perhaps"): "of what is in interim",
    (Segment, "management"): _LABEL,
    (Device, "name"): "the key of (Network, devices)",
    (Device, "labels"): _LABEL,
    (Device, "node"): _LABEL,
    (Device, "away"): "that nothing is on it says it already: no interface is up, no route and no BGP there",
    (Device, "pod_cidrs"): "what names stand for; the node's routes and announcements say it again",
    (Endpoint, "id"): "which pairs are followed is asked of the scenario, by both sides",
    (Endpoint, "addresses"): "likewise",
    (Endpoint, "labels"): _LABEL,
    (Endpoint, "away"): "which pairs are followed is asked of the scenario, by both sides",
    (Interface, "mtu"): "no probe here is longer than any MTU; those of `sizes` are (test_probe.py)",
    (KernelRoute, "onlink"): "it matters only while a route is put in",
    (KernelRoute, "distance"): "no FRR router of this lab has a static route",
    (KernelRoute, "tag"): "it is for route-maps",
    (Device, "resolve_via_default"): "every next hop of this lab is on a connected network",
    (BgpInstance, "network_import_check"): "no FRR router of this lab has `network`",
    (Device, "bgp_maps"): "test_route_features.py: a map of that name must be there, and nowhere else a use of it",
    (BgpInstance, "installation"): "as bgp_maps, and no route of another distance is there",
    (BgpInstance, "suppress_fib_pending"): "every route that is told to others is in the kernel",
    (BgpInstance, "backdoors"): "no router of this lab has a route of another distance for an external path's prefix",
    (BgpInstance, "router_id"): "it decides only a tie that nothing before it decides; this lab has none",
    (BgpInstance, "multipath_relax"): "no two paths of this lab are of equal length by different neighbor ASes",
    (BgpInstance, "compare_router_id"): "as router_id",
    (BgpInstance, "always_compare_med"): "no two paths of this lab differ in MED",
    (BgpInstance, "deterministic_med"): "no two paths of this lab differ in MED",
    (BgpInstance, "reflection"): "no router of this lab reflects; test_inside_as.py",
    (BgpInstance, "frr"): "nothing of this lab differs between releases; test_frr_versions.py has what does",
    (BgpInstance, "listen_limit"): "there is no listen range",
    (BgpInstance, "listen_ranges"): "nobody dials a router that does not name it",
    (BgpInstance, "minimum_hold_time"): "no peer offers less than 9 s",
    (BgpInstance, "sources"): _SOURCE,
    (Device, "policies"): "no neighbor uses one; test_policies.py",
    (Neighbor, "dynamic"): "there is no listen range",
    (NeighborFamily, "next_hop_self"): "every learnt next hop of this lab is link-local, and replaced anyway",
    (NeighborFamily, "next_hop_self_force"): "as next_hop_self",
    (NeighborFamily, "send_communities"): "no route that a router sends on has any",
    (NeighborFamily, "soft_reconfiguration"): "it is for policies that are typed later",
    (Origination, "route_map"): "no FRR router of this lab has `network`",
    (Segment, "bridged"): "how the lab makes it",
    (Neighbor, "peer_group"): "it is applied already",
    (Neighbor, "hold_time"): "a time, and the lab is at rest",
    (Neighbor, "keepalive"): "a time, and the lab is at rest",
    (Neighbor, "connect_retry"): "a time, and the lab is at rest",
    (Neighbor, "v6_only"): "no link between routers has IPv4 addresses",
    (Neighbor, "ebgp_ttl"): "every external session of this lab is unnumbered",
    (Neighbor, "sources"): _SOURCE,
}
KINDS = (
    Network,
    Segment,
    Device,
    Endpoint,
    Interface,
    KernelRoute,
    RouteNextHop,
    BgpInstance,
    Redistribution,
    Neighbor,
    NeighborFamily,
    Origination,
)


def test_no_field_is_forgotten() -> None:
    fields = {(kind, f.name) for kind in KINDS for f in dataclasses.fields(kind) if f.name != "source"}
    assert fields == set(CHANGES) | set(UNSEEN)
    assert not set(CHANGES) & set(UNSEEN)


@pytest.fixture(scope="module")
def seen() -> tuple[Scenario, NetworkState, NetworkState]:
    """The scenario, the prediction of the step before, and what the lab showed at this one."""
    scenario = load(SCENARIOS / "scenario.yaml", "scenario.yaml")
    lab = EmbeddedLab(scenario.files, default_store(), SpeakerControl)
    before = None
    try:
        lab.bring_up(lambda _: None)
        for number, step in enumerate(scenario.steps[: STEP + 1]):
            for action in step.actions:
                if isinstance(action, Apply):
                    lab.apply(action.manifest)
                else:
                    assert isinstance(action, Announce)
                    lab.announce(action.announcement)
            settled = wait_settled(lab.agent, lab.devices, quiet=1.75, timeout=60)
            assert settled.how == "quiet", settled.because
            if number < STEP:
                before = predict(step.network, before, step.flows).state
        observed = observe(lab.agent, lab.devices, scenario.steps[STEP].flows)
    finally:
        lab.close()
    assert before is not None
    return scenario, before, observed


def test_unchanged_it_agrees(seen: tuple[Scenario, NetworkState, NetworkState]) -> None:
    scenario, before, observed = seen
    step = scenario.steps[STEP]
    found = compare(predict(step.network, before, step.flows).state, observed)
    assert found.mismatches == ()
    assert all(plane.status == "compared" for plane in found.planes.values())


@pytest.mark.parametrize(("kind", "name"), sorted(CHANGES, key=str), ids=lambda x: getattr(x, "__name__", x))
def test_a_change_of_this_field_shows(kind: type, name: str, seen: tuple[Scenario, NetworkState, NetworkState]) -> None:
    scenario, before, observed = seen
    step = scenario.steps[STEP]
    changed = CHANGES[kind, name](step.network)
    assert changed != step.network
    assert not compare(predict(changed, before, step.flows).state, observed).agrees


def test_an_attribute_that_only_one_end_sends_shows_on_the_wire_of_every_session_it_takes(
    seen: tuple[Scenario, NetworkState, NetworkState],
) -> None:
    """A community at worker's pod CIDR: to tor0, from there to router0 and on, but to no other internal node."""
    scenario, before, observed = seen
    step = scenario.steps[STEP]

    def tagged(d: Device) -> Device:
        assert d.bgp is not None
        (own,) = d.bgp.originated
        return replace(d, bgp=replace(d.bgp, originated=(replace(own, communities=("65000:1",)),)))

    found = compare(predict(device("worker", tagged)(step.network), before, step.flows).state, observed)
    on_the_wire = {(m.device, m.peer) for m in found.mismatches if m.plane == "wire" and m.field == "communities"}
    assert {m.prefix for m in found.mismatches if m.plane == "wire"} == {"10.1.1.0/24"}
    assert on_the_wire == {
        ("worker", "sent 10.0.0.1"),
        ("tor0", "sent net0"),
        *(("router0", f"sent {neighbor}") for neighbor in ("net0", "net1")),
        *(("tor1", f"sent {neighbor}") for neighbor in ("net0", "10.0.3.2", "10.0.4.2")),
        *(("injector", f"received {router}") for router in ("tor0", "tor1")),
    }
