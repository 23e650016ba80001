"""Impaired and silent interfaces: by netem where the kernel has it, else by the relay (`agent.relay`).

netem is the interface's root queueing discipline. Where a line of the device's files has put one there, that stays, and
the relay is taken on every kernel.

All of it concerns what leaves by an interface. The relay is put in by one filter at the interface's egress, which
turns frames over to a veth pair, whose other end the relay reads; what comes out of it is sent by the interface
itself, with a mark that the filter lets pass. So the interface stays as it is: its peer, addresses, carrier, queueing
discipline and captures, in which a frame leaves when it comes out of the relay, as it would out of netem.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from bgpsim.agent import impairment_commands as commands
from bgpsim.agent.impairment_commands import Values
from bgpsim.agent.namespaces import ENVIRONMENT, Namespaces
from bgpsim.agent.offloads import switch_off
from bgpsim.agent.relay import PACKET_AUXDATA, SO_TIMESTAMPNS, SOL_PACKET
from bgpsim.agent.sightings import RELAY_PREFIX
from bgpsim.errors import DeviceDied, LabError, ProcessStopped
from bgpsim.process_state import STOPPED, is_stopped

Means: TypeAlias = Literal["netem", "relay"]

_ETH_P_ALL = 0x0003
_SO_MARK = 36
_BUFFER = 1 << 24
_LOG = Path("/tmp/relay.log")
_ANSWER_SECONDS = 10.0
_ESTABLISHED = "01"
"""TCP_ESTABLISHED in /proc/net/tcp (net/tcp_states.h)."""
_BGP_PORT = f"{179:04X}"


@dataclass(slots=True)
class _Interface:
    """What was done to one interface."""

    values: Values = field(default_factory=Values)
    means: Means | None = None
    relay: str | None = None
    because: str | None = None
    """Why not by netem."""
    silent: bool = False
    hooked: bool = False
    """The hook for filters is ours, and not one that the device had."""


@dataclass(slots=True)
class _Relay:
    """The running relay and the socket it obeys."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    obeying: threading.Lock = field(default_factory=threading.Lock)

    def obey(self, command: Mapping[str, Any], descriptors: Sequence[int] = ()) -> Any:
        with self.obeying:
            try:
                socket.send_fds(self.control, [json.dumps(command).encode()], list(descriptors))
                answer = self.control.recv(1 << 20)
            except OSError:
                answer = b""
        if not answer:
            if is_stopped(self.process.pid):
                raise ProcessStopped(f"the relay {STOPPED}")
            raise DeviceDied("the relay ended by itself", log=_last_words())
        return json.loads(answer)


def _last_words() -> tuple[str, ...]:
    try:
        return tuple(_LOG.read_text(errors="replace").splitlines()[-12:])
    except OSError:
        return ()


class ImpairmentService:
    """Methods `impairments.*`."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces
        self._interfaces: dict[tuple[str, str], _Interface] = {}
        self._relay: _Relay | None = None
        self._relays = 0
        self._netem: bool | None = None
        self._changing = threading.Lock()

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "impairments.set": self.set,
            "impairments.clear": self.clear,
            "impairments.silence": self.silence,
            "impairments.list": self.in_force,
            "impairments.counts": self.counts,
            "impairments.retransmitting": self.retransmitting,
        }

    def set(
        self,
        device: str,
        interface: str,
        delay: int = 0,
        jitter: int = 0,
        loss: float = 0.0,
        rate: int = 0,
        by: Means | None = None,
    ) -> dict[str, Any]:
        """Impair what leaves by an interface; what is not given is zero, as after `containerlab tools netem set`.

        delay and jitter in microseconds, loss in per cent, rate in bits per second. `by`: the means; None: netem where
        the kernel has it and the device no discipline of its own there. Returns {means, relay, because}: the relay's
        interface in the device, and why it is not netem, both None with netem.
        """
        values = Values(delay, jitter, loss, rate)
        with self._changing:
            found = self._interfaces.setdefault((device, interface), _Interface())
            because = found.because if found.means else None if by else self._why_no_netem(device, interface)
            means = found.means or by or ("relay" if because else "netem")
            if means == "netem":
                self._tc(device, commands.netem(interface, values))
            else:
                self._set_relay(device, interface, found, values)
            found.values, found.means, found.because = values, means, because
            return {"means": means, "relay": found.relay, "because": because}

    def clear(self, device: str, interface: str) -> None:
        """As it was before it was impaired; nothing where it is not. Frames that wait are lost."""
        with self._changing:
            found = self._interfaces.get((device, interface))
            if found is None or found.means is None:
                return
            if found.means == "netem":
                self._tc(device, commands.without_netem(interface))
            else:
                assert found.relay is not None
                self._tc(device, commands.without_filter(interface, commands.RELAY_PREFERENCE))
                self._running_relay().obey({"do": "remove", "name": found.relay})
                _ip(["link", "del", found.relay])
            found.values, found.means, found.relay = Values(), None, None
            self._unhook(device, interface, found)

    def silence(self, ends: Sequence[Sequence[str]], silent: bool) -> None:
        """Whether nothing leaves by these interfaces [device, interface], though they have carrier."""
        with self._changing:
            for device, interface in ends:
                found = self._interfaces.setdefault((device, interface), _Interface())
                if found.silent == silent:
                    continue
                if silent:
                    self._hook(device, interface, found)
                    self._tc(device, commands.silence(interface))
                else:
                    self._tc(device, commands.without_filter(interface, commands.SILENT_PREFERENCE))
                found.silent = silent
                self._unhook(device, interface, found)

    def in_force(self) -> list[dict[str, Any]]:
        """Every interface that is impaired or silent: {device, interface, means, silent, delay, jitter, loss, rate}.

        Raises DeviceDied when the relay has ended: then every interface that it serves is a black hole.
        """
        if self._relay is not None and self._relay.process.poll() is not None:
            raise DeviceDied("the relay ended by itself", log=_last_words())
        return [
            {"device": device, "interface": name, "means": i.means, "silent": i.silent, **i.values.shown()}
            for (device, name), i in sorted(self._interfaces.items())
            if i.means is not None or i.silent
        ]

    def counts(self) -> dict[str, dict[str, int]]:
        """Per relay's interface, frames: {passed, lost, overflowed, refused, waiting}."""
        if self._relay is None:
            return {}
        counted: dict[str, dict[str, int]] = self._relay.obey({"do": "counts"})
        return counted

    def retransmitting(self, devices: Sequence[str]) -> list[str]:
        """Of these, the devices with a BGP connection that has sent something again and still waits for its receipt."""
        found = []
        for device in devices:
            with self._namespaces.enter_network(device):
                tables = [Path("/proc/thread-self/net", name) for name in ("tcp", "tcp6")]
                lines = [line for table in tables if table.exists() for line in table.read_text().splitlines()[1:]]
            if any(map(_retransmits, lines)):
                found.append(device)
        return found

    def _why_no_netem(self, device: str, interface: str) -> str | None:
        if not self._has_netem():
            return "this kernel has no netem"
        own = commands.own_discipline(self._tc(device, ["-j", "qdisc", "show", "dev", interface]))
        return f"{device} has the queueing discipline {own} of its own at {interface}" if own else None

    def _has_netem(self) -> bool:
        """Tried, in a namespace of its own that is gone afterwards: a module may be there and load when it is asked."""
        if self._netem is None:
            attempt = ["unshare", "-n", "--", "tc", *commands.netem("lo", Values(delay=1000))]
            self._netem = _run(attempt).returncode == 0
        return self._netem

    def _set_relay(self, device: str, interface: str, found: _Interface, values: Values) -> None:
        relay = self._running_relay()
        new = found.relay is None
        name = found.relay or f"{RELAY_PREFIX}{self._relays}"
        command = {
            "do": "set",
            "name": name,
            "delay": values.delay / 1e6,
            "jitter": values.jitter / 1e6,
            "loss": values.loss / 100,
            "rate": float(values.rate),
        }
        if not new:
            relay.obey(command)
            return
        self._relays += 1
        incoming, outgoing = self._relay_sockets(device, interface, name)
        with incoming, outgoing:
            relay.obey(command, [incoming.fileno(), outgoing.fileno()])
        found.relay = name
        self._hook(device, interface, found)
        self._tc(device, commands.redirect(interface, name))

    def _relay_sockets(self, device: str, interface: str, name: str) -> tuple[socket.socket, socket.socket]:
        """What the relay gets frames from, at its end of a new veth pair, and what it sends them by."""
        _ip(commands.relay_pair(name, self._namespaces.pid(device)))
        with self._namespaces.enter_network(device):
            _prepare(name)
            switch_off(name)
            # Protocol 0: it sends alone.
            outgoing = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            outgoing.bind((interface, 0))
            outgoing.setsockopt(socket.SOL_SOCKET, _SO_MARK, commands.RELAYED_MARK)
        _prepare(name)
        incoming = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
        incoming.bind((name, _ETH_P_ALL))
        incoming.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        incoming.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        incoming.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        return incoming, outgoing

    def _running_relay(self) -> _Relay:
        if self._relay is None:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            ours.settimeout(_ANSWER_SECONDS)
            with theirs, _LOG.open("ab") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", "bgpsim.agent.relay", str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            self._relay = _Relay(process, ours)
        return self._relay

    def _hook(self, device: str, interface: str, found: _Interface) -> None:
        if not found.hooked and not self._has_hook(device, interface):
            self._tc(device, commands.hook(interface))
            found.hooked = True

    def _has_hook(self, device: str, interface: str) -> bool:
        """One that is there is the device's own, put there by a line of its files."""
        told = self._tc(device, ["-j", "qdisc", "show", "dev", interface])
        return any(discipline.get("kind") == "clsact" for discipline in json.loads(told or "[]"))

    def _unhook(self, device: str, interface: str, found: _Interface) -> None:
        if found.hooked and not found.silent and found.relay is None:
            self._tc(device, commands.without_hook(interface))
            found.hooked = False

    def _tc(self, device: str, words: Sequence[str]) -> str:
        """A process starts in the network namespace of the thread that starts it."""
        with self._namespaces.enter_network(device):
            done = _run(["tc", *words])
        if done.returncode:
            raise LabError(f"{device}: tc {' '.join(words)}: {done.stderr.strip()[-200:]}")
        return done.stdout


def _retransmits(line: str) -> bool:
    """A line of /proc/net/tcp: sl, local, remote, state, tx:rx, timer:when, retransmissions … (proc_net_tcp.rst)."""
    fields = line.split()
    ports = {fields[1].rpartition(":")[2], fields[2].rpartition(":")[2]}
    return fields[3] == _ESTABLISHED and _BGP_PORT in ports and int(fields[6], 16) > 0


def _prepare(name: str) -> None:
    """In the calling thread's namespace: up, and without any address, so that no table has it."""
    no_ipv6 = Path("/proc/sys/net/ipv6/conf", name, "disable_ipv6")
    if no_ipv6.exists():
        no_ipv6.write_text("1")
    _ip(["link", "set", "dev", name, "addrgenmode", "none", "up"])


def _ip(words: Sequence[str]) -> None:
    done = _run(["ip", *words])
    if done.returncode:
        raise LabError(f"ip {' '.join(words)}: {done.stderr.strip()[-200:]}")


def _run(argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(argv, capture_output=True, text=True, env=ENVIRONMENT, check=False)
    except FileNotFoundError:
        raise LabError(f"{argv[0]} is not on this machine", hint="install the package iproute2") from None
