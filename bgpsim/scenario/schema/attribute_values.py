"""Values of path attributes as a scenario file writes them -> one spelling of each.

What is none raises a ValueError that says what was found and what was expected.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, ip_address

_KINDS = {"target": "RT", "rt": "RT", "origin": "SoO", "soo": "SoO"}
"""RFC 4360 sections 4 and 5: as ExaBGP and as FRR call them -> as FRR shows them (bgpd/bgp_ecommunity.c)."""
_KEYS = {
    1: "origin",
    2: "as-path",
    3: "next-hop",
    4: "med",
    5: "local-preference",
    6: "atomic-aggregate",
    7: "aggregator",
    8: "communities",
    9: "originator-id",
    10: "cluster-list",
    16: "extended-communities",
    32: "large-communities",
}
"""Attribute codes that an `announce:` entry has a key for."""
_KNOWN = frozenset({14, 15, 17, 18, 22, 23, 25, 26, 29, 35, 40, 128, 255})
"""Other codes that FRR, GoBGP or ExaBGP take apart (bgpd/bgp_attr.h, IANA's BGP Path Attributes): a value that makes no
sense to one of them may cost the session, and what is made of one that does depends on versions."""
_OPTIONAL, _TRANSITIVE, _PARTIAL = 0x80, 0x40, 0x20
_NO_HOSTS = (IPv4Network("0.0.0.0/8"), IPv4Network("240.0.0.0/4"))
"""Blocks of which a router takes no next hop."""
MOST_OCTETS = 2048
"""Of a raw attribute: a message of 4096 octets holds more than that (RFC 4271 section 4)."""


def _number(text: str, top: int) -> int | None:
    """None for what is no decimal number up to `top`."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(top))):
        return None
    number = int(text)
    return number if number <= top else None


def router_id(text: str) -> str:
    """An ORIGINATOR_ID or an entry of a CLUSTER_LIST (RFC 4456): a router ID."""
    try:
        identifier = IPv4Address(text)
    except ValueError:
        raise ValueError(f"'{text}' is not a router ID; expected one written like 192.0.2.1") from None
    if not int(identifier):
        raise ValueError(f"'{text}' is not a router ID; expected another than 0.0.0.0 (RFC 6286)")
    return str(identifier)


def next_hop(text: str) -> str:
    """A router closes the session over a next hop that can be no host's (RFC 4271 section 6.3)."""
    try:
        address = ip_address(text)
    except ValueError:
        raise ValueError(f"'{text}' is not an address; expected 10.0.0.1 or 2001:db8::1, say") from None
    no_host = address.is_multicast or address.is_loopback or address.is_unspecified
    if no_host or "%" in text or any(address in network for network in _NO_HOSTS if network.version == address.version):
        raise ValueError(f"'{text}' is no host's address; expected 10.0.0.1 or 2001:db8::1, say")
    return str(address)


def aggregator(text: str) -> str:
    """`asn:address` (RFC 4271 section 5.1.7). AS 0 is malformed (RFC 7607), and routers leave the attribute out."""
    asn, _, address = text.partition(":")
    number = _number(asn, 4294967295)
    if not number:
        raise ValueError(f"'{text}' is not an aggregator; expected ASN:ADDRESS, 65000:192.0.2.1, say")
    try:
        return f"{number}:{router_id(address)}"
    except ValueError:
        raise ValueError(f"'{text}' is not an aggregator; expected ASN:ADDRESS, 65000:192.0.2.1, say") from None


def extended_community(text: str) -> str:
    """`RT:…` or `SoO:…`, with an AS of two octets and a number of four, or an AS of four or an address and one of two
    (RFC 4360 sections 3.1 and 3.2, RFC 5668)."""
    expected = "expected target:ADMINISTRATOR:NUMBER or origin:…, 65000:1, 70000:1 or 192.0.2.1:1 in it"
    kind, _, rest = text.partition(":")
    administrator, _, value = rest.partition(":")
    name = _KINDS.get(kind.lower())
    if name is None or not value:
        raise ValueError(f"'{text}' is not an extended community; {expected}")
    asn = _number(administrator, 4294967295)
    if asn is None:
        try:
            administrator = str(IPv4Address(administrator))
        except ValueError:
            raise ValueError(f"'{text}' is not an extended community; {expected}") from None
        top = 65535
    else:
        administrator, top = str(asn), 4294967295 if asn <= 65535 else 65535
    number = _number(value, top)
    if number is None:
        raise ValueError(f"'{text}' is not an extended community; expected a number from 0 to {top} at its end")
    return f"{name}:{administrator}:{number}"


def unknown_code(code: int) -> int:
    """A code that no router here has a meaning for."""
    if code in _KEYS:
        raise ValueError(f"found {code}; expected the key `{_KEYS[code]}` instead")
    if code in _KNOWN:
        raise ValueError(f"found {code}, which routers take apart; expected a code that they do not know, 99, say")
    if not 11 <= code <= 254:
        raise ValueError(f"found {code}; expected a code from 11 to 254 that routers do not know")
    return code


def optional_flags(flags: int) -> int:
    """RFC 4271 section 4.3. An unknown attribute that is not optional ends the session (section 6.3)."""
    if flags not in (_OPTIONAL, _OPTIONAL | _TRANSITIVE, _OPTIONAL | _TRANSITIVE | _PARTIAL):
        raise ValueError(
            f"found 0x{flags:02X}; expected 0x80 (optional), 0xC0 (and transitive) or 0xE0 (and partial):"
            " over any other a router ends the session"
        )
    return flags


def octets(text: str) -> str:
    """Hexadecimal, in lower case."""
    digits = text[2:]
    try:
        value = bytes.fromhex(digits) if text[:2] in ("0x", "0X") else b""
    except ValueError:
        value = b""
    if not value or len(digits) != 2 * len(value) or len(value) > MOST_OCTETS:
        raise ValueError(
            f"'{text[:40]}' is no value; expected '0x' and an even number of hexadecimal digits,"
            f" {2 * MOST_OCTETS} at most"
        )
    return f"0x{value.hex()}"
