"""What was said of the decision process, reflection and the confederation of one `router bgp`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from types import MappingProxyType

from bgpsim.network.description import BgpInstance
from bgpsim.network.internal_bgp import Choice, Confederation, Reflection, Together
from bgpsim.network.types import Family


@dataclass
class InsideLines:
    """Written by `statements/choice.py` and `statements/inside_as.py`."""

    options: dict[str, bool] = field(default_factory=dict)
    """Those of `Choice` that are on or off."""
    default_local_preference: int = 100
    together: dict[Family, Together] = field(default_factory=dict)
    cluster_id: IPv4Address | None = None
    between_clients: bool = True
    outbound_policy: bool = False
    identifier: int | None = None
    peers: set[int] = field(default_factory=set)

    def change_together(self, family: Family, change: Callable[[Together], Together]) -> None:
        self.together[family] = change(self.together.get(family, Together()))

    def put_into(self, instance: BgpInstance) -> BgpInstance:
        choice = Choice(
            default_local_preference=self.default_local_preference,
            together=MappingProxyType({f: t for f, t in self.together.items() if t != Together()}),
            **self.options,
        )
        confederation = None if self.identifier is None else Confederation(self.identifier, frozenset(self.peers))
        return replace(
            instance,
            choice=choice,
            reflection=Reflection(self.cluster_id, self.between_clients, self.outbound_policy),
            confederation=confederation,
        )
