"""`traffic: answer`: a speaker takes the packets that it attracts for its own, and replies.

Every prefix that it announces is local in its namespace, so its kernel answers pings and takes what sockets there wait
for. Replies leave by the speaker's links, the first one that works. Looked up as the kernel does by default, a reply to
an address within an announced prefix would stay inside; so what the namespace itself sends is looked up in the main
table first, which has none of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from bgpsim.agent.protocol import Agent
from bgpsim.errors import LabError
from bgpsim.inputs.files.route_table import AnnouncedTable
from bgpsim.inputs.files.speakers import ROUTER_LINK_LOCAL, Announcement, SpeakerFile
from bgpsim.network.types import Prefix

RULES = ("add pref 100 iif lo lookup main", "add pref 200 lookup local", "del pref 0")
"""What the namespace sends itself comes in by `lo` (ip-rule(8))."""
_FIRST_METRIC = 10


class Impostors:
    """The speakers that answer."""

    def __init__(self, agent: Agent, speakers: Iterable[SpeakerFile]) -> None:
        self._agent = agent
        self._speakers = {speaker.name: speaker for speaker in speakers if speaker.traffic == "answer"}
        self._taken: dict[str, frozenset[Prefix]] = {name: frozenset() for name in self._speakers}

    def begin(self) -> None:
        """Rules and ways back, before anything is announced. Raises LabError where they cannot be had."""
        for name, speaker in self._speakers.items():
            for family in ("-4", "-6"):
                for rule in RULES:
                    done = self._agent.call("nodes.run", device=name, command=["ip", family, "rule", *rule.split()])
                    if done["exit_code"]:
                        raise LabError(
                            f"speaker {name} cannot answer: ip {family} rule {rule}: {done['output'].strip()}"
                        )
            self._agent.call("nodes.batch", commands={name: ways_back(speaker)})

    def follow(self, announced: Iterable[Announcement], tables: Iterable[AnnouncedTable] = ()) -> None:
        """Take what is announced now, to whichever router, and nothing else. Returns when the kernel does."""
        wanted: dict[str, set[Prefix]] = {name: set() for name in self._speakers}
        for announcement in announced:
            if announcement.speaker in wanted:
                wanted[announcement.speaker].add(announcement.prefix)
        for table in tables:
            if table.speaker in wanted:
                wanted[table.speaker] |= table.prefixes
        commands = {name: changes(self._taken[name], wanted[name]) for name in wanted}
        if any(commands.values()):
            self._agent.call("nodes.batch", commands=commands)
        self._taken = {name: frozenset(prefixes) for name, prefixes in wanted.items()}


def ways_back(speaker: SpeakerFile) -> list[str]:
    """Lines of `ip -batch`: a default route by each link, the first one preferred."""
    return [
        f"route add {default} {ROUTER_LINK_LOCAL} dev {link.speaker_interface} metric {_FIRST_METRIC * number}"
        for number, link in enumerate(speaker.attachments, start=1)
        for default in ("0.0.0.0/0 via inet6", "::/0 via")
    ]


def changes(taken: Iterable[Prefix], wanted: Iterable[Prefix]) -> list[str]:
    """Lines of `ip -batch` that make the wanted prefixes local instead of those taken."""
    before, after = set(taken), set(wanted)
    return [
        f"route {verb} local {prefix} dev lo"
        for verb, prefixes in (("del", before - after), ("add", after - before))
        for prefix in sorted(prefixes, key=str)
    ]
