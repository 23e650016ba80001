"""Next hops that one router's paths share (bgpd/bgp_nht.c): what one path asks of a next hop holds for all.

An external peer's next hop must be on a connected network (TTL 1), an internal peer's may resolve through any route.
But bgpd keeps one entry for an address, whoever's paths have it, and the stricter wish stands while the entry does
(bgp_find_or_add_nexthop: "we treat 'connected-required' as an override"; measured on 8.4.4): until no path has the
address any more, also when the one with that wish is long gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from bgpsim.network.types import Prefix


class User(NamedTuple):
    """A path of an external peer."""

    prefix: Prefix
    neighbor: str
    path_id: int


@dataclass(slots=True)
class ConnectedOnly:
    """The next hops of one router that must be connected, with the paths that want it so.

    `kept`: those that a path of before wanted so, and that some path has had ever since.
    """

    kept: frozenset[str] = frozenset()
    _users: dict[str, set[User]] = field(default_factory=dict)
    _hops: dict[User, str] = field(default_factory=dict)

    def __contains__(self, next_hop: str) -> bool:
        return next_hop in self._users or next_hop in self.kept

    def after(self, next_hops: Iterable[str]) -> frozenset[str]:
        """Those that are wanted so from now on, where paths have these next hops."""
        return frozenset(next_hops) & (self._users.keys() | self.kept)

    def use(self, user: User, next_hop: str | None) -> frozenset[str]:
        """The path has this next hop now (None: none that is tracked, or there is no such path any more).

        Returns the next hops that paths of internal peers must look up anew.
        """
        before = self._hops.pop(user, None)
        changed = set()
        if before is not None and before != next_hop:
            self._users[before].discard(user)
            if not self._users[before]:
                del self._users[before]
                changed.add(before)
        if next_hop is not None:
            self._hops[user] = next_hop
            if next_hop not in self._users:
                changed.add(next_hop)
            self._users.setdefault(next_hop, set()).add(user)
        return frozenset(changed)
