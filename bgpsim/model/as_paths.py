"""AS paths taken apart and put together: private and own AS numbers, and what an aggregate makes of several paths."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bgpsim.network.route_options import RouteOptions
from bgpsim.network.types import AsPath

Part = int | frozenset[int] | tuple[int, ...]


def is_private(number: int) -> bool:
    """RFC 6996 and 65535 (bgpd/bgp_aspath.h, BGP_AS_IS_PRIVATE)."""
    return 64512 <= number <= 65535 or 4200000000 <= number <= 4294967294


def _numbers(path: AsPath) -> list[int]:
    return [number for part in path for number in ((part,) if isinstance(part, int) else sorted(part))]


def count(path: AsPath, asn: int) -> int:
    """How often it stands there, in AS_SETs and confederations' segments too (bgpd/bgp_aspath.c, aspath_loop_check)."""
    return _numbers(path).count(asn)


def _mapped(path: AsPath, change: Callable[[int], int]) -> AsPath:
    return tuple(change(part) if isinstance(part, int) else type(part)(map(change, part)) for part in path)


def _without(path: AsPath, gone: Callable[[int], bool]) -> AsPath:
    left: list[Part] = []
    for part in path:
        if isinstance(part, int):
            left += [] if gone(part) else [part]
        elif kept := type(part)(number for number in part if not gone(number)):
            left.append(kept)
    return tuple(left)


def to_external(options: RouteOptions, path: AsPath, own: int, peer: int) -> AsPath:
    """What goes to an external peer, before its route-map and before the own AS (bgpd/bgp_route.c,
    bgp_peer_remove_private_as, bgp_peer_as_override). The peer's own number is left where private ones go."""

    def private(number: int) -> bool:
        return is_private(number) and number != peer

    form = options.private_as
    if form is not None and (form.endswith("all") or (path and all(map(is_private, _numbers(path))))):
        if form.startswith("replace"):
            path = _mapped(path, lambda number: own if private(number) else number)
        else:
            path = _without(path, private)
    if options.as_override:
        path = _mapped(path, lambda number: own if number == peer else number)
    return path


def aggregated(paths: Iterable[AsPath]) -> AsPath:
    """What paths have in common at the beginning, then one AS_SET of the rest (RFC 4271 section 9.2.2.2;
    bgpd/bgp_aspath.c, aspath_aggregate)."""
    different = sorted(set(paths), key=lambda path: (len(path), str(path)))
    if not different:
        return ()
    first = different[0]
    common = 0
    while common < len(first) and not isinstance(first[common], frozenset):
        if any(path[common] != first[common] for path in different):
            break
        common += 1
    if all(path == first for path in different):
        return first
    rest = frozenset(number for path in different for number in _numbers(path[common:]))
    return (*first[:common], rest) if rest else first[:common]
