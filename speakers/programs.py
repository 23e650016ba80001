"""What runs a speaker's end of a session, seen from outside: how it is started and told what to say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias

from bgpsim.agent.protocol import Agent
from bgpsim.inputs.files.route_table import AnnouncedTable
from bgpsim.inputs.files.speakers import Announcement, Attachment, SpeakerFile
from bgpsim.speakers.batches import announce_lines, batches, withdraw_lines
from bgpsim.speakers.commands import announce_line, withdraw_line
from bgpsim.speakers.configuration import ENVIRONMENT, configuration_text

BATCH_TIMEOUT = 300.0
"""Seconds until every line of a batch must be answered: 10,000 routes take ExaBGP some three."""
_END_OF_RIB_MARKERS = 2
"""ExaBGP ends its first table with one End-of-RIB per family (RFC 4724); FRR counts them as UPDATEs."""

Sent: TypeAlias = Mapping[str, int]
"""What `speaker.sent` tells."""
AllSent: TypeAlias = Callable[[Sent], bool]


class Program(Protocol):
    """`first_updates`: UPDATEs that it sends with nothing to announce."""

    first_updates: int

    def start(self, speaker: SpeakerFile, link: Attachment, router_asn: int) -> None:
        """Returns when it waits for the router, or dials. Raises DeviceDied with its words when it ends."""

    def say(self, announcement: Announcement, link: Attachment, *, gone: bool) -> None:
        """Announce, replace or withdraw. Returns when it is taken; raises LabError with the reason when it is not."""

    def announce(self, fresh: AnnouncedTable, link: Attachment, before: Sent) -> AllSent:
        """Routes that are not in force as they are. As `say`; tells when all of them were sent."""

    def withdraw(self, gone: Sequence[AnnouncedTable], link: Attachment, before: Sent) -> AllSent:
        """Routes that are announced. As `announce`."""


class ExabgpProgram:
    """ExaBGP, by the lines of its API process."""

    first_updates = _END_OF_RIB_MARKERS

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def start(self, speaker: SpeakerFile, link: Attachment, router_asn: int) -> None:
        relay = self._agent.call("speaker.relay", router=link.router)
        self._agent.call(
            "speaker.start",
            speaker=speaker.name,
            router=link.router,
            configuration=configuration_text(speaker, link, router_asn, relay),
            environment=dict(ENVIRONMENT),
        )

    def say(self, announcement: Announcement, link: Attachment, *, gone: bool) -> None:
        line = (withdraw_line if gone else announce_line)(announcement, link)
        self._agent.call("speaker.command", speaker=announcement.speaker, router=announcement.router, line=line)

    def announce(self, fresh: AnnouncedTable, link: Attachment, before: Sent) -> AllSent:
        self._send(fresh.speaker, link, announce_lines(fresh, link))
        return lambda seen: seen["fresh"] >= len(fresh)

    def withdraw(self, gone: Sequence[AnnouncedTable], link: Attachment, before: Sent) -> AllSent:
        for of in gone:
            self._send(of.speaker, link, withdraw_lines(of, link))
        left = before["standing"] - sum(map(len, gone))
        return lambda seen: seen["standing"] <= left

    def _send(self, speaker: str, link: Attachment, lines: Iterable[str]) -> None:
        for batch in batches(lines):
            self._agent.call(
                "speaker.commands", timeout=BATCH_TIMEOUT, speaker=speaker, router=link.router, lines=batch
            )
