"""Answers that are too long for one message: fetched part by part, and read from their source no faster than that.

A router's table of 100,000 routes is 60 MB of JSON. Whole, it would stand in memory a dozen times on its way: as
octets, as text, quoted within the reply, and the same on the other side.
"""

from __future__ import annotations

import codecs
import itertools
import json
import threading
from collections.abc import Iterable, Iterator
from typing import Any

from bgpsim.errors import LabError


def array(elements: Iterable[Any]) -> Iterator[bytes]:
    """Their JSON array, element by element, each made when it is asked for."""
    before = "["
    for element in elements:
        yield (before + json.dumps(element, separators=(",", ":"))).encode()
        before = ","
    yield b"[]" if before == "[" else b"]"


class _Kept:
    def __init__(self, begin: bytes, source: Iterator[bytes]) -> None:
        self.octets = begin
        self.source = source
        self.decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self.reading = threading.Lock()


class KeptTexts:
    """Any thread may call."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._kept: dict[int, _Kept] = {}

    def answer(self, source: Iterator[bytes], most: int | None) -> str | dict[str, int]:
        """The whole text, or {kept}, its number, where it is longer than `most` octets: the rest waits in `source`."""
        parts = []
        octets = 0
        for part in source:
            parts.append(part)
            octets += len(part)
            if most is not None and octets > most:
                number = next(self._numbers)
                self._kept[number] = _Kept(b"".join(parts), source)
                return {"kept": number}
        return b"".join(parts).decode(errors="replace")

    def part(self, kept: int, most: int) -> dict[str, Any]:
        """{text, more}: the next part of some `most` octets; after the last one it is forgotten."""
        found = self._kept.get(kept)
        if found is None:
            raise LabError(f"no text {kept} is kept")
        with found.reading:
            parts, octets = [found.octets], len(found.octets)
            more = True
            while octets < most and more:
                part = next(found.source, None)
                more = part is not None
                parts.append(part or b"")
                octets += len(part or b"")
            found.octets = b""
            if not more:
                self._kept.pop(kept, None)
            return {"text": found.decoder.decode(b"".join(parts), final=not more), "more": more}
