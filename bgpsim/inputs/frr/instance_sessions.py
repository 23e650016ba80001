"""What one `router bgp` says of all its sessions, while its lines are read -> BgpInstance."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bgpsim.inputs.frr.neighbors import Neighbors
from bgpsim.inputs.frr.profile import Profile
from bgpsim.network.description import BgpInstance, ListenRange
from bgpsim.network.types import Prefix
from bgpsim.source import Source

LISTEN_LIMIT = 100
"""bgpd/bgpd.h, BGP_DYNAMIC_NEIGHBORS_LIMIT_DEFAULT."""


@dataclass
class InstanceSessions:
    """A part of BgpLines."""

    ranges: dict[Prefix, tuple[str, Source]] = field(default_factory=dict)
    """Of `bgp listen range`: the peer-group, and the line."""
    limit: int | None = None
    shutdown: Source | None = None
    """The line."""
    minimum_hold_time: int = 0
    connected_check: bool = True

    def into(self, instance: BgpInstance, neighbors: Neighbors, profile: Profile) -> BgpInstance:
        made = replace(
            instance,
            listen_ranges=tuple(self._ranges(neighbors, profile)),
            listen_limit=LISTEN_LIMIT if self.limit is None else self.limit,
            shutdown=self.shutdown is not None,
            minimum_hold_time=self.minimum_hold_time,
        )
        if self.shutdown is not None:
            made = replace(made, sources={**made.sources, "shutdown": self.shutdown})
        if self.connected_check:
            return made
        unchecked = [replace(n, options=replace(n.options, connected_check=False)) for n in made.neighbors]
        return replace(made, neighbors=tuple(unchecked))

    def _ranges(self, neighbors: Neighbors, profile: Profile) -> list[ListenRange]:
        """Groups in bgpd's order, which decides where ranges of two hold an address."""
        found = []
        for group in neighbors.groups:
            like = neighbors.like(group, profile)
            of_group = [(prefix, line) for prefix, (name, line) in self.ranges.items() if name == group]
            if like is not None and not self.connected_check:
                like = replace(like, options=replace(like.options, connected_check=False))
            found += [ListenRange(prefix, like, line) for prefix, line in of_group if like is not None]
        return found
