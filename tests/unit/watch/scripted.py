"""Events as a keeper tells them, and a feed that tells them from a list."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from typing import Any

from bgpsim.errors import BgpsimError
from bgpsim.report import document as doc
from bgpsim.watch.lines import Line

LAB = {
    "event": "lab",
    "time": 1.0,
    "scenario": "one",
    "speakers": [{"name": "injector", "asn": 65099, "peers": ["tor0", "tor1"]}],
    "announced": [],
    "links": [["router0:net0", "tor0:net0"], ["router0:net1", "tor1:net0"]],
    "down": [],
    "senders": ["pod:default/netshoot@worker"],
    "targets": ["pod:default/netshoot@worker"],
    "prefixes": ["tor0.lo"],
}


def session(
    device: str, neighbor: str, *, state: str = "Established", accepted: int = 1, **more: Any
) -> dict[str, Any]:
    families = {"ipv4-unicast": {"accepted": accepted, "sent": 2}} if state == "Established" else {}
    fact = {"device": device, "neighbor": neighbor, "peer": "router1", "state": state, "word": state}
    return _event("session", {**fact, "families": families}, {"change": "changed", **more})


def route(prefix: str, **more: Any) -> dict[str, Any]:
    fact = {
        "device": "tor0",
        "family": "ipv4-unicast",
        "prefix": prefix,
        "neighbor": "net0",
        "path_id": 0,
        "best": True,
        "multipath": False,
        "valid": True,
        "attributes": {"next-hop": "10.0.0.1", "as-path": "65000"},
    }
    return _event("route", fact, {"change": "arrived", **more})


def heard(prefix: str, **more: Any) -> dict[str, Any]:
    fact = {
        "speaker": "injector",
        "router": "tor0",
        "direction": "received",
        "family": "ipv4-unicast",
        "prefix": prefix,
        "path_id": 0,
        "attributes": {"next-hop": "tor0:x", "as-path": "65010"},
    }
    return _event("heard", fact, {"change": "arrived", **more})


def path(**more: Any) -> dict[str, Any]:
    fact = {
        "from": "pod:default/netshoot@worker",
        "to": "pod:default/netshoot@worker3",
        "addresses": ["10.1.1.2", "10.1.3.2"],
        "disposition": "delivered",
        "complete": True,
        "because": None,
        "hops": ["tor0[a>b]: delivered"],
        "expected": {"disposition": "delivered", "hops": ["tor0[a>b]: delivered"]},
    }
    return _event("path", fact, more)


def agreement(**planes: tuple[int, int]) -> dict[str, Any]:
    counts = {name: {"equal": e, "compared": c, "not_observed": 0} for name, (e, c) in planes.items()}
    open_count = sum(c - e for e, c in planes.values())
    difference = {
        "plane": "bgp",
        "kind": "missing",
        "device": "tor0",
        "peer": "net0",
        "family": "ipv4-unicast",
        "prefix": "10.9.0.0/16",
        "field": None,
        "predicted": "next-hop self",
        "observed": "",
    }
    fact = {"step": "one", "planes": counts, "open": [difference] * open_count, "open_count": open_count}
    return {"event": "agreement", "time": 1.0, **fact}


def _event(kind: str, fact: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    return {"event": kind, "time": 1.0, "since": None, "predicted": True, **fact, **more}


class ScriptedFeed:
    """Tells what is put in; what is played is kept, and ends as `plays` says."""

    name = "scripted"

    def __init__(self, *events: dict[str, Any]) -> None:
        self._events: queue.SimpleQueue[dict[str, Any] | BgpsimError | None] = queue.SimpleQueue()
        self.tell(*events)
        self.played: list[Line] = []
        self.chosen: list[tuple[str, str] | None] = []
        self.plays: Callable[[Line], doc.RunPart] = lambda line: run("pass")
        self.closed = False

    def tell(self, *events: dict[str, Any] | BgpsimError) -> None:
        for event in events:
            self._events.put(event)

    def events(self, pair: tuple[str, str] | None) -> Iterator[dict[str, Any]]:
        while (event := self._events.get()) is not None:
            if isinstance(event, BgpsimError):
                raise event
            yield event

    def choose(self, pair: tuple[str, str] | None) -> None:
        self.chosen.append(pair)

    def play(self, line: Line, tell: Callable[[str], None]) -> doc.RunPart:
        tell(f"step “{line.said}”: doing it")
        self.played.append(line)
        return self.plays(line)

    def close(self) -> None:
        self.closed = True
        self._events.put(None)


def run(verdict: doc.Verdict, error: str | None = None) -> doc.RunPart:
    part = None if error is None else doc.ErrorPart(kind="lab", message=error)
    return doc.RunPart(
        scenario="one", file="one.yaml", verdict=verdict, confidence="full", error=part, lab=None, steps=[]
    )
