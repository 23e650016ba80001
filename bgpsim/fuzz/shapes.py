"""Which routers there are, which are cabled to which, and which AS each is in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations
from random import Random
from typing import TypeAlias

Edges: TypeAlias = list[tuple[int, int]]
"""Pairs of routers, numbered from 1, the lower one first; a pair may stand twice: parallel links."""

_SIZES = range(2, 11)
_WEIGHTS = (5, 7, 7, 5, 4, 2, 2, 1, 1)
_MOST_IN_A_MESH = 5
_MOST_IN_A_CLOS = 8


def _line(random: Random, size: int) -> Edges:
    return [(n, n + 1) for n in range(1, size)]


def _ring(random: Random, size: int) -> Edges:
    return [*_line(random, size), (1, size)] if size > 2 else _line(random, size)


def _tree(random: Random, size: int) -> Edges:
    return [(random.randrange(1, n), n) for n in range(2, size + 1)]


def _star(random: Random, size: int) -> Edges:
    return [(1, n) for n in range(2, size + 1)]


def _clos(random: Random, size: int) -> Edges:
    size = min(size, _MOST_IN_A_CLOS)
    return [(spine, leaf) for spine in (1, 2) for leaf in range(3, size + 1)] or [(1, 2)]


def _mesh(random: Random, size: int) -> Edges:
    return list(combinations(range(1, min(size, _MOST_IN_A_MESH) + 1), 2))


def _multihomed(random: Random, size: int) -> Edges:
    """A line of providers, and a customer with a link to several of them."""
    homes = random.sample(range(1, size), k=min(size - 1, random.randint(2, 3)))
    return [*_line(random, size - 1), *((home, size) for home in sorted(homes))]


_SHAPES: Mapping[str, Callable[[Random, int], Edges]] = {
    "line": _line,
    "ring": _ring,
    "tree": _tree,
    "star": _star,
    "clos": _clos,
    "mesh": _mesh,
    "multihomed": _multihomed,
}


def draw_shape(random: Random) -> tuple[str, Edges]:
    """Its name and its edges; now and then with a link more, which may be parallel to one that is there."""
    size = random.choices(_SIZES, _WEIGHTS)[0]
    name = random.choice(list(_SHAPES))
    edges = _SHAPES[name](random, size)
    routers = sorted({router for edge in edges for router in edge})
    if random.random() < 0.2:
        edges.append(random.choice(edges))
        name += " with parallel links"
    elif len(routers) > 2 and random.random() < 0.2:
        a, b = sorted(random.sample(routers, 2))
        edges.append((a, b))
        name += " with a link more"
    return name, edges


_FIRST, _FIRST_OF_FOUR_OCTETS = 65001, 4200000001


def draw_as_numbers(random: Random, shape: str, routers: list[int]) -> tuple[str, dict[int, int]]:
    """Each router's: one each, one for all, or a few that some share."""
    plans = ["one each"] * 5 + ["some share"] * 3 + ["one for all"] * (4 if shape.startswith("mesh") else 1)
    plan = random.choice(plans)
    wide = random.random() < 0.15

    def number(n: int) -> int:
        return (_FIRST_OF_FOUR_OCTETS if wide and n % 2 else _FIRST) + n

    if plan == "one for all":
        return plan, {router: number(0) for router in routers}
    if plan == "some share":
        few = max(2, len(routers) // 2)
        return plan, {router: number(random.randrange(few)) for router in routers}
    return plan, {router: number(router) for router in routers}
