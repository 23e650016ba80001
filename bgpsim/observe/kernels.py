"""Kernel tables as they are read: a long one goes by once, and what packets of these flows may take of it is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from bgpsim.agent.protocol import Agent
from bgpsim.network.addresses import Addresses
from bgpsim.network.state import FlowKey
from bgpsim.network.types import Family
from bgpsim.observe.fib import destination
from bgpsim.observe.long_answers import elements, parts


class Kernels:
    """`dumps`: `netlink.dump` of all devices, where a long table is in parts until it was read."""

    def __init__(self, agent: Agent, dumps: Mapping[str, Any], flows: Sequence[FlowKey]) -> None:
        self._agent = agent
        self.dumps = dumps
        self._concerned = Addresses(
            {ip_address(text) for flow in flows for text in (flow.source_address, flow.target_address)}
        )

    def routes(self, device: str, family: Family) -> Iterator[Mapping[str, Any]]:
        """All routes of a table. Of a long one those stay in `dumps` that packets of the flows may take."""
        table = self.dumps[device]["routes"][family]
        if isinstance(table, list):
            yield from table
            return
        kept = []
        for route in elements(parts(self._agent, "netlink", table)):
            if self._concerned.any_in(destination(family, route)):
                kept.append(route)
            yield route
        self.dumps[device]["routes"][family] = kept
