"""Communities as a scenario file writes them -> as FRR shows them, so that model and tables have one spelling."""

from __future__ import annotations

from bgpsim.inputs.files.speakers import WELL_KNOWN_COMMUNITIES

_NAMES = {name.lower(): name for name in WELL_KNOWN_COMMUNITIES} | {
    "no_export": "no-export",
    "no_advertise": "no-advertise",
    "no-export-subconfed": "local-AS",
    "nopeer": "no-peer",
}
"""As ExaBGP 5 spells them too (configuration/static/parser.py), and RFC 1997 (NO_EXPORT_SUBCONFED)."""
_WELL_KNOWN = {number: name for name, number in WELL_KNOWN_COMMUNITIES.items()}
_MOST_DIGITS = 10
"""Of 4294967295; a longer number is none, whatever its value, and never reaches `int`."""


def _fields(parts: int, top: int, text: str) -> list[int] | None:
    fields = text.split(":")
    if len(fields) != parts or not all(f.isascii() and f.isdigit() and len(f) <= _MOST_DIGITS for f in fields):
        return None
    numbers = [int(f) for f in fields]
    return numbers if max(numbers) <= top else None


def standard_community(text: str) -> str:
    """As FRR shows it, so that the prediction and a router's table have one spelling."""
    name = _NAMES.get(text.lower())
    if name is not None:
        return name
    numbers = _fields(2, 65535, text)
    if numbers is None:
        known = ", ".join(WELL_KNOWN_COMMUNITIES)
        raise ValueError(f"'{text}' is not a community; expected ASN:VALUE, each 0 to 65535, or one of {known}")
    high, low = numbers
    if high == 0xFFFF and (high << 16) + low not in _WELL_KNOWN:
        # Routers give some of these names and effects of their own, which differ by version.
        known = ", ".join(f"65535:{n & 0xFFFF} ({name})" for n, name in sorted(_WELL_KNOWN.items()))
        raise ValueError(f"'{text}' is reserved (RFC 1997); expected another community, or one of {known}")
    if high == low == 0:
        raise ValueError(f"'{text}' is reserved (RFC 1997), and `internet` to some routers; expected another community")
    return _WELL_KNOWN.get((high << 16) + low, f"{high}:{low}")


def large_community(text: str) -> str:
    numbers = _fields(3, 4294967295, text)
    if numbers is None:
        raise ValueError(
            f"'{text}' is not a large community; expected ASN:VALUE:VALUE, each 0 to 4294967295 (RFC 8092)"
        )
    return ":".join(map(str, numbers))
