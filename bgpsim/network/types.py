"""Addresses, prefixes and families, in one place and one spelling."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Literal, NamedTuple, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Prefix: TypeAlias = IPv4Network | IPv6Network
InterfaceAddress: TypeAlias = IPv4Interface | IPv6Interface

Family: TypeAlias = Literal["ipv4-unicast", "ipv6-unicast"]
FAMILIES: tuple[Family, ...] = ("ipv4-unicast", "ipv6-unicast")

AsPath: TypeAlias = tuple[int | frozenset[int] | tuple[int, ...], ...]
"""AS numbers in order; an AS_SET is a frozenset, an AS_CONFED_SEQUENCE (RFC 5065) a tuple."""


class UnknownAttribute(NamedTuple):
    """An optional path attribute that no router here has a meaning for (RFC 4271 section 5)."""

    code: int
    flags: int
    value: bytes

    @property
    def transitive(self) -> bool:
        return bool(self.flags & 0x40)

    @property
    def text(self) -> str:
        """As `Attributes.unknown` has it. Without flags: whoever passes a transitive one on sets the partial bit."""
        return f"{self.code} 0x{self.value.hex()}"


def family_of(value: Prefix | Address | InterfaceAddress) -> Family:
    return "ipv4-unicast" if value.version == 4 else "ipv6-unicast"
