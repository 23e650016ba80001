"""One word of an FRR line -> a value, or the reason why no router accepts it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Literal

from bgpsim.inputs.files.part import MAX_ASN
from bgpsim.network.types import Prefix


class Unknown(Exception):
    """A statement that is not modelled; the message, if any, says why."""


class Refused(Exception):
    """A statement whose value no router accepts; the message says what was found and expected."""


def looks_like_address(text: str) -> bool:
    """Digits and dots, or a colon: meant as an address, whether or not it is one."""
    return ":" in text or (text[:1].isdigit() and "." in text)


def spelled(name: str) -> str:
    """A neighbor's name as the router shows it: an address in its one spelling."""
    try:
        return str(ip_address(name))
    except ValueError:
        return name


def address(text: str) -> IPv4Address | IPv6Address:
    try:
        return ip_address(text)
    except ValueError:
        raise Refused(f"found {text!r}, expected an IP address") from None


def router_id(text: str) -> IPv4Address:
    try:
        return IPv4Address(text)
    except ValueError:
        raise Refused(f"found {text!r}, expected a router ID like an IPv4 address") from None


def prefix(text: str) -> Prefix:
    """FRR clears host bits by itself, and wants the length."""
    if "/" in text:
        try:
            return ip_network(text, strict=False)
        except ValueError:
            pass
    raise Refused(f"found {text!r}, expected a prefix")


def number(text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 10 or not low <= int(text) <= high:
        raise Refused(f"found {text!r}, expected a whole number from {low} to {high}")
    return int(text)


def time(text: str) -> int:
    return number(text, 0, 65535)


def hold_time(text: str) -> int:
    """RFC 4271 section 4.2: 0, or at least 3 seconds."""
    seconds = number(text, 0, 65535)
    if seconds in (1, 2):
        raise Refused(f"found the hold time {seconds}, expected 0 or at least 3 seconds")
    return seconds


def asn(text: str) -> int:
    """An AS number; a word that is none is left to the router, which refuses it."""
    if not (text.isascii() and text.lstrip("-").isdecimal()):
        raise Unknown
    if text.startswith("-") or not 1 <= int(text[:12]) <= MAX_ASN or len(text) > 10:
        raise Refused(f"found {text!r}, expected an AS number from 1 to {MAX_ASN}")
    return int(text)


def remote_as(text: str) -> int | Literal["internal", "external"]:
    if text == "internal":
        return "internal"
    if text == "external":
        return "external"
    return asn(text)
