"""Addresses, prefixes and families, in one place and one spelling."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Literal, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Prefix: TypeAlias = IPv4Network | IPv6Network
InterfaceAddress: TypeAlias = IPv4Interface | IPv6Interface

Family: TypeAlias = Literal["ipv4-unicast", "ipv6-unicast"]
FAMILIES: tuple[Family, ...] = ("ipv4-unicast", "ipv6-unicast")


def family_of(value: Prefix | Address | InterfaceAddress) -> Family:
    return "ipv4-unicast" if value.version == 4 else "ipv6-unicast"
