"""What was said of a neighbor's routes, and of its group's -> RouteOptions; aggregates and the like -> BgpInstance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from bgpsim.network.description import BgpInstance
from bgpsim.network.route_options import NO_OPTIONS, Aggregate, Installation, PrivateAs, RouteOptions
from bgpsim.network.types import Family, Prefix

PRIVATE_AS: tuple[PrivateAs, ...] = ("replace all", "remove all", "replace", "remove")
"""bgpd has a flag for each form and looks at them in this order (bgpd/bgp_route.c, bgp_peer_remove_private_as)."""


def route_options(group: Mapping[str, object], own: Mapping[str, object]) -> RouteOptions:
    """A neighbor's own lines before its group's. Keys are fields of RouteOptions, and the forms of `private_as`."""
    said = {**group, **own}
    if not said:
        return NO_OPTIONS
    forms = {form: bool(said.pop(form, False)) for form in PRIVATE_AS}
    private_as = next((form for form in PRIVATE_AS if forms[form]), None)
    return RouteOptions(private_as=private_as, **said)  # type: ignore[arg-type]


@dataclass
class InstanceRoutes:
    """What was said of one instance's own routes."""

    aggregates: dict[Prefix, Aggregate] = field(default_factory=dict)
    backdoors: set[Prefix] = field(default_factory=set)
    import_check: bool = True
    graceful_shutdown: bool = False
    suppress_fib_pending: bool = False
    installation: dict[Family, Installation] = field(default_factory=dict)

    def built_into(self, instance: BgpInstance) -> BgpInstance:
        per_as = (
            settings.options.sent_paths == "best per AS"
            for neighbor in instance.neighbors
            for settings in neighbor.families.values()
        )
        return replace(
            instance,
            aggregates=tuple(self.aggregates.values()),
            backdoors=frozenset(self.backdoors),
            network_import_check=self.import_check,
            graceful_shutdown=self.graceful_shutdown,
            suppress_fib_pending=self.suppress_fib_pending,
            installation=MappingProxyType(dict(self.installation)),
            # bgpd/bgp_addpath.c, bgp_addpath_set_peer_type: it is switched on where it is needed.
            deterministic_med=instance.deterministic_med or any(per_as),
        )
