"""A table of 100,000 routes announced, compared in full and withdrawn: `make bulk`.

How long each step took, and the largest resident memory of bgpsim's own processes: the command and its agent (what
FRR and ExaBGP take is theirs). Exit code 0 where all was as predicted and the two together stayed below 1 GB.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

from benchmarks.bulk_lab import TOPOLOGY
from benchmarks.commands import CommandFailed, run
from benchmarks.seed_lab import bgpsim

BOUND_KIB = 1_000_000
_LOOK = 0.1
_AGENT = "bgpsim.lab.embedded.inside"
_SCENARIO = """\
name: whole table
lab: {{topology: topo.yml}}
speakers:
  injector: {{asn: 65099, peers: [r0]}}
steps:
  - name: fabric
  - name: table
    announce: [{{speaker: injector, generate: {{routes: {routes}}}}}]
  - name: withdrawn
    withdraw: [{{speaker: injector, all: true}}]
    expect: {{same-as: fabric}}
"""


class _AgentPeak:
    """Looks at the high-water mark (proc(5), VmHWM) of the agent below one process."""

    def __init__(self) -> None:
        self.kib = 0
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, pid: int) -> None:
        self._thread = threading.Thread(target=self._watch, args=(pid,), daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self, pid: int) -> None:
        while not self._ended.wait(_LOOK):
            for below in _below(pid):
                try:
                    if _AGENT in Path(f"/proc/{below}/cmdline").read_text():
                        lines = Path(f"/proc/{below}/status").read_text().splitlines()
                        self.kib = max([self.kib, *(int(x.split()[1]) for x in lines if x.startswith("VmHWM:"))])
                except OSError:
                    continue  # it has ended


def _below(pid: int) -> list[int]:
    """All processes below one."""
    found = []
    waiting = [pid]
    while waiting:
        try:
            tasks = list(Path(f"/proc/{waiting.pop()}/task").iterdir())
            children = [int(p) for task in tasks for p in (task / "children").read_text().split()]
        except OSError:
            continue
        found += children
        waiting += children
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.whole_table", description=__doc__)
    parser.add_argument("--routes", type=int, default=100_000)
    routes = parser.parse_args().routes
    agent = _AgentPeak()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "topo.yml").write_text(TOPOLOGY)
        (folder / "table.yaml").write_text(_SCENARIO.format(routes=routes))
        try:
            done = run([bgpsim(), "run", folder / "table.yaml", "--json"], running=agent.watch, check=False)
        finally:
            agent.end()
    try:
        report = json.loads(done.output)
    except ValueError:
        raise CommandFailed(f"exit code {done.exit_code}: {done.errors}") from None
    for step in report["runs"][0]["steps"]:
        seconds = step["volatile"].get("seconds", 0.0)
        print(f"{step['name']:10} {step['verdict']:6} {seconds:6.1f} s  {_counts(step['planes'])}")
    together = done.peak_kib + agent.kib
    print(f"{routes} routes: {report['verdict']}, {done.seconds:.0f} s")
    print(f"memory: command {done.peak_kib >> 10} MiB, agent {agent.kib >> 10} MiB, together {together >> 10} MiB")
    return 0 if done.exit_code == 0 and together <= BOUND_KIB else 1


def _counts(planes: Mapping[str, Mapping[str, int]]) -> str:
    return "  ".join(f"{name} {p['equal']}/{p['compared']}" for name, p in sorted(planes.items()) if p["compared"])


if __name__ == "__main__":
    sys.exit(main())
