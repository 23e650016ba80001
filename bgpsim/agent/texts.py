"""Answers that are too long for one message: kept here, and fetched part by part.

A router's table of 100,000 routes is 60 MB of JSON. Whole, it would stand in memory a dozen times on its way: as
octets, as text, quoted within the reply, and the same on the other side.
"""

from __future__ import annotations

import itertools
import threading
from typing import Any

from bgpsim.errors import LabError


class KeptTexts:
    """Any thread may call."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._kept: dict[int, tuple[memoryview, int]] = {}
        self._lock = threading.Lock()

    def answer(self, octets: bytes | bytearray, most: int | None) -> str | dict[str, int]:
        """The text itself, or {kept}, its number, where it is longer than `most` octets."""
        if most is None or len(octets) <= most:
            return octets.decode(errors="replace")
        with self._lock:
            number = next(self._numbers)
            self._kept[number] = (memoryview(octets), 0)
        return {"kept": number}

    def part(self, kept: int, most: int) -> dict[str, Any]:
        """{text, more}: the next part of at most so many octets; after the last one it is forgotten."""
        with self._lock:
            if kept not in self._kept:
                raise LabError(f"no text {kept} is kept")
            octets, begin = self._kept[kept]
            end = min(begin + most, len(octets))
            # Never within a character.
            while end < len(octets) and octets[end] & 0xC0 == 0x80:
                end -= 1
            text = bytes(octets[begin:end]).decode(errors="replace")
            if end == len(octets):
                del self._kept[kept]
            else:
                self._kept[kept] = (octets, end)
        return {"text": text, "more": end < len(octets)}
