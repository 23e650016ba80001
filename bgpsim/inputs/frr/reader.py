"""FRR 8.4 statements -> BgpInstance.

Lines are read in order, in the mode that the lines before have entered, as bgpd does. What is not known is listed as
not modelled, with its line; nothing is skipped in silence.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Literal

from bgpsim.network.description import (
    BgpInstance,
    KernelRoute,
    Neighbor,
    NeighborFamily,
    Origination,
    Redistribution,
    RouteNextHop,
)
from bgpsim.network.types import Family
from bgpsim.source import Source, Unmodelled

_FAMILY: dict[str, Family] = {"ipv4": "ipv4-unicast", "ipv6": "ipv6-unicast"}


@dataclass(frozen=True, slots=True)
class Profile:
    """`frr defaults`: timers in seconds (bgpd/bgp_vty.c, FRR_CFG_DEFAULT_ULONG)."""

    keepalive: int
    hold_time: int
    connect_retry: int


_PROFILES = {"traditional": Profile(60, 180, 120), "datacenter": Profile(3, 9, 10)}


class _Unknown(Exception):
    """A statement that is not modelled."""


@dataclass
class _Peer:
    """A neighbor or a peer-group while its lines are read; None: nothing was said here."""

    name: str
    interface: str | None = None
    group: str | None = None
    remote_as: int | Literal["internal", "external"] | None = None
    families: dict[Family, bool] = field(default_factory=dict)
    default_originate: dict[Family, Source] = field(default_factory=dict)
    next_hop_self: set[Family] = field(default_factory=set)
    timers: tuple[int, int] | None = None
    connect_retry: int | None = None
    ebgp_ttl: int | None = None
    update_source: IPv4Address | IPv6Address | str | None = None
    passive: bool | None = None
    shutdown: bool | None = None
    extended_nexthop: bool | None = None
    sources: list[Source] = field(default_factory=list)


class FrrReader:
    """One router's configuration. `router_id` None where no line sets it."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.unmodelled: list[Unmodelled] = []
        self.static_routes: list[KernelRoute] = []
        self._profile = _PROFILES["traditional"]
        self._mode: Literal["view", "config", "bgp", "family"] = "view"
        self._family: Family = "ipv4-unicast"
        self._asn: int | None = None
        self._source: Source | None = None
        self._router_id: IPv4Address | None = None
        self._peers: dict[str, _Peer] = {}
        self._groups: dict[str, _Peer] = {}
        self._redistribute: dict[tuple[Family, str], Redistribution] = {}
        self._networks: dict[object, Origination] = {}
        self._options: dict[str, bool] = {}
        self._option_sources: dict[str, Source] = {}
        self._default_families: dict[Family, bool] = {"ipv4-unicast": True, "ipv6-unicast": False}

    def read(self, lines: tuple[str, ...], source: Source) -> None:
        """The lines of one `vtysh` call; each begins in view mode."""
        self._mode = "view"
        for line in lines:
            text = line.strip()
            if not text or text.startswith(("!", "#")):
                continue
            where = Source(source.file, source.line, text)
            try:
                self._statement(text.split(), where)
            except (_Unknown, ValueError, IndexError, KeyError):
                self.unmodelled.append(Unmodelled(where, self.device, text, "possible", (self.device,)))

    def _statement(self, words: list[str], source: Source) -> None:
        if self._mode == "view":
            if words[0].startswith("conf"):
                self._mode = "config"
            elif words[0] not in ("show", "enable", "en", "write", "wr", "terminal"):
                raise _Unknown
            return
        if words[0] in ("end", "exit", "exit-address-family"):
            inner = {"family": "bgp", "bgp": "config", "config": "view"}
            self._mode = "view" if words[0] == "end" else inner[self._mode]  # type: ignore[assignment]
            return
        if self._mode == "family" and self._in_family(words, source):
            return
        if self._mode in ("bgp", "family") and self._in_bgp(words, source):
            self._mode = "family" if words[0] == "address-family" else "bgp"
            return
        self._mode = "config"
        self._in_config(words, source)

    def _in_config(self, words: list[str], source: Source) -> None:
        match words:
            case ["frr", "defaults", profile]:
                self._profile = _PROFILES[profile]
            case ["router", "bgp", asn]:
                number = int(asn)
                if self._asn not in (None, number):
                    raise _Unknown
                self._asn, self._source, self._mode = number, self._source or source, "bgp"
            case ["ip" | "ipv6", "route", prefix, "blackhole" | "Null0" | "null0"]:
                self.static_routes.append(KernelRoute(ip_network(prefix), "blackhole", (), "static", 20, source=source))
            case ["ip" | "ipv6", "route", prefix, next_hop]:
                hop = RouteNextHop(ip_address(next_hop))
                self.static_routes.append(
                    KernelRoute(ip_network(prefix), "unicast", (hop,), "static", 20, source=source)
                )
            case ["hostname" | "log" | "service" | "line" | "password" | "enable" | "banner", *_]:
                why = "it names or logs, and moves no route"
                self.unmodelled.append(Unmodelled(source, self.device, source.text, "none", (self.device,), why))
            case _:
                raise _Unknown

    def _in_bgp(self, words: list[str], source: Source) -> bool:
        """Statements of `router bgp`; False: not one of them."""
        negated = words[0] == "no"
        rest = words[1:] if negated else words
        match rest:
            case ["bgp", "router-id", address]:
                self._router_id = None if negated else IPv4Address(address)
            case ["bgp", "ebgp-requires-policy"]:
                self._set("ebgp_requires_policy", not negated, source)
            case ["bgp", "bestpath", "as-path", "multipath-relax"]:
                self._set("multipath_relax", not negated, source)
            case ["bgp", "bestpath", "compare-routerid"]:
                self._set("compare_router_id", not negated, source)
            case ["bgp", "always-compare-med"]:
                self._set("always_compare_med", not negated, source)
            case ["bgp", "deterministic-med"]:
                self._set("deterministic_med", not negated, source)
            case ["bgp", "default", family] if family in ("ipv4-unicast", "ipv6-unicast"):
                self._default_families[_FAMILY[family[:4]]] = not negated
            case ["bgp", "log-neighbor-changes"]:
                why = "it logs, and moves no route"
                self.unmodelled.append(Unmodelled(source, self.device, source.text, "none", (self.device,), why))
            case ["timers", "bgp", keepalive, hold] if not negated:
                self._profile = Profile(int(keepalive), int(hold), self._profile.connect_retry)
            case ["address-family", family, *unicast] if not negated and unicast in ([], ["unicast"]):
                self._family = _FAMILY[family]
            case ["neighbor", name, *statement]:
                self._neighbor(name, statement, negated, source)
            case ["redistribute" | "network", *_]:
                self._family = "ipv4-unicast"
                self._originate(rest, negated, source)
            case _:
                return False
        return True

    def _in_family(self, words: list[str], source: Source) -> bool:
        negated = words[0] == "no"
        rest = words[1:] if negated else words
        match rest:
            case ["redistribute" | "network", *_]:
                self._originate(rest, negated, source)
            case ["neighbor", name, statement, *more] if self._of_family(name, statement, more, negated, source):
                pass
            case _:
                return False
        return True

    def _originate(self, words: list[str], negated: bool, source: Source) -> None:
        match words:
            case ["redistribute", ("connected" | "static" | "kernel") as protocol]:
                key = (self._family, protocol)
                if negated:
                    self._redistribute.pop(key, None)
                else:
                    self._redistribute[key] = Redistribution(self._family, protocol, source)
            case ["network", text]:
                prefix = ip_network(text)
                if negated:
                    self._networks.pop(prefix, None)
                else:
                    self._networks[prefix] = Origination(prefix, source=source)
            case _:
                raise _Unknown

    def _set(self, option: str, value: bool, source: Source) -> None:
        self._options[option] = value
        self._option_sources[option] = source

    def _peer(self, name: str) -> _Peer:
        return self._groups[name] if name in self._groups else self._peers[name]

    def _neighbor(self, name: str, words: list[str], negated: bool, source: Source) -> None:
        match words:
            case ["peer-group"] if not negated:
                self._groups.setdefault(name, _Peer(name)).sources.append(source)
            case [] | ["remote-as", *_] | ["peer-group", *_] | ["interface", *_] if negated:
                self._peers.pop(name, None)
            case ["interface", "peer-group", group]:
                peer = self._peers.setdefault(name, _Peer(name, interface=name))
                peer.group = self._groups[group].name
                peer.sources.append(source)
            case ["interface", "remote-as", remote]:
                peer = self._peers.setdefault(name, _Peer(name, interface=name))
                peer.remote_as = _remote_as(remote)
                peer.sources.append(source)
            case ["interface", interface]:
                self._peers[name].interface = interface
                self._peers[name].sources.append(source)
            case ["remote-as", remote]:
                if name in self._groups:
                    peer = self._groups[name]
                else:
                    ip_address(name)
                    peer = self._peers.setdefault(name, _Peer(name))
                peer.remote_as = _remote_as(remote)
                peer.sources.append(source)
            case ["peer-group", group]:
                ip_address(name)
                peer = self._peers.setdefault(name, _Peer(name))
                peer.group = self._groups[group].name
                peer.sources.append(source)
            case [statement, *more]:
                self._family, family = "ipv4-unicast", self._family
                known = self._of_family(name, statement, more, negated, source)
                self._family = family
                if not known:
                    self._of_session(name, words, negated, source)
            case _:
                raise _Unknown

    def _of_family(self, name: str, statement: str, more: list[str], negated: bool, source: Source) -> bool:
        """A neighbor's statement of one address family; False: not one of them."""
        peer = self._peer(name)
        match [statement, *more]:
            case ["activate"]:
                peer.families[self._family] = not negated
            case ["default-originate"]:
                if negated:
                    peer.default_originate.pop(self._family, None)
                else:
                    peer.default_originate[self._family] = source
            case ["next-hop-self"]:
                (peer.next_hop_self.discard if negated else peer.next_hop_self.add)(self._family)
            case _:
                return False
        peer.sources.append(source)
        return True

    def _of_session(self, name: str, words: list[str], negated: bool, source: Source) -> None:
        peer = self._peer(name)
        match words:
            case ["timers", "connect", seconds]:
                peer.connect_retry = None if negated else int(seconds)
            case ["timers", keepalive, hold]:
                peer.timers = None if negated else (int(keepalive), int(hold))
            case ["ebgp-multihop", *ttl]:
                peer.ebgp_ttl = 1 if negated else int(ttl[0]) if ttl else 255
            case ["update-source", where]:
                peer.update_source = None if negated else _address_or_name(where)
            case ["passive"]:
                peer.passive = not negated
            case ["shutdown", *_]:
                peer.shutdown = not negated
            case ["capability", "extended-nexthop"]:
                peer.extended_nexthop = not negated
            case ["description", *_]:
                why = "it describes, and moves no route"
                self.unmodelled.append(Unmodelled(source, self.device, source.text, "none", (self.device,), why))
                return
            case _:
                raise _Unknown
        peer.sources.append(source)

    def instance(self) -> BgpInstance | None:
        """The instance as it stands; None where there is no `router bgp`."""
        if self._asn is None:
            return None
        neighbors = tuple(n for peer in self._peers.values() if (n := self._built(peer)) is not None)
        option = self._options.get
        return BgpInstance(
            engine="frr",
            asn=self._asn,
            router_id=self._router_id,
            neighbors=neighbors,
            redistribute=tuple(self._redistribute.values()),
            originated=tuple(self._networks.values()),
            multipath_relax=option("multipath_relax", False),
            compare_router_id=option("compare_router_id", False),
            always_compare_med=option("always_compare_med", False),
            deterministic_med=option("deterministic_med", False),
            ebgp_requires_policy=option("ebgp_requires_policy", True),
            source=self._source,
            sources=dict(self._option_sources),
        )

    def _built(self, peer: _Peer) -> Neighbor | None:
        """A neighbor with its peer-group's lines under its own; None without an AS, for FRR then starts nothing."""
        group = self._groups[peer.group] if peer.group is not None else _Peer("")
        remote = peer.remote_as if peer.remote_as is not None else group.remote_as
        if remote is None:
            return None
        active = {f: on for f, on in self._default_families.items() if on} | group.families | peer.families
        originate = group.default_originate | peer.default_originate
        next_hop_self = group.next_hop_self | peer.next_hop_self
        families = {
            family: NeighborFamily(
                default_originate=family in originate,
                next_hop_self=family in next_hop_self,
                source=originate.get(family),
            )
            for family, on in active.items()
            if on
        }
        unnumbered = peer.interface == peer.name
        keepalive, hold = peer.timers or group.timers or (self._profile.keepalive, self._profile.hold_time)
        extended = next((x for x in (peer.extended_nexthop, group.extended_nexthop) if x is not None), unnumbered)
        sources = tuple(peer.sources + group.sources)
        return Neighbor(
            name=peer.name,
            address=None if unnumbered else ip_address(peer.name),
            interface=peer.interface,
            remote_as=remote,
            families=families,
            peer_group=peer.group,
            hold_time=hold,
            keepalive=keepalive,
            connect_retry=peer.connect_retry or group.connect_retry or self._profile.connect_retry,
            ebgp_ttl=peer.ebgp_ttl or group.ebgp_ttl or 1,
            update_source=peer.update_source or group.update_source,
            passive=bool(peer.passive or group.passive),
            extended_nexthop=extended,
            shutdown=bool(peer.shutdown or group.shutdown),
            source=sources[0],
            sources=sources,
        )


def _remote_as(text: str) -> int | Literal["internal", "external"]:
    if text == "internal":
        return "internal"
    if text == "external":
        return "external"
    return int(text)


def _address_or_name(text: str) -> IPv4Address | IPv6Address | str:
    try:
        return ip_address(text)
    except ValueError:
        return text
