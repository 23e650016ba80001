"""Generated fabrics of FRR routers by bgpsim, and the floor under each, one after the other.

Both end at the same tables: those of the prediction, which the lab's verdict holds it to, and which the floor is given
as numbers: how many routes of BGP each kernel has, and what each router counts as received and sent per neighbor.

    floor   start of fabric_floor.sh .. `done`
    lab     start of `bgpsim run scenario.yaml --step fabric` .. the step has settled, less the quiet window

The floor forks the daemons with a configuration file each. The lab runs the topology's `exec` lines as they are:
`frrinit.sh start`, and vtysh with the same configuration. What that costs more is the lab's.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.commands import ROOT, Finished, run
from benchmarks.figures import Parts
from benchmarks.seed_lab import lab_up, milestones, run_scenario
from bgpsim.generate.fabric import Fabric, Router
from bgpsim.generate.fat_tree import fat_tree
from bgpsim.generate.files import frr_lines, lab_files
from bgpsim.generate.ring import ring
from bgpsim.generate.writing import write_new
from bgpsim.lab.images import default_store, ensure
from bgpsim.model import predict
from bgpsim.network.state import NetworkState
from bgpsim.scenario.reading.loading import load

STEP = "fabric"
FABRICS: Mapping[str, Callable[[], Fabric]] = {
    "ring-20": lambda: ring(20),
    "fat-tree-4": lambda: fat_tree(4),
    "ring-60": lambda: ring(60),
}
_FLOOR = ROOT / "benchmarks" / "fabric_floor.sh"


@dataclass(frozen=True, slots=True)
class Measured:
    seconds: float
    peak_kib: int
    parts: Parts


@dataclass(frozen=True, slots=True)
class Written:
    """A fabric in files: for bgpsim, and for the floor."""

    scenario: Path
    floor: Path


@contextmanager
def written(fabric: Fabric) -> Iterator[Written]:
    with tempfile.TemporaryDirectory(prefix="bgpsim-bench-") as name:
        here = Path(name)
        write_new(here / "lab", lab_files(fabric))
        scenario = here / "lab" / "scenario.yaml"
        step = load(scenario).steps[0]
        write_new(here / "floor", floor_files(fabric, predict(step.network, None, ()).state))
        yield Written(scenario, here / "floor")


def floor_files(fabric: Fabric, state: NetworkState) -> dict[str, str]:
    """What fabric_floor.sh makes, and the tables that it must end with."""
    hosts = [router.host for router in fabric.routers if router.host is not None]
    texts = {
        "nodes": _lines(r.name for r in fabric.routers) + _lines(h.name for h in hosts),
        "links": _lines(" ".join((*cable.a, *cable.b)) for cable in fabric.cables),
    }
    for host in hosts:
        texts[f"{host.name}.ip"] = (
            "link set lo up\nlink set net0 up\n"
            f"addr add {host.address} dev net0\nroute add default via {host.gateway.ip}\n"
        )
    routes = Counter(key.device for key, route in state.fib.items() if route.protocol == "bgp")
    for router in fabric.routers:
        texts[f"{router.name}.ip"] = _lines(_addresses(router))
        # It has no syslog of its own, and must not find another.
        texts[f"{router.name}.conf"] = _lines(line for line in frr_lines(router) if not line.startswith("log "))
        texts[f"{router.name}.routes"] = f"{routes[router.name]}\n"
        texts[f"{router.name}.counts"] = _counts(router, state) + "\n"
    return texts


def _addresses(router: Router) -> Iterator[str]:
    yield "link set lo up"
    yield f"addr add {router.loopback}/32 dev lo"
    yield from (f"link set {interface} up" for interface in router.fabric)
    if router.host is not None:
        yield f"link set {router.host.router_interface} up"
        yield f"addr add {router.host.gateway} dev {router.host.router_interface}"


def _counts(router: Router, state: NetworkState) -> str:
    """As fabric_floor.sh prints them, in FRR's order of interface neighbors: by name."""
    counted = {
        key.neighbor: session.families["ipv4-unicast"]
        for key, session in state.sessions.items()
        if key.device == router.name
    }
    return " ".join(f"{name}={of.accepted}/{of.sent}" for name, of in sorted(counted.items()))


def _lines(texts: Any) -> str:
    return "".join(f"{text}\n" for text in texts)


def floor(files: Written) -> Measured:
    rootfs = ensure({"frr"}, default_store(), lambda _: None)["frr"].rootfs
    return floor_measured(run(["bash", _FLOOR, rootfs, files.floor]))


def floor_measured(finished: Finished) -> Measured:
    at = milestones(finished)
    parts = (
        ("wired", at["wired"]),
        ("routers forked", at["started"] - at["wired"]),
        ("routes in the kernels", at["routes"] - at["started"]),
        ("counters read", at["done"] - at["routes"]),
    )
    return Measured(at["done"], finished.peak_kib, Parts("floor", parts))


def lab(files: Written) -> Measured:
    finished, report = run_scenario(str(files.scenario), arguments=("--step", STEP))
    return lab_measured(lab_up(finished), report, finished.peak_kib)


def lab_measured(up: float, report: Mapping[str, Any], peak_kib: int) -> Measured:
    """`up`: seconds from the command's start until the lab was up."""
    (of_run,) = report["runs"]
    (step,) = of_run["steps"]
    total, bring_up = (of_run["volatile"]["seconds"][name] for name in ("total", "bring_up"))
    settling = step["volatile"]["settling"]
    before = up - bring_up
    settled = before + settling["at"] - settling["quiet"]
    parts = (
        ("Python, imports, reading files", before),
        ("nodes, links, exec lines", bring_up),
        ("settled, less the quiet window", settled - up),
        ("not counted: the quiet window", settling["quiet"]),
        ("not counted: tables read, packets followed, compared", total - settling["at"]),
    )
    return Measured(settled, peak_kib, Parts("lab", parts))
