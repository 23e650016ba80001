"""The one registry: every statement of FRR that bgpsim knows by name, whatever its answer.

Each file of `inputs/frr/statements/` gives a tuple STATEMENTS, and the package joins them. Syntaxes are compiled when
a line first begins with their first word.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

from bgpsim.inputs.frr.grammar.matching import Match, Miss, match
from bgpsim.inputs.frr.grammar.modes import BEGINNINGS, COMPLETE, Mode, outwards
from bgpsim.inputs.frr.grammar.statement import Statement
from bgpsim.inputs.frr.grammar.syntax import compiled
from bgpsim.inputs.frr.statements import STATEMENTS


@dataclass(frozen=True, slots=True)
class Found:
    """A statement, in the mode that knows it."""

    statement: Statement
    match: Match
    mode: Mode


_Form = tuple[Statement, str]


@cache
def _by_first_word(mode: Mode) -> dict[str, tuple[_Form, ...]]:
    found: dict[str, list[_Form]] = {}
    for statement in STATEMENTS:
        if mode in statement.modes:
            for form in statement.forms:
                for word in _first_words(form):
                    found.setdefault(word, []).append((statement, form))
    return {word: tuple(forms) for word, forms in found.items()}


def _first_words(form: str) -> tuple[str, ...]:
    """The keywords that a line of it may begin with. A `[no]` is followed by a keyword, or by a choice of them."""
    if form.startswith("[no] "):
        return ("no", *_first_words(form[5:]))
    if form.startswith("<"):
        return tuple(form[1 : form.index(">")].split("|"))
    return (form.split(maxsplit=1)[0],)


def lookup(mode: Mode, text: str) -> Found | Miss:
    """A line in the mode it was typed in, or in one around it. A miss is the one that came furthest."""
    furthest: Miss | None = None
    for level in outwards(mode):
        found = _in_mode(level, text)
        if isinstance(found, Found) or found.why != "unknown":
            return found
        if furthest is None or found.at > furthest.at:
            furthest = found
    assert furthest is not None
    return furthest


@lru_cache(maxsize=16384)  # a network is built anew for every step
def _in_mode(mode: Mode, text: str) -> Found | Miss:
    words = text.split()
    begun = (there for first, there in _by_first_word(mode).items() if first.startswith(words[0]))
    forms = list({form: (statement, form) for there in begun for statement, form in there}.values())
    if words[0] == "no" or (words[:1] and "no".startswith(words[0]) and len(words) > 1):
        forms = _second_word(forms, words)
    result = match([compiled(form) for _, form in forms], words)
    if isinstance(result, Miss):
        return result
    return Found(forms[result.which][0], result, mode)


def _second_word(forms: list[_Form], words: list[str]) -> list[_Form]:
    """Of all that has a `no`, what may go on with the second word: most syntaxes need not be compiled for a `no`."""
    if len(words) < 2:
        return forms
    kept = []
    for statement, form in forms:
        after = form.removeprefix("[no] ").removeprefix("no ")
        if after == form or any(first.startswith(words[1]) for first in _first_words(after)):
            kept.append((statement, form))
    return kept


def unheard_of(mode: Mode, text: str) -> bool:
    """Whether FRR 8.4 surely has no such statement: the line is a miss, and the registry is complete as far as it
    could lie."""
    words = text.split()
    word = words[1] if words[0] == "no" and len(words) > 1 else words[0]
    return all(level in COMPLETE or (level == "config" and not _begins(word)) for level in outwards(mode))


def _begins(word: str) -> bool:
    """Whether lines of `configure terminal` may begin so."""
    return any(first.startswith(word) for first in (*_beginnings(), *BEGINNINGS))


@cache
def _beginnings() -> frozenset[str]:
    forms = (form for statement in STATEMENTS if "config" in statement.modes for form in statement.forms)
    return frozenset(word for form in forms for word in _first_words(form.removeprefix("[no] ").removeprefix("no ")))
