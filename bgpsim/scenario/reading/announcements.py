"""`announce:`, `replace:` and `withdraw:` entries -> what speakers announce, checked against what they do by then.

Each entry is read by a call of its own and changes nothing: what is in force then is part of the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

from bgpsim.inputs.files.speakers import Announcement, Attachment, SpeakerFile
from bgpsim.network.types import Address, AsPath, Prefix, UnknownAttribute
from bgpsim.scenario.reading.gobgp_limits import refusal
from bgpsim.scenario.reading.names import Names, hint, problem
from bgpsim.scenario.reading.problems import Problems
from bgpsim.scenario.schema import AnnounceEntry, PrefixSection, RawAttribute, WithdrawEntry
from bgpsim.scenario.timeline import Announce, Withdraw
from bgpsim.source import Source

At = tuple[str | int, ...]
"""The place of an entry in the file: `("steps", 2, "announce", 0)`."""
InForce = tuple[Announcement, ...]
"""One per `Announcement.key`, in order of announcement."""


@dataclass(slots=True)
class AnnouncementReader:
    """Reads entries for these speakers; `source` gives the line of a place in the file.

    `refused`: speakers with a problem of their own, which are not in `speakers`. What names them is passed over.
    """

    speakers: Sequence[SpeakerFile]
    source: Callable[..., Source]
    problems: Problems
    refused: frozenset[str] = frozenset()
    unsure: set[str] = field(default_factory=set)
    """Speakers with an announcement that could not be read: what they announce is not known."""

    def announce(
        self, entry: AnnounceEntry, at: At, names: Names, now: InForce, *, replacing: bool = False
    ) -> tuple[list[Announce], InForce]:
        """The actions of one entry, one per peer, and what is in force after them. None for what is wrong with it,
        which is among the problems. `replacing`: each must be announced already."""
        speaker = self.speaker(entry.speaker, self.source(*at, "speaker"))
        prefix = None if entry.prefix is None else self._prefix(entry.prefix, at, names)
        links = None if speaker is None else self.links(speaker, entry.to, at)
        if speaker is None or prefix is None or links is None or not self._fits(entry, speaker, prefix, at):
            self.unsure.add(entry.speaker)
            return [], now
        made = []
        for link in links:
            next_hop = None
            with self.problems.collected():
                next_hop = _next_hop(entry, link, self.source(*at, "next-hop"))
            announcement = announcement_of(entry, speaker.name, link.router, prefix, next_hop, self.source(*at))
            refused = refusal(announcement, speaker, names.network)
            if refused is not None:
                self.problems.found.append(problem(self.source(*at, refused[0]), refused[1]))
                self.unsure.add(speaker.name)
                continue
            there = any(a.key == announcement.key for a in now)
            if replacing and not there and speaker.name not in self.unsure:
                self._not_announced(announcement, at)
            # A replaced route keeps its place: a replacement is no new session event.
            now = tuple(announcement if a.key == announcement.key else a for a in now)
            now = now if there else (*now, announcement)
            made.append(Announce(announcement, replaces=replacing))
        return made, now

    def withdraw(self, entry: WithdrawEntry, at: At, names: Names, now: InForce) -> tuple[list[Withdraw], InForce]:
        """As `announce`."""
        speaker = self.speaker(entry.speaker, self.source(*at, "speaker"))
        prefix = None if entry.prefix is None else self._prefix(entry.prefix, at, names)
        links = None if speaker is None else self.links(speaker, entry.to, at)
        if speaker is None or links is None or (prefix is None and not entry.all_):
            return [], now
        routers = [link.router for link in links]
        gone = [
            a
            for a in now
            if a.speaker == speaker.name
            and a.router in routers
            and prefix in (None, a.prefix)
            and entry.path_id in (None, a.path_id)
        ]
        if not gone and speaker.name not in self.unsure:
            what = "nothing" if prefix is None else f"not {prefix}"
            what += "" if entry.path_id is None else f" with path-id {entry.path_id}"
            self.problems.found.append(
                problem(
                    self.source(*at),
                    f"speaker {speaker.name} announces {what} to {', '.join(routers)} here;"
                    " expected what a step before has announced and none has withdrawn",
                )
            )
        return [Withdraw(a) for a in gone], tuple(a for a in now if a not in gone)

    def _fits(self, entry: AnnounceEntry, speaker: SpeakerFile, prefix: Prefix, at: At) -> bool:
        """What no schema can tell of an entry alone."""
        found = len(self.problems.found)
        if prefix.version == 6 and entry.next_hop and ip_address(entry.next_hop).version == 4:
            text = f"next-hop {entry.next_hop} is IPv4; expected IPv6 for {prefix}"
            self.problems.found.append(problem(self.source(*at, "next-hop"), text))
        if entry.path_id is not None and not speaker.add_path:
            text = f"path-id {entry.path_id}: speaker {speaker.name} has no add-path; expected `add-path: true` there"
            self.problems.found.append(problem(self.source(*at, "path-id"), text))
        codes = [raw.code for raw in entry.attributes]
        for number, code in enumerate(codes):
            if code in codes[:number]:
                text = f"attribute {code} stands twice; expected it once (RFC 4271 section 5)"
                self.problems.found.append(problem(self.source(*at, "attributes", number), text))
        return len(self.problems.found) == found

    def _not_announced(self, announcement: Announcement, at: At) -> None:
        a = announcement
        path = f" with path-id {a.path_id}" if a.path_id else ""
        self.problems.found.append(
            problem(
                self.source(*at),
                f"speaker {a.speaker} announces not {a.prefix}{path} to {a.router} here;"
                " expected what a step before has announced and none has withdrawn",
                "a new route is for announce:",
            )
        )

    def speaker(self, name: str, source: Source) -> SpeakerFile | None:
        """None for one whose own problem is told already."""
        speakers = {s.name: s for s in self.speakers}
        if name in speakers:
            return speakers[name]
        if name not in self.refused:
            known = (*speakers, *self.refused)
            self.problems.found.append(
                problem(source, f"no speaker '{name}'; expected one of `speakers:`", hint(name, known, "speakers"))
            )
        return None

    def links(self, speaker: SpeakerFile, to: list[str] | None, at: At) -> tuple[Attachment, ...] | None:
        """The links to these routers, or to all; None where one is no peer of the speaker."""
        peers = {link.router: link for link in speaker.attachments}
        wrong = [(number, name) for number, name in enumerate(to or ()) if name not in peers]
        for number, name in wrong:
            self.problems.found.append(
                problem(
                    self.source(*at, "to", number),
                    f"'{name}' is no peer of speaker {speaker.name}; expected one of {', '.join(peers)}",
                    hint(name, peers, f"peers of {speaker.name}"),
                )
            )
        return None if wrong else tuple(peers[name] for name in to or peers)

    def _prefix(self, section: PrefixSection, at: At, names: Names) -> Prefix | None:
        place = (*at, "prefix") if isinstance(section, str) else (*at, "prefix", "of")
        with self.problems.collected():
            return names.prefix(section, self.source(*place))
        return None


def announcement_of(
    entry: AnnounceEntry,
    speaker: str,
    router: str,
    prefix: Prefix,
    next_hop: Address | None,
    source: Source,
) -> Announcement:
    """An entry's attributes at that prefix, to one peer."""
    return Announcement(
        speaker=speaker,
        router=router,
        prefix=prefix,
        source=source,
        as_path=None if entry.as_path is None else _as_path(entry.as_path),
        origin=entry.origin,
        med=entry.med,
        communities=tuple(sorted(set(entry.communities))),
        large_communities=tuple(sorted(set(entry.large_communities))),
        extended_communities=tuple(sorted(set(entry.extended_communities))),
        next_hop=next_hop,
        local_preference=entry.local_preference,
        originator_id=entry.originator_id,
        cluster_list=tuple(entry.cluster_list),
        aggregator=entry.aggregator,
        atomic_aggregate=entry.atomic_aggregate,
        unknown=tuple(sorted(map(_unknown, entry.attributes))),
        path_id=entry.path_id or 0,
    )


def _as_path(parts: Sequence[int | list[int]]) -> AsPath:
    return tuple(frozenset(part) if isinstance(part, list) else part for part in parts)


def _unknown(raw: RawAttribute) -> UnknownAttribute:
    return UnknownAttribute(raw.code, raw.flags, bytes.fromhex(raw.value.removeprefix("0x")))


def _next_hop(entry: AnnounceEntry, link: Attachment, source: Source) -> Address | None:
    """None: the speaker's address on the link, written or not."""
    if entry.next_hop is None:
        return None
    next_hop = ip_address(entry.next_hop)
    if next_hop == link.speaker_address:
        return None
    if next_hop.version == 6 and next_hop.is_link_local:
        raise problem(
            source,
            f"next-hop {next_hop} is link-local, and nobody's on the link to {link.router};"
            f" expected a global address or {link.speaker_address}, the speaker's own there",
        )
    return next_hop
