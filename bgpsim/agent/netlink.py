"""The kernel's own view of a device: addresses, links, routes.

Tables are iproute2's JSON. By pyroute2's messages the small tables of the seed's lab are read no faster (38 ms for its
16 namespaces, either way, on two cores), a large one fifty times slower (0.1 ms a route), and what they mean would
have to be spelled out here. Single lookups are pyroute2's (`agent.routing`): a process for each would be slow.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bgpsim.agent.namespaces import ENVIRONMENT, Namespaces
from bgpsim.agent.routing import RoutingSocket
from bgpsim.agent.texts import KeptTexts
from bgpsim.errors import LabError

_ADDRESSES = ("ip", "-j", "-d", "addr")
_ROUTES = (("ip", "-j", "-4", "-d", "route"), ("ip", "-j", "-6", "-d", "route"))


class NetlinkService:
    """Methods `netlink.*`."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces
        self._texts = KeptTexts()
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="netlink")

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "netlink.dump": self.dump,
            "netlink.part": self._texts.part,
            "netlink.lookup": self.lookup,
            "netlink.installed_by": self.installed_by,
        }

    def dump(self, devices: Sequence[str], routes: bool = True, most: int | None = None) -> dict[str, dict[str, Any]]:
        """Per device: `links` (with addr_info) and `routes` (main table, both families), in iproute2's JSON.

        With `most`, a table of more octets is {kept}, for `netlink.part`.
        """
        return dict(zip(devices, self._pool.map(lambda d: self._one(d, routes, most), devices), strict=True))

    def lookup(self, queries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The route that the kernel would use, per query {device, target, source?, ingress?, protocol?, ports?}.

        {kind, interface, via}, or {error} with the errno's name (ENETUNREACH: no route; EHOSTUNREACH: unreachable;
        EINVAL: blackhole; EACCES: prohibit).
        """
        answers = []
        for query in queries:
            with self._namespaces.enter_network(query["device"]), RoutingSocket() as kernel:
                ports = query.get("ports")
                answers.append(
                    kernel.lookup(
                        query["target"],
                        source=query.get("source"),
                        ingress=query.get("ingress"),
                        protocol=query.get("protocol"),
                        ports=None if ports is None else (ports[0], ports[1]),
                    )
                )
        return answers

    def installed_by(self, device: str, target: str) -> int | None:
        """Whose route leads there, as a number of rtnetlink(7); None without a route."""
        with self._namespaces.enter_network(device), RoutingSocket() as kernel:
            return kernel.installed_by(target)

    def _one(self, device: str, routes: bool, most: int | None) -> dict[str, Any]:
        links = json.loads(b"".join(self._ip(device, _ADDRESSES)) or b"[]")
        tables = [self._texts.answer(self._ip(device, argv), most) for argv in _ROUTES] if routes else []
        known = [json.loads(table or "[]") if isinstance(table, str) else table for table in tables]
        return {"links": links, "routes": dict(zip(("ipv4-unicast", "ipv6-unicast"), known, strict=False))}

    def _ip(self, device: str, argv: Sequence[str]) -> Iterator[bytes]:
        """What it prints, as it prints it."""
        with tempfile.TemporaryFile() as errors:
            # A process starts in the network namespace of the thread that starts it.
            with self._namespaces.enter_network(device):
                process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=errors, env=ENVIRONMENT)
            with process:
                assert process.stdout is not None
                while part := os.read(process.stdout.fileno(), 1 << 18):
                    yield part
            if process.returncode:
                errors.seek(0)
                said = errors.read().decode(errors="replace").strip()[-200:]
                raise LabError(f"{device}: {' '.join(argv)}: {said}")
