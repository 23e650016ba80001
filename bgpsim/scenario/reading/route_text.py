"""Route files: one route a line, in ExaBGP's own words.

    route 192.0.2.0/24 next-hop self as-path [ 65002 65010 ] med 50 community [ 65002:1 no-export ]
    announce ipv6 unicast 2001:db8::/48 origin incomplete ;
    attributes as-path [ 65002 ] nlri 198.51.100.0/25 198.51.100.128/25

`announce` in front and `;` at the end may be there, `#` begins a comment. Without `next-hop`, or with `next-hop self`,
it is the speaker's own address. A prefix that stands twice has the attributes of its last line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bgpsim.errors import InputError
from bgpsim.inputs.files.speakers import Announcement
from bgpsim.network.types import Prefix
from bgpsim.scenario.reading.announcements import announcement_of
from bgpsim.scenario.reading.document import message, together
from bgpsim.scenario.reading.names import hint, problem
from bgpsim.scenario.schema import AnnounceEntry
from bgpsim.source import Source

MOST_PROBLEMS = 20
"""So many wrong lines are told of at most."""
_LISTS = {
    "as-path": "as-path",
    "community": "communities",
    "large-community": "large-communities",
    "extended-community": "extended-communities",
    "cluster-list": "cluster-list",
}
"""ExaBGP's word -> the key of an `announce:` entry, for words with a list behind them."""
_NUMBERS = ("med", "local-preference")
_TEXTS = ("origin", "next-hop", "originator-id")
WORDS = (*_LISTS, *_NUMBERS, *_TEXTS, "aggregator", "atomic-aggregate")


def read_route_text(path: Path, shown: str, prefix_of: Callable[[str], Prefix]) -> dict[Prefix, Announcement]:
    """The routes by prefix; those with the same words share one Announcement, which has no speaker yet.

    `prefix_of` raises ValueError with what was expected. Raises InputError with every wrong line.
    """
    reader = _Reader(shown, prefix_of)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"not text: {error.reason}; expected UTF-8, or an MRT file", file=shown) from None
    routes: dict[Prefix, Announcement] = {}
    problems: list[InputError] = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            routes.update(reader.line(number, line))
        except InputError as error:
            problems.append(error)
            if len(problems) == MOST_PROBLEMS:
                break
    if problems:
        raise together(problems)
    return routes


class _Reader:
    """Reads lines; words that came before are not looked at again."""

    def __init__(self, shown: str, prefix_of: Callable[[str], Prefix]) -> None:
        self._shown = shown
        self._prefix_of = prefix_of
        self._known: dict[tuple[int, str], Announcement] = {}

    def line(self, number: int, line: str) -> Iterator[tuple[Prefix, Announcement]]:
        text = line.partition("#")[0].strip().removesuffix(";").strip()
        words = text.split()
        if words[:1] == ["announce"]:
            words = words[1:]
        if not words:
            return
        source = Source(self._shown, number, line.strip())
        match words:
            case ["route", one, *attributes] | ["ipv4" | "ipv6", "unicast", one, *attributes]:
                prefixes = [one]
            case ["attributes" | "attribute", *rest] if "nlri" in rest:
                at = rest.index("nlri")
                attributes, prefixes = rest[:at], rest[at + 1 :]
            case _:
                raise problem(
                    source,
                    f"found '{' '.join(words[:3])}'; expected `route PREFIX …` or `attributes … nlri PREFIX …`",
                    hint(words[0], ("route", "attributes", "ipv4 unicast", "ipv6 unicast"), "words"),
                )
        if not prefixes:
            raise problem(source, "nlri: found no prefix; expected one or more")
        for prefix_text in prefixes:
            try:
                prefix = self._prefix_of(prefix_text)
            except ValueError as error:
                raise problem(source, str(error)) from None
            yield prefix, self._like(prefix, " ".join(attributes), source)

    def _like(self, prefix: Prefix, words: str, source: Source) -> Announcement:
        key = (prefix.version, words)
        if key not in self._known:
            self._known[key] = self._announcement(prefix, _keys(words.split(), source), source)
        return self._known[key]

    @staticmethod
    def _announcement(prefix: Prefix, keys: Mapping[str, Any], source: Source) -> Announcement:
        try:
            entry = AnnounceEntry.model_validate({"speaker": "-", "prefix": str(prefix), **keys})
        except ValidationError as error:
            text, how = message(error.errors()[0], _location(error.errors()[0]["loc"]))
            raise problem(source, text, how) from None
        next_hop = None if entry.next_hop is None else ip_address(entry.next_hop)
        found = announcement_of(entry, "", "", prefix, next_hop, source)
        if prefix.version == 6 and found.next_hop is not None and found.next_hop.version == 4:
            raise problem(source, f"next-hop {found.next_hop} is IPv4; expected IPv6 for {prefix}")
        return found


def _location(found: Sequence[str | int]) -> tuple[str | int, ...]:
    """Without pydantic's union tags."""
    return tuple(part for part in found if part not in ("number", "list", "text"))


def _keys(words: Sequence[str], source: Source) -> dict[str, Any]:
    """Words -> the keys of an `announce:` entry."""
    left = list(_apart(words))
    keys: dict[str, Any] = {}
    while left:
        word = left.pop(0)
        if word not in WORDS:
            raise problem(source, f"found '{word}'; expected one of {', '.join(WORDS)}", hint(word, WORDS, "words"))
        key = _LISTS.get(word, word)
        if key in keys:
            raise problem(source, f"'{word}' stands twice; expected it once")
        if word == "atomic-aggregate":
            keys[key] = True
            continue
        if not left:
            raise problem(source, f"{word}: found nothing; expected a value")
        if word == "as-path":
            keys[key] = _as_path(left, source)
        elif word in _LISTS:
            keys[key] = _list(left, word, source)
        elif word in _NUMBERS:
            keys[key] = _number(left.pop(0))
        elif word == "aggregator":
            keys[key] = " ".join(_list(left, word, source, "()"))
        else:
            keys[key] = left.pop(0)
    if keys.get("next-hop") == "self":
        del keys["next-hop"]
    return keys


def _apart(words: Sequence[str]) -> Iterator[str]:
    """Brackets as words of their own, commas as spaces."""
    for word in words:
        for bracket in "[]()":
            word = word.replace(bracket, f" {bracket} ")
        yield from word.replace(",", " ").split()


def _list(left: list[str], word: str, source: Source, brackets: str = "[]") -> list[str]:
    """One word, or several in brackets."""
    if left[0] != brackets[0]:
        return [left.pop(0)]
    if brackets[1] not in left:
        raise problem(source, f"{word}: found '{brackets[0]}' and no '{brackets[1]}'; expected both")
    at = left.index(brackets[1])
    found = left[1:at]
    del left[: at + 1]
    return found


def _as_path(left: list[str], source: Source) -> list[Any]:
    """Sequences in `[ ]`, sets in `( )`, one behind the other; or one AS number."""
    if left[0] not in ("[", "("):
        return [_number(left.pop(0))]
    parts: list[Any] = []
    while left and left[0] in ("[", "("):
        brackets = "[]" if left[0] == "[" else "()"
        numbers = [_number(text) for text in _list(left, "as-path", source, brackets)]
        parts += numbers if brackets == "[]" else [numbers]
    return parts


def _number(text: str) -> Any:
    """What is no number is left to whoever says what was expected."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else text
