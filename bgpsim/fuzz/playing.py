"""Networks played in one lab side by side, each by the scenario's own runner, in a thread of its own.

So a network that does not settle holds up no other, and what goes wrong is its own record's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from bgpsim.errors import LabError
from bgpsim.fuzz.joined import LabPart, Member, together
from bgpsim.inputs.files.lab_files import LabFiles
from bgpsim.lab.base import Lab
from bgpsim.report import document as doc
from bgpsim.scenario.playing.recording import Outcome, Record, judge_lab, outcome
from bgpsim.scenario.playing.runner import play

MOST_AT_ONCE = 24
"""Networks: each waits by a request of its own, of which the agent answers 32 at once."""

MakeLab = Callable[[LabFiles], Lab]


class Unheard:
    """A `Listener` that tells nobody."""

    def scenario(self, name: str, file: str) -> None: ...
    def before(self, step: doc.StepPart) -> None: ...
    @contextmanager
    def working(self, text: str) -> Iterator[Callable[[str], None]]:
        yield lambda _: None

    def lab(self, lab: doc.LabPart, seconds: float) -> None: ...
    def step(self, step: doc.StepPart) -> None: ...
    def verdict(self, run: doc.RunPart) -> None: ...


def play_together(
    members: Sequence[Member], make_lab: MakeLab, tell: Callable[[str], None], stop: threading.Event
) -> list[Outcome]:
    """One outcome per network, in their order. Where the lab does not come up its halves are tried, and theirs, until
    those networks are alone that keep it from coming up. `stop`: no further step is begun."""
    lab = make_lab(together(members))
    try:
        try:
            lab.bring_up(tell)
        except LabError as error:
            lab.close()
            if len(members) == 1:
                return [_failed(members[0], error)]
            tell(f"the lab did not come up ({error.message}); its halves are tried")
            half = len(members) // 2
            return [o for part in (members[:half], members[half:]) for o in play_together(part, make_lab, tell, stop)]
        tell(f"playing {len(members)} networks")
        with ThreadPoolExecutor(max_workers=len(members), thread_name_prefix="network") as pool:
            return list(pool.map(lambda member: _play(member, lab, stop), members))
    finally:
        lab.close()


def _play(member: Member, lab: Lab, stop: threading.Event) -> Outcome:
    part = LabPart(lab, member.names)
    record = Record(member.scenario, strict=True)
    listener = Unheard()
    try:
        play(record, part, listener, wanted=lambda: not stop.is_set())
    except (Exception, KeyboardInterrupt) as error:
        record.fails(error)
    record.facts = part.facts
    judge_lab(record)
    return outcome(record, listener)


def _failed(member: Member, error: LabError) -> Outcome:
    record = Record(member.scenario, strict=True)
    record.fails(error)
    return outcome(record, Unheard())


def embedded() -> MakeLab:
    """Makes embedded labs."""
    from bgpsim.lab.embedded.lab import EmbeddedLab
    from bgpsim.lab.images import default_store
    from bgpsim.speakers.control import SpeakerControl

    store: Path = default_store()
    return lambda files: EmbeddedLab(files, store, SpeakerControl)
