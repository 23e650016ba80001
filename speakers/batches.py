"""Tables -> lines for ExaBGP's API process: `announce attributes … nlri P1 P2 …`, one for each set of attributes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bgpsim.inputs.files.route_table import AnnouncedTable
from bgpsim.inputs.files.speakers import ROUTER_LINK_LOCAL, Attachment
from bgpsim.speakers.commands import attributes

MOST_OCTETS = 256 << 10
"""Of a line. A line of more than 1 MiB ends ExaBGP's helper (reactor/api/processes.py), and one answer is all that
tells of a line's progress."""
MOST_LINES = 500
"""Sent in one go: the agent waits for so many answers before it is asked again."""


def announce_lines(table: AnnouncedTable, link: Attachment) -> Iterator[str]:
    """Raises InputError as `announce_line` does."""
    for group in table.groups:
        yield from _lines("announce", attributes(group.like, link), map(str, group.prefixes))


def withdraw_lines(table: AnnouncedTable, link: Attachment) -> Iterator[str]:
    """All prefixes of a family together: ExaBGP looks at no attribute, but wants a next hop."""
    for version in (4, 6):
        prefixes = [str(p) for group in table.groups for p in group.prefixes if p.version == version]
        yield from _lines("withdraw", f"next-hop {link.speaker_address}", prefixes)


def _lines(verb: str, words: str, prefixes: Iterable[str]) -> Iterator[str]:
    head = f"neighbor {ROUTER_LINK_LOCAL} {verb} attributes {words} nlri"
    parts, octets = [head], len(head)
    for prefix in prefixes:
        if octets > MOST_OCTETS:
            yield " ".join(parts)
            parts, octets = [head], len(head)
        parts.append(prefix)
        octets += len(prefix) + 1
    if len(parts) > 1:
        yield " ".join(parts)


def batches(lines: Iterable[str]) -> Iterator[Sequence[str]]:
    batch: list[str] = []
    octets = 0
    for line in lines:
        batch.append(line)
        octets += len(line)
        if len(batch) == MOST_LINES or octets > MOST_OCTETS:
            yield batch
            batch, octets = [], 0
    if batch:
        yield batch
