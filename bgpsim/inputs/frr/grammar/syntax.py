"""FRR's command syntax, as its documentation writes it -> an automaton over words.

    neighbor <A.B.C.D|X:X::X:X|WORD>$neighbor timers (0-65535)$keepalive (0-65535)$hold
    [no] network A.B.C.D/M$prefix [{route-map WORD$map|backdoor}]

`<a|b>` one of, `[a]` perhaps, `{a|b}` one or more in any order, each once, `a...` one or more times, `(1-9)` a number,
words in capitals anything (doc/developer/cli.rst). `$name` names the value of what stands before it; after a `<…>` it
names each of the words there. Positions are tokens, and each knows which may follow (Glushkov's construction).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from bgpsim.inputs.frr.grammar.tokens import Token, token

_LEX = re.compile(
    r"\s*(?:(?P<mark>\.\.\.|[<>\[\]{}|])|\$(?P<name>\w+)|(?P<range>\(-?\d+--?\d+\))|(?P<word>(?:(?!\.\.\.)[^\s<>\[\]{}|$()])+))"
)
_CLOSING = {"<": ">", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Syntax:
    """A compiled syntax. Positions number its tokens; `first` may begin a line, `last` may end one."""

    text: str
    tokens: tuple[Token, ...]
    first: tuple[int, ...]
    last: frozenset[int]
    follow: tuple[tuple[int, ...], ...]


@cache
def compiled(text: str) -> Syntax:
    """Raises ValueError for a syntax that is none."""
    return _Compiler(text).syntax()


@dataclass(slots=True)
class _Part:
    """A piece of a syntax: where it begins and ends, and whether it may be absent."""

    first: list[int] = field(default_factory=list)
    last: list[int] = field(default_factory=list)
    absent: bool = True


class _Compiler:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[Token] = []
        self.follow: list[list[int]] = []
        self._lexed = list(_lexed(text))
        self._at = 0

    def syntax(self) -> Syntax:
        whole = self._sequence()
        if self._at < len(self._lexed) or whole.absent:
            raise ValueError(f"found {self.text!r}, expected a command's syntax")
        follow = tuple(tuple(dict.fromkeys(after)) for after in self.follow)
        return Syntax(self.text, tuple(self.tokens), tuple(whole.first), frozenset(whole.last), follow)

    def _peek(self) -> str | None:
        """The mark that comes next; None: a word, or the end."""
        kind, text = self._lexed[self._at] if self._at < len(self._lexed) else ("end", "")
        return text if kind == "mark" else None

    def _sequence(self) -> _Part:
        whole = _Part()
        while self._at < len(self._lexed) and self._peek() not in ("|", ">", "]", "}"):
            part = self._one()
            self._join(whole.last, part.first)
            if whole.absent:
                whole.first += part.first
            whole.last = whole.last + part.last if part.absent else part.last
            whole.absent = whole.absent and part.absent
        return whole

    def _join(self, ends: list[int], beginnings: list[int]) -> None:
        for end in ends:
            self.follow[end] += beginnings

    def _one(self) -> _Part:
        mark = self._peek()
        before = len(self.tokens)
        part = self._word() if mark is None else self._group(mark)
        if self._peek() == "...":
            self._at += 1
            self.tokens[before:] = [token(t.text, t.name, True) for t in self.tokens[before:]]
            self._join(part.last, part.first)
        if self._at < len(self._lexed) and self._lexed[self._at][0] == "name":
            name = self._lexed[self._at][1]
            self.tokens[before:] = [token(t.text, t.name or name, t.repeats) for t in self.tokens[before:]]
            self._at += 1
        return part

    def _word(self) -> _Part:
        kind, text = self._lexed[self._at]
        if kind not in ("word", "range"):
            raise ValueError(f"found {text!r} in {self.text!r}, expected a word")
        self._at += 1
        self.tokens.append(token(text))
        self.follow.append([])
        return _Part([len(self.tokens) - 1], [len(self.tokens) - 1], absent=False)

    def _group(self, opening: str) -> _Part:
        if opening not in _CLOSING:
            raise ValueError(f"found {opening!r} in {self.text!r}, expected a word")
        self._at += 1
        branches = [self._sequence()]
        while self._peek() == "|":
            self._at += 1
            branches.append(self._sequence())
        if self._peek() != _CLOSING[opening]:
            raise ValueError(f"found no {_CLOSING[opening]!r} in {self.text!r}")
        self._at += 1
        if opening == "{":
            for one in branches:
                for other in branches:
                    if one is not other:
                        self._join(one.last, other.first)
        return _Part(
            [p for branch in branches for p in branch.first],
            [p for branch in branches for p in branch.last],
            absent=opening == "[" or any(branch.absent for branch in branches),
        )


def _lexed(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = _LEX.match(text, at)
        if found is None or found.lastgroup is None:
            raise ValueError(f"found {text[at:]!r} in {text!r}, expected a command's syntax")
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()
