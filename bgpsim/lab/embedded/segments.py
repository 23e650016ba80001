"""Which interfaces are on one network: the ends of a veth pair, or all ports that lead to one bridge. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import combinations
from typing import TypeAlias

End: TypeAlias = tuple[str, str]
"""(device, interface)"""


def segments(links: Iterable[tuple[str, str, str, str]], bridges: Collection[str]) -> list[tuple[End, ...]]:
    """The ends on each network, in the order of the links; a bridge's own ports are none of them."""
    found: list[tuple[End, ...]] = []
    root = {bridge: bridge for bridge in bridges}

    def top(bridge: str) -> str:
        while root[bridge] != bridge:
            bridge = root[bridge]
        return bridge

    links = list(links)
    for a, _, b, _ in links:
        if a in root and b in root:
            root[top(a)] = top(b)
    ports: dict[str, list[End]] = {}
    for a, a_interface, b, b_interface in links:
        if a not in root and b not in root:
            found.append(((a, a_interface), (b, b_interface)))
        for name, far, far_interface in ((a, b, b_interface), (b, a, a_interface)):
            if name in root and far not in root:
                ports.setdefault(top(name), []).append((far, far_interface))
    return found + [tuple(ends) for ends in ports.values()]


def pairs(links: Iterable[tuple[str, str, str, str]], bridges: Collection[str]) -> Iterator[tuple[str, str, str, str]]:
    """Every two ends on one network."""
    for ends in segments(links, bridges):
        for one, other in combinations(ends, 2):
            yield (*one, *other)
