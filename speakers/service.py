"""The agent's side of the speakers: starts ExaBGP, carries commands to it, keeps everything that it reports."""

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
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bgpsim.agent.namespaces import Namespaces
from bgpsim.errors import DeviceDied, LabError
from bgpsim.speakers.configuration import with_static_route

FOLDER = "/run/exabgp"
"""In the speaker's root: a configuration file, a socket and a log per router."""
_ANSWERS = frozenset({"done", "error"})
_LAST_LINES = 12
_NOISE = "advice "
"""ExaBGP's hint that no environment file exists; none is wanted."""
_ENDED_BY_ITSELF = "ExaBGP ended"

Event = Mapping[str, Any]


class SpeakerService:
    """Methods `speaker.*`. An ExaBGP process is known by its speaker and the router that it peers with.

    `python` and `path` say how the interpreter and ExaBGP are found inside a speaker's namespaces: by default as
    this process finds them.
    """

    def __init__(self, namespaces: Namespaces, python: str = sys.executable, path: Sequence[str] | None = None) -> None:
        self._namespaces = namespaces
        self._python = python
        self._path = tuple(sys.path if path is None else path)
        self._sessions: dict[tuple[str, str], _Process] = {}

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "speaker.relay": self.relay,
            "speaker.start": self.start,
            "speaker.command": self.command,
            "speaker.updates": self.updates,
            "speaker.events": self.events,
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
        if (speaker, router) in self._sessions:
            raise LabError(f"{speaker} is attached to {router} already")
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

    def command(self, speaker: str, router: str, line: str, timeout: float = 10.0) -> None:
        """Send one route command; returns when ExaBGP answered `done`: parsed and put into its Adj-RIB-Out.

        Raises LabError with ExaBGP's reason when it answered `error`, DeviceDied when it is gone.
        """
        session = self._session(speaker, router)
        if not session.command(line, timeout):
            reason = self._reason(session, line)
            raise LabError(f"{session.name}: ExaBGP refuses: {reason}", hint=f"the command was: {line}")

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
        """The UPDATEs of the sessions as they stand, in order: none of before a session's last reset."""
        return [event for session in self._chosen(speaker, router) for event in session.updates()]

    def events(self, speaker: str | None = None, router: str | None = None) -> list[Event]:
        """All that ExaBGP ever reported: state changes, UPDATEs of both directions, NOTIFICATIONs; in order."""
        return [event for session in self._chosen(speaker, router) for event in session.events()]

    def log(self, speaker: str, router: str) -> list[str]:
        """All lines that ExaBGP wrote."""
        return list(self._session(speaker, router).log_lines())

    def alive(self) -> list[Mapping[str, Any]]:
        """Per process: speaker, router, alive, established, exit_code, how many UPDATEs were sent over the session as
        it stands, and the last log lines when it ended. Without its API process it is as good as ended.
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

    def _session(self, speaker: str, router: str) -> _Process:
        try:
            return self._sessions[speaker, router]
        except KeyError:
            raise LabError(f"speaker {speaker} is not attached to {router}") from None

    def _chosen(self, speaker: str | None, router: str | None) -> list[_Process]:
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
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._commanding = threading.Lock()
        self._recording = threading.Lock()
        self._events: list[Event] = []
        self._session_begin = 0
        self._established = False
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
        if "\n" in line or not line.isascii():
            raise LabError(f"{self.name}: a command is one line of ASCII, not {line!r}")
        with self._commanding:
            try:
                self._relay.sendall(line.encode() + b"\n")
                answer = self._answers.get(timeout=timeout)
            except OSError:
                answer = _ENDED_BY_ITSELF
            except queue.Empty:
                raise LabError(
                    f"{self.name}: ExaBGP did not answer within {timeout:.0f} s", log=self.last_lines()
                ) from None
            if answer == _ENDED_BY_ITSELF:
                self._answers.put(_ENDED_BY_ITSELF)
                raise DeviceDied(f"{self.name}: ExaBGP ended by itself", log=self.last_lines())
            return answer == "done"

    def updates(self) -> list[Event]:
        with self._recording:
            return [e for e in self._events[self._session_begin :] if e["message"]["type"] == "update"]

    def events(self) -> list[Event]:
        with self._recording:
            return list(self._events)

    def status(self) -> Mapping[str, Any]:
        ended = self._process.poll()
        sent = sum(event["direction"] == "sent" for event in self.updates())
        return {
            "speaker": self.key[0],
            "router": self.key[1],
            "alive": ended is None and not self._deaf,
            "established": ended is None and self._established,
            "sent": sent,
            "exit_code": ended,
            "log": [] if ended is None and not self._deaf else list(self.last_lines()),
        }

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
            self._record(json.loads(line))

    def _record(self, message: dict[str, Any]) -> None:
        """Routes end with their session (RFC 4271 section 8.2.2), so a change of state begins a new account."""
        neighbor = message.get("neighbor", {})
        event = {
            "speaker": self.key[0],
            "router": self.key[1],
            "time": message["time"],
            "direction": "sent" if neighbor.get("direction") == "send" else "received",
            "message": message,
        }
        with self._recording:
            self._events.append(event)
            if message["type"] == "state":
                self._established = neighbor.get("state") == "up"
                if not self._established:
                    self._session_begin = len(self._events)


def _processes_behind(relay: socket.socket) -> tuple[int, ...]:
    """ExaBGP's pid, as this process sees it: the parent of the API process at the other end of the socket."""
    size = struct.calcsize("3i")
    pid, _, _ = struct.unpack("3i", relay.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    with open(f"/proc/{pid}/stat") as stat:
        parent = int(stat.read().rsplit(")", 1)[1].split()[1])
    return (parent,)
