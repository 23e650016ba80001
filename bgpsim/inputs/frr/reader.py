"""FRR 8.4 statements -> BgpInstance.

Lines are read in order, in the mode that the lines before have entered, as bgpd does. What is not known is listed as
not modelled, with its line; nothing is skipped in silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Literal

from bgpsim.errors import InputError
from bgpsim.inputs.commands import VtyLine
from bgpsim.inputs.frr import values
from bgpsim.inputs.frr.neighbors import Neighbors
from bgpsim.inputs.frr.policies import PolicyReader, redistribution
from bgpsim.inputs.frr.profile import PROFILES
from bgpsim.inputs.frr.statics import StaticRoutes
from bgpsim.inputs.frr.values import Refused, Unknown
from bgpsim.network.description import (
    BgpInstance,
    KernelRoute,
    Origination,
    Redistribution,
)
from bgpsim.network.policies import Policies, Use
from bgpsim.network.types import Family, Prefix, family_of
from bgpsim.source import Source, Unmodelled

_FAMILY: dict[str, Family] = {"ipv4": "ipv4-unicast", "ipv6": "ipv6-unicast"}


_COSMETIC = "it names, logs or describes, and moves no route"
_SHOWN = ("show", "enable", "en", "write", "wr", "terminal", "do")


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
        self._mode: Literal["view", "config", "bgp", "family", "map", "other", "other-family"] = "view"
        self._family: Family = "ipv4-unicast"
        self._asn: int | None = None
        self._source: Source | None = None
        self._router_id: IPv4Address | None = None
        self._neighbors = Neighbors()
        self._policies = PolicyReader()
        self._redistribute: dict[tuple[Family, str], Redistribution] = {}
        self._networks: dict[Prefix, Origination] = {}
        self._options: dict[str, bool] = {}
        self._option_sources: dict[str, Source] = {}

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
        negated = words[0] == "no"
        rest = words[1:] if negated else words
        if self._mode == "map" and rest and self._policies.maps.statement(rest, negated, source):
            return
        if rest[:1] == ["route-map"]:
            self._mode = "map" if self._policies.maps.enter(rest[1:], negated, source) else "config"
            return
        if self._policies.lists.statement(rest, negated, source):
            self._mode = "config"
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
        self._neighbors, self._redistribute, self._networks = Neighbors(), {}, {}
        self._options, self._option_sources = {}, {}
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
                self._neighbors.default_families[_FAMILY[family[:4]]] = not negated
            case ["bgp", "log-neighbor-changes"] | ["bgp", "default", "show-hostname" | "show-nexthop-hostname"]:
                self._list(source, "none", _COSMETIC)
            case ["timers", "bgp", keepalive, hold] if not negated:
                self.profile = replace(self.profile, keepalive=values.time(keepalive), hold_time=values.hold_time(hold))
            case ["timers", "bgp", *_] if negated:
                default = self._next_profile
                self.profile = replace(self.profile, keepalive=default.keepalive, hold_time=default.hold_time)
            case ["neighbor", name, "description", *_]:
                self._neighbors.peer(values.spelled(name))
                self._list(source, "none", _COSMETIC)
            case ["neighbor", name, *statement]:
                self._neighbors.statement(name, statement, negated, source)
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
                return self._neighbors.of_family(self._family, name, statement, negated, source)
            case _:
                return False
        return True

    def _originate(self, family: Family, words: list[str], negated: bool, source: Source) -> None:
        match words:
            case ["redistribute", ("connected" | "static" | "kernel") as protocol, *options]:
                if negated:
                    self._redistribute.pop((family, protocol), None)
                else:
                    self._redistribute[family, protocol] = redistribution(family, protocol, options, source)
            case ["network", text, *options] if not options or (options[0] == "route-map" and len(options) == 2):
                prefix = values.prefix(text)
                if family_of(prefix) != family:
                    raise Refused(f"found {text!r}, expected a prefix of {family}")
                if negated:
                    self._networks.pop(prefix, None)
                else:
                    use = Use(options[1], source) if options else None
                    self._networks[prefix] = Origination(prefix, source=source, route_map=use)
            case _:
                raise Unknown

    def _set(self, option: str, value: bool, source: Source) -> None:
        self._options[option] = value
        self._option_sources[option] = source

    @property
    def static_routes(self) -> tuple[KernelRoute, ...]:
        return self._statics.routes

    @property
    def policies(self) -> Policies:
        return self._policies.built()

    def instance(self) -> BgpInstance | None:
        """The instance as it stands; None where there is no `router bgp`."""
        if self._asn is None:
            return None
        option = self._options.get
        return BgpInstance(
            engine="frr",
            asn=self._asn,
            router_id=self._router_id,
            neighbors=self._neighbors.built(self.profile),
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


def _begins_block(words: list[str]) -> bool:
    """Statements that open a configuration mode of their own (vtysh/vtysh.c)."""
    return words[0] in _BLOCKS


_BLOCKS = frozenset(
    (
        *("router", "interface", "route-map", "vrf", "line", "key", "bfd", "segment-routing", "pseudowire", "rpki"),
        *("nexthop-group", "pbr-map", "link-params", "l2vpn", "mpls"),
    )
)
