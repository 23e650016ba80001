"""A lab as the host sees it: its processes, what of the host it must leave as it was, and the command that runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyroute2

import bgpsim
from bgpsim.lab.images import default_store

USERS = ("this user", "ordinary user") if os.geteuid() == 0 else ("this user",)
"""Root has to be one for a second run; anybody else is one."""

COMMAND = "from bgpsim.cli.main import main; main()"
"""`bgpsim`, wherever its package lies."""


def eventually(holds: Callable[[], bool], what: str, seconds: float = 40.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Host:
    """Mounts and links of the host's own namespaces."""

    mounts: frozenset[str]
    links: frozenset[str]

    @classmethod
    def now(cls) -> Host:
        links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
        return cls(
            frozenset(Path("/proc/self/mountinfo").read_text().splitlines()),
            frozenset(re.findall(r"^\d+: ([^:]+):", links, re.M)),
        )


class SealedLab:
    """The processes of one lab, whoever else runs labs on this machine: those in its user namespace.

    None of them can leave it. It is held open here, or the kernel might give its number to the next lab.
    """

    def __init__(self, supervisor: int) -> None:
        self.supervisor = supervisor
        self._namespace = os.open(f"/proc/{supervisor}/ns/user", os.O_RDONLY)
        self._name = os.readlink(f"/proc/self/fd/{self._namespace}")
        assert self._name != os.readlink("/proc/self/ns/user")

    @classmethod
    def of(cls, command: subprocess.Popen[str], seconds: float = 20.0) -> SealedLab:
        """The lab that a command starts, as soon as it is sealed off."""
        found: list[SealedLab] = []

        def sealed() -> bool:
            if command.poll() is not None:
                raise RuntimeError("the command ended without a lab:\n" + "\n".join(command.communicate()))
            for child in children(command.pid):
                try:
                    if b"bgpsim.lab.embedded.seal" in Path(f"/proc/{child}/cmdline").read_bytes():
                        found.append(cls(child))
                except (OSError, AssertionError):
                    continue
            return bool(found)

        eventually(sealed, "the command has a sealed lab", seconds)
        return found[0]

    def processes(self) -> dict[int, tuple[str, ...]]:
        """Pid -> command line, of all that run."""
        found = {}
        for entry in os.listdir("/proc"):
            try:
                if not entry.isdigit() or os.readlink(f"/proc/{entry}/ns/user") != self._name:
                    continue
                # A zombie has ended; its parent, the test's own command, may not have taken it in yet.
                if Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
                    words = Path(f"/proc/{entry}/cmdline").read_bytes().decode().rstrip("\0").split("\0")
                    found[int(entry)] = tuple(words)
            except OSError:
                continue  # it ended meanwhile, or is another user's
        return found

    def running(self, *command: str) -> list[int]:
        """The processes of this very command line."""
        return [pid for pid, words in self.processes().items() if words == command]

    @property
    def first_process(self) -> int:
        """The supervisor's inner half, PID 1 of the lab."""
        (pid,) = (child for child in children(self.supervisor) if _pids(child)[1:] == [1])
        return pid

    @property
    def agent(self) -> int:
        (pid,) = (c for c in children(self.first_process) if len(_pids(c)) == 2 and "inside" in " ".join(_words(c)))
        return pid

    def node(self, name: str) -> int:
        """The init of a device with a root of its own, known by where the lab keeps that."""
        place = f"/nodes/{name.replace('/', '%')}/upper"
        (pid,) = (
            pid
            for pid in self.processes()
            if _pids(pid)[-1] == 1 and place in Path(f"/proc/{pid}/mountinfo").read_text()
        )
        return pid

    def inside(self, name: str) -> str:
        """The pid of a device's init as the lab has it."""
        return str(_pids(self.node(name))[1])

    def python(self, program: Path, *words: str, seconds: float = 60.0) -> str:
        """What a Python program printed, run beside the agent: with its Python, its rights and its view of the lab."""
        agent = self.agent
        environment = (entry.partition("=") for entry in Path(f"/proc/{agent}/environ").read_text().split("\0"))
        done = subprocess.run(
            [
                *("nsenter", "-t", str(agent), "-U", "-m", "-p"),
                *(() if os.geteuid() == 0 else ("--preserve-credentials",)),
                *("--", _words(agent)[0], "-c", program.read_text(), *words),
            ],
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            env={name: value for name, _, value in environment if name},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def children(pid: int) -> list[int]:
    """Of all its threads; none where it has ended."""
    try:
        return [int(p) for task in Path(f"/proc/{pid}/task").iterdir() for p in (task / "children").read_text().split()]
    except OSError:
        return []


def _pids(pid: int) -> list[int]:
    """A process's number in each PID namespace, the host's first."""
    (line,) = (one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("NSpid:"))
    return [int(number) for number in line.split()[1:]]


def _words(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")


@dataclass(frozen=True, slots=True)
class User:
    """How to start Python with bgpsim as some user, and what that user can read."""

    python: tuple[str, ...]
    environment: Mapping[str, str]
    store: Path
    source: Path

    def start(self, *arguments: str, code: str = COMMAND) -> subprocess.Popen[str]:
        """`bgpsim ARGUMENTS`, its output in pipes."""
        return subprocess.Popen(
            [*self.python, "-c", code, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(self.environment),
        )


def this_user() -> User:
    source = Path(bgpsim.__file__).resolve().parents[1]
    return User((sys.executable,), {**os.environ, "COLUMNS": "200"}, default_store(), source)


def ordinary_user(folder: Path) -> User:
    """User 65534, for a test that runs as root; `folder` is readable to all.

    What root has may be unreadable to others (a clone below /root), so it is bound to places below `folder`, in a mount
    namespace of the started process's own.
    """
    trees = {
        "python": Path(sys.base_prefix),
        "site": Path(pyroute2.__file__).parents[1],
        "source": Path(bgpsim.__file__).resolve().parents[1],
        "store": default_store(),
    }
    for name in trees:
        (folder / name).mkdir(exist_ok=True)
    binds = " && ".join(f"mount --bind {place} {folder / name}" for name, place in trees.items())
    setpriv = "setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs"
    python = folder / "python" / Path(os.path.realpath(sys.executable)).relative_to(Path(sys.base_prefix).resolve())
    return User(
        (
            *("unshare", "-m", "--propagation", "private", "sh", "-c", f'{binds} && exec {setpriv} "$@"', "sh"),
            str(python),
        ),
        {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "BGPSIM_DATA": str(folder / "store"),
            "COLUMNS": "200",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": f"{folder / 'source'}:{folder / 'site'}",
            # A Python with a shared library would else load another one of the same name, the distribution's.
            "LD_LIBRARY_PATH": str(folder / "python" / "lib"),
        },
        folder / "store",
        folder / "source",
    )


_ROUTER = """\
    b{n}:
      kind: linux
      image: frrouting/frr:v8.2.2
      exec:
        - ip link del eth0
        - ip addr add 10.0.0.{n}/32 dev lo
        - touch /etc/frr/vtysh.conf
        - sed -i -e 's/bgpd=no/bgpd=yes/g' /etc/frr/daemons
        - /usr/lib/frr/frrinit.sh start
        - >-
          vtysh -c 'conf t' -c 'frr defaults datacenter' -c 'router bgp 6500{asn}' -c 'bgp router-id 10.0.0.{n}'
          -c 'no bgp ebgp-requires-policy' -c 'neighbor net0 interface remote-as external'
          -c 'address-family ipv4 unicast' -c 'redistribute connected'
"""


def two_routers(folder: Path, steps: Sequence[str], *, last: Sequence[str] = (), lab: str = "", top: str = "") -> Path:
    """A scenario of two FRR routers, b0 and b1. `last`: exec lines that b1 runs after its own; the rest is YAML."""
    routers = [_ROUTER.format(n=n, asn=n + 1) for n in (0, 1)]
    lines = "".join(f"        - {line}\n" for line in last)
    (folder / "topo.yml").write_text(
        "name: two\ntopology:\n  nodes:\n"
        + "".join(routers)
        + lines
        + '  links:\n    - endpoints: ["b0:net0", "b1:net0"]\n'
    )
    scenario = folder / "scenario.yaml"
    more = "".join(f"  - {step}\n" for step in steps)
    scenario.write_text(f"name: two\nlab: {{topology: topo.yml{lab}}}\n{top}steps:\n{more}")
    return scenario
