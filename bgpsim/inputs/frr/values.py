"""What is wrong with a line, and values that the grammar takes and a router does not."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address


class Unknown(Exception):
    """A statement that is not modelled; the message, if any, says why."""


class NotTaken(Unknown):
    """A line that the router refuses as things stand there: nothing changes. The message says why."""


class Refused(Exception):
    """A statement whose value no router accepts; the message says what was found and expected."""


def looks_like_address(text: str) -> bool:
    """Digits and dots, or a colon: meant as an address, whether or not it is one."""
    return ":" in text or (text[:1].isdigit() and "." in text)


def address(text: str) -> IPv4Address | IPv6Address:
    try:
        return ip_address(text)
    except ValueError:
        raise Refused(f"found {text!r}, expected an IP address") from None


def hold_time(seconds: int) -> int:
    """RFC 4271 section 4.2: 0, or at least 3 seconds."""
    if seconds in (1, 2):
        raise Refused(f"found the hold time {seconds}, expected 0 or at least 3 seconds")
    return seconds
