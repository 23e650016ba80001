"""Prefixes of the same origin and treatment are solved once, as one class, and the answer is spread over them.

A table of 100,000 routes has some thousand sets of attributes. Two of its prefixes have the same fate everywhere when
they are originated alike by the same instances, have the same past, and when nothing looks at the prefix itself. What
does look at it is left out of the classes and solved by itself:

- prefixes that hold an address which somebody has, sends to or names as a next hop: sessions, next hops and packets may
  use the route (longest match, next-hop tracking);
- prefixes that a device has a route for without BGP, or that are originated one by one.

A statement that treats routes by their prefix (a prefix list) must split the classes too: `_treatment` is its place.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import TypeAlias, TypeVar

from bgpsim.model.policy_lists import access_list_permits, prefix_list_permits
from bgpsim.network.addresses import Addresses
from bgpsim.network.description import BgpInstance, Network, OriginatedTable
from bgpsim.network.grouped import Grouped, Place
from bgpsim.network.policies import NO_POLICIES
from bgpsim.network.state import FlowKey, NetworkState
from bgpsim.network.types import Address, Prefix

Key = TypeVar("Key", bound=tuple[object, ...])
Value = TypeVar("Value")
Members: TypeAlias = dict[Prefix, None]
"""In order; a dictionary, for another one is made of it without computing any hash again."""
Sizes: TypeAlias = Mapping[Prefix, int]
"""How many prefixes one stands for, itself among them, where there are several."""


@dataclass(frozen=True, slots=True)
class Classes:
    """`network` has one route for each class, and those that are in none."""

    network: Network
    members: Mapping[Prefix, Members]
    """The prefix that stands for a class -> all that it has, itself among them."""
    universe: frozenset[Prefix]
    """All that any table of `network` can hold."""

    def sizes(self) -> Sizes:
        return {prefix: len(of) for prefix, of in self.members.items()}

    def narrowed(self, state: NetworkState | None) -> NetworkState | None:
        """The state before, as far as `network` has to do with it."""
        if state is None:
            return None
        return replace(state, paths=self._narrowed(state.paths), fib=self._narrowed(state.fib))

    def _narrowed(self, entries: Mapping[Key, Value]) -> Grouped[Key, Value]:
        tables = Grouped.of(entries).tables
        return Grouped({place: {p: of[p] for p in self.universe if p in of} for place, of in tables.items()})

    def spread(self, state: NetworkState, before: NetworkState | None) -> NetworkState:
        """The solved state with every prefix of every class. What is as before is the very object of `before`."""
        before = before or NetworkState()
        return replace(
            state,
            paths=self._spread(state.paths, before.paths),
            advertised=self._spread(state.advertised, before.advertised),
            fib=self._spread(state.fib, before.fib),
            wire=self._spread(state.wire, before.wire),
            lines=self._spread(state.lines, before.lines),
        )

    def _spread(self, entries: Mapping[Key, Value], before: Mapping[Key, Value]) -> Grouped[Key, Value]:
        earlier = Grouped.of(before).tables
        return Grouped(
            {place: self._whole(table, earlier.get(place, {})) for place, table in Grouped.of(entries).tables.items()}
        )

    def _whole(self, table: Mapping[Prefix, Value], earlier: Mapping[Prefix, Value]) -> Mapping[Prefix, Value]:
        whole: dict[Prefix, Value] = {}
        for prefix, value in table.items():
            was = earlier.get(prefix)
            if was is not None and was == value:
                value = was
            of = self.members.get(prefix)
            if of is None:
                whole[prefix] = value
            else:
                whole.update(dict.fromkeys(of, value))
        return earlier if whole == earlier else whole


def classes(network: Network, before: NetworkState | None, flows: Iterable[FlowKey]) -> Classes | None:
    """None where no instance originates a table."""
    tables = list(_tables(network))
    if not tables:
        return None
    fixed, looked_at = _fixed(network), Addresses({*_addresses(network, tables), *_of_flows(flows)})
    marks: dict[Prefix, tuple[Hashable, ...]] = {}
    for number, (_, table) in enumerate(tables):
        for prefix in table.prefixes:
            known = marks.get(prefix, (prefix.version,))
            marks[prefix] = (*known, number, *_treatment(network, prefix))
    _mark_history(marks, before)
    members: dict[tuple[Hashable, ...], Members] = {}
    for prefix in sorted(marks, key=_order):
        mark = (prefix,) if prefix in fixed or looked_at.any_in(prefix) else marks[prefix]
        members.setdefault(mark, {})[prefix] = None
    of_class = {next(iter(of)): of for of in members.values()}
    return Classes(
        _reduced(network, frozenset(of_class)), of_class, frozenset({*of_class, *fixed})
    )  # fmt: skip


def _tables(network: Network) -> Iterator[tuple[BgpInstance, OriginatedTable]]:
    for device in network.devices.values():
        if device.bgp is not None:
            for table in device.bgp.tables:
                yield device.bgp, table


def _treatment(network: Network, prefix: Prefix) -> tuple[Hashable, ...]:
    """What the network's lists make of the prefix itself."""
    return tuple(
        answer
        for device in network.devices.values()
        if device.policies is not NO_POLICIES
        for answer in (
            *(prefix_list_permits(rules, prefix) for rules in device.policies.prefix_lists.values()),
            *(access_list_permits(rules, prefix) for rules in device.policies.access_lists.values()),
        )
    )


def _mark_history(marks: dict[Prefix, tuple[Hashable, ...]], before: NetworkState | None) -> None:
    """Paths and kernel routes before decide between equal ones, and what is kept."""
    if before is None:
        return
    entries: tuple[Mapping[Place, Mapping[Prefix, object]], ...] = (
        Grouped.of(before.paths).tables,
        Grouped.of(before.fib).tables,
    )
    for plane in entries:
        for number, table in enumerate(plane.values()):
            for prefix in table if len(table) < len(marks) else marks:
                value = table.get(prefix)
                if value is not None and prefix in marks:
                    # Values of one class are one object since they were spread.
                    marks[prefix] = (*marks[prefix], number, id(value))


def _reduced(network: Network, kept: frozenset[Prefix]) -> Network:
    devices = {}
    for name, device in network.devices.items():
        if device.bgp is not None and device.bgp.tables:
            routes = [
                replace(table.like, prefix=prefix)
                for table in device.bgp.tables
                for prefix in table.prefixes
                if prefix in kept
            ]
            bgp = replace(device.bgp, originated=(*device.bgp.originated, *routes), tables=())
            device = replace(device, bgp=bgp)
        devices[name] = device
    return replace(network, devices=devices)


def _fixed(network: Network) -> frozenset[Prefix]:
    """Prefixes of routes that are there without a table."""
    found: set[Prefix] = set()
    for device in network.devices.values():
        found.update(address.network for interface in device.interfaces for address in interface.addresses)
        found.update(route.prefix for route in device.routes)
        found.update(device.pod_cidrs)
        if device.bgp is not None:
            found.update(route.prefix for route in device.bgp.originated)
    return frozenset(found)


def _addresses(network: Network, tables: Sequence[tuple[BgpInstance, OriginatedTable]]) -> Iterator[Address]:
    """Every address that a device has, or that a line names."""
    for device in network.devices.values():
        yield from (address.ip for interface in device.interfaces for address in interface.addresses)
        yield from (hop.address for route in device.routes for hop in route.next_hops if hop.address is not None)
        if device.bgp is not None:
            yield from (n.address for n in device.bgp.neighbors if n.address is not None)
            yield from (route.next_hop for route in device.bgp.originated if route.next_hop is not None)
    yield from (table.like.next_hop for _, table in tables if table.like.next_hop is not None)


def _of_flows(flows: Iterable[FlowKey]) -> Iterator[Address]:
    for flow in flows:
        yield ip_address(flow.source_address)
        yield ip_address(flow.target_address)


def _order(prefix: Prefix) -> tuple[int, int, int]:
    return (prefix.version, int(prefix.network_address), prefix.prefixlen)
