"""SpeakerControl: the speakers of a running lab, seen from outside; implements `bgpsim.lab.base.Speakers`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Lock
from typing import Any

from bgpsim.agent.protocol import Agent, LabDevice
from bgpsim.errors import DeviceDied, LabError
from bgpsim.inputs.files.route_table import AnnouncedTable, in_force, taken_out
from bgpsim.inputs.files.speakers import Announcement, Attachment, SpeakerFile
from bgpsim.network.types import Prefix
from bgpsim.speakers.answering import Impostors
from bgpsim.speakers.attachment import (
    NeighborState,
    configure_router,
    has_route,
    neighbor_state,
    router_asn,
    router_lines,
)
from bgpsim.speakers.gobgp import GobgpProgram
from bgpsim.speakers.programs import AllSent, ExabgpProgram, Program, Sent

SESSION_TIMEOUT = 30.0
"""Seconds until every session must be Established."""
EFFECT_TIMEOUT = 15.0
"""Seconds until the router must have counted an UPDATE."""
_POLL_OF_TABLES = 0.05
_POLL = 0.01
"""Seconds between two questions to bgpd, which answers one in a fraction of a millisecond."""


class SpeakerControl:
    """Attaches the speakers to their routers and speaks through them. Any thread may call.

    Every action returns when it is acknowledged at its effect: the router has counted the UPDATE.
    """

    def __init__(self, agent: Agent, devices: Mapping[str, LabDevice], speakers: tuple[SpeakerFile, ...]) -> None:
        self._agent = agent
        self._devices = devices
        self._speakers = speakers
        self._links = {(speaker.name, link.router): link for speaker in speakers for link in speaker.attachments}
        self._announced: dict[tuple[str, str, Prefix, int], Announcement] = {}
        self._tables: tuple[AnnouncedTable, ...] = ()
        programs: Mapping[str, Program] = {"exabgp": ExabgpProgram(agent), "gobgp": GobgpProgram(agent)}
        self._programs = {speaker.name: programs[speaker.engine] for speaker in speakers}
        self._impostors = Impostors(agent, speakers)
        # One at a time: a router's count of UPDATEs does not say which route they were for.
        self._acting = Lock()

    @property
    def announced(self) -> tuple[Announcement, ...]:
        """In force, in order of announcement."""
        return tuple(self._announced.values())

    def start(self, progress: Callable[[str], None]) -> None:
        """Give the routers their neighbors, start what runs the speakers; returns when every session is Established.

        Raises LabError when a router refuses a line or a session does not come up, DeviceDied when a program ends.
        """
        links = [(speaker, link) for speaker in self._speakers for link in speaker.attachments]
        if not links:
            return
        for speaker, link in links:
            device = self._devices.get(link.router)
            if device is None or device.engine != "frr":
                raise LabError(
                    f"speaker {speaker.name}: found the peer {link.router!r}, expected a FRR router of the lab",
                    file=speaker.source.file,
                    line=speaker.source.line,
                )
        with ThreadPoolExecutor(max_workers=len(links)) as pool:
            for speaker, link in pool.map(lambda one: self._attach(*one), links):
                progress(f"speaker {speaker.name} peers with {link.router}")
        self._impostors.begin()

    def announce(self, announcement: Announcement) -> None:
        """Announce or replace a route; returns at once when the very same is in force.

        Raises LabError with the program's reason when it refuses.
        """
        with self._acting:
            there = self._announced.get(announcement.key)
            if there is not None and replace(there, source=announcement.source) == announcement:
                return
            self._act(announcement, gone=False)
            self._announced[announcement.key] = announcement
            if not announcement.path_id:
                self._tables, _ = taken_out(self._tables, *announcement.key[:2], {announcement.prefix})
            self._follow()

    def withdraw(self, announcement: Announcement) -> None:
        """Withdraw the route of this key; returns at once when it is not announced."""
        with self._acting:
            there = self._announced.get(announcement.key) or self._of_table(announcement)
            if there is None:
                return
            self._act(there, gone=True)
            self._announced.pop(announcement.key, None)
            if not there.path_id:
                self._tables, _ = taken_out(self._tables, *there.key[:2], {there.prefix})
            self._follow()

    def announce_table(self, table: AnnouncedTable) -> None:
        """Announce or replace its routes. Returns when the speaker has sent, and the router has counted, every one that
        was not in force as it is; raises LabError with the program's reason when it refuses one."""
        with self._acting:
            link, program = self._link(table), self._programs[table.speaker]
            fresh = table.without(in_force(table, self._tables, self.announced))
            self._inject(table, link, lambda before: program.announce(fresh, link, before))
            tables, _ = taken_out(self._tables, table.speaker, table.router, table.prefixes)
            self._tables = (*tables, table)
            for key in [k for k in self._announced if k[:2] == table.session and not k[3] and k[2] in table.prefixes]:
                del self._announced[key]
            self._follow()

    def withdraw_table(self, table: AnnouncedTable) -> None:
        """Withdraw those of its routes that a table announces; returns when the router has counted it."""
        with self._acting:
            tables, gone = taken_out(self._tables, table.speaker, table.router, table.prefixes)
            link, program = self._link(table), self._programs[table.speaker]
            self._inject(table, link, lambda before: program.withdraw(gone, link, before))
            # bgpd takes withdrawn routes out of its table in order, some time after it has counted them.
            last = gone[-1].groups[-1].prefixes[-1] if gone else None
            self._wait(
                table.speaker,
                link,
                lambda seen, _: not seen.established or last is None or not has_route(self._agent, link, last),
                EFFECT_TIMEOUT,
                f"the withdrawal of {table.name}",
            )
            self._tables = tables
            self._follow()

    def _inject(
        self,
        table: AnnouncedTable,
        link: Attachment,
        send: Callable[[Sent], AllSent],
    ) -> None:
        """Say it and wait for the effect: all routes are sent, and the router has counted as many UPDATEs as the
        speaker sent. What it makes of a route is its own affair."""
        router, sent_before = neighbor_state(self._agent, link), self._sent(table, 0)
        before = sent_before["messages"]
        all_sent = send(sent_before)
        progress = (-1, time.monotonic())
        while True:
            state, status = neighbor_state(self._agent, link), self._status(table.speaker, table.router)
            _check(status)
            if not state.established:
                # The speaker holds the routes until there is a session; that there is none shows by itself.
                return
            seen = self._sent(table, before)
            counted = state.updates_received - router.updates_received
            if all_sent(seen) and counted >= seen["messages"] - before:
                return
            if seen["messages"] + counted != progress[0]:
                progress = (seen["messages"] + counted, time.monotonic())
            elif time.monotonic() - progress[1] > EFFECT_TIMEOUT:
                raise LabError(
                    f"speaker {table.speaker}: no effect at {table.router} for {EFFECT_TIMEOUT:.0f} s: {table.name}"
                    f" ({seen['messages'] - before} UPDATEs sent, {counted} counted there)",
                    log=tuple(self._agent.call("speaker.log", speaker=table.speaker, router=table.router)[-12:]),
                )
            time.sleep(_POLL_OF_TABLES)

    def _sent(self, table: AnnouncedTable, after: int) -> Mapping[str, int]:
        sent: Mapping[str, int] = self._agent.call(
            "speaker.sent", speaker=table.speaker, router=table.router, after=after
        )
        return sent

    def _of_table(self, announcement: Announcement) -> Announcement | None:
        if announcement.path_id:
            return None
        here = (t for t in self._tables if t.session == announcement.key[:2])
        return next((a for t in here if (a := t.at(announcement.prefix)) is not None), None)

    def _follow(self) -> None:
        self._impostors.follow(self.announced, self._tables)

    def attach_again(self, router: str) -> None:
        """The speaker has kept its routes, and dials by itself."""
        for speaker in self._speakers:
            for link in speaker.attachments:
                if link.router == router:
                    asn = router_asn(self._agent, router)
                    configure_router(self._agent, router, router_lines(speaker, link, asn))

    def check_alive(self) -> None:
        """Raises DeviceDied, with its last log lines, for a speaker whose process ended by itself."""
        for status in self._agent.call("speaker.alive"):
            _check(status)

    def _attach(self, speaker: SpeakerFile, link: Attachment) -> tuple[SpeakerFile, Attachment]:
        asn = router_asn(self._agent, link.router)
        program = self._programs[speaker.name]
        # The router first: ExaBGP dials at once, and again after a growing pause if nobody listens.
        configure_router(self._agent, link.router, router_lines(speaker, link, asn))
        program.start(speaker, link, asn)
        self._wait(
            speaker.name,
            link,
            lambda seen, status: (
                seen.established and status["established"] and seen.updates_received >= program.first_updates
            ),
            SESSION_TIMEOUT,
            "the session must be Established",
        )
        return speaker, link

    def _act(self, announcement: Announcement, *, gone: bool) -> None:
        """Say it and wait for the effect: the router counted the UPDATE, and the speaker reported it sent.

        What the router makes of a route is its own affair (a filter, a loop); a withdrawn one must leave its table.
        """
        speaker, router, link = announcement.speaker, announcement.router, self._link(announcement)
        before, sent_before = neighbor_state(self._agent, link), self._status(speaker, router)["sent"]
        self._programs[speaker].say(announcement, link, gone=gone)
        if not before.established and not self._status(speaker, router)["established"]:
            # Both ends say that there is no session: the speaker holds the route until there is one.
            return

        def done(seen: NeighborState, status: Mapping[str, Any]) -> bool:
            if not seen.established:
                return True
            counted = seen.updates_received > before.updates_received and status["sent"] > sent_before
            return counted and not (gone and has_route(self._agent, link, announcement.prefix, announcement.path_id))

        what = f"the {'withdrawal of' if gone else 'UPDATE for'} {announcement.prefix}"
        self._wait(speaker, link, done, EFFECT_TIMEOUT, what)

    def _wait(
        self,
        speaker: str,
        link: Attachment,
        holds: Callable[[NeighborState, Mapping[str, Any]], bool],
        timeout: float,
        what: str,
    ) -> None:
        deadline, router = time.monotonic() + timeout, link.router
        while not holds(seen := neighbor_state(self._agent, link), status := self._status(speaker, router)):
            _check(status)
            if time.monotonic() > deadline:
                raise LabError(
                    f"speaker {speaker}: no effect at {router} within {timeout:.0f} s: {what} "
                    f"(the session is {seen.state} there)",
                    log=tuple(self._agent.call("speaker.log", speaker=speaker, router=router)[-12:]),
                )
            time.sleep(_POLL)

    def _link(self, announcement: Announcement | AnnouncedTable) -> Attachment:
        try:
            return self._links[announcement.speaker, announcement.router]
        except KeyError:
            raise LabError(f"speaker {announcement.speaker} is not attached to {announcement.router}") from None

    def _status(self, speaker: str, router: str) -> Mapping[str, Any]:
        for status in self._agent.call("speaker.alive"):
            if (status["speaker"], status["router"]) == (speaker, router):
                found: Mapping[str, Any] = status
                return found
        raise LabError(f"speaker {speaker} is not attached to {router}")


def _check(status: Mapping[str, Any]) -> None:
    if not status["alive"]:
        code = status["exit_code"]
        how = "lost its API process" if code is None else f"ended by itself (exit code {code})"
        raise DeviceDied(
            f"speaker {status['speaker']}: {status['program']} at {status['router']} {how}",
            log=tuple(status["log"]),
        )
