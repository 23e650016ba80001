"""Ten thousand routes into a router, and out of it: bgpsim beside a bare script on the same injector, and beside the
router's own JSON.

Two speakers peer with one of two routers, both by ExaBGP with the same configuration. One is bgpsim's; the other's API
process is `bare_injector.py`. Each announces the same table in the same lines and withdraws it, in turn. The bare
script has done it when the router counts the routes; bgpsim when its own acknowledgement returns.
"""

from __future__ import annotations

import json
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.commands import CommandFailed
from bgpsim.check.compare import compare
from bgpsim.inputs.files.route_table import AnnouncedTable
from bgpsim.inputs.files.speakers import SpeakerFile
from bgpsim.lab.embedded.lab import EmbeddedLab
from bgpsim.lab.images import default_store
from bgpsim.model import predict
from bgpsim.network.grouped import Grouped
from bgpsim.network.state import NetworkState
from bgpsim.observe.bgp import FRR_COMMANDS, BgpPlane, advertised_commands, read_advertised, read_frr
from bgpsim.observe.long_answers import MOST, parts
from bgpsim.observe.owners import owners
from bgpsim.observe.settle import wait_settled
from bgpsim.scenario.reading.loading import load
from bgpsim.scenario.timeline import AnnounceTable
from bgpsim.speakers.attachment import router_asn
from bgpsim.speakers.batches import announce_lines, withdraw_lines
from bgpsim.speakers.configuration import ENVIRONMENT, configuration_text
from bgpsim.speakers.control import SpeakerControl

ROUTES = 10_000
_ROUTER = "r0"
_PATIENCE = 120.0
_FOLDER = "/tmp/bare"
_PIECE = 100_000
"""Octets of one argument (MAX_ARG_STRLEN of linux/binfmts.h is 128 KiB)."""
_NODE = """\
    r{n}:
      kind: linux
      image: frrouting/frr:v8.2.2
      exec:
        - ip link del eth0
        - ip addr add 10.0.0.{n}/32 dev lo
        - touch /etc/frr/vtysh.conf
        - sed -i -e 's/bgpd=no/bgpd=yes/g' /etc/frr/daemons
        - /usr/lib/frr/frrinit.sh start
        - >-
          vtysh -c 'conf t' -c 'frr defaults datacenter' -c 'router bgp 6500{n}' -c 'bgp router-id 10.0.0.{n}'
          -c 'no bgp ebgp-requires-policy' -c 'neighbor net0 interface remote-as external'
          -c 'address-family ipv4 unicast' -c 'redistribute connected'
"""
TOPOLOGY = (
    "name: bulk\ntopology:\n  nodes:\n"
    + "".join(_NODE.format(n=n) for n in (1, 0))
    + '  links:\n    - endpoints: ["r0:net0", "r1:net0"]\n'
)
_SCENARIO = f"""\
name: bulk
lab: {{topology: topo.yml}}
speakers:
  injector: {{asn: 65099, peers: [{_ROUTER}]}}
  bare: {{asn: 65099, peers: [{_ROUTER}]}}
steps:
  - name: table
    announce: [{{speaker: injector, generate: {{routes: {ROUTES}}}}}]
"""


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds of one turn."""

    bare: float
    injected: float
    dumped: float
    read: float


def measured(runs: int) -> tuple[list[Run], int]:
    """Also the largest resident memory of this process, KiB."""
    with _lab() as (lab, table, predicted, speakers):
        bare = _Bare(lab, table, speakers)
        found = [_turn(lab, table, predicted, bare) for _ in range(runs)]
    return found, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _turn(lab: EmbeddedLab, table: AnnouncedTable, predicted: NetworkState, bare: _Bare) -> Run:
    bare_seconds = bare.announce()
    bare.withdraw()
    _rest(lab)
    injected = _timed(lambda: lab.announce_table(table))
    _rest(lab)
    commands, dumped = _own_dump(lab)
    read = _timed(lambda: _read_and_compare(lab, predicted, commands))
    lab.withdraw_table(table)
    _rest(lab)
    return Run(bare_seconds, injected, dumped, read)


@contextmanager
def _lab() -> Iterator[tuple[EmbeddedLab, AnnouncedTable, NetworkState, tuple[SpeakerFile, ...]]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "topo.yml").write_text(TOPOLOGY)
        (folder / "bulk.yaml").write_text(_SCENARIO)
        scenario = load(folder / "bulk.yaml", "bulk.yaml")
    (step,) = scenario.steps
    (action,) = step.actions
    assert isinstance(action, AnnounceTable)
    lab = EmbeddedLab(scenario.files, default_store(), SpeakerControl)
    try:
        lab.bring_up(lambda _: None)
        _rest(lab)
        yield lab, action.table, predict(step.network, None, ()).state, scenario.files.speakers
    finally:
        lab.close()


def _rest(lab: EmbeddedLab) -> None:
    settled = wait_settled(lab.agent, lab.devices, quiet=1.75, timeout=_PATIENCE)
    if settled.how != "quiet":
        raise CommandFailed(f"the lab does not come to rest: {settled.because}")


def _timed(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


class _Bare:
    """The second speaker, its API process changed for the bare script."""

    def __init__(self, lab: EmbeddedLab, table: AnnouncedTable, speakers: tuple[SpeakerFile, ...]) -> None:
        self._lab = lab
        (speaker,) = (s for s in speakers if s.name == "bare")
        (link,) = speaker.attachments
        self._neighbor = str(link.speaker_address)
        texts = {
            "announce": "".join(f"{line}\n" for line in announce_lines(table, link)),
            "withdraw": "".join(f"{line}\n" for line in withdraw_lines(table, link)),
        }
        python, *_ = lab.agent.call("speaker.relay", router=_ROUTER)
        script = Path(__file__).with_name("bare_injector.py").read_text()
        configuration = configuration_text(
            speaker, link, router_asn(lab.agent, _ROUTER), [python, f"{_FOLDER}/bare_injector.py", _FOLDER]
        )
        path = self._python_path()
        lab.agent.call("speaker.stop", speaker=speaker.name, router=_ROUTER)
        self._shell(f"mkdir -p {_FOLDER}")
        self._write("bare_injector.py", script)
        self._write("bare.conf", configuration)
        for verb, text in texts.items():
            self._write(f"{verb}.lines", text)
        settings = " ".join(f"{name}={value}" for name, value in {**ENVIRONMENT, "PYTHONPATH": path}.items())
        self._shell(f"{settings} setsid {python} -m exabgp server {_FOLDER}/bare.conf >{_FOLDER}/log 2>&1 </dev/null &")
        self._wait(lambda peer: peer["state"] == "Established")
        _rest(lab)

    def announce(self) -> float:
        """Seconds until the router counts all routes."""
        started = time.monotonic()
        self._shell(f"touch {_FOLDER}/announce")
        self._wait(lambda peer: peer.get("pfxRcd") == ROUTES)
        return time.monotonic() - started

    def withdraw(self) -> None:
        self._shell(f"touch {_FOLDER}/withdraw")
        self._wait(lambda peer: peer.get("pfxRcd") == 0)

    def _python_path(self) -> str:
        """As the lab starts ExaBGP with."""
        text = self._shell(
            "for p in $(ps -eo pid,args | awk '/exabgp server/ && !/awk/ {print $1}'); do"
            " tr '\\0' '\\n' </proc/$p/environ | sed -n s/^PYTHONPATH=//p; done"
        )
        return text.splitlines()[0]

    def _write(self, name: str, text: str) -> None:
        for at in range(0, len(text), _PIECE):
            self._run(["sh", "-c", f'printf %s "$1" >>{_FOLDER}/{name}', "sh", text[at : at + _PIECE]])

    def _shell(self, line: str) -> str:
        return self._run(["sh", "-c", line])

    def _run(self, command: list[str]) -> str:
        done = self._lab.agent.call("nodes.run", device="bare", command=command)
        if done["exit_code"]:
            raise CommandFailed(f"the bare script: {done['output'][-300:]}")
        output: str = done["output"]
        return output

    def _wait(self, holds: Callable[[dict[str, Any]], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE
        command = "show bgp ipv4 unicast summary json"
        while True:
            (text,) = self._lab.agent.call("frr.show", devices=[_ROUTER], commands=[command])[_ROUTER]
            if holds(json.loads(text)["peers"][self._neighbor]):
                return
            if time.monotonic() > deadline:
                raise CommandFailed(f"the bare script has no effect: {self._shell(f'tail -5 {_FOLDER}/log')}")
            time.sleep(0.01)


def _own_dump(lab: EmbeddedLab) -> tuple[list[str], float]:
    """The commands that bgpsim reads the router's tables by, and how long they take in its own shell, all in one."""
    plane = BgpPlane()
    read_frr(plane, _ROUTER, _answers(lab, FRR_COMMANDS), owners({}, []))
    advertised = [command for _, _, command in advertised_commands(plane, _ROUTER, frozenset())]
    words = " ".join(f"-c '{command}'" for command in (*FRR_COMMANDS, *advertised))
    done = lab.agent.call("nodes.run", device=_ROUTER, command=["sh", "-c", f"vtysh {words} >/dev/null"])
    if done["exit_code"]:
        raise CommandFailed(f"vtysh: {done['output'][-300:]}")
    return advertised, float(done["seconds"])


def _answers(lab: EmbeddedLab, commands: list[str] | tuple[str, ...]) -> list[Iterator[str]]:
    answers = lab.agent.call("frr.show", devices=[_ROUTER], commands=commands, most=MOST)[_ROUTER]
    return [parts(lab.agent, "frr", answer) for answer in answers]


def _read_and_compare(lab: EmbeddedLab, predicted: NetworkState, advertised: list[str]) -> None:
    """All bgp tables of the router. Raises CommandFailed where they are not as predicted."""
    dumps = lab.agent.call("netlink.dump", devices=sorted(lab.devices), routes=False)
    known = owners(dumps, lab.agent.call("nodes.links"))
    plane = BgpPlane()
    read_frr(plane, _ROUTER, _answers(lab, FRR_COMMANDS), known)
    asked = advertised_commands(plane, _ROUTER, frozenset())
    for (family, neighbor, _), answer in zip(asked, _answers(lab, advertised), strict=True):
        read_advertised(plane, _ROUTER, family, neighbor, answer, known)

    def of_router(entries: Any) -> Any:
        return Grouped({place: table for place, table in Grouped.of(entries).tables.items() if place[0] == _ROUTER})

    observed = NetworkState(paths=plane.paths.grouped(), advertised=plane.advertised.grouped())
    expected = NetworkState(paths=of_router(predicted.paths), advertised=of_router(predicted.advertised))
    found = compare(expected, observed)
    if not found.agrees or found.planes["bgp"].equal < 3 * ROUTES:
        raise CommandFailed(f"the tables are not as predicted: {found.mismatches[:1]}")
