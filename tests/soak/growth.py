"""A kept lab that takes many steps: what its processes hold after the first few and after the last."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from tests.soak import processes
from tests.soak.labs import Walk, write
from tests.soak.rounds import _COMMAND, Place

EARLY = 5
MOST = 1.1
"""Times what it held after `EARLY` steps."""
_ROLES = ("supervisor", "PID 1", "agent")


@dataclass(frozen=True, slots=True)
class Held:
    """By one process."""

    descriptors: int
    pss: int
    """Proportional set size, kB (proc(5), smaps_rollup)."""

    @classmethod
    def by(cls, pid: int) -> Held:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text()
        found = re.search(r"^Pss:\s+(\d+) kB$", told, re.M)
        assert found is not None
        return cls(len(os.listdir(f"/proc/{pid}/fd")), int(found[1]))


def grown(early: dict[str, Held], late: dict[str, Held]) -> tuple[str, ...]:
    """Which process holds more than `MOST` times what it held, of what."""
    found = []
    for role, then in early.items():
        now = late[role]
        for what, a, b in (("descriptors", then.descriptors, now.descriptors), ("kB PSS", then.pss, now.pss)):
            if b > MOST * a:
                found.append(f"{role}: {b} {what}, {a} after {EARLY} steps")
    return tuple(found)


def measure(place: Place, steps: int) -> int:
    """Of two routers with a speaker, and of the Cilium lab. 0 when nothing has grown."""
    return max(_measure(place, steps, frozenset({needs})) for needs in ("speaker", "cluster"))


def _measure(place: Place, steps: int, needs: frozenset[str]) -> int:
    click.echo(f"a lab with a {', '.join(needs)}")
    walk = Walk(random.Random("growth"), needs)
    folder = place.folder / "growth"
    scenario = write(folder, [{}], needs)
    _bgpsim(place, "lab", "up", str(scenario))
    try:
        for step in walk.first()[1:]:
            _bgpsim(place, "lab", "do", json.dumps(step))
        keeper = json.loads((place.labs / "soak" / "lab.json").read_text())["keeper"]
        pids = {"keeper": keeper, **{role: processes.of_role(keeper, role)[0] for role in _ROLES}}
        taken: dict[int, dict[str, Held]] = {}
        for number in range(1, steps + 1):
            step = walk.step()
            step.pop("name")
            _bgpsim(place, "lab", "do", json.dumps(step))
            if number % EARLY == 0 or number == steps:
                taken[number] = {role: Held.by(pid) for role, pid in pids.items()}
                told = ", ".join(f"{role} {h.descriptors} fds {h.pss} kB" for role, h in taken[number].items())
                click.echo(f"after {number:3} steps: {told}")
    finally:
        _bgpsim(place, "lab", "down", "soak")
    found = grown(taken[EARLY], taken[steps])
    for line in found:
        click.echo(f"grown: {line}")
    return 1 if found else 0


def _bgpsim(place: Place, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _COMMAND, *words],
        env=place.environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    if done.returncode:
        raise click.ClickException(f"{' '.join(words)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
