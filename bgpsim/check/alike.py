"""Many facts about routes, gathered: a table of 100,000 routes that is missing is one thing, and not 100,000.

Routes are alike when the same is said of each, at the same places. Of many such routes a report lists the first.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Fact = TypeVar("Fact")

MOST_LISTED = 1000
"""Facts that a report lists of a step; of more, those of some routes of each kind."""
MANY = 10
"""So many routes alike, and more, are told as one."""
EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Alike(Generic[Fact]):
    """`routes`: their prefixes, the first ones first. `facts`: those of the first route."""

    routes: tuple[str, ...]
    facts: tuple[Fact, ...]

    @property
    def count(self) -> int:
        """Facts of all the routes."""
        return len(self.routes) * len(self.facts)


@dataclass(frozen=True, slots=True)
class Gathered(Generic[Fact]):
    """`listed` in the order that they came in; `left_out`: how many are not. `groups`: the largest first."""

    listed: tuple[Fact, ...]
    groups: tuple[Alike[Fact], ...]
    left_out: int


def gathered(
    facts: Sequence[Fact], route: Callable[[Fact], str | None], what: Callable[[Fact], Hashable]
) -> Gathered[Fact]:
    """`route`: the prefix that a fact is about, None for what is about no route; `what`: all else that it says, but
    for values. All facts of one route are listed, or none."""
    of_routes: dict[str, list[Fact]] = {}
    others = 0
    for fact in facts:
        prefix = route(fact)
        if prefix is None:
            others += 1
        else:
            of_routes.setdefault(prefix, []).append(fact)
    kinds: dict[tuple[Hashable, ...], list[str]] = {}
    for prefix, found in of_routes.items():
        kinds.setdefault(tuple(sorted(map(what, found), key=repr)), []).append(prefix)
    ordered = sorted(kinds.values(), key=lambda prefixes: (-len(prefixes), prefixes[0]))
    groups = tuple(Alike(tuple(of), tuple(of_routes[of[0]])) for of in ordered if len(of) >= MANY)
    if len(facts) <= MOST_LISTED:
        return Gathered(tuple(facts), groups, 0)
    shown: set[str] = set()
    left = MOST_LISTED - others
    for number in range(EXAMPLES):
        for prefixes in ordered:
            if number < len(prefixes) and len(of_routes[prefixes[number]]) <= left:
                shown.add(prefixes[number])
                left -= len(of_routes[prefixes[number]])
    listed = tuple(fact for fact in facts if (prefix := route(fact)) is None or prefix in shown)
    return Gathered(listed, groups, len(facts) - len(listed))
