"""States as JSON and back, without loss: `encode` and `decode` follow the dataclasses' own fields and types.

A new field of a state comes along by itself. Values that stand in many places (keys, attributes, paths, lines) are
written once, in a table by type, and named by their number there:

    {"fields": {"Attributes": ["next_hop", …]}, "values": {"Attributes": [["tor0:net0", …], …]}, "root": …}

A mapping is a flat list `[key, value, key, value …]`, sorted, so that equal states give equal bytes. What an older
writer had no field for takes the field's default.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from types import NoneType, UnionType
from typing import Any, Literal, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

from bgpsim.errors import InputError
from bgpsim.network.types import AsPath

Json: TypeAlias = Any
T = TypeVar("T")

_SCALARS = (bool, int, float, str)
_CONFED = "confed"
_ADDRESSES: Mapping[Any, Callable[[str], Any]] = {
    IPv4Address: ip_address,
    IPv6Address: ip_address,
    IPv4Network: ip_network,
    IPv6Network: ip_network,
}


def encode(value: Any, hint: Any) -> dict[str, Json]:
    """`value` of the declared type `hint` (a dataclass, or any nest of tuples and mappings of them)."""
    writer = _Writer()
    root = writer.write(value, hint)
    names = sorted(writer.values)
    return {
        "fields": {name: list(_fields(writer.types[name])) for name in names},
        "values": {name: list(writer.values[name]) for name in names},
        "root": root,
    }


def decode(document: Mapping[str, Json], hint: type[T]) -> T:
    """The value that was encoded with the same `hint`. Raises InputError where the document is not of this shape."""
    try:
        read: T = _Reader(document).read(document["root"], hint)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"not a state as this bgpsim writes it: {type(error).__name__} {error}") from None
    return read


@cache
def _fields(record: type) -> dict[str, Any]:
    """Name -> declared type, in order; of a dataclass or a NamedTuple."""
    hints = get_type_hints(record)
    if dataclasses.is_dataclass(record):
        return {field.name: hints[field.name] for field in dataclasses.fields(record)}
    names: tuple[str, ...] = record._fields  # type: ignore[attr-defined]
    return {name: hints[name] for name in names}


def _is_record(hint: Any) -> bool:
    return isinstance(hint, type) and (dataclasses.is_dataclass(hint) or hasattr(hint, "_fields"))


def _is_mapping(hint: Any) -> bool:
    origin = get_origin(hint)
    return isinstance(origin, type) and issubclass(origin, Mapping)


@cache
def _holds_mapping(hint: Any) -> bool:
    """At any depth: then its values cannot be hashed."""
    if _is_mapping(hint):
        return True
    parts = _fields(hint).values() if _is_record(hint) else get_args(hint)
    return any(_holds_mapping(part) for part in parts if part is not Ellipsis)


@cache
def _members(hint: Any) -> tuple[Any, ...]:
    """Of a union, None left out; () where it is none."""
    if get_origin(hint) not in (Union, UnionType):
        return ()
    return tuple(member for member in get_args(hint) if member is not NoneType)


def _has_type(value: Any, hint: Any) -> bool:
    origin = get_origin(hint) or hint
    if origin is Literal:
        return value in get_args(hint)
    return isinstance(value, origin)


class _Writer:
    def __init__(self) -> None:
        self.types: dict[str, type] = {}
        self.values: dict[str, dict[Json, None]] = {}
        """Type name -> rows, in the order of their numbers."""
        self._numbers: dict[str, dict[Json, int]] = {}
        self._known: dict[type, dict[Any, int]] = {}
        """Value -> its number, where the value can be hashed."""
        self._orders: dict[Any, str] = {}

    def write(self, value: Any, hint: Any) -> Json:
        return self._writer(hint)(value)

    @cache  # noqa: B019 - one short-lived writer
    def _writer(self, hint: Any) -> Callable[[Any], Json]:
        """A function for all values of this type."""
        if members := _members(hint):
            return self._of_union(members)
        if hint in _SCALARS or get_origin(hint) is Literal:
            return _itself
        if hint in _ADDRESSES:
            return str
        if hint == AsPath:
            return _written_path
        if _is_record(hint):
            return self._of_record(hint)
        if _is_mapping(hint):
            return self._of_mapping(*get_args(hint))
        if get_origin(hint) is frozenset:
            (member,) = get_args(hint)
            one = self._writer(member)
            return lambda value: tuple(one(part) for part in sorted(value, key=repr))
        if get_origin(hint) is tuple:
            return self._of_tuple(get_args(hint))
        raise TypeError(f"no JSON form for {hint}")

    def _of_union(self, members: tuple[Any, ...]) -> Callable[[Any], Json]:
        if len(members) == 1:
            one = self._writer(members[0])
            return lambda value: None if value is None else one(value)
        records = all(map(_is_record, members))
        writers = [(member, self._writer(member)) for member in members]

        def write(value: Any) -> Json:
            if value is None:
                return None
            member, one = next((m, w) for m, w in writers if _has_type(value, m))
            return (member.__name__, one(value)) if records else one(value)

        return write

    def _of_tuple(self, parts: tuple[Any, ...]) -> Callable[[Any], Json]:
        if len(parts) == 2 and parts[1] is Ellipsis:
            one = self._writer(parts[0])
            return lambda value: tuple(map(one, value))
        writers = [self._writer(part) for part in parts]
        return lambda value: tuple(w(part) for w, part in zip(writers, value, strict=True))

    def _of_mapping(self, key: Any, member: Any) -> Callable[[Any], Json]:
        keys, members = self._writer(key), self._writer(member)

        def write(value: Any) -> Json:
            flat: list[Json] = []
            for name in sorted(value, key=self._order):
                flat += (keys(name), members(value[name]))
            return tuple(flat)

        return write

    def _order(self, key: Any) -> str:
        found = self._orders.get(key)
        if found is None:
            found = self._orders[key] = " ".join(map(str, key)) if isinstance(key, tuple) else repr(key)
        return found

    def _of_record(self, record: type) -> Callable[[Any], Json]:
        name = record.__name__
        if self.types.setdefault(name, record) is not record:
            raise TypeError(f"two types are called {name}")
        writers = [(field, self._writer(hint)) for field, hint in _fields(record).items()]
        rows = self.values.setdefault(name, {})
        numbers = self._numbers.setdefault(name, {})
        known = self._known.setdefault(record, {})
        hashable = not _holds_mapping(record)

        def write(value: Any) -> int:
            if hashable and (number := known.get(value)) is not None:
                return number
            row = tuple(one(getattr(value, field)) for field, one in writers)
            number = numbers.get(row)
            if number is None:
                number = numbers[row] = len(rows)
                rows[row] = None
            if hashable:
                known[value] = number
            return number

        return write


def _itself(value: Any) -> Json:
    return value


def _written_path(path: AsPath) -> Json:
    """A set as a list of its members, a confederation's sequence as one that begins with a word."""
    return tuple(
        part if isinstance(part, int) else (_CONFED, *part) if isinstance(part, tuple) else tuple(sorted(part))
        for part in path
    )


def _read_path(value: Json) -> AsPath:
    return tuple(_read_part(part) if isinstance(part, list) else part for part in value)


def _read_part(part: list[Any]) -> frozenset[int] | tuple[int, ...]:
    return tuple(part[1:]) if part[:1] == [_CONFED] else frozenset(part)


class _Reader:
    def __init__(self, document: Mapping[str, Json]) -> None:
        self._rows: Mapping[str, list[Json]] = document["values"]
        self._written: Mapping[str, list[str]] = document["fields"]
        self._done: dict[str, list[Any]] = {name: [None] * len(rows) for name, rows in self._rows.items()}

    def read(self, value: Json, hint: Any) -> Any:
        return self._reader(hint)(value)

    @cache  # noqa: B019 - one short-lived reader
    def _reader(self, hint: Any) -> Callable[[Json], Any]:
        if members := _members(hint):
            return self._of_union(members)
        if hint in _SCALARS or get_origin(hint) is Literal:
            return _itself
        if hint in _ADDRESSES:
            return cache(_ADDRESSES[hint])
        if hint == AsPath:
            return _read_path
        if _is_record(hint):
            return self._of_record(hint)
        if _is_mapping(hint):
            keys, members_ = map(self._reader, get_args(hint))
            return lambda value: dict(zip(map(keys, value[::2]), map(members_, value[1::2]), strict=True))
        if get_origin(hint) is frozenset:
            (member,) = map(self._reader, get_args(hint))
            return lambda value: frozenset(map(member, value))
        if get_origin(hint) is tuple:
            return self._of_tuple(get_args(hint))
        raise TypeError(f"no JSON form for {hint}")

    def _of_union(self, members: tuple[Any, ...]) -> Callable[[Json], Any]:
        if len(members) == 1:
            one = self._reader(members[0])
            return lambda value: None if value is None else one(value)
        if all(map(_is_record, members)):
            readers = {member.__name__: self._reader(member) for member in members}
            return lambda value: None if value is None else readers[value[0]](value[1])
        if all(member in _ADDRESSES for member in members):
            one = cache(_ADDRESSES[members[0]])
            return lambda value: None if value is None else one(value)
        nested = [m for m in members if get_origin(m) in (frozenset, tuple)]
        if len(nested) != 1:
            raise TypeError(f"no JSON form for a choice of {members}")
        inside = self._reader(nested[0])
        return lambda value: inside(value) if isinstance(value, list) else value

    def _of_tuple(self, parts: tuple[Any, ...]) -> Callable[[Json], Any]:
        if len(parts) == 2 and parts[1] is Ellipsis:
            one = self._reader(parts[0])
            return lambda value: tuple(map(one, value))
        readers = [self._reader(part) for part in parts]
        return lambda value: tuple(r(part) for r, part in zip(readers, value, strict=True))

    def _of_record(self, record: type) -> Callable[[Json], Any]:
        name = record.__name__
        fields = _fields(record)
        written = self._written.get(name, [])
        if unknown := [field for field in written if field not in fields]:
            raise ValueError(f"{name} has {', '.join(unknown)}: written by a newer bgpsim")
        readers = [(field, self._reader(fields[field])) for field in written]
        rows, done = self._rows.get(name, []), self._done.get(name, [])

        def read(number: Json) -> Any:
            if done[number] is None:
                row = rows[number]
                done[number] = record(**{f: one(v) for (f, one), v in zip(readers, row, strict=True)})
            return done[number]

        return read
