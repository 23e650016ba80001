"""One gobgpd of a speaker, for one router, driven by its gRPC API. In the agent, where its socket is; grpc is imported
only where a speaker runs GoBGP.

Every attachment has a gobgpd of its own, as ExaBGP's processes. It dials, some 5 to 9 s after it has started or lost
its session (pkg/server/fsm.go, connectLoop: a random whole number, whatever is configured): FRR 8.4 never dials a
link-local neighbor that is known by its address (bgpd/bgp_nht.c, "Unable to locate ifindex").
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.message_factory import GetMessageClass

from bgpsim.agent.namespaces import Namespaces
from bgpsim.errors import DeviceDied, LabError
from bgpsim.speakers.gobgp_api import gobgp_pb2 as api
from bgpsim.speakers.gobgp_paths import FAMILIES, paths
from bgpsim.speakers.record import Record

FOLDER = "/run/gobgp"
"""In the speaker's root: a socket and a log per router."""
_CALL_TIMEOUT = 10.0
_LAST_LINES = 12
_IN_ONE_MESSAGE = 500
"""Paths of one message to GoBGP, some 100 KiB: it takes no more than 4 MiB (grpc-go's default)."""
_PAUSE_AFTER_A_RESET = 1
"""Seconds until GoBGP thinks of its neighbor again; 30 where nothing is said."""
_RETRY = 5
"""Seconds; GoBGP's least."""


class GobgpProcess:
    """What `bgpsim.speakers.service` asks of a speaker's process, whatever it runs."""

    def __init__(self, namespaces: Namespaces, speaker: str, router: str) -> None:
        self.key = (speaker, router)
        self.record = Record(speaker, router)
        """Empty: GoBGP tells of no message. What is said on its sessions, the capture knows."""
        self._namespaces = namespaces
        self._folder = namespaces.root(speaker) / FOLDER.lstrip("/")
        self._log: Path = self._folder / f"{router}.log"
        self._speaking = threading.Lock()
        self._process: subprocess.Popen[bytes]
        self._channel: Any
        self._pid = 0
        self._seen = (0, 0)
        self._moved_at = time.monotonic()

    @property
    def name(self) -> str:
        return f"speaker {self.key[0]} at {self.key[1]}"

    def start(self, settings: Mapping[str, Any], timeout: float) -> None:
        """`settings`: {asn, router_id, interface, neighbor, peer_asn, hold_time}. Returns when it has them."""
        speaker, router = self.key
        self._folder.mkdir(exist_ok=True)
        place = self._folder / f"{router}.sock"
        self._process = self._namespaces.spawn(
            speaker, ["gobgpd", "-p", "--pprof-disable", "--api-hosts", f"unix://{FOLDER}/{router}.sock"], self._log
        )
        self._pid = self._await_socket(place, timeout)
        self._channel = grpc.insecure_channel(f"unix:{place}")
        for name, request in _settings(settings):
            self._call(name, request)

    def _await_socket(self, place: Path, timeout: float) -> int:
        """gobgpd's pid, as this process sees it."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                try:
                    probe.connect(str(place))
                except OSError:
                    if self._process.poll() is not None:
                        raise DeviceDied(f"{self.name}: gobgpd ended at once", log=self.last_lines()) from None
                    time.sleep(0.005)
                    continue
                size = struct.calcsize("3i")
                pid: int = struct.unpack("3i", probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))[0]
                return pid
        self._process.kill()
        raise LabError(f"{self.name}: gobgpd did not start within {timeout:.0f} s", log=self.last_lines())

    def say(self, groups: Sequence[Mapping[str, Any]], timeout: float) -> None:
        """Returns when all of it is in GoBGP's table and in its queue for the router. Raises LabError with GoBGP's
        reason when it refuses something, DeviceDied when it is gone."""
        with self._speaking:
            self._call("AddPathStream", _messages(groups), timeout)

    def _call(self, name: str, request: Any, timeout: float = _CALL_TIMEOUT) -> Any:
        try:
            return self._method(name)(request, timeout=timeout)
        except grpc.RpcError as error:
            if self._process.poll() is not None:
                raise DeviceDied(f"{self.name}: gobgpd ended by itself", log=self.last_lines()) from None
            raise LabError(f"{self.name}: gobgpd refuses: {error.details()}", log=self.last_lines()) from None

    def _method(self, name: str) -> Any:
        """A method of the API, as its own description has it."""
        told = api.DESCRIPTOR.services_by_name["GobgpApi"].methods_by_name[name]
        kinds = {
            (False, False): self._channel.unary_unary,
            (True, False): self._channel.stream_unary,
            (False, True): self._channel.unary_stream,
        }
        return kinds[told.client_streaming, told.server_streaming](
            f"/{told.containing_service.full_name}/{name}",
            request_serializer=GetMessageClass(told.input_type).SerializeToString,
            response_deserializer=GetMessageClass(told.output_type).FromString,
        )

    def _peer(self) -> Any:
        """None where gobgpd does not answer."""
        try:
            answers = list(self._method("ListPeer")(api.ListPeerRequest(), timeout=_CALL_TIMEOUT))
        except grpc.RpcError:
            return None
        return answers[0].peer if answers else None

    def status(self) -> Mapping[str, Any]:
        ended = self._process.poll()
        peer = None if ended is not None else self._peer()
        sent, heard = (0, 0) if peer is None else (peer.state.messages.sent.update, peer.state.messages.received.update)
        if (sent, heard) != self._seen:
            self._seen, self._moved_at = (sent, heard), time.monotonic()
        return {
            "speaker": self.key[0],
            "router": self.key[1],
            "program": "gobgpd",
            "alive": ended is None,
            "established": peer is not None and peer.state.session_state == api.PeerState.ESTABLISHED,
            "sent": sent,
            "silent": time.monotonic() - self._moved_at,
            "exit_code": ended,
            "log": [] if ended is None else list(self.last_lines()),
        }

    def sent(self, after: int) -> dict[str, int]:
        """{messages}: UPDATEs that it has sent."""
        peer = self._peer()
        return {"messages": after if peer is None else peer.state.messages.sent.update}

    def log_lines(self) -> tuple[str, ...]:
        try:
            return tuple(self._log.read_text(errors="replace").splitlines())
        except FileNotFoundError:
            return ()

    def last_lines(self) -> tuple[str, ...]:
        return self.log_lines()[-_LAST_LINES:]

    def stop(self) -> None:
        """SIGTERM, so that it says goodbye, then SIGKILL after 5 s."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._pid, number)
            try:
                self._process.wait(timeout=5)
                break
            except subprocess.TimeoutExpired:
                continue
        else:
            raise LabError(f"{self.name}: gobgpd did not end")
        self._channel.close()


def _settings(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Calls of the API, in order.

    What the router sends is refused on import: it would stand in GoBGP's table beside what the speaker is to say, and
    might be the better path. With a default of reject alone GoBGP would refuse its own routes too, in silence.
    """
    neighbor = f"{settings['neighbor']}%{settings['interface']}"
    own_end = api.Global(asn=settings["asn"], router_id=settings["router_id"], listen_port=-1)
    yield "StartBgp", api.StartBgpRequest(**{"global": own_end})  # a keyword of Python's
    own = api.Policy(
        name="own-routes",
        statements=[
            api.Statement(
                name="own-routes",
                conditions=api.Conditions(route_type=api.Conditions.ROUTE_TYPE_LOCAL),
                actions=api.Actions(route_action=api.ACCEPT),
            )
        ],
    )
    yield "AddPolicy", api.AddPolicyRequest(policy=own)
    yield (
        "AddPolicyAssignment",
        api.AddPolicyAssignmentRequest(
            assignment=api.PolicyAssignment(
                name="global", direction=api.IMPORT, policies=[api.Policy(name="own-routes")], default_action=api.REJECT
            )
        ),
    )
    yield (
        "AddPeer",
        api.AddPeerRequest(
            peer=api.Peer(
                conf=api.PeerConf(neighbor_address=neighbor, peer_asn=settings["peer_asn"]),
                timers=api.Timers(
                    config=api.TimersConfig(
                        connect_retry=_RETRY,
                        hold_time=settings["hold_time"],
                        keepalive_interval=settings["hold_time"] // 3,
                        idle_hold_time_after_reset=_PAUSE_AFTER_A_RESET,
                    )
                ),
                afi_safis=[api.AfiSafi(config=api.AfiSafiConfig(family=f, enabled=True)) for f in FAMILIES.values()],
            )
        ),
    )


def _messages(groups: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
    waiting: list[Any] = []
    for group in groups:
        for path in paths(group):
            waiting.append(path)
            if len(waiting) == _IN_ONE_MESSAGE:
                yield api.AddPathStreamRequest(table_type=api.GLOBAL, paths=waiting)
                waiting = []
    if waiting:
        yield api.AddPathStreamRequest(table_type=api.GLOBAL, paths=waiting)
