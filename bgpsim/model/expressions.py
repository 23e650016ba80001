"""FRR's regular expressions: POSIX extended ones (regcomp(3), REG_EXTENDED), in which `_` stands for a border.

bgpd/bgp_regex.c makes `(^|[,{}() ]|$)` of every underscore and leaves the rest to the C library; here it becomes an
expression of Python's. Only whether something matches is ever asked, so the longest-match rule does not tell.
"""

from __future__ import annotations

import re
from functools import lru_cache

_BORDER = "(^|[,{}() ]|$)"
_ESCAPES = {"w": r"\w", "W": r"\W", "s": r"\s", "S": r"\S", "b": r"\b", "B": r"\B", "<": r"\b", ">": r"\b"}
"""What glibc takes beside POSIX."""
_CLASSES = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "blank": " \\t",
    "punct": r"!-/:-@\[-`{-~",
    "xdigit": "0-9A-Fa-f",
    "print": " -~",
    "graph": "!-~",
    "cntrl": r"\x00-\x1f\x7f",
}


class BadExpression(ValueError):
    """regcomp(3) refuses it."""


@lru_cache(maxsize=4096)
def matches(expression: str, text: str) -> bool:
    """Whether `expression` is found anywhere in `text`. Raises BadExpression."""
    return compiled(expression).search(text) is not None


@lru_cache(maxsize=1024)
def compiled(expression: str) -> re.Pattern[str]:
    try:
        return re.compile(_translated(expression.replace("_", _BORDER)), re.ASCII | re.DOTALL)
    except (re.error, IndexError, KeyError) as error:
        raise BadExpression(str(error)) from None


def _translated(text: str) -> str:
    """One atom after another; a repeated repetition, which Python refuses, is put in a group."""
    out: list[str] = []
    starts: list[int] = []
    atom: int | None = None
    at = 0
    while at < len(text):
        char = text[at]
        if char in "*+?" or (char == "{" and re.match(r"\{\d*(,\d*)?\}", text[at:])):
            end = at + 1 if char != "{" else text.index("}", at) + 1
            repetition = text[at:end]
            at = end
            if atom is None:
                # At the beginning glibc takes `*` for itself; `+` and `?` for nothing.
                out.append("\\*" if char == "*" and not out else "")
                continue
            out[atom:] = [f"(?:{''.join(out[atom:])}){'{0' + repetition[1:] if repetition[1:2] == ',' else repetition}"]
            continue
        if char == "[":
            piece, at = _bracket(text, at)
            atom = len(out)
            out.append(piece)
        elif char == "(":
            starts.append(len(out))
            out.append("(")
            atom, at = None, at + 1
        elif char == ")" and starts:
            out.append(")")
            atom, at = starts.pop(), at + 1
        elif char == "|":
            out.append("|")
            atom, at = None, at + 1
        elif char == "\\":
            following = text[at + 1]
            atom = len(out)
            out.append(_ESCAPES.get(following, following if following.isdigit() else re.escape(following)))
            if following.isdigit():
                out[-1] = f"\\{following}"
            at += 2
        elif char in "^$":
            atom = len(out)
            out.append(r"\A" if char == "^" else r"\Z")
            at += 1
        else:
            atom = len(out)
            out.append("." if char == "." else re.escape(char))
            at += 1
    if starts:
        raise BadExpression("missing )")
    return "".join(out)


def _bracket(text: str, at: int) -> tuple[str, int]:
    """`[…]`: a backslash in it is itself, and `]` is, where it comes first."""
    end = at + 1
    negated = text[end : end + 1] == "^"
    end += negated
    inside: list[str] = []
    first = True
    while first or text[end] != "]":
        first = False
        if text.startswith("[:", end):
            stop = text.index(":]", end)
            inside.append(_CLASSES[text[end + 2 : stop]])
            end = stop + 2
            continue
        char = text[end]
        range_of = char == "-" and inside and text[end + 1] != "]"
        inside.append("-" if range_of else f"\\{char}" if char in r"\[]^-&~|" else char)
        end += 1
    return f"[{'^' if negated else ''}{''.join(inside)}]", end + 1
