"""A campaign: networks of a seed, lab after lab, remembered in a file so that it goes on where it was stopped."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bgpsim.errors import BgpsimError, InputError
from bgpsim.fuzz.exercising import exercised
from bgpsim.fuzz.generator import network
from bgpsim.fuzz.joined import read
from bgpsim.fuzz.known import KnownDifference
from bgpsim.fuzz.playing import MOST_AT_ONCE, MakeLab, play_together
from bgpsim.fuzz.renaming import prefixed
from bgpsim.fuzz.shrinking import Shrinker, write
from bgpsim.fuzz.sketch import Sketch
from bgpsim.fuzz.tally import Result, result_from, tally
from bgpsim.scenario.playing.recording import Outcome

_OF_A_ROUTER = 60 << 20
"""Bytes that a router takes with its part of speakers, agent and captures (measured: 45 MB)."""
_ROUTERS_PER_CORE = 24
"""More of them come up so slowly that sessions lose their hold time."""
_ALONE = 2
"""So often a network that failed is run alone."""


@dataclass(frozen=True, slots=True)
class Settings:
    seed: int
    networks: int
    changes: int
    image: str
    routers: int
    """Of one lab, about."""
    exercise: bool = True

    @property
    def header(self) -> dict[str, Any]:
        """What another campaign of the same file must have in common with this one."""
        return {"seed": self.seed, "changes": self.changes, "image": self.image}


def routers_at_once() -> int:
    """By the machine's memory and cores."""
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    cores = len(os.sched_getaffinity(0))
    return max(10, min(free // 2 // _OF_A_ROUTER, _ROUTERS_PER_CORE * cores))


@dataclass(slots=True)
class Progress:
    """Results so far, and the file that has them: a line for what the campaign is, then a line for each network."""

    file: Path
    settings: Settings
    results: dict[int, Result] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    """Of labs, in this process and those before it."""
    networks_timed: int = 0

    @classmethod
    def begin(cls, file: Path, settings: Settings, *, resume: bool) -> Progress:
        """Raises InputError for a file that cannot be written, or one of another campaign."""
        found = cls(file, settings)
        try:
            if resume and file.exists():
                found._read()
            else:
                file.write_text(json.dumps(settings.header) + "\n", encoding="utf-8")
        except OSError as error:
            raise InputError(f"{file}: {error.strerror}; expected a file that can be written") from None
        return found

    def _read(self) -> None:
        header, *lines = self.file.read_text(encoding="utf-8").splitlines() or [""]
        try:
            told = json.loads(header)
            # The last line is not whole where the campaign was killed while it wrote.
            documents = [json.loads(line) for line in lines if line.endswith("}")]
        except ValueError:
            raise InputError(f"{self.file}: found no campaign in it; expected the file of one") from None
        if told != self.settings.header:
            raise InputError(
                f"{self.file}: found a campaign with {told}, expected {self.settings.header}",
                hint="without --resume it begins anew",
            )
        for document in documents:
            self.seconds += document.pop("seconds", 0.0)
            self.networks_timed += 1
            self.versions = document.pop("versions", self.versions)
            result = result_from(document)
            self.results[result.index] = result
        self.file.write_text("".join(f"{line}\n" for line in (header, *(x for x in lines if x.endswith("}")))))

    def add(self, results: Iterable[Result], seconds: float) -> None:
        """`seconds`: what all of them took together."""
        found = list(results)
        with self.file.open("a", encoding="utf-8") as file:
            for result in found:
                share = round(seconds / len(found), 3)
                file.write(json.dumps({**result.to_json(), "seconds": share, "versions": dict(self.versions)}) + "\n")
                self.results[result.index] = result
        self.seconds += seconds
        self.networks_timed += len(found)

    @property
    def left(self) -> list[int]:
        return [index for index in range(self.settings.networks) if index not in self.results]

    def summary(self) -> dict[str, Any]:
        """What `--json` prints."""
        settings = self.settings
        chosen = [self.results[n] for n in sorted(self.results) if n < settings.networks]
        counted = [result for result in chosen if result.standing == "counts"]
        return {
            **settings.header,
            "networks": len(chosen),
            "counted": len(counted),
            "not_counted": dict(sorted(Counter(r.standing for r in chosen if r.standing != "counts").items())),
            "compared": sum(result.compared for result in counted),
            "equal": sum(result.equal for result in counted),
            "explained": sum(result.explained for result in counted),
            "explained_by": dict(sorted(Counter(name for r in counted for name in r.by).items())),
            "unexplained": sum(result.unexplained for result in counted),
            "failing": [result.index for result in counted if result.fails],
            "open": sum(result.open for result in counted),
            "reasons": {
                "two_paths": sum(result.reasons[0] for result in counted),
                "more_paths": sum(result.reasons[1] for result in counted),
            },
            "planes": dict(sum((Counter(result.planes) for result in counted), Counter())),
            "statements": dict(sorted(Counter(name for r in counted for name in r.statements).items())),
            "exercised": dict(sorted(Counter(name for r in counted for name in r.exercised).items())),
            "per_minute": round(60 * self.networks_timed / self.seconds, 1) if self.seconds else None,
            "versions": dict(self.versions),
        }


def batches(settings: Settings, indices: Sequence[int]) -> Iterator[dict[int, Sketch]]:
    """Networks for one lab each, in order."""
    batch: dict[int, Sketch] = {}
    for index in indices:
        sketch = network(settings.seed, index, settings.changes)
        routers = sum(len(one.routers) for one in batch.values())
        if batch and (len(batch) == MOST_AT_ONCE or routers + len(sketch.routers) > settings.routers):
            yield batch
            batch = {}
        batch[index] = sketch
    if batch:
        yield batch


class Campaign:
    """Runs what is left of a campaign. `keep`: where failing networks are written, made smaller; None: nowhere."""

    def __init__(
        self,
        progress: Progress,
        make_lab: MakeLab,
        known: Sequence[KnownDifference],
        tell: Callable[[str], None],
        keep: Path | None = None,
    ) -> None:
        self._progress, self._make_lab, self._known, self._tell, self._keep = progress, make_lab, known, tell, keep
        self._settings = progress.settings
        self._stop = threading.Event()

    def run(self) -> None:
        for batch in batches(self._settings, self._progress.left):
            begun = time.monotonic()
            results = self._play(batch)
            failing = [index for index, result in results.items() if result.fails or result.standing == "broken"]
            for index in failing:
                results[index] = self._alone(index, batch[index], results[index])
            self._progress.add(results.values(), time.monotonic() - begun)
            self._say(results.values())
            for index in failing:
                if results[index].fails and self._keep is not None:
                    self._shrink(self._keep, index, batch[index], results[index])

    def _play(self, batch: Mapping[int, Sketch]) -> dict[int, Result]:
        """A network that cannot even be read is one too: it is broken, and says why."""
        results: dict[int, Result] = {}
        with tempfile.TemporaryDirectory(prefix="bgpsim-fuzz-") as folder:
            members = {}
            for index, sketch in batch.items():
                name = f"n{index}-"
                try:
                    members[index] = read(prefixed(sketch, name), Path(folder) / name, self._settings.image)
                except BgpsimError as error:
                    results[index] = Result(index, sketch.about, len(sketch.routers), "broken", str(error))
            if not members:
                return results
            try:
                outcomes = play_together(list(members.values()), self._make_lab, self._tell, self._stop)
            except KeyboardInterrupt:
                self._stop.set()
                raise
            for (index, member), outcome in zip(members.items(), outcomes, strict=True):
                self._note(outcome)
                results[index] = tally(member, index, outcome, self._known, self._frr)
                if self._settings.exercise:
                    matters = tuple(sorted(exercised(batch[index])))
                    results[index] = replace(results[index], exercised=matters)
        return results

    def _note(self, outcome: Outcome) -> None:
        versions = outcome.run.volatile.get("versions")
        if versions:
            self._progress.versions = versions

    @property
    def _frr(self) -> str:
        return self._progress.versions.get("frr", "")

    def _alone(self, index: int, sketch: Sketch, there: Result) -> Result:
        """What is seen in the lab of many alone may come from the load: it is told, and proves nothing."""
        again = there
        for _ in range(_ALONE):
            again = self._play({index: sketch})[index]
            if again.fails:
                return again
        because = there.because or f"in the lab of many {there.unexplained} facts differed, and none alone"
        if again.standing == "counts":
            return replace(again, standing="unrepeated", because=because, differences=there.differences)
        return again

    def _say(self, results: Iterable[Result]) -> None:
        for result in sorted(results, key=lambda one: one.index):
            if result.standing != "counts":
                self._tell(f"network {result.index}: {result.standing}: {result.because}")
            elif result.unexplained:
                first = result.differences[0]
                self._tell(
                    f"network {result.index}: {result.unexplained} of {result.compared} facts differ, the first in step"
                    f" “{first.step}”: {first.plane} {first.where} {first.field or first.kind}:"
                    f" predicted {first.predicted or '-'}, observed {first.observed or '-'}"
                )
        told = self._progress.summary()
        self._tell(
            f"{told['networks']} of {self._settings.networks} networks: {told['compared']} facts compared,"
            f" {told['equal']} equal, {told['explained']} explained, {told['unexplained']} unexplained;"
            f" {told['per_minute']} networks a minute"
        )

    def _shrink(self, keep: Path, index: int, sketch: Sketch, failed: Result) -> None:
        self._tell(f"network {index} is made smaller")
        small = Shrinker(self._make_lab, self._settings.image, self._frr, self._tell).shrink(sketch, failed)
        result = self._play({index: small})[index]
        write(keep / f"{self._settings.seed}-{index}", small, result if result.differences else failed,
              self._settings.image, self._settings.seed, self._frr)  # fmt: skip
        self._tell(f"wrote {keep / f'{self._settings.seed}-{index}'}: {len(small.routers)} routers")
