"""What happens to a network after it has come up: one change a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from bgpsim.fuzz.announcements import Announcer
from bgpsim.fuzz.draft import Draft
from bgpsim.fuzz.draws import DRAWS
from bgpsim.fuzz.files import typed
from bgpsim.fuzz.sketch import Action, End, Line

_TAKEN_BACK = frozenset(
    ("activate", "passive", "capability extended-nexthop", *(n for n, d in DRAWS.items() if d.typed))
)
"""Statements of the boot whose `no` form is typed."""


@dataclass(slots=True)
class Changes:
    """Draws changes one after the other, and remembers what they have made of the network."""

    drafts: dict[str, Draft]
    links: list[tuple[End, End]]
    announcer: Announcer
    down: list[End] = field(default_factory=list)
    shut: list[tuple[str, str]] = field(default_factory=list)

    def draw(self, random: Random) -> Action:
        able: dict[str, float] = {"link-down": 3, "configure": 5}
        if self.down:
            able["link-up"] = 4
        if any(draft.peers for draft in self.drafts.values()):
            able["session-down"] = 2
        if self.shut:
            able["session-up"] = 3
        if self.announcer.speakers:
            able["announce"] = 3
        if self.announcer.standing:
            able |= {"withdraw": 2, "replace": 2}
        while True:
            action = _CHANGES[random.choices(list(able), list(able.values()))[0]](self, random)
            if action is not None:
                return action

    def _link_down(self, random: Random) -> Action | None:
        up = [end for link in self.links for end in link if not set(link) & set(self.down)]
        up = [end for end in up if end[0] in self.drafts]
        if not up:
            return None
        end = random.choice(up)
        self.down.append(end)
        return Action("link-down", *end)

    def _link_up(self, random: Random) -> Action | None:
        end = self.down.pop(random.randrange(len(self.down)))
        return Action("link-up", *end)

    def _session_down(self, random: Random) -> Action | None:
        ends = [(draft.name, peer.name) for draft in self.drafts.values() for peer in draft.peers]
        shut = {
            (d.name, line.text.split()[1])
            for d in self.drafts.values()
            for line in d.lines
            if line.statement == "shutdown"
        }
        open_ends = [end for end in ends if end not in self.shut and end not in shut]
        if not open_ends:
            return None
        end = random.choice(open_ends)
        self.shut.append(end)
        return Action("session-down", *end)

    def _session_up(self, random: Random) -> Action | None:
        end = self.shut.pop(random.randrange(len(self.shut)))
        return Action("session-up", *end)

    def _configure(self, random: Random) -> Action | None:
        draft = random.choice(list(self.drafts.values()))
        if random.random() < 0.45:
            return self._taken_back(random, draft)
        statement = random.choice([name for name, draw in DRAWS.items() if draw.typed])
        there = {(line.section, line.text) for line in draft.lines}
        lines = [
            Line(s, text, statement) for s, text in DRAWS[statement].lines(random, draft) if (s, text) not in there
        ]
        if not lines:
            return None
        draft.lines += lines
        texts = [text for line in lines for text in typed(draft.made(), line.section, line.text)]
        return Action("configure", draft.name, texts, statement)

    def _taken_back(self, random: Random, draft: Draft) -> Action | None:
        lines = [line for line in draft.lines if line.statement in _TAKEN_BACK and "\n" not in line.text]
        if not lines:
            return None
        line = random.choice(lines)
        draft.lines.remove(line)
        text = line.text.removeprefix("no ") if line.text.startswith("no ") else f"no {line.text}"
        return Action("configure", draft.name, typed(draft.made(), line.section, text), line.statement)

    def _announce(self, random: Random) -> Action | None:
        return Action("announce", *self.announcer.announce(random))

    def _replace(self, random: Random) -> Action | None:
        return Action("replace", *self.announcer.replace(random))

    def _withdraw(self, random: Random) -> Action | None:
        return Action("withdraw", *self.announcer.withdraw(random))


_CHANGES: Mapping[str, Callable[[Changes, Random], Action | None]] = {
    "link-down": Changes._link_down,
    "link-up": Changes._link_up,
    "session-down": Changes._session_down,
    "session-up": Changes._session_up,
    "configure": Changes._configure,
    "announce": Changes._announce,
    "replace": Changes._replace,
    "withdraw": Changes._withdraw,
}
