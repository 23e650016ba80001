"""Tables as the Internet has them, made from a seed: the same routes for the same seed, on any machine.

Lengths of prefixes and AS paths, origins, MEDs and communities are drawn with about the shares that public route
collectors show; routes of one origin share their attributes. Every prefix is global unicast space (RFC 6890) and
outside of what the lab has.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from itertools import accumulate
from random import Random

from bgpsim.inputs.files.speakers import Announcement
from bgpsim.network.grouped import prefix_of
from bgpsim.network.types import Prefix
from bgpsim.source import Source

_LENGTHS: dict[int, tuple[tuple[int, float], ...]] = {
    4: (
        (24, 60.0), (23, 10.0), (22, 11.0), (21, 5.0), (20, 4.5), (19, 2.8), (18, 1.5), (17, 0.9), (16, 1.4),
        (15, 0.2), (14, 0.2), (13, 0.1), (12, 0.1),
    ),
    6: (
        (48, 46.0), (32, 16.0), (44, 10.0), (40, 9.0), (36, 5.0), (46, 4.0), (47, 3.0), (33, 3.0), (29, 3.0), (28, 1.0),
    ),
}  # fmt: skip
_ROUTES_OF_AN_ORIGIN = ((1, 46.0), (2, 17.0), (3, 9.0), (5, 11.0), (9, 8.0), (17, 5.0), (40, 3.0), (90, 1.0))
_PATH_LENGTHS = ((1, 4.0), (2, 14.0), (3, 32.0), (4, 28.0), (5, 13.0), (6, 6.0), (8, 3.0))
_COMMUNITIES = ((0, 28.0), (1, 14.0), (2, 16.0), (3, 14.0), (5, 14.0), (8, 10.0), (12, 4.0))
_ORIGINS = (("igp", 89.0), ("incomplete", 10.5), ("egp", 0.5))
_SPACE = {4: (0x01000000, 0xDF000000), 6: (0x2 << 124, 0x3 << 124)}
"""Addresses from and below: 1.0.0.0 to 222.255.255.255, 2000::/4."""
_SPECIAL: tuple[Prefix, ...] = (
    *map(
        IPv4Network,
        (
            *("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
            *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        ),
    ),
    *map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16")),
)
"""Within global unicast space and not globally reachable (IANA's special-purpose registries, RFC 6890)."""
_AS_NUMBERS = ((1, 64495), (131072, 401308))
"""Without those of documentation and private use (RFC 5398, RFC 6996)."""


def generate(
    routes: int, version: int, seed: int, ranges: Iterable[Prefix], as_numbers: Iterable[int]
) -> dict[Prefix, Announcement]:
    """Routes by prefix, of IP `version` 4 or 6; those of one origin share one Announcement, which has no speaker yet.

    `ranges`: the lab's own, kept free. `as_numbers`: the lab's own, which no path has. Raises ValueError where the
    space that is left has not so many prefixes.
    """
    drawing = _Drawing(Random(seed), version, _Taken((*ranges, *_SPECIAL), version), frozenset(as_numbers))
    transit = [drawing.as_number() for _ in range(40)]
    found: dict[Prefix, Announcement] = {}
    while len(found) < routes:
        like = drawing.attributes(transit)
        for _ in range(min(drawing.one_of(_ROUTES_OF_AN_ORIGIN), routes - len(found))):
            prefix = drawing.prefix(found)
            found[prefix] = like
    return found


@dataclass(slots=True)
class _Drawing:
    random: Random
    version: int
    taken: _Taken
    own: frozenset[int]
    tables: dict[int, tuple[list[object], list[float]]] = field(default_factory=dict)

    def one_of(self, shares: Sequence[tuple[int, float]]) -> int:
        value = self._drawn(shares)
        assert isinstance(value, int)
        return value

    def _drawn(self, shares: Sequence[tuple[object, float]]) -> object:
        """By `random()` alone: what else Random draws may change with Python's version."""
        if id(shares) not in self.tables:
            self.tables[id(shares)] = ([value for value, _ in shares], list(accumulate(share for _, share in shares)))
        values, sums = self.tables[id(shares)]
        return values[min(bisect_right(sums, self.random.random() * sums[-1]), len(values) - 1)]

    def below(self, top: int) -> int:
        return min(int(self.random.random() * top), top - 1)

    def as_number(self) -> int:
        while True:
            low, high = _AS_NUMBERS[self.random.random() < 0.35]
            number = low + self.below(high - low + 1)
            if number not in self.own:
                return number

    def attributes(self, transit: Sequence[int]) -> Announcement:
        """Of all routes of one origin."""
        hops = self.one_of(_PATH_LENGTHS)
        path = [transit[self.below(len(transit))]] if hops > 1 else []
        path += [self.as_number() for _ in range(hops - len(path))]
        if self.random.random() < 0.12:
            path += [path[-1]] * (1 + self.below(3))
        high = [number for number in (*path, *transit) if number <= 65535][:3]
        tags = {f"{high[self.below(len(high))]}:{1 + self.below(9999)}" for _ in range(self.one_of(_COMMUNITIES))}
        large = {f"{path[0]}:{self.below(100)}:{self.below(9999)}"} if self.random.random() < 0.1 else set()
        origin = self._drawn(_ORIGINS)
        aggregated = self.random.random() < 0.08
        return Announcement(
            "",
            "",
            IPv4Network("0.0.0.0/0"),
            Source("", 0),
            as_path=tuple(path),
            origin="igp" if origin == "igp" else "egp" if origin == "egp" else "incomplete",
            med=self.below(1000) if self.random.random() < 0.2 else None,
            communities=tuple(sorted(tags)),
            large_communities=tuple(sorted(large)),
            aggregator=f"{path[-1]}:{IPv4Address(0x01000000 + self.below(0xDE000000))}" if aggregated else None,
            atomic_aggregate=aggregated and self.random.random() < 0.5,
        )

    def prefix(self, found: dict[Prefix, Announcement]) -> Prefix:
        low, top = _SPACE[self.version]
        bits = 32 if self.version == 4 else 128
        for _ in range(1000):
            length = self.one_of(_LENGTHS[self.version])
            number = low + self.below((top - low) >> (bits - length)) * (1 << (bits - length))
            prefix: Prefix = (IPv4Network if self.version == 4 else IPv6Network)((number, length))
            if prefix not in found and not self.taken.overlaps(prefix):
                return prefix_of(str(prefix))
        raise ValueError("expected fewer routes: the space outside of the lab's own ranges is used up")


class _Taken:
    """Ranges that no drawn prefix touches."""

    def __init__(self, ranges: Iterable[Prefix], version: int) -> None:
        spans = sorted(_span(r) for r in ranges if r.version == version and r.prefixlen)
        self._starts = [start for start, _ in spans]
        self._ends = list(accumulate((end for _, end in spans), max))

    def overlaps(self, prefix: Prefix) -> bool:
        first, last = _span(prefix)
        at = bisect_right(self._starts, last)
        return at > 0 and self._ends[at - 1] >= first


def _span(prefix: Prefix) -> tuple[int, int]:
    """First and last address. Python would keep `broadcast_address` with every prefix that is asked for it."""
    first = int(prefix.network_address)
    return first, first + (1 << (prefix.max_prefixlen - prefix.prefixlen)) - 1
