"""Words of a line against many syntaxes at once, as lib/command_match.c decides between commands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from bgpsim.inputs.frr.grammar.syntax import Syntax
from bgpsim.inputs.frr.grammar.tokens import Fit, Token, Value


@dataclass(frozen=True, slots=True)
class Match:
    """A line that a syntax takes. `which` is the syntax's place among those that were given."""

    which: int
    values: Mapping[str, Value | tuple[Value, ...]]
    """By name; a tuple where the token repeats."""
    keywords: frozenset[str]
    """All keywords of the line, spelled out."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A line that none takes: the furthest that one came."""

    why: Literal["unknown", "incomplete", "ambiguous"]
    at: int
    """Number of words that were understood."""
    expected: tuple[Token, ...] = ()
    """What could have stood there."""

    def wrong_value(self, words: Sequence[str]) -> str | None:
        """`found …, expected …`, where the statement is known and a value in it is one that no router accepts."""
        if self.why != "unknown" or self.at >= len(words):
            return None
        word = words[self.at]
        meant = [t.expected for t in self.expected if t.meant(word)]
        return f"found {word!r}, expected {' or '.join(dict.fromkeys(meant))}" if meant else None

    def told(self, words: Sequence[str]) -> str:
        """What is wrong with the line, and where."""
        if self.why == "ambiguous":
            return "it is ambiguous"
        wanted = ", ".join(dict.fromkeys(t.expected for t in self.expected))
        if self.why == "incomplete":
            return f"the line ends too soon, expected {wanted}"
        return f"found {words[self.at]!r}, expected {wanted}" if self.at else ""


class _Thread(NamedTuple):
    """One way to read the words so far: the positions taken, and how well each fitted."""

    which: int
    taken: tuple[int, ...]
    fits: tuple[Fit, ...]


def match(syntaxes: Sequence[Syntax], words: Sequence[str]) -> Match | Miss:
    threads: list[_Thread] = []
    tried: dict[Token, None] = {}
    for at, word in enumerate(words):
        known: dict[Token, Fit | None] = {}
        before, threads, tried = threads, [], {}
        starts: Iterable[tuple[int, tuple[int, ...], tuple[Fit, ...], tuple[int, ...]]]
        if at == 0:
            starts = ((which, (), (), syntax.first) for which, syntax in enumerate(syntaxes))
        else:
            starts = ((t.which, t.taken, t.fits, syntaxes[t.which].follow[t.taken[-1]]) for t in before)
        for which, taken, fits, following in starts:
            for position in following:
                token = syntaxes[which].tokens[position]
                if not token.repeats and position in taken:
                    continue
                tried[token] = None
                if token not in known:
                    known[token] = token.fit(word)
                fit = known[token]
                if fit is not None:
                    threads.append(_Thread(which, (*taken, position), (*fits, fit)))
        if not threads:
            return Miss("unknown", at, tuple(tried))
    whole = [t for t in threads if t.taken[-1] in syntaxes[t.which].last]
    if not whole:
        after = {syntaxes[t.which].tokens[p]: None for t in threads for p in syntaxes[t.which].follow[t.taken[-1]]}
        return Miss("incomplete", len(words), tuple(after))
    best = min(whole, key=lambda t: t.fits)
    if any(t.which != best.which and t.fits == best.fits for t in whole):
        return Miss("ambiguous", len(words))
    return _match(syntaxes[best.which], best, words)


def _match(syntax: Syntax, thread: _Thread, words: Sequence[str]) -> Match:
    values: dict[str, Value | tuple[Value, ...]] = {}
    keywords = set()
    for position, word in zip(thread.taken, words, strict=True):
        token = syntax.tokens[position]
        value = token.value(word)
        assert value is not None
        if token.kind == "keyword":
            keywords.add(token.text)
        if token.name is None:
            continue
        there = values.get(token.name, ())
        values[token.name] = (*there, value) if token.repeats and isinstance(there, tuple) else value
    return Match(thread.which, values, frozenset(keywords))
