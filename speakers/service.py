"""The agent's side of the speakers: starts ExaBGP, carries commands to it, keeps everything that it reports. Where a
speaker runs GoBGP, its processes stand beside the others (`bgpsim.speakers.gobgp_process`)."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from bgpsim.agent.namespaces import Namespaces
from bgpsim.agent.texts import KeptTexts, array
from bgpsim.errors import DeviceDied, LabError
from bgpsim.speakers.configuration import with_static_route
from bgpsim.speakers.record import Event, Record

FOLDER = "/run/exabgp"
"""In the speaker's root: a configuration file, a socket and a log per router."""
_ANSWERS = frozenset({"done", "error"})
_LAST_LINES = 12
_NOISE = "advice "
"""ExaBGP's hint that no environment file exists; none is wanted."""
_ENDED_BY_ITSELF = "ExaBGP ended"


class SpeakerProcess(Protocol):
    """A speaker's end of one session, whatever runs it."""

    key: tuple[str, str]
    """Speaker and router."""
    record: Record

    @property
    def name(self) -> str: ...
    def status(self) -> Mapping[str, Any]: ...
    def sent(self, after: int) -> dict[str, int]: ...
    def log_lines(self) -> tuple[str, ...]: ...
    def stop(self) -> None: ...


class SpeakerService:
    """Methods `speaker.*`. A speaker's process is known by its speaker and the router that it peers with.

    `python` and `path` say how the interpreter and ExaBGP are found inside a speaker's namespaces: by default as
    this process finds them.
    """

    def __init__(self, namespaces: Namespaces, python: str = sys.executable, path: Sequence[str] | None = None) -> None:
        self._namespaces = namespaces
        self._python = python
        self._path = tuple(sys.path if path is None else path)
        self._texts = KeptTexts()
        self._sessions: dict[tuple[str, str], SpeakerProcess] = {}

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "speaker.relay": self.relay,
            "speaker.start": self.start,
            "speaker.start_gobgp": self.start_gobgp,
            "speaker.paths": self.paths,
            "speaker.command": self.command,
            "speaker.commands": self.commands,
            "speaker.updates": self.updates,
            "speaker.standing": self.standing,
            "speaker.part": self._texts.part,
            "speaker.sent": self.sent,
            "speaker.events": self.events,
            "speaker.left_out": self.left_out,
            "speaker.log": self.log,
            "speaker.alive": self.alive,
            "speaker.dropped": self.dropped,
            "speaker.stop": self.stop,
        }

    def relay(self, router: str) -> list[str]:
        """The command line of the API process, for the configuration file."""
        program = Path(__file__).resolve().with_name("api_process.py")
        return [self._python, "-I", "-S", str(program), f"{FOLDER}/{router}.sock"]

    def start(
        self, speaker: str, router: str, configuration: str, environment: Mapping[str, str], timeout: float = 30.0
    ) -> None:
        """Start ExaBGP; returns when its API process is connected. Raises DeviceDied with ExaBGP's words if it ends."""
        self._check_new(speaker, router)
        folder = self._namespaces.root(speaker) / FOLDER.lstrip("/")
        folder.mkdir(exist_ok=True)
        (folder / f"{router}.conf").write_text(configuration)
        session = _Process(speaker, router, configuration, environment, folder / f"{router}.log")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(str(folder / f"{router}.sock"))
            listener.listen(1)
            process = self._namespaces.spawn(
                speaker,
                [self._python, "-m", "exabgp", "server", f"{FOLDER}/{router}.conf"],
                session.log,
                env={**self._environment(), **environment},
            )
            session.connect(process, listener, timeout)
        self._sessions[speaker, router] = session

    def start_gobgp(self, speaker: str, router: str, settings: Mapping[str, Any], timeout: float = 30.0) -> None:
        """Start gobgpd; returns when it knows the router. `settings`: `gobgp_process.GobgpProcess.start`."""
        # gRPC would start threads of its own again in every process that is forked off here; where a node is made, in
        # namespaces that take none, that ends the process. Measured with grpcio 1.85; to be set before grpc is loaded.
        os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
        from bgpsim.speakers.gobgp_process import GobgpProcess  # grpc takes 0.2 s, and few speakers want it

        self._check_new(speaker, router)
        process = GobgpProcess(self._namespaces, speaker, router)
        process.start(settings, timeout)
        self._sessions[speaker, router] = process

    def paths(self, speaker: str, router: str, groups: Sequence[Mapping[str, Any]], timeout: float = 60.0) -> None:
        """Give gobgpd routes, or take them from it (`bgpsim.speakers.gobgp_paths`). Raises LabError with GoBGP's reason
        when it refuses one, DeviceDied when it is gone."""
        from bgpsim.speakers.gobgp_process import GobgpProcess

        process = self._session(speaker, router)
        if not isinstance(process, GobgpProcess):
            raise LabError(f"{process.name} runs no GoBGP")
        process.say(groups, timeout)

    def _check_new(self, speaker: str, router: str) -> None:
        if (speaker, router) in self._sessions:
            raise LabError(f"{speaker} is attached to {router} already")

    def command(self, speaker: str, router: str, line: str, timeout: float = 10.0) -> None:
        """Send one route command; returns when ExaBGP answered `done`: parsed and put into its Adj-RIB-Out.

        Raises LabError with ExaBGP's reason when it answered `error`, DeviceDied when it is gone.
        """
        session = self._exabgp(speaker, router)
        if not session.command(line, timeout):
            reason = self._reason(session, line)
            raise LabError(f"{session.name}: ExaBGP refuses: {reason}", hint=f"the command was: {line}")

    def commands(self, speaker: str, router: str, lines: Sequence[str], timeout: float = 60.0) -> None:
        """Send route commands one behind the other; returns when each was answered `done`. Raises as `command` does.

        `timeout`: seconds for each answer, of which ExaBGP gives one for a command, whatever many routes it has.
        """
        session = self._exabgp(speaker, router)
        for line in session.commands(lines, timeout):
            reason = self._reason(session, line)
            raise LabError(f"{session.name}: ExaBGP refuses: {reason}", hint=f"the command was: {line[:200]}")

    def _reason(self, session: _Process, line: str) -> str:
        """Why ExaBGP does not take this route: its `validate` says it.

        ExaBGP 5.0 logs the reason of an `error` with a level that its logger does not know (`ERR`), so it is lost.
        """
        text = with_static_route(session.configuration, line)
        if text is None:
            return "it gives no reason"
        path = f"{FOLDER}/{session.key[1]}.refused.conf"
        (self._namespaces.root(session.key[0]) / path.lstrip("/")).write_text(text)
        done = self._namespaces.run(
            session.key[0],
            [self._python, "-m", "exabgp", "validate", path],
            env={**self._environment(), **session.environment, "exabgp_log_level": "CRITICAL"},
        )
        said = [line for line in done.stdout.splitlines() if line.strip() and not line.startswith(_NOISE)]
        return said[-1].removeprefix("error message: ") if done.returncode and said else "it gives no reason"

    def _environment(self) -> dict[str, str]:
        libraries = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "PYTHONHOME") if name in os.environ}
        return {
            **libraries,
            "PYTHONPATH": os.pathsep.join(self._path),
            "PYTHONNOUSERSITE": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def updates(self, speaker: str | None = None, router: str | None = None) -> list[Event]:
        """The UPDATEs of the sessions as they stand, in order: none of before a session's last reset. Of many the
        last, of long ones the first routes (`bgpsim.speakers.record`); `standing` has all of their effect."""
        return [event for session in self._chosen(speaker, router) for event in session.record.updates()]

    def standing(self, most: int) -> str | dict[str, int]:
        """UPDATEs with the effect of all that the sessions as they stand have seen, few for many routes: a JSON array
        as text, or {kept}, for `speaker.part`, where it is longer than `most` octets."""
        events = (event for session in self._chosen(None, None) for event in session.record.standing())
        return self._texts.answer(array(events), most)

    def sent(self, speaker: str, router: str, after: int) -> dict[str, int]:
        """{messages, standing, fresh} of what was sent (`bgpsim.speakers.record`, Record.sent); of GoBGP {messages}."""
        return self._session(speaker, router).sent(after)

    def events(self, speaker: str | None = None, router: str | None = None, after: float = 0.0) -> list[Event]:
        """What ExaBGP reported from then on (seconds since the epoch): state changes, UPDATEs of both directions,
        NOTIFICATIONs; in order, as far as it is kept."""
        return [event for session in self._chosen(speaker, router) for event in session.record.events(after)]

    def left_out(self, after: float = 0.0) -> int:
        """How many events from then on are not kept."""
        return sum(session.record.left_out(after) for session in self._chosen(None, None))

    def log(self, speaker: str, router: str) -> list[str]:
        """All lines that it wrote."""
        return list(self._session(speaker, router).log_lines())

    def alive(self) -> list[Mapping[str, Any]]:
        """Per process: speaker, router, program, alive, established, exit_code, how many UPDATEs were sent over the
        session as it stands, seconds since the last UPDATE of either direction, and the last log lines when it ended.
        Without its API process it is as good as ended.
        """
        return [session.status() for session in self._chosen(None, None)]

    def dropped(self) -> dict[str, int]:
        """Per speaker, how many packets it has attracted and dropped so far.

        The kernel counts what is meant for somebody else where it may not forward (InAddrErrors; ip_error in
        net/ipv4/route.c, ip6_forward in net/ipv6/ip6_output.c).
        """
        return {speaker: self._address_errors(speaker) for speaker, _ in sorted(self._sessions)}

    def _address_errors(self, speaker: str) -> int:
        place = Path(f"/proc/{self._namespaces.pid(speaker)}/net")
        names, values = (line.split() for line in (place / "snmp").read_text().splitlines()[:2])
        four = int(values[names.index("InAddrErrors")])
        six = next(line for line in (place / "snmp6").read_text().splitlines() if line.startswith("Ip6InAddrErrors"))
        return four + int(six.split()[1])

    def stop(self, speaker: str | None = None, router: str | None = None) -> None:
        """End these processes: SIGTERM, so that they say goodbye to their peers, then SIGKILL after 5 s."""
        for session in self._chosen(speaker, router):
            session.stop()
            del self._sessions[session.key]

    def _exabgp(self, speaker: str, router: str) -> _Process:
        process = self._session(speaker, router)
        if not isinstance(process, _Process):
            raise LabError(f"{process.name} runs no ExaBGP")
        return process

    def _session(self, speaker: str, router: str) -> SpeakerProcess:
        try:
            return self._sessions[speaker, router]
        except KeyError:
            raise LabError(f"speaker {speaker} is not attached to {router}") from None

    def _chosen(self, speaker: str | None, router: str | None) -> list[SpeakerProcess]:
        return [
            session
            for (of_speaker, of_router), session in sorted(self._sessions.items())
            if speaker in (None, of_speaker) and router in (None, of_router)
        ]


class _Process:
    """One ExaBGP process, its relay, and what it reported."""

    def __init__(
        self, speaker: str, router: str, configuration: str, environment: Mapping[str, str], log: Path
    ) -> None:
        self.key = (speaker, router)
        self.configuration = configuration
        self.environment = environment
        self.log = log
        self.record = Record(speaker, router)
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._commanding = threading.Lock()
        self._deaf = False
        """The API process is gone: ExaBGP takes no command any more, and may go on for a while."""
        self._process: subprocess.Popen[bytes]
        self._relay: socket.socket
        self._pids: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        return f"speaker {self.key[0]} at {self.key[1]}"

    def connect(self, process: subprocess.Popen[bytes], listener: socket.socket, timeout: float) -> None:
        self._process = process
        deadline = time.monotonic() + timeout
        while True:
            listener.settimeout(0.1)
            try:
                self._relay, _ = listener.accept()
                break
            except TimeoutError:
                if process.poll() is not None:
                    raise DeviceDied(f"{self.name}: ExaBGP ended at once", log=self.last_lines()) from None
                if time.monotonic() > deadline:
                    process.kill()
                    raise LabError(f"{self.name}: ExaBGP did not start within {timeout:.0f} s") from None
        self._relay.settimeout(None)
        self._pids = _processes_behind(self._relay)
        threading.Thread(target=self._read, name=f"speaker-{self.key[0]}-{self.key[1]}", daemon=True).start()

    def command(self, line: str, timeout: float) -> bool:
        """Whether ExaBGP took it."""
        return not list(self.commands([line], timeout))

    def commands(self, lines: Sequence[str], timeout: float) -> Iterator[str]:
        """Those that ExaBGP did not take. It answers in order; the next are sent while it works."""
        for line in lines:
            if "\n" in line or not line.isascii():
                raise LabError(f"{self.name}: a command is one line of ASCII, not {line!r}")
        with self._commanding:
            try:
                self._relay.sendall("".join(f"{line}\n" for line in lines).encode())
            except OSError:
                self._answers.put(_ENDED_BY_ITSELF)
            refused = [line for line in lines if self._answer(timeout) != "done"]
        yield from refused

    def _answer(self, timeout: float) -> str:
        try:
            answer = self._answers.get(timeout=timeout)
        except queue.Empty:
            raise LabError(
                f"{self.name}: ExaBGP did not answer within {timeout:.0f} s", log=self.last_lines()
            ) from None
        if answer == _ENDED_BY_ITSELF:
            self._answers.put(_ENDED_BY_ITSELF)
            raise DeviceDied(f"{self.name}: ExaBGP ended by itself", log=self.last_lines())
        return answer

    def status(self) -> Mapping[str, Any]:
        ended = self._process.poll()
        return {
            "speaker": self.key[0],
            "router": self.key[1],
            "program": "ExaBGP",
            "alive": ended is None and not self._deaf,
            "established": ended is None and self.record.established,
            "sent": self.record.messages_sent,
            "silent": self.record.silent,
            "exit_code": ended,
            "log": [] if ended is None and not self._deaf else list(self.last_lines()),
        }

    def sent(self, after: int) -> dict[str, int]:
        return self.record.sent(after)

    def log_lines(self) -> tuple[str, ...]:
        try:
            lines = self.log.read_text(errors="replace").splitlines()
            return tuple(line for line in lines if line.strip() and not line.startswith(_NOISE))
        except FileNotFoundError:
            return ()

    def last_lines(self) -> tuple[str, ...]:
        return self.log_lines()[-_LAST_LINES:]

    def stop(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in self._pids if self._process.poll() is None else ():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            try:
                self._process.wait(timeout=5)
                break
            except subprocess.TimeoutExpired:
                continue
        else:
            raise LabError(f"{self.name}: ExaBGP did not end")
        self._relay.close()

    def _read(self) -> None:
        with self._relay.makefile("r", encoding="utf-8", errors="replace") as lines:
            try:
                for line in lines:
                    self._take(line.strip())
            except OSError:
                pass
        self._deaf = True
        self._answers.put(_ENDED_BY_ITSELF)

    def _take(self, line: str) -> None:
        if line in _ANSWERS:
            self._answers.put(line)
        elif line.startswith("{"):
            self.record.take(json.loads(line))


def _processes_behind(relay: socket.socket) -> tuple[int, ...]:
    """ExaBGP's pid, as this process sees it: the parent of the API process at the other end of the socket."""
    size = struct.calcsize("3i")
    pid, _, _ = struct.unpack("3i", relay.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    with open(f"/proc/{pid}/stat") as stat:
        parent = int(stat.read().rsplit(")", 1)[1].split()[1])
    return (parent,)
