"""One token of FRR's command syntax: which words it takes, what value they have, how it is called in messages.

What takes what is lib/command_match.c's: a keyword by any beginning of it, a value by its form, a variable anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Literal, TypeAlias

Kind = Literal["keyword", "variable", "range", "ipv4", "ipv6", "ipv4-prefix", "ipv6-prefix"]
Value: TypeAlias = str | int | IPv4Address | IPv6Address | IPv4Network | IPv6Network

MAX_ASN = 4294967295
_FORMS: dict[str, Kind] = {
    "A.B.C.D": "ipv4",
    "A.B.C.D/M": "ipv4-prefix",
    "X:X::X:X": "ipv6",
    "X:X::X:X/M": "ipv6-prefix",
}
_RANGE = re.compile(r"\((?P<low>-?\d+)-(?P<high>-?\d+)\)")
_VARIABLE = re.compile(r"[A-Z][-_A-Z:0-9]+")
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}", re.ASCII)
_EXPECTED: dict[Kind, str] = {
    "ipv4": "an IP address of IPv4",
    "ipv6": "an IP address of IPv6",
    "ipv4-prefix": "a prefix of IPv4",
    "ipv6-prefix": "a prefix of IPv6",
}
_CALLED = {"router_id": "a router ID like an IPv4 address"}


class Fit(IntEnum):
    """How well a word fits, the best first (score_precedence and match_word): FRR takes the command whose first
    differing word fits better, and calls two that fit alike ambiguous."""

    VALUE = 0
    KEYWORD = 1
    ABBREVIATION = 2
    VARIABLE = 3


@dataclass(frozen=True, slots=True, eq=False)
class Token:
    """`text` as in the syntax; `name`: what its value is called, None where nobody asks for it by name.

    Made by `token` alone, one for all that are alike: the same one is an equal one, and cheap to look up.
    """

    kind: Kind
    text: str
    name: str | None = None
    repeats: bool = False
    low: int = 0
    high: int = 0

    def fit(self, word: str) -> Fit | None:
        """None: the word is not one of this token's."""
        match self.kind:
            case "keyword":
                if word == self.text:
                    return Fit.KEYWORD
                return Fit.ABBREVIATION if self.text.startswith(word) else None
            case "variable":
                return Fit.VARIABLE
            case _:
                return None if self.value(word) is None else Fit.VALUE

    def value(self, word: str) -> Value | None:
        """What the word means; None where it is none of this token's."""
        try:
            match self.kind:
                case "keyword":
                    return self.text
                case "variable":
                    return word
                case "range":
                    number = int(word) if _NUMBER.fullmatch(word) else None
                    return number if number is not None and self.low <= number <= self.high else None
                case "ipv4":
                    return IPv4Address(word)
                case "ipv6":
                    return IPv6Address(word) if "%" not in word else None
                case "ipv4-prefix":
                    # FRR clears host bits by itself, and wants a length.
                    return IPv4Network(word, strict=False) if _has_length(word) else None
                case "ipv6-prefix":
                    return IPv6Network(word, strict=False) if _has_length(word) and "%" not in word else None
        except ValueError:
            return None

    def meant(self, word: str) -> bool:
        """Whether a word that does not fit looks as if it was meant as a value of this kind: then it is a wrong one,
        and no statement that is merely unknown here."""
        match self.kind:
            case "range":
                return _NUMBER.fullmatch(word) is not None
            case "ipv4" | "ipv6" | "ipv4-prefix" | "ipv6-prefix":
                return ":" in word or word[:1].isdigit()
            case _:
                return False

    @property
    def expected(self) -> str:
        if self.name in _CALLED:
            return _CALLED[self.name]
        if self.kind == "range":
            if (self.low, self.high) == (1, MAX_ASN) and self.text == "ASNUM":
                return f"an AS number from 1 to {MAX_ASN}"
            return f"a whole number from {self.low} to {self.high}"
        return _EXPECTED.get(self.kind, self.text)


@cache
def token(text: str, name: str | None = None, repeats: bool = False) -> Token:
    """Of one word of a syntax (lib/command_lex.l). `ASNUM` is an AS number in digits."""
    kind = _FORMS.get(text)
    if kind is not None:
        return Token(kind, text, name, repeats)
    if text == "ASNUM":
        return Token("range", text, name, repeats, 1, MAX_ASN)
    span = _RANGE.fullmatch(text)
    if span is not None:
        return Token("range", text, name, repeats, int(span["low"]), int(span["high"]))
    return Token("variable" if _VARIABLE.fullmatch(text) else "keyword", text, name, repeats)


def _has_length(word: str) -> bool:
    """`10.0.0.0/8` and not `10.0.0.0/255.0.0.0`, which Python would take as well."""
    _, slash, length = word.partition("/")
    return bool(slash) and length.isascii() and length.isdecimal()
