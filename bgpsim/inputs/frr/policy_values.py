"""Words of policy statements -> values: communities as FRR prints them, AS numbers, expressions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address

from bgpsim.inputs.frr.values import Refused
from bgpsim.network.policies import CommunityKind

_WELL_KNOWN = (
    *("internet", "local-AS", "no-advertise", "no-export", "graceful-shutdown", "accept-own-nexthop", "accept-own"),
    *("route-filter-translated-v4", "route-filter-v4", "route-filter-translated-v6", "route-filter-v6"),
    *("llgr-stale", "no-llgr", "blackhole", "no-peer"),
)
_NUMBERS = {
    0x00000000: "internet",
    0xFFFF0000: "graceful-shutdown",
    0xFFFF0001: "accept-own",
    0xFFFF0002: "route-filter-translated-v4",
    0xFFFF0003: "route-filter-v4",
    0xFFFF0004: "route-filter-translated-v6",
    0xFFFF0005: "route-filter-v6",
    0xFFFF0006: "llgr-stale",
    0xFFFF0007: "no-llgr",
    0xFFFF0008: "accept-own-nexthop",
    0xFFFF029A: "blackhole",
    0xFFFFFF01: "no-export",
    0xFFFFFF02: "no-advertise",
    0xFFFFFF03: "local-AS",
    0xFFFFFF04: "no-peer",
}
_MOST_OFTEN = 32767
"""regcomp(3), RE_DUP_MAX: an AS_SET in braces is taken for a repetition."""
_AS_PATH_CHARACTERS = re.compile(r"[0-9_^|\[,{}() \]$*+.?\-\\]*")


def number(text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 10 or not low <= int(text) <= high:
        raise Refused(f"found {text!r}, expected a whole number from {low} to {high}")
    return int(text)


def communities(words: Sequence[str]) -> tuple[str, ...]:
    """`asn:value`, a number or a well-known name, as FRR prints them; sorted as text."""
    return tuple(sorted({_community(word) for word in words}))


def _community(word: str) -> str:
    if word in _WELL_KNOWN:
        return word
    high, colon, low = word.partition(":")
    if not colon:
        whole = number(word, 0, 2**32 - 1)
        high, low = str(whole >> 16), str(whole & 0xFFFF)
    one, other = number(high, 0, 65535), number(low, 0, 65535)
    return _NUMBERS.get(one << 16 | other, f"{one}:{other}")


def large_communities(words: Sequence[str]) -> tuple[str, ...]:
    found = set()
    for word in words:
        parts = word.split(":")
        if len(parts) != 3:
            raise Refused(f"found {word!r}, expected a large community like 65000:1:2")
        found.add(":".join(str(number(part, 0, 2**32 - 1)) for part in parts))
    return tuple(sorted(found))


def extended_communities(words: Sequence[str], kind: str | None = None) -> tuple[str, ...]:
    """`rt A:B soo C:D`, or `A:B …` all of one `kind`, as FRR prints them."""
    found = []
    for word in words:
        if kind is None or word in ("rt", "soo"):
            if word not in ("rt", "soo"):
                raise Refused(f"found {word!r}, expected rt or soo")
            kind = word
            continue
        found.append(f"{'RT' if kind == 'rt' else 'SoO'}:{_administrator(word)}")
    if not found:
        raise Refused("found no value, expected one like 65000:1")
    return tuple(sorted(found))


def _administrator(word: str) -> str:
    left, colon, right = word.rpartition(":")
    if not colon:
        raise Refused(f"found {word!r}, expected an extended community like 65000:1")
    if "." in left:
        return f"{_dotted(left)}:{number(right, 0, 65535)}"
    asn = number(left, 0, 2**32 - 1)
    return f"{asn}:{number(right, 0, 65535 if asn > 65535 else 2**32 - 1)}"


def _dotted(text: str) -> IPv4Address:
    try:
        return IPv4Address(text)
    except ValueError:
        raise Refused(f"found {text!r}, expected an IPv4 address") from None


def of_kind(kind: CommunityKind, words: Sequence[str]) -> tuple[str, ...]:
    if kind == "standard":
        return communities(words)
    return large_communities(words) if kind == "large" else extended_communities(words)


def as_path_expression(text: str) -> str:
    if not _AS_PATH_CHARACTERS.fullmatch(text):
        raise Refused(f"found {text!r}, expected an expression of digits and _^|[,{{}}() ]$*+.?-\\")
    return expression(text)


def expression(text: str) -> str:
    """Raises Refused where it is clear that no C library takes it; the model translates it."""
    bare = re.sub(r"\\.|\[\^?\]?[^\]]*\]", "", text)
    if bare.count("(") > bare.count(")") or "[" in bare or re.search(r"(?<!\\)(\\\\)*\\$", text):
        raise Refused(f"found {text!r}, expected a regular expression")
    for low, high in re.findall(r"\{(\d+)(?:,(\d*))?\}", bare):
        if max(int(low), int(high or 0)) > _MOST_OFTEN or int(high or low) < int(low):
            raise Refused(f"found {text!r}, expected a repetition of at most {_MOST_OFTEN} times")
    return text
