"""FRR 8.4 statements -> BgpInstance.

Lines are read in order, in the mode that the lines before have entered, as bgpd does. What is not known is listed as
not modelled, with its line; nothing is skipped in silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal

from bgpsim.errors import InputError
from bgpsim.inputs.commands import VtyLine
from bgpsim.inputs.frr import values
from bgpsim.inputs.frr.profile import PROFILES
from bgpsim.inputs.frr.statics import StaticRoutes
from bgpsim.inputs.frr.values import Refused, Unknown
from bgpsim.network.description import (
    NO_AS,
    BgpInstance,
    KernelRoute,
    Neighbor,
    NeighborFamily,
    Origination,
    Redistribution,
)
from bgpsim.network.types import FAMILIES, Family, Prefix, family_of
from bgpsim.source import Source, Unmodelled

_FAMILY: dict[str, Family] = {"ipv4": "ipv4-unicast", "ipv6": "ipv6-unicast"}


_COSMETIC = "it names, logs or describes, and moves no route"
_SHOWN = ("show", "enable", "en", "write", "wr", "terminal", "do")


@dataclass
class _Peer:
    """A neighbor or a peer-group while its lines are read; None: nothing was said here."""

    name: str
    interface: str | None = None
    group: str | None = None
    remote_as: int | Literal["internal", "external"] | None = None
    born_with: dict[Family, bool] = field(default_factory=dict)
    """`bgp default ipv4-unicast` and its like, as they stood when the neighbor was made."""
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
    v6_only: bool = False
    sources: list[Source] = field(default_factory=list)


class FrrReader:
    """One router's configuration. `allow_refused`: list a value that no router accepts, instead of raising it."""

    def __init__(self, device: str, *, allow_refused: bool = False) -> None:
        self.device = device
        self.unmodelled: list[Unmodelled] = []
        self._statics = StaticRoutes()
        self.booted: int | None = None
        """The AS number of the instance that the router's own lines made, before anything was typed on it."""
        self.removed = False
        """That instance was taken away, with what others had put into it."""
        self._running = False
        self._allow_refused = allow_refused
        self._next_profile = PROFILES["traditional"]
        self.profile = self._next_profile
        """What the instance started with, and `timers bgp` has made of it."""
        self._mode: Literal["view", "config", "bgp", "family", "other", "other-family"] = "view"
        self._family: Family = "ipv4-unicast"
        self._asn: int | None = None
        self._source: Source | None = None
        self._router_id: IPv4Address | None = None
        self._peers: dict[str, _Peer] = {}
        self._groups: dict[str, _Peer] = {}
        self._redistribute: dict[tuple[Family, str], Redistribution] = {}
        self._networks: dict[Prefix, Origination] = {}
        self._options: dict[str, bool] = {}
        self._option_sources: dict[str, Source] = {}
        self._default_families: dict[Family, bool] = {"ipv4-unicast": True, "ipv6-unicast": False}

    def starts(self) -> None:
        """What follows is typed on a router that runs."""
        self.booted, self._running = self._asn, True

    def type(self, lines: Sequence[Source]) -> None:
        """Lines typed in `configure terminal`; a refused one changes nothing, and the next is read all the same."""
        begin = [Source(line.file, line.line, "configure terminal") for line in lines[:1]]
        self.read([VtyLine(line.text, line) for line in (*begin, *lines)])

    def read(self, lines: Sequence[VtyLine]) -> None:
        """The lines of one `vtysh` call, which begins in view mode.

        Raises InputError for an AS number, address or prefix that no router accepts.
        """
        self._mode = "view"
        for line in lines:
            text = line.source.text
            if not text or text.startswith(("!", "#")):
                continue
            try:
                self._statement(text.split(), line.source)
            except Refused as why:
                source = line.source
                if not self._allow_refused:
                    message = f"{self.device}: {why} in `{text}`"
                    raise InputError(message, file=source.file, line=source.line) from None
                self._list(source, "none", f"the router refuses it: {why}")
            except Unknown as why:
                self._list(line.source, "possible", str(why))

    def _list(self, source: Source, effect: Literal["none", "possible"], why: str) -> None:
        self.unmodelled.append(Unmodelled(source, self.device, source.text, effect, (self.device,), why))

    def _statement(self, words: list[str], source: Source) -> None:
        if self._mode == "view":
            if words[0].startswith("conf"):
                self._mode = "config"
            elif words[0] not in _SHOWN:
                raise Unknown("not in configuration mode")
            return
        if words[0] == "do":
            return
        if words[0] in ("end", "exit", "quit"):
            self._leave(words[0])
            return
        if words[0] == "exit-address-family":
            if self._mode not in ("family", "other-family"):
                raise Unknown("in no address family")
            self._mode = "bgp"
            return
        if self._mode == "other-family" and words[0] != "address-family" and not _begins_block(words):
            raise Unknown("in an address family that is not modelled")
        if self._mode == "family" and self._in_family(words, source):
            return
        if self._mode in ("bgp", "family", "other-family"):
            if words[0] == "address-family":
                self._enter_family(words)
                return
            if self._in_bgp(words, source):
                self._mode = "bgp"
                return
        self._in_config(words, source)

    def _leave(self, word: str) -> None:
        if word == "end" or self._mode == "config":
            self._mode = "view"
        else:
            self._mode = "bgp" if self._mode in ("family", "other-family") else "config"

    def _enter_family(self, words: list[str]) -> None:
        match words:
            case ["address-family", ("ipv4" | "ipv6") as family] | [
                "address-family",
                ("ipv4" | "ipv6") as family,
                "unicast",
            ]:
                self._family, self._mode = _FAMILY[family], "family"
            case _:
                self._mode = "other-family"
                raise Unknown

    def _in_config(self, words: list[str], source: Source) -> None:
        """What is not known may open a block of its own: its lines are none of BGP's."""
        match words:
            case ["frr", "defaults", profile] if profile in PROFILES:
                self._next_profile = PROFILES[profile]
            case ["router", "bgp", asn]:
                self._router_bgp(values.asn(asn), source)
                return
            case ["router", "bgp"] if self._asn is not None:
                self._mode = "bgp"
                return
            case ["no", "router", "bgp", *asn] if len(asn) < 2:
                self._no_router_bgp(values.asn(asn[0]) if asn else self._asn)
            case [("ip" | "ipv6") as version, "route", prefix, next_hop]:
                self._statics.add(version, prefix, next_hop, None, source)
            case [("ip" | "ipv6") as version, "route", prefix, next_hop, interface] if not interface.isdecimal():
                self._statics.add(version, prefix, next_hop, interface, source)
            case ["no", ("ip" | "ipv6") as version, "route", prefix, next_hop, *interface] if len(interface) < 2:
                self._statics.remove(version, prefix, next_hop, *interface)
            case ["hostname" | "log" | "service" | "password" | "banner" | "domainname", *_]:
                self._list(source, "none", _COSMETIC)
            case ["no", *_]:
                raise Unknown
            case _:
                if _begins_block(words):
                    self._mode = "other"
                raise Unknown
        self._mode = "config"

    def _router_bgp(self, asn: int, source: Source) -> None:
        if self._asn is None:
            self._asn, self._source, self.profile = asn, source, self._next_profile
        elif self._asn != asn:
            self._mode = "other"
            raise Unknown(f"BGP is already running; AS is {self._asn}")
        self._mode = "bgp"

    def _no_router_bgp(self, asn: int | None) -> None:
        if self._asn is None or asn != self._asn:
            raise Unknown("there is no such BGP instance at this line")
        self._asn = self._source = self._router_id = None
        self._peers, self._groups, self._redistribute, self._networks = {}, {}, {}, {}
        self._options, self._option_sources = {}, {}
        self._default_families = {"ipv4-unicast": True, "ipv6-unicast": False}
        self.removed = self.removed or self._running

    def _in_bgp(self, words: list[str], source: Source) -> bool:
        """Statements of `router bgp`; False: not one of them."""
        negated = words[0] == "no"
        rest = words[1:] if negated else words
        match rest:
            case ["bgp", "router-id"] if negated:
                self._router_id = None
            case ["bgp", "router-id", address] if negated:
                if self._router_id != values.router_id(address):
                    raise Unknown("the router has another router ID at this line")
                self._router_id = None
            case ["bgp", "router-id", address]:
                self._router_id = values.router_id(address)
                self._option_sources["router_id"] = source
            case ["bgp", "ebgp-requires-policy"] if self._running:
                raise Unknown("a running bgpd asks it of each route anew, as the route comes or goes")
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
            case ["bgp", "default", ("ipv4-unicast" | "ipv6-unicast") as family]:
                self._default_families[_FAMILY[family[:4]]] = not negated
            case ["bgp", "log-neighbor-changes"] | ["bgp", "default", "show-hostname" | "show-nexthop-hostname"]:
                self._list(source, "none", _COSMETIC)
            case ["timers", "bgp", keepalive, hold] if not negated:
                self.profile = replace(self.profile, keepalive=values.time(keepalive), hold_time=values.hold_time(hold))
            case ["timers", "bgp", *_] if negated:
                default = self._next_profile
                self.profile = replace(self.profile, keepalive=default.keepalive, hold_time=default.hold_time)
            case ["neighbor", name, *statement]:
                self._neighbor(name, statement, negated, source)
            case ["redistribute" | "network", *_]:
                # FRR keeps these, hidden, for configurations from before address families.
                self._originate("ipv4-unicast", rest, negated, source)
            case _:
                return False
        return True

    def _in_family(self, words: list[str], source: Source) -> bool:
        """Statements of `address-family`; False: not one of them."""
        negated = words[0] == "no"
        rest = words[1:] if negated else words
        match rest:
            case ["redistribute" | "network", *_]:
                self._originate(self._family, rest, negated, source)
            case ["neighbor", name, *statement]:
                return self._of_family(self._family, name, statement, negated, source)
            case _:
                return False
        return True

    def _originate(self, family: Family, words: list[str], negated: bool, source: Source) -> None:
        match words:
            case ["redistribute", ("connected" | "static" | "kernel") as protocol]:
                if negated:
                    self._redistribute.pop((family, protocol), None)
                else:
                    self._redistribute[family, protocol] = Redistribution(family, protocol, source)
            case ["network", text]:
                prefix = values.prefix(text)
                if family_of(prefix) != family:
                    raise Refused(f"found {text!r}, expected a prefix of {family}")
                if negated:
                    self._networks.pop(prefix, None)
                else:
                    self._networks[prefix] = Origination(prefix, source=source)
            case _:
                raise Unknown

    def _set(self, option: str, value: bool, source: Source) -> None:
        self._options[option] = value
        self._option_sources[option] = source

    def _peer(self, name: str) -> _Peer:
        """A group or neighbor that is there already."""
        if name in self._groups:
            return self._groups[name]
        if name not in self._peers:
            if values.looks_like_address(name):
                values.address(name)
            raise Unknown(f"there is no neighbor {name} at this line")
        return self._peers[name]

    def _new_peer(self, name: str, interface: str | None = None) -> _Peer:
        """A neighbor, made where it is not there yet."""
        if name not in self._peers:
            self._peers[name] = _Peer(name, interface, born_with=dict(self._default_families))
        return self._peers[name]

    def _group(self, name: str) -> str:
        if name not in self._groups:
            raise Unknown(f"there is no peer-group {name} at this line")
        return name

    def _neighbor(self, written: str, words: list[str], negated: bool, source: Source) -> None:
        name = values.spelled(written)
        match words:
            case ["peer-group"] if not negated:
                self._groups.setdefault(name, _Peer(name)).sources.append(source)
            case [] | ["peer-group"] | ["remote-as", *_] if negated and name in self._groups:
                # The members go with their group (bgpd/bgpd.c, peer_group_delete and peer_group_remote_as_delete).
                members = [peer.name for peer in self._peers.values() if peer.group == name]
                self._peers = {n: p for n, p in self._peers.items() if n not in members}
                if words[:1] == ["remote-as"]:
                    self._groups[name].remote_as = None
                else:
                    del self._groups[name]
            case ["remote-as", *_] if negated and self._peer(name).interface == name:
                # An interface neighbor stays, without an AS number (bgpd/bgpd.c, peer_as_change).
                self._peer(name).remote_as = NO_AS
            case ["interface", *_] if negated and self._peer(name).interface != name:
                self._peer(name).interface = None
            case [] | ["remote-as", *_] | ["peer-group", _] | ["interface", *_] if negated:
                self._peers.pop(self._peer(name).name, None)
            case ["interface", "v6only", *rest] if not values.looks_like_address(name):
                self._neighbor(name, ["interface", *rest], negated, source)
                if name in self._peers:
                    self._peers[name].v6_only = True
            case ["interface"]:
                peer = self._new_peer(name, name)
                peer.v6_only = False
                peer.sources.append(source)
            case ["interface", "peer-group", group]:
                group = self._group(group)
                peer = self._new_peer(name, name)
                peer.group, peer.v6_only = group, False
                peer.sources.append(source)
            case ["interface", "remote-as", remote]:
                number = values.remote_as(remote)
                peer = self._new_peer(name, name)
                peer.remote_as, peer.v6_only = number, False
                peer.sources.append(source)
            case ["interface", interface] if values.looks_like_address(name):
                peer = self._peer(name)
                peer.interface = interface
                peer.sources.append(source)
            case ["remote-as", remote]:
                number = values.remote_as(remote)
                peer = self._existing(name) or self._new_peer(str(values.address(name)))
                peer.remote_as = number
                peer.sources.append(source)
            case ["peer-group", group]:
                group = self._group(group)
                peer = self._existing(name) or self._new_peer(str(values.address(name)))
                peer.group = group
                peer.sources.append(source)
            case _:
                if not self._of_family("ipv4-unicast", name, words, negated, source):
                    self._of_session(name, words, negated, source)

    def _existing(self, name: str) -> _Peer | None:
        if name in self._groups or name in self._peers:
            return self._peer(name)
        if not values.looks_like_address(name):
            raise Unknown(f"there is no peer-group or interface neighbor {name} at this line")
        return None

    def _of_family(self, family: Family, written: str, words: list[str], negated: bool, source: Source) -> bool:
        """A neighbor's statement of one address family; False: not one of them."""
        name = values.spelled(written)
        match words:
            case ["activate"]:
                self._peer(name).families[family] = not negated
            case ["default-originate"]:
                originate = self._peer(name).default_originate
                if negated:
                    originate.pop(family, None)
                else:
                    originate[family] = source
                # It is behind the default route alone, and not behind the session and all that it carries.
                return True
            case ["next-hop-self"]:
                group_or_peer = self._peer(name)
                (group_or_peer.next_hop_self.discard if negated else group_or_peer.next_hop_self.add)(family)
            case _:
                return False
        self._peer(name).sources.append(source)
        return True

    def _of_session(self, name: str, words: list[str], negated: bool, source: Source) -> None:
        match words:
            case ["timers", "connect", *_] if negated:
                self._peer(name).connect_retry = None
            case ["timers", "connect", seconds]:
                self._peer(name).connect_retry = values.time(seconds)
            case ["timers", *_] if negated:
                self._peer(name).timers = None
            case ["timers", keepalive, hold]:
                self._peer(name).timers = (values.time(keepalive), values.hold_time(hold))
            case ["ebgp-multihop", *_] if negated:
                self._peer(name).ebgp_ttl = 1
            case ["ebgp-multihop"]:
                self._peer(name).ebgp_ttl = 255
            case ["ebgp-multihop", ttl]:
                self._peer(name).ebgp_ttl = values.number(ttl, 1, 255)
            case ["update-source", *_] if negated:
                self._peer(name).update_source = None
            case ["update-source", where]:
                self._peer(name).update_source = values.address(where) if values.looks_like_address(where) else where
            case ["passive"]:
                self._peer(name).passive = not negated
            case ["shutdown", *_]:
                self._peer(name).shutdown = not negated
            case ["capability", "extended-nexthop"]:
                self._peer(name).extended_nexthop = not negated
            case ["description", *_]:
                self._peer(name)
                self._list(source, "none", _COSMETIC)
                return
            case _:
                raise Unknown
        self._peer(name).sources.append(source)

    @property
    def static_routes(self) -> tuple[KernelRoute, ...]:
        return self._statics.routes

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
            deterministic_med=option("deterministic_med", self.profile.deterministic_med),
            ebgp_requires_policy=option("ebgp_requires_policy", self.profile.ebgp_requires_policy),
            source=self._source,
            sources=dict(self._option_sources),
        )

    def _built(self, peer: _Peer) -> Neighbor | None:
        """A neighbor with its peer-group's lines under its own; None for an address without an AS: FRR refuses it."""
        group = self._groups[peer.group] if peer.group is not None else _Peer("")
        remote = peer.remote_as if peer.remote_as is not None else group.remote_as
        if remote is None and peer.interface == peer.name:
            remote = NO_AS
        if remote is None:
            return None
        active = peer.born_with | group.families | peer.families
        originate = group.default_originate | peer.default_originate
        next_hop_self = group.next_hop_self | peer.next_hop_self
        families = {
            family: NeighborFamily(
                default_originate=family in originate,
                next_hop_self=family in next_hop_self,
                source=originate.get(family),
            )
            for family in FAMILIES
            if active.get(family)
        }
        unnumbered = peer.interface == peer.name
        keepalive, hold = peer.timers or group.timers or (self.profile.keepalive, self.profile.hold_time)
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
            connect_retry=peer.connect_retry or group.connect_retry or self.profile.connect_retry,
            ebgp_ttl=peer.ebgp_ttl or group.ebgp_ttl or 1,
            update_source=peer.update_source or group.update_source,
            passive=bool(peer.passive or group.passive),
            extended_nexthop=extended,
            shutdown=bool(peer.shutdown or group.shutdown),
            v6_only=peer.v6_only,
            source=sources[0],
            sources=sources,
        )


def _begins_block(words: list[str]) -> bool:
    """Statements that open a configuration mode of their own (vtysh/vtysh.c)."""
    return words[0] in _BLOCKS


_BLOCKS = frozenset(
    (
        *("router", "interface", "route-map", "vrf", "line", "key", "bfd", "segment-routing", "pseudowire", "rpki"),
        *("nexthop-group", "pbr-map", "link-params", "l2vpn", "mpls"),
    )
)
