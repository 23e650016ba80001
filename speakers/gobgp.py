"""A speaker that runs GoBGP: routes are put into gobgpd's own table, over gRPC, and it sends them.

GoBGP puts its own AS before whatever path it sends to an external peer, so a path is given without its first AS; one
that does not begin with the speaker's own cannot be had of it (`bgpsim.scenario.reading.gobgp_limits` refuses that).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from bgpsim.agent.protocol import Agent
from bgpsim.inputs.files.route_table import AnnouncedTable
from bgpsim.inputs.files.speakers import (
    ROUTER_LINK_LOCAL,
    WELL_KNOWN_COMMUNITIES,
    Announcement,
    Attachment,
    SpeakerFile,
)
from bgpsim.network.types import AsPath, Prefix
from bgpsim.speakers.commands import extended_community
from bgpsim.speakers.configuration import HOLD_TIME
from bgpsim.speakers.programs import BATCH_TIMEOUT, AllSent, Sent

Group: TypeAlias = dict[str, Any]
"""Routes with equal attributes, in JSON: see `bgpsim.speakers.gobgp_paths`."""
_IN_ONE_CALL = 5000
"""Routes of one request to the agent, some 100 KiB."""
_ORIGINS = {"igp": 0, "egp": 1, "incomplete": 2}
_SET, _SEQUENCE = 1, 2
"""RFC 4271 section 4.3."""


class GobgpProgram:
    """GoBGP 3 sends an UPDATE for each route that its table got (pkg/server/server.go, propagateUpdate)."""

    first_updates = 0

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._external: dict[tuple[str, str], bool] = {}

    def start(self, speaker: SpeakerFile, link: Attachment, router_asn: int) -> None:
        self._external[speaker.name, link.router] = speaker.asn != router_asn
        settings = {
            "asn": speaker.asn,
            "router_id": str(speaker.router_id),
            "interface": link.speaker_interface,
            "neighbor": str(ROUTER_LINK_LOCAL),
            "peer_asn": router_asn,
            "hold_time": HOLD_TIME,
        }
        self._agent.call("speaker.start_gobgp", speaker=speaker.name, router=link.router, settings=settings)

    def say(self, announcement: Announcement, link: Attachment, *, gone: bool) -> None:
        group = self._gone if gone else self._group
        self._send(announcement.speaker, link, [group(announcement, link, [announcement.prefix])])

    def announce(self, fresh: AnnouncedTable, link: Attachment, before: Sent) -> AllSent:
        self._send(fresh.speaker, link, (self._group(g.like, link, g.prefixes) for g in fresh.groups))
        return lambda seen: seen["messages"] - before["messages"] >= len(fresh)

    def withdraw(self, gone: Sequence[AnnouncedTable], link: Attachment, before: Sent) -> AllSent:
        for of in gone:
            self._send(of.speaker, link, (self._gone(g.like, link, g.prefixes) for g in of.groups))
        return lambda seen: seen["messages"] - before["messages"] >= sum(map(len, gone))

    def _send(self, speaker: str, link: Attachment, groups: Iterable[Group]) -> None:
        for together in _calls(groups):
            self._agent.call(
                "speaker.paths", timeout=BATCH_TIMEOUT, speaker=speaker, router=link.router, groups=together
            )

    @staticmethod
    def _gone(like: Announcement, link: Attachment, prefixes: Sequence[Prefix]) -> Group:
        return {"gone": True, "next_hop": str(link.next_hop), "prefixes": [str(p) for p in prefixes]}

    def _group(self, like: Announcement, link: Attachment, prefixes: Sequence[Prefix]) -> Group:
        external = self._external[like.speaker, link.router]
        return {**attributes(like, link, external=external), "prefixes": [str(p) for p in prefixes]}


def attributes(a: Announcement, link: Attachment, *, external: bool) -> Group:
    """What `bgpsim.speakers.gobgp_paths` reads, without the prefixes. `external`: the router has another AS."""
    said: Group = {
        "next_hop": str(link.next_hop if a.next_hop is None else a.next_hop),
        "origin": _ORIGINS[a.origin],
        "as_path": None if a.as_path is None else _segments(a.as_path[1:] if external else a.as_path),
        "med": a.med,
        "local_preference": a.local_preference,
        "communities": [_community(text) for text in a.communities],
        "large_communities": [[int(part) for part in text.split(":")] for text in a.large_communities],
        "extended_communities": [extended_community(text).removeprefix("0x") for text in a.extended_communities],
        "atomic_aggregate": a.atomic_aggregate,
        "unknown": [(u.code, u.flags, u.value.hex()) for u in a.unknown],
    }
    if a.aggregator is not None:
        asn, _, address = a.aggregator.partition(":")
        said["aggregator"] = (int(asn), address)
    return said


def _segments(path: AsPath) -> list[tuple[int, list[int]]]:
    segments: list[tuple[int, list[int]]] = []
    for part in path:
        if isinstance(part, frozenset):
            segments.append((_SET, sorted(part)))
        elif segments and segments[-1][0] == _SEQUENCE:
            segments[-1][1].append(part)
        else:
            segments.append((_SEQUENCE, [part]))
    return segments


def _community(text: str) -> int:
    number = WELL_KNOWN_COMMUNITIES.get(text)
    if number is None:
        high, _, low = text.partition(":")
        number = int(high) << 16 | int(low)
    return number


def _calls(groups: Iterable[Group]) -> Iterator[list[Group]]:
    """Groups in their order, so many that a call has some thousands of routes; large ones in parts."""
    call: list[Group] = []
    routes = 0
    for group in groups:
        prefixes = group["prefixes"]
        for begin in range(0, len(prefixes), _IN_ONE_CALL):
            part = prefixes[begin : begin + _IN_ONE_CALL]
            call.append({**group, "prefixes": part})
            routes += len(part)
            if routes >= _IN_ONE_CALL:
                yield call
                call, routes = [], 0
    if call:
        yield call
