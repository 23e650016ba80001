"""AS paths: their text, what counts in them, and the segments of a confederation (RFC 5065)."""

from __future__ import annotations

import re

from bgpsim.network.types import AsPath


def as_path_text(path: AsPath) -> str:
    """`(65001 65002) 65003 {65004,65005}`: as bgpd prints and matches it (bgpd/bgp_aspath.c, aspath_make_str_count)."""
    return " ".join(map(_part_text, path))


def _part_text(part: int | frozenset[int] | tuple[int, ...]) -> str:
    if isinstance(part, frozenset):
        return "{" + ",".join(map(str, sorted(part))) + "}"
    if isinstance(part, tuple):
        return "(" + " ".join(map(str, part)) + ")"
    return str(part)


def read_as_path(text: str) -> AsPath:
    """The inverse of `as_path_text`."""
    parts: list[int | frozenset[int] | tuple[int, ...]] = []
    for part in re.findall(r"\{[^}]*\}|\([^)]*\)|\d+", text):
        if part.startswith("{"):
            parts.append(frozenset(map(int, re.findall(r"\d+", part))))
        elif part.startswith("("):
            parts.append(tuple(map(int, re.findall(r"\d+", part))))
        else:
            parts.append(int(part))
    return tuple(parts)


def length(path: AsPath) -> int:
    """An AS_SET counts as one (RFC 4271 section 9.1.2.2 a), member ASes of a confederation do not (RFC 5065 section
    5.3)."""
    return sum(not isinstance(part, tuple) for part in path)


def member_length(path: AsPath) -> int:
    """Member ASes of a confederation in it."""
    return sum(len(part) for part in path if isinstance(part, tuple))


def holds(path: AsPath, asn: int) -> bool:
    """Anywhere, as loop checks look (bgpd/bgp_aspath.c, aspath_loop_check)."""
    return any(asn == part or (not isinstance(part, int) and asn in part) for part in path)


def without_members(path: AsPath) -> AsPath:
    """As it leaves a confederation (RFC 5065 section 4.1 c)."""
    return tuple(part for part in path if not isinstance(part, tuple))


def with_member(path: AsPath, asn: int) -> AsPath:
    """As it goes to another member AS (RFC 5065 section 4.1 b)."""
    if path and isinstance(path[0], tuple):
        return ((asn, *path[0]), *path[1:])
    return ((asn,), *path)


def same_neighbor(one: AsPath, other: AsPath) -> bool:
    """Whether MEDs of the two are comparable, by who told them (bgpd/bgp_aspath.c, aspath_cmp_left and
    aspath_cmp_left_confed). An AS_SET at the beginning is nobody's AS."""
    if not one and not other:
        return True
    first, second = (next((p for p in path if not isinstance(p, tuple)), None) for path in (one, other))
    if isinstance(first, int) and first == second:
        return True
    mine, theirs = one[:1], other[:1]
    return bool(
        mine and theirs and isinstance(mine[0], tuple) and isinstance(theirs[0], tuple) and mine[0][0] == theirs[0][0]
    )
