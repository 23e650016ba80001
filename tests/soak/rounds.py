"""One round: a lab comes up, takes random steps, meets a fault at a random moment, and is gone."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema

from bgpsim.lab.images import default_store
from bgpsim.process_state import state_of
from bgpsim.report.document import report_schema
from tests.soak import processes
from tests.soak.faults import Fault
from tests.soak.injecting import PAUSE, bother, crowd, inject
from tests.soak.judging import BOUND, Command, Seen, cause, complaints, wrong_report
from tests.soak.labs import Walk, write
from tests.soak.record import Row
from tests.soak.surroundings import Surroundings

LATE = 2.0
"""Seconds: a lab that is gone so soon after a fault was being closed already."""
_COMES = 90.0
"""Seconds until a fault's target is there, or never will be."""
_GOES = 12.0
"""Seconds until nothing of a lab is left, after the command that ended it."""
_POLL = 0.01
_COMMAND = "from bgpsim.cli.main import main; main()"


@dataclass
class Place:
    """Folders of soak's own, and the environment in which its commands run."""

    folder: Path
    schema: Mapping[str, Any] = field(default_factory=report_schema)

    def __post_init__(self) -> None:
        for name in ("tmp", "runtime"):
            (self.folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def environment(self) -> dict[str, str]:
        own = {"TMPDIR": str(self.folder / "tmp"), "XDG_RUNTIME_DIR": str(self.folder / "runtime"), "COLUMNS": "250"}
        return {**os.environ, **own}

    @property
    def labs(self) -> Path:
        return self.folder / "runtime" / "bgpsim"

    def surroundings(self) -> Surroundings:
        self.labs.mkdir(exist_ok=True, mode=0o700)  # where labs are looked for; the first command makes it
        return Surroundings.now((self.folder / "tmp", self.folder / "runtime", default_store()))


@dataclass
class Running:
    """A command under way."""

    words: tuple[str, ...]
    process: subprocess.Popen[bytes]
    said: Path
    report: Path | None
    begun: float
    ended: float | None = None

    def over(self) -> bool:
        if self.ended is None and self.process.poll() is not None:
            self.ended = time.monotonic()
        return self.ended is not None


@dataclass
class Round:
    """Its state while it goes on."""

    place: Place
    fault: Fault
    chance: random.Random
    folder: Path
    commands: list[Running] = field(default_factory=list)
    injected: float | None = None
    device: str | None = None
    gone: float | None = None
    """When the lab's supervisor was seen to be gone, after the fault."""
    supervisor: int | None = None
    take_back: Callable[[], None] = lambda: None
    steps: int = 0

    def start(self, *words: str, report: bool = False) -> Running:
        number = len(self.commands)
        said, folder = self.folder / f"{number}.txt", self.folder / f"report-{number}" if report else None
        more = ("--report", str(folder)) if folder is not None else ()
        with said.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-c", _COMMAND, *words, *more],
                env=self.place.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
            )
        self.commands.append(Running(words, process, said, folder, time.monotonic()))
        return self.commands[-1]

    def finish(self, command: Running) -> None:
        """To its end, for as long as the bound leaves it."""
        while not command.over():
            self._watch()
            since = max(command.begun, self.injected or command.begun)
            if time.monotonic() - since > (BOUND if self.injected else 3 * BOUND) + 10:
                command.process.kill()
                command.process.wait()
                return
            time.sleep(_POLL)
        self._watch()

    def _watch(self) -> None:
        if self.injected is None or self.supervisor is None or self.gone is not None:
            return
        state = state_of(self.supervisor)
        if state is None or state.letter == "Z":
            self.gone = time.monotonic()

    def strike(self, root: int, command: Running, span: float) -> None:
        """Do it to the target below `root`, at a random moment after it is there; nothing where it never is.

        On a kept lab whose command was over first it is done then.
        """
        if self.fault.how in ("none", "client", "crowd"):
            return
        deadline, moment = time.monotonic() + _COMES, None
        while not command.over() and time.monotonic() < deadline:
            targets = [root] if self.fault.target in ("command", "keeper") else self._targets(root)
            if targets and moment is None:
                moment = time.monotonic() + self.chance.uniform(0.0, span)
            if targets and moment is not None and time.monotonic() >= moment and self._inject(root, targets):
                break
            time.sleep(_POLL)
        if self.injected is None and root != command.process.pid:
            self._inject(root, [root] if self.fault.target == "keeper" else self._targets(root))
        if self.injected is not None and self.fault.how == "pause":
            time.sleep(PAUSE)
            self.take_back()

    def _inject(self, root: int, targets: Sequence[int]) -> bool:
        if not targets:
            return False
        target = self.chance.choice(targets)
        self.device = processes.device_of(target)
        self.supervisor = next(iter(processes.of_role(root, "supervisor")), None)
        try:
            self.take_back = inject(self.fault, target)
        except OSError:
            return False
        self.injected = time.monotonic()
        return True

    def _targets(self, root: int) -> list[int]:
        return processes.of_role(root, self.fault.target)

    @property
    def late(self) -> bool:
        return self.injected is not None and self.gone is not None and self.gone - self.injected < LATE


def play(place: Place, fault: Fault, kind: str, seed: int, number: int) -> Row:
    """The whole of it, judged."""
    chance = random.Random(f"{seed} {number}")
    folder = place.folder / f"round-{number}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    before, begun = place.surroundings(), time.monotonic()
    round_ = Round(place, fault, chance, folder)
    (_run if kind == "run" else _kept)(round_)
    left = processes.left(_GOES)
    _remove_bundles(place, round_)
    seen = Seen(
        fault,
        round_.injected is not None,
        round_.late,
        round_.device,
        tuple(_told(round_, command) for command in round_.commands),
        (*left, *place.surroundings().since(before)),
    )
    wrong = complaints(seen)
    after = seen.commands
    row = Row(
        seed,
        number,
        kind,
        fault.name,
        seen.injected,
        seen.late and not any(command.code for command in after),
        seen.device,
        None if round_.injected is None else round(round_.injected - begun, 2),
        round_.steps,
        tuple(command.code for command in after),
        next((cause(command.said) for command in after if command.code not in (0, -9, -15)), ""),
        round(time.monotonic() - begun, 1),
        round(max((command.seconds for command in after if seen.injected), default=0.0), 1),
        wrong,
    )
    if not wrong:
        shutil.rmtree(folder)
    return row


def _needs(round_: Round) -> frozenset[str]:
    if round_.fault.needs:
        return round_.fault.needs
    drawn = round_.chance.random()
    return frozenset({"speaker"}) if drawn < 0.3 else frozenset({"cluster"}) if drawn > 0.95 else frozenset()


def _run(round_: Round) -> None:
    """`bgpsim run`; the fault comes when it comes."""
    needs = _needs(round_)
    walk = Walk(round_.chance, needs)
    steps = [*walk.first(), *(walk.step() for _ in range(round_.chance.randint(1, 3)))]
    round_.steps = len(steps)
    command = round_.start("run", str(write(round_.folder, steps, needs)), report=True)
    round_.strike(command.process.pid, command, _span(round_.fault, 8.0))
    round_.finish(command)


def _span(fault: Fault, usual: float) -> float:
    """Seconds over which the moment is drawn; a stream is there for some seconds only."""
    return 1.0 if "stream" in fault.needs else usual


def _kept(round_: Round) -> None:
    """`lab up`, a step a command, the fault within one of them, a check, `lab down`."""
    needs = _needs(round_)
    walk = Walk(round_.chance, needs)
    first = walk.first()
    up = round_.start("lab", "up", str(write(round_.folder, [{}], needs)))
    round_.finish(up)
    if up.process.returncode == 0:
        keeper = json.loads((round_.place.labs / "soak" / "lab.json").read_text())["keeper"]
        _bothered_steps(round_, walk, first[1:], keeper)
        with ExitStack() as stack:
            if round_.fault.how == "crowd":
                round_.injected = time.monotonic()
                stack.enter_context(crowd(keeper, round_.place.labs / "soak" / "control"))
            round_.finish(round_.start("lab", "check"))
    round_.finish(round_.start("lab", "down", "soak"))


def _bothered_steps(round_: Round, walk: Walk, first: Sequence[dict[str, Any]], keeper: int) -> None:
    steps = [*first, *(walk.step() for _ in range(round_.chance.randint(1, 3)))]
    struck = len(first) if first and "stream" not in round_.fault.needs else round_.chance.randrange(len(steps))
    struck = 0 if "stream" in round_.fault.needs else struck
    with ExitStack() as stack:
        for number, step in enumerate(steps):
            round_.steps += 1
            words = ("lab", "do", json.dumps({key: value for key, value in step.items() if key != "name"}))
            command = round_.start(*words)
            if number == struck and round_.fault.how == "client":
                round_.injected = time.monotonic()
                if round_.fault.target == "second writer":
                    round_.finish(round_.start("lab", "check"))
                else:
                    stack.enter_context(bother(round_.fault.target, round_.place.labs / "soak" / "control"))
            elif number == struck:
                round_.strike(keeper, command, _span(round_.fault, 3.0))
            round_.finish(command)
            if round_.injected is not None and round_.fault.says:
                return


def _told(round_: Round, command: Running) -> Command:
    hung = command.ended is None
    ended = command.ended or time.monotonic()
    # What had ended before the fault has nothing to do with it.
    since = command.begun if round_.injected is None else max(command.begun, min(round_.injected, ended))
    code = command.process.returncode
    said = command.said.read_text(errors="replace")
    report: tuple[str, ...] = ()
    without = round_.injected is not None and round_.fault.name == "descriptors command"
    if command.report is not None and code not in (-9, -15) and not without:
        report = _checked(command.report / "report.json", round_.place.schema, code, said)
    seconds = ended - since if round_.injected is not None else 0.0
    return Command(" ".join(command.words[:2]), code, said, seconds, report, hung)


def _checked(file: Path, schema: Mapping[str, Any], code: int, said: str) -> tuple[str, ...]:
    try:
        report = json.loads(file.read_text())
        jsonschema.validate(report, schema)
    except (OSError, ValueError) as error:
        return wrong_report(None, str(error), code, said)
    except jsonschema.ValidationError as error:
        return wrong_report(report, f"not valid: {error.message[:200]}", code, said)
    return wrong_report(report, None, code, said)


def _remove_bundles(place: Place, round_: Round) -> None:
    """What is meant to stay of a lab that broke; there may be one for each command that says so."""
    bundles = list((place.folder / "tmp").glob("bgpsim-bundle-*"))
    allowed = sum(command.process.returncode in (3, -9, -15) for command in round_.commands)
    for bundle in bundles[:allowed]:
        shutil.rmtree(bundle)
