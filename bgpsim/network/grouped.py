"""`Grouped`: a mapping by keys that name a prefix, kept in two levels, for tables of 100,000 routes.

A key (`PathKey`, `FibKey` …) is a place, such as a router and its neighbor, and a prefix. The outer level has the place
(the key with None for its prefix), the inner one the prefix. So an entry costs a slot of a dictionary and no key of its
own, two tables that are alike are compared without looking at any value, and a table that did not change can be shared
from one state to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from ipaddress import ip_network
from typing import Any, Generic, TypeAlias, TypeVar

from bgpsim.network.types import Prefix

Key = TypeVar("Key", bound=tuple[Any, ...])
Value = TypeVar("Value")
Place: TypeAlias = tuple[Any, ...]
"""A key whose `prefix` is None."""

MOST_PREFIXES = 1 << 18


@lru_cache(maxsize=MOST_PREFIXES)
def prefix_of(text: str) -> Prefix:
    """`ip_network`, one object for one text: a table is read again and again, and a prefix takes 400 bytes."""
    return ip_network(text)


def place_of(key: Key) -> tuple[Place, Prefix]:
    """A key in its two parts."""
    at = _index(type(key))
    return (*key[:at], None, *key[at + 1 :]), key[at]


def key_at(place: Any, prefix: Prefix) -> Any:
    """The key of a place (which has a key's type) and a prefix."""
    at = _index(type(place))
    return type(place)._make((*place[:at], prefix, *place[at + 1 :]))


def _index(kind: Any) -> int:
    at: int = kind._fields.index("prefix")
    return at


class Grouped(Mapping[Key, Value], Generic[Key, Value]):
    """Read-only once it is made; `tables` is the outer level."""

    __slots__ = ("tables",)

    def __init__(self, tables: Mapping[Place, Mapping[Prefix, Value]]) -> None:
        """`tables`: by place, each place of the key's own type with None for the prefix."""
        self.tables = {place: table for place, table in tables.items() if table}

    @classmethod
    def of(cls, entries: Mapping[Key, Value]) -> Grouped[Key, Value]:
        """The same entries, grouped; itself where they are already."""
        return entries if isinstance(entries, Grouped) else cls.from_items(entries.items())

    @classmethod
    def from_items(cls, items: Iterable[tuple[Key, Value]]) -> Grouped[Key, Value]:
        growing: Growing[Key, Value] = Growing()
        for key, value in items:
            growing[key] = value
        return growing.grouped()

    def __getitem__(self, key: Key) -> Value:
        try:
            place, prefix = place_of(key)
            return self.tables[place][prefix]
        except (AttributeError, KeyError):
            raise KeyError(key) from None

    def __iter__(self) -> Iterator[Key]:
        for place, table in self.tables.items():
            for prefix in table:
                yield key_at(place, prefix)

    def __len__(self) -> int:
        return sum(map(len, self.tables.values()))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Grouped):
            return self.tables == other.tables
        return super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Grouped({dict(self)!r})"

    def where(self, holds: Callable[[Value], bool]) -> Grouped[Key, Value]:
        """The entries whose value is so; a value that stands at many prefixes is asked about once."""
        known: dict[int, bool] = {}

        def asked(value: Value) -> bool:
            answer = known.get(id(value))
            if answer is None:
                answer = known[id(value)] = holds(value)
            return answer

        return Grouped(
            {
                place: table
                if all(map(asked, table.values()))
                else {prefix: value for prefix, value in table.items() if asked(value)}
                for place, table in self.tables.items()
            }
        )


class Growing(Generic[Key, Value]):
    """A `Grouped` in the making."""

    def __init__(self) -> None:
        self._tables: dict[Place, dict[Prefix, Value]] = {}

    def __setitem__(self, key: Key, value: Value) -> None:
        place, prefix = place_of(key)
        table = self._tables.get(place)
        if table is None:
            table = self._tables[type(key)._make(place)] = {}  # type: ignore[attr-defined]
        table[prefix] = value

    def discard(self, key: Key) -> None:
        place, prefix = place_of(key)
        self._tables.get(place, {}).pop(prefix, None)

    def grouped(self) -> Grouped[Key, Value]:
        return Grouped(self._tables)


def sharing(new: Mapping[Key, Value], earlier: Mapping[Key, Value]) -> Grouped[Key, Value]:
    """`new`, with the objects of `earlier` in it where they are equal: whole tables, and the values of those of which
    most is as it was."""
    known = Grouped.of(earlier).tables
    return Grouped({place: _shared(table, known.get(place, {})) for place, table in Grouped.of(new).tables.items()})


def _shared(table: Mapping[Prefix, Value], earlier: Mapping[Prefix, Value]) -> Mapping[Prefix, Value]:
    """A table of few such values stays: a copy would take more than they do."""
    if table is earlier or table == earlier:
        return earlier
    shorter = table if len(table) < len(earlier) else earlier
    mine: dict[int, Value] = {}
    kept: dict[Prefix, Value] = {}
    for prefix in shorter:
        value, before = table.get(prefix), earlier.get(prefix)
        if value is None or before is None or before is value:
            continue
        if id(value) not in mine:
            mine[id(value)] = before if before == value else value
        if mine[id(value)] is before:
            kept[prefix] = before
    return {**table, **kept} if 2 * len(kept) > len(table) else table
