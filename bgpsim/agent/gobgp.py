"""GoBGP's tables by its own command line, in JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bgpsim.agent.namespaces import Namespaces

_SOCKET = "unix:///run/gobgp.sock"


class GobgpService:
    """Methods `gobgp.*`."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="gobgp")

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        return {"gobgp.neighbors": self.neighbors, "gobgp.tables": self.tables}

    def neighbors(self, devices: Sequence[str]) -> dict[str, list[Any] | None]:
        """Per device, its neighbors; None where gobgpd does not answer."""
        return dict(zip(devices, self._pool.map(lambda d: self._ask(d, "neighbor"), devices), strict=True))

    def tables(self, devices: Sequence[str]) -> dict[str, dict[str, Any] | None]:
        """Per device: the neighbors, and per family the table (`rib`) and each neighbor's `adj-in`, `adj-out`."""
        return dict(zip(devices, self._pool.map(self._tables, devices), strict=True))

    def _tables(self, device: str) -> dict[str, Any] | None:
        neighbors = self._ask(device, "neighbor")
        if neighbors is None:
            return None
        families: dict[str, Any] = {}
        for family, short in (("ipv4-unicast", "ipv4"), ("ipv6-unicast", "ipv6")):
            tables: dict[str, Any] = {"rib": self._ask(device, "global", "rib", "-a", short) or {}, "neighbors": {}}
            for neighbor in neighbors:
                address = neighbor["state"]["neighbor_address"]
                tables["neighbors"][address] = {
                    kind: self._ask(device, "neighbor", address, kind, "-a", short) or {}
                    for kind in ("adj-in", "adj-out")
                }
            families[family] = tables
        return {"neighbors": neighbors, "families": families}

    def _ask(self, device: str, *words: str) -> Any:
        done = self._namespaces.run(device, ["gobgp", "--target", _SOCKET, "-j", *words])
        if done.returncode:
            return None
        try:
            return json.loads(done.stdout or "null")
        except ValueError:
            # Where there is nothing to list gobgp says so in words ("Network not in table").
            return []
