"""`NetworkState`: sessions, RIBs, FIBs, forwarding paths and messages, predicted or observed: one type for both.

So compare, diff, `same-as` and explain are functions of two states, whichever two. Canonical spellings, so that equal
facts are equal values:

- a neighbor is named as its router configures it (`net0`, `10.0.1.2`, `fe80::2`); `local` is the router itself;
- a link-local next hop is `device:interface` of the end that owns the address; `self` stands for a locally originated
  path (0.0.0.0 or :: on the router);
- communities are sorted text; an AS path is a tuple of AS numbers, an AS_SET in it a frozenset.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, TypeAlias, TypeVar

from bgpsim.network.description import RouteKind
from bgpsim.network.grouped import Grouped, sharing
from bgpsim.network.types import AsPath as AsPath  # used under this name by whoever reads a state
from bgpsim.network.types import Family, Prefix
from bgpsim.source import Source

Plane: TypeAlias = Literal["bgp", "fib", "path", "wire"]
PLANES: tuple[Plane, ...] = ("bgp", "fib", "path", "wire")

Disposition: TypeAlias = Literal[
    "delivered",
    "delivered-by-service",
    "delivered-to-speaker",
    "no-route",
    "unreachable",
    "neighbor-unresolved",
    "blackhole",
    "filtered",
    "ttl-expired",
    "loop",
    "exits-network",
    "dropped-by-speaker",
    "partial",
]

DELIVERED: frozenset[str] = frozenset({"delivered", "delivered-by-service"})
"""What a packet is sent for; `delivered-to-speaker` is an impostor's answer."""

UNTOLD = "not predicted"
"""A next hop of which no more is predicted than that there is one, and which is no fact: FRR prints of an Adj-RIB-Out
what its update subgroup came to be made of, while the packet has the right one."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """Path attributes of an UPDATE (RFC 4271 section 5). None: the attribute is not there."""

    next_hop: str
    as_path: AsPath = ()
    origin: Literal["igp", "egp", "incomplete"] = "igp"
    med: int | None = None
    local_preference: int | None = None
    atomic_aggregate: bool = False
    aggregator: str | None = None
    communities: tuple[str, ...] = ()
    large_communities: tuple[str, ...] = ()
    extended_communities: tuple[str, ...] = ()
    originator_id: str | None = None
    cluster_list: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    """Transitive ones that no router here has a meaning for, `code 0xvalue`, by code. FRR passes them on and shows none
    in its tables, so they are facts of the wire alone."""


class SessionKey(NamedTuple):
    """One end of a session."""

    device: str
    neighbor: str


@dataclass(frozen=True, slots=True)
class FamilyCounters:
    """Prefix counters of one family at one end; None where this router does not say.

    accepted: in the table after policy, what FRR calls PfxRcd. received: before policy. sent: Adj-RIB-Out, PfxSnt.
    """

    accepted: int | None = None
    received: int | None = None
    sent: int | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One end. `state` is Established or Down; `because` says why it is down (predicted only)."""

    state: Literal["Established", "Down"]
    type: Literal["ebgp", "ibgp"] | None
    peer: str | None
    """The device at the other end; None where nobody owns the address."""
    interface: str | None = None
    """The interface of an unnumbered session."""
    because: str | None = None
    families: Mapping[Family, FamilyCounters] = field(default_factory=dict)
    word: str | None = None
    """The router's own word (Idle, Active …): volatile, observed only."""
    because_sources: tuple[Source, ...] = ()
    """The configuration lines behind the session, or behind its being down."""


class PathKey(NamedTuple):
    """One path in a BGP table: of `prefix`, learnt by `device` from `neighbor` (or `local`)."""

    device: str
    family: Family
    prefix: Prefix
    neighbor: str
    path_id: int = 0


@dataclass(frozen=True, slots=True)
class BgpPath:
    """A path in the Loc-RIB's candidate set, with its fate in the decision process."""

    attributes: Attributes
    valid: bool
    """Eligible: next hop resolved, no loop, not refused by policy."""
    best: bool
    multipath: bool
    """Among the paths that are used together (a set of one is none: FRR shows the flag only for sets)."""
    weight: int = 0
    reason: str | None = None
    """On the best path: why it beat the runner-up, in FRR's words (`selectionReason`); None where it is alone."""
    lost: str | None = None
    """On any other path (predicted only): at which step it lost, or why it is not eligible."""
    sources: tuple[Source, ...] = ()


class AdvertisedKey(NamedTuple):
    """One entry of an Adj-RIB-Out."""

    device: str
    neighbor: str
    family: Family
    prefix: Prefix
    path_id: int = 0


class FibKey(NamedTuple):
    """A kernel route: metric is part of the key, for the kernel keeps routes that differ in it side by side."""

    device: str
    family: Family
    prefix: Prefix
    metric: int


class FibNextHop(NamedTuple):
    """`via`: an address, `device:interface` for a link-local one, None for a connected route."""

    via: str | None
    interface: str | None
    weight: int = 1


@dataclass(frozen=True, slots=True)
class FibRoute:
    kind: RouteKind
    protocol: str
    """kernel, boot, static, bgp …: the kernel's own name."""
    next_hops: frozenset[FibNextHop]
    linkdown: bool = False
    """The kernel marks the route because the interface has no carrier."""
    sources: tuple[Source, ...] = ()


class Hop(NamedTuple):
    """One device on a path. None where a packet starts or ends there (a pod's own interface is not named)."""

    device: str
    ingress: str | None
    egress: str | None


@dataclass(frozen=True, slots=True)
class ForwardingPath:
    """One way that packets take: hops from the sender's node to where they end."""

    hops: tuple[Hop, ...]
    disposition: Disposition
    at: str
    """The device where it ends."""
    because: str | None = None
    sources: tuple[Source, ...] = ()


class FlowKey(NamedTuple):
    """Endpoint ids, or `address:10.99.0.1` as a target, and the address family."""

    source: str
    target: str
    source_address: str
    target_address: str

    @property
    def pair(self) -> str:
        """Its name in `NetworkState.not_observed`."""
        return f"{self.source} → {self.target} ({self.target_address})"


@dataclass(frozen=True, slots=True)
class Forwarding:
    """What becomes of packets of one ordered pair. `paths` sorted, without repetition."""

    disposition: Disposition
    paths: tuple[ForwardingPath, ...]
    complete: bool = True
    """Every branch of every ECMP set was walked (predicted: always)."""
    flows: int = 0
    """How many flows were sent (observed)."""
    evidence: str = "model"
    """model | capture | capture+kernel (the kernel's own lookup told what packets alone cannot)."""
    traceroute: Literal["agrees", "silent"] | None = None
    """What a traceroute of one of the flows says of it (observed; silent: nobody answered; None: nobody to ask)."""


class WireKey(NamedTuple):
    """A route as it stands on a session after all messages: net effect, not sequence.

    What one end sends is one fact: of the session end (`device`, `neighbor`) that `sent` it; where one end is a
    speaker, of the speaker's end, in either direction.
    """

    device: str
    direction: Literal["received", "sent"]
    neighbor: str
    """As the device configures it; a speaker's is called by its router."""
    family: Family
    prefix: Prefix
    path_id: int = 0

    @property
    def stream(self) -> str:
        """Its session and direction: a name in `NetworkState.not_observed`."""
        return wire_stream(self.device, self.direction, self.neighbor)


def wire_stream(device: str, direction: Literal["received", "sent"], neighbor: str) -> str:
    """What one end of a session sends, in words."""
    return f"{device} to {neighbor}" if direction == "sent" else f"{device} from {neighbor}"


Told = TypeVar("Told")


def numbered(wire: Mapping[WireKey, Told], attributes: Callable[[Told], Attributes]) -> Grouped[WireKey, Told]:
    """The same routes, with the path ids that a router gave to what it sent in an order of their own, from 1.

    A router hands out ids as paths come to it (RFC 7911 section 3 leaves them to the sender), so they differ from run
    to run; here the paths of one prefix are counted in the order of their attributes. 0, no add-path, stays.
    """
    *_, path_ids = zip(*Grouped.of(wire).tables, strict=True) if wire else ((),)
    if not any(path_ids):
        return Grouped.of(wire)
    groups: dict[WireKey, list[WireKey]] = {}
    found: dict[WireKey, Told] = {}
    for key in wire:
        if key.direction == "received" and key.path_id:
            groups.setdefault(key._replace(path_id=0), []).append(key)
        else:
            found[key] = wire[key]
    for group, keys in groups.items():
        ordered = sorted(keys, key=lambda key: _order(attributes(wire[key])))
        found |= {group._replace(path_id=n): wire[key] for n, key in enumerate(ordered, start=1)}
    return Grouped.of(found)


def _order(attributes: Attributes) -> str:
    path = tuple(sorted(part) if isinstance(part, frozenset) else part for part in attributes.as_path)
    return repr(replace(attributes, as_path=())) + repr(path)


@dataclass(frozen=True, slots=True)
class NetworkState:
    """All that is known of a network at rest."""

    sessions: Mapping[SessionKey, Session] = field(default_factory=dict)
    paths: Mapping[PathKey, BgpPath] = field(default_factory=dict)
    advertised: Mapping[AdvertisedKey, Attributes] = field(default_factory=dict)
    fib: Mapping[FibKey, FibRoute] = field(default_factory=dict)
    forwarding: Mapping[FlowKey, Forwarding] = field(default_factory=dict)
    wire: Mapping[WireKey, Attributes] = field(default_factory=dict)
    lines: Mapping[AdvertisedKey | WireKey, tuple[Source, ...]] = field(default_factory=dict)
    """The configuration lines behind an entry of an Adj-RIB-Out or a route on the wire; predicted only."""
    not_observed: Mapping[Plane, Mapping[str, str]] = field(default_factory=dict)
    """Observed only: plane -> device (or session, or `FlowKey.pair`) -> why it could not be read."""


def sharing_tables(state: NetworkState, earlier: NetworkState) -> NetworkState:
    """The same state, with the objects of an earlier one where they are equal (`bgpsim.network.grouped.sharing`)."""
    return replace(
        state,
        paths=sharing(state.paths, earlier.paths),
        advertised=sharing(state.advertised, earlier.advertised),
        fib=sharing(state.fib, earlier.fib),
        wire=sharing(state.wire, earlier.wire),
    )
