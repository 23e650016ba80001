"""`Network`: what is set up, as the input files and the steps so far say, independent of any file format.

A Network is a value. Each step of a scenario makes a new one; nothing in it is computed by BGP. Everything carries
the `Source` that it comes from, or None for what no file says (a default, the management network).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from types import MappingProxyType
from typing import Literal, TypeAlias

from bgpsim.frr_series import DEFAULT, Series
from bgpsim.network.internal_bgp import NO_REFLECTION, USUAL_CHOICE, Choice, Confederation, Reflection
from bgpsim.network.policies import NO_FILTERS, NO_POLICIES, CommunityKind, Filters, Policies, Use
from bgpsim.network.route_options import NO_OPTIONS, Aggregate, Installation, RouteOptions
from bgpsim.network.session_options import NOTHING_SAID, SessionOptions
from bgpsim.network.types import Address, AsPath, Family, InterfaceAddress, Prefix, UnknownAttribute
from bgpsim.source import Source, Unmodelled

DeviceKind: TypeAlias = Literal["router", "node", "host", "pod", "speaker", "gateway"]
"""router: runs FRR. node: a Kubernetes node. host: any other container. gateway: a management network's far end."""

Engine: TypeAlias = Literal["frr", "gobgp", "exabgp"]


@dataclass(frozen=True, slots=True)
class Interface:
    """One interface. `up` is the administrative state; carrier follows from the other end of the link."""

    name: str
    addresses: tuple[InterfaceAddress, ...] = ()
    """Without 127.0.0.0/8 and ::1, which every namespace has and no router announces."""
    up: bool = True
    link_local: Address | None = None
    """A fixed IPv6 link-local address; None: the kernel makes one from the MAC address."""
    mtu: int = 9500
    source: Source | None = None
    silent: bool = False
    """Nothing that leaves by it arrives, though it has carrier."""


@dataclass(frozen=True, slots=True, order=True)
class InterfaceRef:
    """`device:interface`, as scenario files and containerlab write a link's end."""

    device: str
    interface: str

    def __str__(self) -> str:
        return f"{self.device}:{self.interface}"


@dataclass(frozen=True, slots=True)
class Segment:
    """A layer-2 segment: two ends are a link (a veth pair), more are a bridge (the management network)."""

    ends: tuple[InterfaceRef, ...]
    source: Source | None = None
    management: bool = False
    bridged: bool = False
    """The ends are ports of a bridge: each has carrier by itself, however many there are."""


@dataclass(frozen=True, slots=True, order=True)
class RouteNextHop:
    """A next hop as it was written: an address, an interface or both."""

    address: Address | None = None
    interface: str | None = None


RouteKind: TypeAlias = Literal["unicast", "blackhole", "unreachable", "prohibit"]
RouteProtocol: TypeAlias = Literal["kernel", "boot", "static", "bgp"]


@dataclass(frozen=True, slots=True)
class KernelRoute:
    """A route put into the kernel by hand (`ip route add`: protocol boot) or by the lab (a pod's route)."""

    prefix: Prefix
    kind: RouteKind = "unicast"
    next_hops: tuple[RouteNextHop, ...] = ()
    protocol: RouteProtocol = "boot"
    metric: int = 0
    """As written; 0 where nothing was (the kernel turns 0 into 1024 for IPv6)."""
    onlink: bool = False
    source: Source | None = None
    lost: bool = False
    """The kernel has dropped it with its interface, and has not told zebra."""
    distance: int = 0
    """FRR's, of its own static routes; what others put into the kernel has 0."""
    tag: int = 0


NO_AS = 0
"""`remote_as` of an interface neighbor that has none: its router lists it and does not start it."""


ALL_COMMUNITIES: frozenset[CommunityKind] = frozenset(("standard", "large", "extended"))


@dataclass(frozen=True, slots=True)
class NeighborFamily:
    """What is configured for one neighbor in one address family."""

    default_originate: bool = False
    next_hop_self: bool = False
    reflector_client: bool = False
    import_accept: bool = True
    """False: everything received stays in Adj-RIB-In and is not eligible (Cilium from 1.16 on)."""
    default_map: Use | None = None
    """`default-originate route-map`."""
    next_hop_self_force: bool = False
    inbound: Filters = NO_FILTERS
    outbound: Filters = NO_FILTERS
    weight: int = 0
    soft_reconfiguration: bool = False
    send_communities: frozenset[CommunityKind] = ALL_COMMUNITIES
    options: RouteOptions = NO_OPTIONS
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Neighbor:
    """One configured neighbor, peer-groups already applied (`sources` keeps every line that made it)."""

    name: str
    """As configured, and as the router shows it: an address (`10.0.1.2`) or an interface (`net0`)."""
    address: Address | None
    interface: str | None
    """The interface of an unnumbered neighbor, or the scope of a link-local address; else None."""
    remote_as: int | Literal["internal", "external"]
    families: Mapping[Family, NeighborFamily]
    """The activated families."""
    peer_group: str | None = None
    hold_time: int = 180
    """Seconds; what this end offers (RFC 4271 section 4.2)."""
    keepalive: int = 60
    connect_retry: int = 120
    ebgp_ttl: int = 1
    """TTL of packets to an external peer; 1 means that the peer must be on a connected network."""
    update_source: Address | str | None = None
    passive: bool = False
    extended_nexthop: bool = False
    """IPv4 routes with IPv6 next hops (RFC 8950); on for unnumbered neighbors in FRR."""
    shutdown: bool = False
    add_path: bool = False
    """Takes several paths of a prefix and sends all that it has (RFC 7911; FRR: addpath-tx-all-paths)."""
    v6_only: bool = False
    """An unnumbered neighbor's session runs over link-local addresses, whatever IPv4 addresses the link has."""
    options: SessionOptions = NOTHING_SAID
    dynamic: bool = False
    """It is not configured: a connection within a listen range makes it, and it goes with its session."""
    source: Source | None = None
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Origination:
    """A route that an instance puts in by itself: GoBGP's pod CIDR, a speaker's announcement, `network P`."""

    prefix: Prefix
    to: tuple[str, ...] | None = None
    """Neighbor names it goes to; None: all."""
    as_path: AsPath | None = None
    """None: what the engine makes of it (empty, or its own AS to an external peer). Else sent exactly as it stands."""
    origin: Literal["igp", "egp", "incomplete"] = "igp"
    next_hop: Address | None = None
    """None: the address of this end of the session. Else sent exactly as it stands."""
    med: int | None = None
    local_preference: int | None = None
    communities: tuple[str, ...] = ()
    """`asn:value` or a well-known name (no-export, no-advertise …), sorted."""
    large_communities: tuple[str, ...] = ()
    extended_communities: tuple[str, ...] = ()
    originator_id: str | None = None
    cluster_list: tuple[str, ...] = ()
    aggregator: str | None = None
    atomic_aggregate: bool = False
    unknown: tuple[UnknownAttribute, ...] = ()
    path_id: int = 0
    route_map: Use | None = None
    """`network P route-map R`."""
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class OriginatedTable:
    """Routes that an instance puts in alike: `like` at each of `prefixes` (its own prefix is one of them)."""

    like: Origination
    prefixes: tuple[Prefix, ...]


@dataclass(frozen=True, slots=True)
class Redistribution:
    """`redistribute connected|static|kernel` in one family."""

    family: Family
    protocol: Literal["connected", "static", "kernel"]
    source: Source | None = None
    metric: int | None = None
    route_map: Use | None = None


@dataclass(frozen=True, slots=True)
class ListenRange:
    """`bgp listen range P peer-group G`: whoever connects from it is a neighbor."""

    prefix: Prefix
    like: Neighbor
    """What such a neighbor is, named as its peer-group."""
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class BgpInstance:
    """One BGP speaker's configuration."""

    engine: Engine
    asn: int
    router_id: IPv4Address | None
    """None: the engine chooses (FRR: the highest loopback, then the highest interface address)."""
    neighbors: tuple[Neighbor, ...]
    redistribute: tuple[Redistribution, ...] = ()
    originated: tuple[Origination, ...] = ()
    tables: tuple[OriginatedTable, ...] = ()
    """Originated too; many routes each. No prefix stands twice for one neighbor, here and in `originated`."""
    aggregates: tuple[Aggregate, ...] = ()
    network_import_check: bool = True
    """`network P` only while the RIB has a route for P."""
    graceful_shutdown: bool = False
    suppress_fib_pending: bool = False
    """A learnt route is told to nobody while the kernel has not got it."""
    installation: Mapping[Family, Installation] = field(default_factory=lambda: MappingProxyType({}))
    backdoors: frozenset[Prefix] = frozenset()
    """`network P backdoor`: P is not originated, and an external path to it has an internal one's distance."""
    multipath_relax: bool = False
    compare_router_id: bool = False
    always_compare_med: bool = False
    deterministic_med: bool = False
    choice: Choice = USUAL_CHOICE
    reflection: Reflection = NO_REFLECTION
    confederation: Confederation | None = None
    ebgp_requires_policy: bool = True
    listens: bool = True
    """False: it only dials (Cilium's GoBGP)."""
    listen_ranges: tuple[ListenRange, ...] = ()
    """The first one that holds an address counts."""
    listen_limit: int = 100
    """How many dynamic neighbors there may be."""
    shutdown: bool = False
    """`bgp shutdown`: no session is let up."""
    minimum_hold_time: int = 0
    """Seconds; a peer that offers less is refused (FRR: `bgp minimum-holdtime`; 0: any)."""
    installs: bool = True
    """False: what it learns never reaches the kernel (GoBGP, ExaBGP)."""
    frr: Series = DEFAULT
    """The release of FRR whose behaviour is predicted, where the engine is FRR (docs/frr-versions.md)."""
    source: Source | None = None
    sources: Mapping[str, Source] = field(default_factory=lambda: MappingProxyType({}))
    """Option name -> the line that set it, for explanations."""


@dataclass(frozen=True, slots=True)
class Device:
    """One network namespace of the lab, whatever runs in it."""

    name: str
    kind: DeviceKind
    interfaces: tuple[Interface, ...]
    routes: tuple[KernelRoute, ...] = ()
    bgp: BgpInstance | None = None
    forwards: bool = True
    """ip_forward; pods and speakers do not."""
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    node: str | None = None
    """A pod's node."""
    pod_cidrs: tuple[Prefix, ...] = ()
    """A Kubernetes node's."""
    resolve_via_default: frozenset[int] = frozenset()
    """IP versions whose next hops zebra resolves through a default route too (`ip nht resolve-via-default`)."""
    traffic: Literal["drop", "answer"] | None = None
    """What a speaker does with packets that it attracts."""
    away: bool = False
    """`node-down` has taken it away: it observes nothing and nothing of it can be observed."""
    policies: Policies = NO_POLICIES
    bgp_maps: Mapping[int, Use] = field(default_factory=lambda: MappingProxyType({}))
    """By IP version: `ip protocol bgp route-map R`, which zebra asks about each route of bgpd's."""
    source: Source | None = None

    def interface(self, name: str) -> Interface | None:
        return next((i for i in self.interfaces if i.name == name), None)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Something that sends or receives probes.

    `id` as in scenario files: `pod:namespace/workload@node`, `node:worker`, `host:h1`.
    """

    id: str
    device: str
    addresses: tuple[Address, ...]
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Its own labels and, for a pod, its node's."""
    away: bool = False
    """Its device is: packets can be sent to it, and none by it."""
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """The whole description. `devices` in the order of the files; pods after their nodes, speakers last."""

    name: str
    devices: Mapping[str, Device]
    segments: tuple[Segment, ...]
    endpoints: tuple[Endpoint, ...] = ()
    unmodelled: tuple[Unmodelled, ...] = ()
    findings: tuple[tuple[Source | None, str], ...] = ()
    """Not errors, but worth saying: a policy that matches no node, say."""
    interim: tuple[Network, ...] = ()
    """What it was on the way, where a step takes something away and puts it back: a router has chosen meanwhile."""
    chosen_anew: frozenset[str] = frozenset()
    """Devices whose routers have chosen every best path again in this step, whether or not anything came in."""
    perhaps: bool = False
    """Of one in `interim`: what came next did not wait until the network was at rest in this one."""
