"""What stands on a session after all its UPDATEs, kept as they come: what is announced again or withdrawn is forgotten.

A table of 100,000 routes is as many UPDATEs as it has sets of attributes, and more; an account of all of them would
take hundreds of megabytes. Here a route takes a text and a slot; attributes are kept once for each UPDATE.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class _Told(NamedTuple):
    """What one UPDATE says of the routes in it."""

    attributes: str
    """JSON; as objects they would take five times as much."""
    next_hops: tuple[str, ...]
    """Each under which ExaBGP lists the route: a next hop of 32 octets is two (RFC 2545 section 3)."""
    message: int


_Route = tuple[str, str]
"""A prefix and a path id (RFC 7911), which is empty where there is none."""


@dataclass(slots=True)
class Standing:
    """One direction of one session."""

    messages: int = 0
    """UPDATEs so far."""
    _routes: dict[str, dict[str | _Route, _Told]] = field(default_factory=dict)
    _attributes: dict[str, str] = field(default_factory=dict)

    def take(self, update: Mapping[str, Any]) -> None:
        """`update`: the member of that name in ExaBGP's JSON; an empty one is an End-of-RIB."""
        self.messages += 1
        for family, routes in update.get("withdraw", {}).items():
            standing = self._routes.setdefault(family, {})
            for route in routes:
                standing.pop(_key(route), None)
        announced = update.get("announce", {})
        if not announced:
            return
        text = json.dumps(update.get("attribute", {}), sort_keys=True)
        attributes = self._attributes.setdefault(text, text)
        for family, by_next_hop in announced.items():
            standing = self._routes.setdefault(family, {})
            hops: dict[str | _Route, tuple[str, ...]] = {}
            for next_hop, routes in by_next_hop.items():
                for route in routes:
                    key = _key(route)
                    known = hops.get(key, ())
                    if next_hop not in known:
                        hops[key] = (*known, next_hop)
            told: dict[tuple[str, ...], _Told] = {}
            for key, of in hops.items():
                if of not in told:
                    told[of] = _Told(attributes, of, self.messages)
                standing[key] = told[of]

    def __len__(self) -> int:
        return sum(map(len, self._routes.values()))

    def told_after(self, message: int) -> int:
        """How many of the routes that stand were told in a later UPDATE than that."""
        return sum(told.message > message for of in self._routes.values() for told in of.values())

    def updates(self) -> Iterator[Mapping[str, Any]]:
        """UPDATEs of ExaBGP's shape with the same effect: one for each family, set of attributes and next hops. What
        comes in while they are read is not among them."""
        return _updates([(family, self._alike(family)) for family in self._routes])

    def _alike(self, family: str) -> list[tuple[_Told, list[str | _Route]]]:
        found: dict[tuple[int, tuple[str, ...]], tuple[_Told, list[str | _Route]]] = {}
        for key, told in self._routes[family].items():
            # The text is one object for equal attributes, and lives as long as the session.
            found.setdefault((id(told.attributes), told.next_hops), (told, []))[1].append(key)
        return list(found.values())


def _updates(families: list[tuple[str, list[tuple[_Told, list[str | _Route]]]]]) -> Iterator[Mapping[str, Any]]:
    for family, alike in families:
        for told, keys in alike:
            routes = [key if isinstance(key, str) else {"nlri": key[0], "path-information": key[1]} for key in keys]
            yield {
                "attribute": json.loads(told.attributes),
                "announce": {family: dict.fromkeys(told.next_hops, routes)},
            }


def _key(route: Any) -> str | _Route:
    """A route as ExaBGP lists it: {nlri, path-information}, or the prefix alone."""
    if isinstance(route, str):
        return route
    path_id = route.get("path-information")
    prefix: str = route["nlri"]
    return prefix if path_id is None else (prefix, path_id)
