"""What containers do when they start: those of FRR's images start FRR, before the lab's links are there.

`docker-start` of the image runs watchfrr in the foreground with the daemons that /etc/frr/daemons names; Debian's
`frrinit.sh start`, which runs here, starts the same ones in the same way and returns once the configuration is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bgpsim.lab.embedded.plan import BuildPlan, Cable

COMMAND = "/usr/lib/frr/frrinit.sh start"


def before_links(plan: BuildPlan) -> tuple[list[Cable], Mapping[str, tuple[str, ...]]]:
    """What a container has when its entry point runs: its loopback, and eth0 on the management network."""
    gateways = {c.name for c in plan.containers if c.role == "gateway"}
    starting = {c.name for c in plan.containers if c.starts_frr}
    cables = [cable for cable in plan.cables if cable.b in gateways]
    settings = {
        name: lines if name in gateways else tuple(line for line in lines if _early(line))
        for name, lines in plan.settings.items()
        if name in gateways or name in starting
    }
    return cables, settings


def after_start(plan: BuildPlan) -> tuple[list[Cable], Mapping[str, tuple[str, ...]]]:
    """All the rest."""
    cables, settings = before_links(plan)
    done = set(map(id, cables))
    rest: dict[str, tuple[str, ...]] = {}
    for name, lines in plan.settings.items():
        before: Sequence[str] = settings.get(name, ())
        rest[name] = tuple(line for line in lines if line not in before)
    return [cable for cable in plan.cables if id(cable) not in done], rest


def _early(line: str) -> bool:
    words = line.split()
    return "lo" in words or "eth0" in words
