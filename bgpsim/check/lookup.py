"""Longest prefix match in the tables of a state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from bgpsim.check.compare import is_in_table
from bgpsim.network.state import BgpPath, FibKey, FibRoute, NetworkState, PathKey
from bgpsim.network.types import Address, Prefix

Wanted: TypeAlias = Address | Prefix


def covers(prefix: Prefix, wanted: Wanted) -> bool:
    if prefix.version != wanted.version:
        return False
    if hasattr(wanted, "prefixlen"):
        return wanted.subnet_of(prefix)  # type: ignore[arg-type, union-attr]
    return wanted in prefix


def longest(prefixes: Iterable[Prefix], wanted: Wanted) -> Prefix | None:
    return max((p for p in prefixes if covers(p, wanted)), key=lambda p: p.prefixlen, default=None)


@dataclass(frozen=True, slots=True)
class DeviceTables:
    """What one device has."""

    paths: dict[PathKey, BgpPath]
    """With those that it refused."""
    fib: dict[FibKey, FibRoute]

    @property
    def prefixes(self) -> set[Prefix]:
        """In its BGP table or in its kernel."""
        return {key.prefix for key, path in self.paths.items() if is_in_table(path)} | {key.prefix for key in self.fib}

    def route(self, wanted: Wanted) -> tuple[FibKey, FibRoute] | None:
        """The kernel's: of equal prefixes the lowest metric."""
        prefix = longest({key.prefix for key in self.fib}, wanted)
        found = [key for key in self.fib if key.prefix == prefix]
        return min(((key, self.fib[key]) for key in found), key=lambda item: item[0].metric, default=None)

    def of(self, prefix: Prefix) -> dict[PathKey, BgpPath]:
        return {key: path for key, path in self.paths.items() if key.prefix == prefix}


def tables_of(state: NetworkState, device: str) -> DeviceTables:
    return DeviceTables(
        {key: path for key, path in state.paths.items() if key.device == device},
        {key: route for key, route in state.fib.items() if key.device == device},
    )


def best_of(paths: dict[PathKey, BgpPath]) -> tuple[PathKey, BgpPath] | None:
    return next(((key, path) for key, path in sorted(paths.items()) if path.best), None)
