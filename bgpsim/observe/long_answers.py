"""JSON that is too long to be held as objects: read member by member, from text that comes in parts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bgpsim.agent.protocol import Agent
from bgpsim.errors import LabError

MOST = 1 << 20
"""Octets of an answer that comes whole, and of a part."""
_DECODER = json.JSONDecoder()
_BEGIN = ("{", "[", '"')
_OF_NUMBERS = ("", *"+-.0123456789eE")
_NEXT_NAME = re.compile(r'\s*,\s*"([^"\\]*)"\s*:\s*')
_SPACE = re.compile(r"[ \t\r\n]*")


def parts(agent: Agent, service: str, answer: str | Mapping[str, int]) -> Iterator[str]:
    """The text of an answer: itself, or what `SERVICE.part` has kept of it."""
    if isinstance(answer, str):
        yield answer
        return
    more = True
    while more:
        part = agent.call(f"{service}.part", kept=answer["kept"], most=MOST)
        yield part["text"]
        more = part["more"]


def members(text: Iterator[str], inside: str) -> Iterator[tuple[str | None, str, Any]]:
    """The members of an object as (None, name, value); those of its member `inside` as (inside, name, value).

    Nothing for an empty text. Raises LabError for what is no JSON object.
    """
    reading = _Reading(text)
    if not reading.look():
        return
    for name in _names(reading):
        if name == inside and reading.look() == "{":
            for inner in _names(reading):
                yield inside, inner, reading.value()
        else:
            yield None, name, reading.value()


def elements(text: Iterator[str]) -> Iterator[Any]:
    """The elements of an array; nothing for an empty text. Raises LabError for what is no JSON array."""
    reading = _Reading(text)
    if not reading.look():
        return
    reading.take("[")
    if reading.look() == "]":
        return
    while True:
        yield reading.value()
        if reading.look() != ",":
            reading.take("]")
            return
        reading.take(",")


def _names(reading: _Reading) -> Iterator[str]:
    """Stops at each member's value, which must be read before it goes on."""
    reading.take("{")
    if reading.look() == "}":
        reading.take("}")
        return
    yield reading.name()
    while (following := reading.next_name()) is not None:
        yield following
    while reading.look() == ",":
        reading.take(",")
        yield reading.name()
        while (following := reading.next_name()) is not None:
            yield following
    reading.take("}")


class _Reading:
    def __init__(self, text: Iterator[str]) -> None:
        self._text = text
        self._buffer = ""
        self._at = 0

    def _more(self) -> bool:
        part = next(self._text, None)
        if part is None:
            return False
        self._buffer = self._buffer[self._at :] + part
        self._at = 0
        return True

    def look(self) -> str:
        """The next character that is no space; none at the end."""
        while True:
            found = _SPACE.match(self._buffer, self._at)
            self._at = self._at if found is None else found.end()
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more():
                return ""

    def take(self, character: str) -> None:
        found = self.look()
        if found != character:
            raise LabError(f"an answer is not the JSON that is expected: found {found!r}, expected {character!r}")
        self._at += 1

    def name(self) -> Any:
        """Of a member, with the colon behind it."""
        found = self.value()
        self.take(":")
        return found

    def next_name(self) -> str | None:
        """That of the next member, where it is plain and there already: nearly all are, and this is quick."""
        found = _NEXT_NAME.match(self._buffer, self._at)
        if found is None or found.end() == len(self._buffer):
            return None
        self._at = found.end()
        return found[1]

    def value(self) -> Any:
        if self._buffer[self._at : self._at + 1] not in _BEGIN:
            self.look()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._buffer, self._at)
            except json.JSONDecodeError as error:
                if not self._more():
                    raise LabError(f"an answer is not the JSON that is expected: {error}") from None
                continue
            # A number may go on in the next part.
            if isinstance(value, int | float) and self._buffer[end : end + 1] in _OF_NUMBERS and self._more():
                continue
            self._at = end
            return value
