"""Addresses, asked whether any of them is in a prefix."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from bgpsim.network.types import Address, Prefix


class Addresses:
    """Of both families. A question takes a look into a sorted list, however many there are."""

    def __init__(self, addresses: Iterable[Address]) -> None:
        self._numbers: dict[int, list[int]] = {4: [], 6: []}
        for address in addresses:
            self._numbers[address.version].append(int(address))
        for numbers in self._numbers.values():
            numbers.sort()

    def any_in(self, prefix: Prefix) -> bool:
        numbers = self._numbers[prefix.version]
        first = int(prefix.network_address)
        at = bisect_left(numbers, first)
        return at < len(numbers) and numbers[at] < first + (1 << (prefix.max_prefixlen - prefix.prefixlen))
