"""A router's FRR configuration while its lines are read: what the registry's statements write into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import TypeVar

from bgpsim.inputs.frr.inside_as import InsideLines
from bgpsim.inputs.frr.instance_sessions import InstanceSessions
from bgpsim.inputs.frr.neighbors import Neighbors
from bgpsim.inputs.frr.profile import PROFILES, Profile
from bgpsim.inputs.frr.route_options import InstanceRoutes
from bgpsim.inputs.frr.statics import StaticRoutes
from bgpsim.inputs.frr.values import NotTaken, Unknown
from bgpsim.network.description import BgpInstance, Origination, Redistribution
from bgpsim.network.types import Family, Prefix
from bgpsim.source import Source

Part = TypeVar("Part")


@dataclass
class BgpLines:
    """What was said of one `router bgp`."""

    asn: int
    source: Source
    router_id: IPv4Address | None = None
    neighbors: Neighbors = field(default_factory=Neighbors)
    redistribute: dict[tuple[Family, str], Redistribution] = field(default_factory=dict)
    networks: dict[Prefix, Origination] = field(default_factory=dict)
    options: dict[str, bool] = field(default_factory=dict)
    option_sources: dict[str, Source] = field(default_factory=dict)
    parts: dict[type, object] = field(default_factory=dict)

    def part(self, kind: Callable[[], Part]) -> Part:
        """What a file of statements keeps of the instance for itself, by its class; made when first asked for."""
        return self.parts.setdefault(kind, kind())  # type: ignore[call-overload, no-any-return]

    def set(self, option: str, value: bool, source: Source) -> None:
        self.options[option] = value
        self.option_sources[option] = source

    def built(self, profile: Profile) -> BgpInstance:
        """`profile`: the defaults of what is not said."""
        option = self.options.get
        instance = BgpInstance(
            engine="frr",
            asn=self.asn,
            router_id=self.router_id,
            neighbors=self.neighbors.built(profile),
            redistribute=tuple(self.redistribute.values()),
            originated=tuple(self.networks.values()),
            multipath_relax=option("multipath_relax", False),
            compare_router_id=option("compare_router_id", False),
            always_compare_med=option("always_compare_med", False),
            deterministic_med=option("deterministic_med", profile.deterministic_med),
            ebgp_requires_policy=option("ebgp_requires_policy", profile.ebgp_requires_policy),
            source=self.source,
            sources=dict(self.option_sources),
        )
        instance = self.part(InstanceRoutes).built_into(self.part(InsideLines).put_into(instance))
        return self.part(InstanceSessions).into(instance, self.neighbors, profile)


class Configuration:
    """One router's."""

    def __init__(self) -> None:
        self.statics = StaticRoutes()
        self.next_profile = PROFILES["traditional"]
        """`frr defaults` as it stands: what a `router bgp` from here on starts with."""
        self.profile = self.next_profile
        """What the last instance started with, and `timers bgp` has made of it."""
        self.running = False
        """Lines are typed on a router that runs."""
        self.removed = False
        """The instance of the boot was taken away, with what others had put into it."""
        self.instance: BgpLines | None = None
        self._parts: dict[type, object] = {}

    def part(self, kind: Callable[[], Part]) -> Part:
        """What a file of statements keeps of the router for itself, by its class; made when first asked for."""
        return self._parts.setdefault(kind, kind())  # type: ignore[call-overload, no-any-return]

    @property
    def bgp(self) -> BgpLines:
        """The instance that the line is about."""
        if self.instance is None:
            raise NotTaken("there is no BGP instance at this line")
        return self.instance

    def start_bgp(self, asn: int, source: Source) -> None:
        if self.instance is None:
            self.profile = self.next_profile
            self.instance = BgpLines(asn, source)
        elif self.instance.asn != asn:
            raise NotTaken(f"BGP is already running; AS is {self.instance.asn}")

    def stop_bgp(self, asn: int | None) -> None:
        if self.instance is None or asn not in (None, self.instance.asn):
            raise NotTaken("there is no such BGP instance at this line")
        self.instance = None
        self.removed = self.removed or self.running

    def only_at_boot(self, why: str) -> None:
        """Raises Unknown on a running router."""
        if self.running:
            raise Unknown(why)
