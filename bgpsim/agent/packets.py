"""Marked probes, and what every device sees of them: the evidence of the path plane.

One packet socket per namespace sees each forwarded packet twice, coming in and going out, with the interface. Sockets
bound in every namespace take the probes that arrive, so that no ICMP error answers one, and are the proof that it
arrived: a packet socket sees what the device's own firewall throws away.

Nothing is waited for that the kernel can tell: where a probe was last seen coming in, its own lookup says whether it
goes on. The exception is a neighbor that is being asked for: a kernel gives up after three requests of one second
(RFC 4861 section 10).
"""

from __future__ import annotations

import errno
import secrets
import select
import socket
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from bgpsim.agent.kernel_answers import KernelAnswers, hashes_ports
from bgpsim.agent.namespaces import Namespaces
from bgpsim.agent.probe_sockets import BUFFER, capture, drops, padded, read_all, sender, sink
from bgpsim.agent.routing import RoutingSocket
from bgpsim.agent.sightings import (
    PORT,
    RUN_BYTES,
    Header,
    IcmpError,
    ProbeKey,
    Sighting,
    Trail,
    follow,
    mark,
    read_mark,
    read_packet,
)
from bgpsim.errors import LabError

_BATCH = 4
"""Probes between two readings: a loop may show one of them 64 times to a device, a usual buffer holds 300 packets."""
_LOOK_AGAIN = 0.05
"""Seconds between two looks at a neighbor entry that is being resolved."""
_BUSY = 10.0
"""Seconds of reading without a pause."""
_CLOSERS = 32
_CANDIDATES = 512
"""Source ports tried, by lookups alone, to find one that takes a branch not walked yet."""


@dataclass(slots=True)
class _Probe:
    """One packet on its way and what is known of it."""

    key: ProbeKey
    sender: str
    header: Header
    """As it was made."""
    size: int | None = None
    """Bytes of the IP packet, which must not be fragmented; None: as small as it can be."""
    sightings: list[Sighting] = field(default_factory=list)
    errors: list[IcmpError] = field(default_factory=list)
    received: str | None = None
    """The device whose socket got it."""
    refused: str | None = None
    """The errno's name with which the sender's kernel refused it."""
    last: float = 0.0
    """When something of it was last seen, monotonic."""
    kernel: dict[str, Any] | None = None
    resolving: bool = False
    """The neighbor that it needs was being asked for while it waited."""

    def trail(self) -> Trail:
        return follow(self.sender, self.sightings)


class PacketService:
    """Methods `packets.*`."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        return {"packets.probe": self.probe, "packets.ports": self.ports}

    def probe(
        self,
        devices: Sequence[str],
        pairs: Sequence[Mapping[str, Any]],
        quiet: float = 0.4,
        limit: float = 4.0,
        buffer: int = BUFFER,
    ) -> list[dict[str, Any]]:
        """Send a probe per source port of each pair {device, source, target, ports}, all at once, and follow them.

        A pair may have a `size` too: bytes of an IP packet that must not be fragmented.

        Ends when every probe's fate is known: it was received, refused, looped, answered by an ICMP error, or the
        kernel that had it last says that it goes no further. What should have gone on and did not is given up after
        `quiet` seconds without a sighting, a neighbor that is being resolved after `limit` seconds. `buffer`: bytes
        per capture.

        Per probe {pair, port, visits, looped, ttl, received, refused, errors, kernel, resolving}: visits [device,
        ingress, egress] from the sender on; ttl as the last of them got it; errors [type, code] of ICMP; kernel as
        `KernelAnswers.about` at the last visit, None where the probe was received or left it; resolving: whether the
        neighbor that it needs was being asked for while it waited. Raises LabError when a capture loses packets even
        of probes sent one by one, or never runs empty. One call at a time; others wait for their turn.
        """
        for batch in (_BATCH, 1):
            with self._namespaces.probing:
                probes, lost = self._attempt(devices, pairs, batch, quiet, limit, buffer)
            if not lost:
                return [_result(probe) for probe in probes]
        raise LabError(
            f"the captures of {', '.join(sorted(lost))} lost packets even of probes sent one by one",
            hint="raise net.core.rmem_max on this machine",
        )

    def _attempt(
        self,
        devices: Sequence[str],
        pairs: Sequence[Mapping[str, Any]],
        batch: int,
        quiet: float,
        limit: float,
        buffer: int,
    ) -> tuple[list[_Probe], list[str]]:
        """The probes, and the devices whose capture lost packets."""
        run = secrets.token_bytes(RUN_BYTES)
        probes = {
            ProbeKey(number, port): _Probe(
                ProbeKey(number, port),
                pair["device"],
                Header(pair["source"], pair["target"], port, PORT),
                pair.get("size"),
            )
            for number, pair in enumerate(pairs)
            for port in pair["ports"]
        }
        with _Listening(self._namespaces, devices, run, probes, buffer) as listening:
            for part in _batches(probes.values(), batch):
                self._send(part, run)
                listening.drain(0 if batch > 1 else 1)
            self._await(probes.values(), listening, quiet, limit)
            return list(probes.values()), listening.lossy()

    def _send(self, probes: Sequence[_Probe], run: bytes) -> None:
        """All of one device. A sender whose kernel refuses has its answer in that."""
        with self._namespaces.enter_network(probes[0].sender):
            for probe in probes:
                probe.last = time.monotonic()
                try:
                    with sender(probe.header, whole=probe.size is not None) as opened:
                        payload = padded(mark(run, probe.key), probe.header.target, probe.size)
                        opened.sendto(payload, (probe.header.target, PORT))
                except OSError as error:
                    probe.refused = errno.errorcode.get(error.errno or 0, str(error))

    def _await(self, probes: Iterable[_Probe], listening: _Listening, quiet: float, limit: float) -> None:
        """Until every probe's fate is known."""
        started = time.monotonic()
        open_probes = list(probes)
        while True:
            listening.drain(0)
            self._ask(open_probes)
            now = time.monotonic()
            waits = [(probe, _wait(probe, now, quiet)) for probe in open_probes]
            open_probes = [probe for probe, wait in waits if wait > 0]
            left = min([limit - (now - started), *(wait for _, wait in waits if wait > 0)])
            if not open_probes or left <= 0:
                return
            listening.drain(max(1, round(1000 * left)))

    def _ask(self, probes: Sequence[_Probe]) -> None:
        """The kernel's word on each probe where it was last seen coming in."""
        by_device: dict[str, list[tuple[_Probe, Trail]]] = defaultdict(list)
        for probe in probes:
            trail = probe.trail()
            end = trail.visits[-1]
            probe.kernel = None
            if probe.received is None and not trail.looped and end.egress is None:
                by_device[end.device].append((probe, trail))
        for device, ended in by_device.items():
            with self._namespaces.enter_network(device), RoutingSocket() as routing:
                kernel = KernelAnswers(routing)
                for probe, trail in ended:
                    probe.kernel = kernel.about(trail.header or probe.header, trail.visits[-1].ingress)
                    probe.resolving |= probe.kernel["neighbor"] == "INCOMPLETE"

    def ports(self, wanted: Sequence[Mapping[str, Any]]) -> list[list[int]]:
        """Source ports whose flows take other branches than those of `taken`, by the kernels' own lookups.

        Per entry {source, target, steps, device, ingress, taken, missing}: at `device`, where `missing` branches were
        not walked by flows with the ports `taken`, reached by `steps` [device, ingress, egress]. At most one port per
        branch; none where the device does not hash ports.
        """
        return [self._ports(entry) for entry in wanted]

    def _ports(self, entry: Mapping[str, Any]) -> list[int]:
        source, target = entry["source"], entry["target"]
        first = max(entry["taken"]) + 1
        found: dict[tuple[str, str], int] = {}
        with self._namespaces.enter_network(entry["device"]), RoutingSocket() as routing:
            if not hashes_ports(target):
                return []
            walked = {_branch(routing, source, target, entry["ingress"], port) for port in entry["taken"]}
            for port in range(first, min(first + _CANDIDATES, 1 << 16)):
                branch = _branch(routing, source, target, entry["ingress"], port)
                if branch not in walked and branch not in found and self._passes(entry, port):
                    found[branch] = port
                    if len(found) == entry["missing"]:
                        break
        return list(found.values())

    def _passes(self, entry: Mapping[str, Any], port: int) -> bool:
        """Whether a flow gets to the device by those steps."""
        for device, ingress, egress in entry["steps"]:
            with self._namespaces.enter_network(device), RoutingSocket() as routing:
                if _branch(routing, entry["source"], entry["target"], ingress, port)[0] != egress:
                    return False
        return True


class _Listening:
    """A capture and the sinks of every device; fills in what they get of the probes."""

    def __init__(
        self,
        namespaces: Namespaces,
        devices: Sequence[str],
        run: bytes,
        probes: Mapping[ProbeKey, _Probe],
        buffer: int,
    ) -> None:
        self._namespaces = namespaces
        self._devices = devices
        self._buffer = buffer
        self._run = run
        self._probes = probes
        self._captures: dict[int, tuple[socket.socket, str]] = {}
        self._sinks: dict[int, tuple[socket.socket, str]] = {}
        self._poller = select.poll()

    def __enter__(self) -> _Listening:
        try:
            for device in self._devices:
                with self._namespaces.enter_network(device):
                    self._add(self._captures, capture(self._buffer), device)
                    for family in (socket.AF_INET, socket.AF_INET6):
                        self._add(self._sinks, sink(device, family), device)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Side by side: the kernel makes each packet socket that closes wait until every CPU has let go of it."""
        opened = [entry[0] for entry in (*self._captures.values(), *self._sinks.values())]
        with ThreadPoolExecutor(_CLOSERS, thread_name_prefix="close") as pool:
            list(pool.map(socket.socket.close, opened))

    def _add(self, kind: dict[int, tuple[socket.socket, str]], opened: socket.socket, device: str) -> None:
        kind[opened.fileno()] = (opened, device)
        self._poller.register(opened, select.POLLIN)

    def drain(self, milliseconds: int) -> None:
        """Wait for something, then read all there is.

        It ends with a look that finds nothing: then all that came before what was read has been read too, on whichever
        socket it came.
        """
        deadline = time.monotonic() + milliseconds / 1000 + _BUSY
        while ready := self._poller.poll(milliseconds):
            milliseconds = 0
            if time.monotonic() > deadline:
                busy = sorted(self._captures[number][1] for number, _ in ready if number in self._captures)
                raise LabError(f"the lab's own UDP and ICMP at {', '.join(busy)} is more than can be read")
            for number, _ in ready:
                if number in self._captures:
                    self._read_capture(*self._captures[number])
                else:
                    self._read_sink(*self._sinks[number])

    def _read_capture(self, opened: socket.socket, device: str) -> None:
        for packet, address in read_all(opened):
            read = read_packet(packet, address[2], self._run, device, address[0])
            probe = None if read is None else self._probes.get(read[0])
            if read is None or probe is None:
                continue
            probe.last = time.monotonic()
            if isinstance(read[1], Sighting):
                probe.sightings.append(read[1])
            elif read[1] not in probe.errors:
                probe.errors.append(read[1])

    def _read_sink(self, opened: socket.socket, device: str) -> None:
        for packet, _ in read_all(opened):
            key = read_mark(packet, self._run)
            if key is not None and key in self._probes:
                self._probes[key].received = device

    def lossy(self) -> list[str]:
        """Devices whose capture had no room for a packet since it was opened."""
        return [device for opened, device in self._captures.values() if drops(opened)]


def _wait(probe: _Probe, now: float, quiet: float) -> float:
    """Seconds until the probe is worth another look; 0 when its fate is known."""
    if probe.received or probe.refused or probe.errors:
        return 0.0
    kernel = probe.kernel
    if kernel is None:
        # It left a device, and has not come in anywhere; a loop is known at its second round.
        return 0.0 if probe.trail().looped else max(0.0, probe.last + quiet - now)
    if kernel["kind"] not in ("unicast", "local"):
        return 0.0
    if kernel["kind"] == "unicast":
        if kernel["forwards"] is False or kernel["carrier"] is False:
            return 0.0
        if kernel["neighbor"] == "INCOMPLETE":
            return _LOOK_AGAIN
    return max(0.0, probe.last + quiet - now)


def _result(probe: _Probe) -> dict[str, Any]:
    trail = probe.trail()
    return {
        "pair": probe.key.pair,
        "port": probe.key.port,
        "visits": [[visit.device, visit.ingress, visit.egress] for visit in trail.visits],
        "looped": trail.looped,
        "ttl": trail.visits[-1].ttl,
        "received": probe.received,
        "refused": probe.refused,
        "errors": [[error.type, error.code] for error in probe.errors],
        "kernel": probe.kernel,
        "resolving": probe.resolving,
    }


def _branch(routing: RoutingSocket, source: str, target: str, ingress: str | None, port: int) -> tuple[str, str]:
    """The interface and the neighbor that the kernel chooses for a flow."""
    found = routing.lookup(target, source=source, ingress=ingress, protocol=socket.IPPROTO_UDP, ports=(port, PORT))
    return str(found.get("interface")), str(found.get("via"))


def _batches(probes: Iterable[_Probe], size: int) -> Iterator[list[_Probe]]:
    """At most `size` probes of one device at a time."""
    by_device: dict[str, list[_Probe]] = defaultdict(list)
    for probe in probes:
        by_device[probe.sender].append(probe)
    for own in by_device.values():
        for at in range(0, len(own), size):
            yield own[at : at + size]
