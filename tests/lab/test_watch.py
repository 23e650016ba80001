"""A lab watched while others act on it, and by keys of the screen: real routers, real packets."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from keeping import Bgpsim
from sealed import two_routers
from textual.pilot import Pilot
from textual.widgets import DataTable, Input

from bgpsim.keeper.client import connect
from bgpsim.watch.app import WatchApp
from bgpsim.watch.feed import KeeperFeed
from bgpsim.watch.prompt import Prompt

pytestmark = pytest.mark.lab
SEED = Path(__file__).parents[2] / "scenarios" / "cilium-bgp"
PAIR = ("netshoot@worker", "netshoot@worker3")
Event = dict[str, Any]


class Watcher:
    """`bgpsim watch --json`, read as it comes."""

    def __init__(self, bgpsim: Bgpsim, *words: str) -> None:
        self.process = bgpsim.start("watch", "--json", *words)
        self.told: list[Event] = []

    def until(self, holds: Callable[[Event], bool], seconds: float = 60.0) -> Event:
        """The next event of that kind."""
        assert self.process.stdout is not None
        too_long = threading.Timer(seconds, self.process.kill)
        too_long.start()
        try:
            for line in self.process.stdout:
                self.told.append(json.loads(line))
                if holds(self.told[-1]):
                    return self.told[-1]
        finally:
            too_long.cancel()
        raise AssertionError(f"it ended: {self.process.communicate()[1]}, and told {self.told[-5:]}")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=20)
        return self.process.returncode


def all_as_predicted(event: Event) -> bool:
    return event["event"] == "agreement" and bool(event["planes"]) and event["open_count"] == 0


def test_what_another_command_does_is_told_in_order(bgpsim: Bgpsim, seed: str) -> None:
    watcher = Watcher(bgpsim, "--from", PAIR[0], "--to", PAIR[1], "--interval", "0.1")
    watcher.until(lambda e: e["event"] == "path")
    first = [e for e in watcher.told if e.get("first")]
    assert {e["event"] for e in first} == {"lab", "step", "session", "route", "heard", "agreement", "path"}
    assert {(e["state"], e["predicted"]) for e in first if e["event"] == "session"} == {("Established", True)}
    assert all(e["predicted"] for e in first if e["event"] in ("route", "heard", "path"))
    assert all(e["since"] for e in first if e["event"] == "route")
    before = len(watcher.told)
    bgpsim("announce", "10.98.0.1/32", "--to", "tor1", "-q")
    watcher.until(lambda e: e["event"] == "step" and e["state"] == "ended" and "10.98.0.1/32" in e["name"])
    told = watcher.told[before:]

    def at(holds: Callable[[Event], bool]) -> int:
        """Where it was told last."""
        return max(n for n, event in enumerate(told) if holds(event))

    def arrived(device: str) -> Callable[[Event], bool]:
        return lambda e: (
            (e["event"], e["device"] if e["event"] == "route" else None) == ("route", device)
            and (e["prefix"], e["change"] == "left", e["predicted"]) == ("10.98.0.1/32", False, True)
        )

    playing = at(lambda e: e["event"] == "step" and e["state"] == "playing")
    heard = at(lambda e: e["event"] == "heard" and (e["router"], e["direction"]) == ("tor0", "received"))
    assert told[heard]["attributes"]["as-path"] == "65010 65000 65011 65099"
    assert told[heard]["predicted"] is True
    agreed, ended = at(all_as_predicted), len(told) - 1
    assert playing < at(arrived("tor1")) < agreed < ended
    assert at(arrived("worker")) < agreed
    assert told[ended]["verdict"] == "pass"
    assert {e["prefix"] for e in told if e["event"] in ("route", "heard") and e["change"] != "prediction"} == {
        "10.98.0.1/32"
    }
    bgpsim("withdraw", "10.98.0.1/32", "-q")
    watcher.until(lambda e: e["event"] == "route" and (e["device"], e["change"]) == ("worker", "left"))
    assert watcher.told[-1]["predicted"] is True
    assert watcher.stop() == 130


def test_drift_is_told_as_such(bgpsim: Bgpsim, seed: str) -> None:
    watcher = Watcher(bgpsim)
    watcher.until(all_as_predicted)
    typed = ("lab", "exec", "tor1", "vtysh", "-c", "configure terminal", "-c", "router bgp 65011")
    bgpsim(*typed, "-c", "neighbor 10.0.3.2 shutdown")
    down = watcher.until(lambda e: e["event"] == "session" and e["device"] == "tor1" and e["state"] == "Down")
    assert (down["peer"], down["predicted"], down["was"]["state"]) == ("worker2", False, "Established")
    watcher.until(lambda e: e["event"] == "agreement" and e["open_count"] > 0)
    bgpsim(*typed, "-c", "no neighbor 10.0.3.2 shutdown")
    watcher.until(all_as_predicted)
    assert watcher.stop() == 130


def test_impatient_watchers_are_in_nobodys_way(bgpsim: Bgpsim, seed: str) -> None:
    """Their probes and a step's take turns."""
    watchers = [Watcher(bgpsim, "--from", PAIR[0], "--to", PAIR[1], "--interval", "0.1") for _ in range(3)]
    for watcher in watchers:
        watcher.until(lambda e: e["event"] == "path")
    checks = [bgpsim("lab", "check", "--json", code=None) for _ in range(2)]
    assert [check.returncode for check in checks] == [0, 0], checks[0].stdout
    assert [watcher.stop() for watcher in watchers] == [130] * 3
    for watcher in watchers:
        assert {e["because"] for e in watcher.told if e["event"] == "path"} == {None}
        assert not [e for e in watcher.told if e["event"] == "trouble"]


def test_probes_sent_at_once_take_turns(bgpsim: Bgpsim, seed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(bgpsim.runtime))

    def probed(number: int) -> list[str | None]:
        with connect(seed) as client:
            devices = [device["name"] for device in client.status()["devices"]]
            sender = "pod:default/netshoot@worker"
            pair = {"device": sender, "source": "10.1.1.2", "target": "10.1.3.2", "ports": [40000 + number]}
            return [probe["received"] for probe in client.call("packets.probe", devices=devices, pairs=[pair])]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(probed, range(12))) == [["pod:default/netshoot@worker3"]] * 12


def test_bad_input_is_told_before_anything_else(bgpsim: Bgpsim, seed: str) -> None:
    for words, said in (
        (("--from", "worker"), "found --from alone"),
        (("--from", "worker", "--to", "wroker3"), "'wroker3' is no endpoint"),
        (("--from", "*", "--to", "netshoot@worker3"), "expected one"),
        (("--lab", "nobody"), "no lab is called nobody"),
    ):
        done = bgpsim("watch", "--json", *words, code=2)
        assert said in done.stderr
        assert done.stdout == ""
    assert "expected --json" in bgpsim("watch", code=2).stderr


def rows(app: WatchApp, panel: str) -> list[list[str]]:
    table = app.screen_stack[0].query_one(f"#{panel}", DataTable)
    return [[cell.plain for cell in table.get_row_at(n)] for n in range(table.row_count)]


async def until(pilot: Pilot[None], holds: Callable[[], bool], what: str) -> None:
    for _ in range(600):
        await pilot.pause(0.1)
        if holds():
            return
    app = pilot.app
    assert isinstance(app, WatchApp)
    raise AssertionError(f"never: {what}; {app.board.step}, {app.board.agreement}, {app.board.trouble}")


def test_the_screen_and_its_keys(bgpsim: Bgpsim, seed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link cut and restored, a route announced and withdrawn, all from the screen, which shows what becomes of it."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(bgpsim.runtime))
    app = WatchApp(KeeperFeed(seed, 0.25), PAIR)

    def down() -> set[tuple[str, str]]:
        return {(row[3], row[6]) for row in rows(app, "sessions") if row[4].startswith("Down")}

    def settled() -> bool:
        """The step has passed, and the screen has it."""
        passed = [text for text in said if text.endswith(": pass")]
        return app.board.agrees is True and app.board.step.get("state") == "ended" and len(passed) == 1

    said: list[str] = []
    monkeypatch.setattr(app, "notify", lambda message, **_: said.append(message))

    async def drive() -> None:
        async with app.run_test(size=(140, 40)) as pilot:
            await until(pilot, lambda: app.board.agrees is True and bool(app.board.paths), "all is as predicted")
            assert len(rows(app, "sessions")) == 16
            assert not down()
            assert {row[1] for row in rows(app, "sessions") + rows(app, "routes")} == {"✓"}

            await pilot.press("c", *"tor1:net0", "enter")
            await until(pilot, lambda: down() == {("router0", "tor1 net1"), ("tor1", "router0 net0")}, "it is down")
            assert any(row[0] == "-" for row in rows(app, "routes"))
            await until(pilot, settled, "the cut is as predicted")
            (path,) = app.board.paths.values()
            assert (path["disposition"], path["predicted"]) == ("blackhole", True)

            said.clear()
            await until(pilot, lambda: app.board.lab["down"] == ["tor1:net0"], "the kernel's own account")
            await pilot.press("r")
            assert isinstance(app.screen, Prompt)
            assert app.screen.query_one(Input).value == "tor1:net0 "
            await pilot.press("enter")
            await until(pilot, lambda: settled() and not down(), "it is back")
            await until(pilot, lambda: {p["disposition"] for p in app.board.paths.values()} == {"delivered"}, "the way")

            said.clear()
            await pilot.press("a", *"10.99.0.1/32 to tor0", "enter")
            await until(pilot, settled, "announced")
            new = [row for row in rows(app, "routes") if row[5] == "10.99.0.1/32"]
            assert {row[3] for row in new} >= {"tor0", "router0", "tor1", "worker", "worker3"}
            assert all(row[:2] == ["+", "✓"] and row[2].endswith("s") for row in new if row[3] == "tor0")
            heard = {row[4] for row in rows(app, "heard") if row[5] == "10.99.0.1/32"}
            assert heard == {"to tor0", "from tor0", "from tor1"}

            said.clear()
            await pilot.press("w", *"10.99.0.1/32", "enter")
            await until(pilot, settled, "withdrawn")
            assert {row[0] for row in rows(app, "routes") if row[5] == "10.99.0.1/32"} == {"-"}

            said.clear()
            await pilot.press("c", *"tor1:net9", "enter")
            await until(pilot, lambda: bool(said), "it says why not")
            assert "tor1 has no interface 'net9'" in said[0]
            await pilot.press("q")

    asyncio.run(drive())
    assert app.return_code == 0


def test_it_says_how_the_lab_ended(bgpsim: Bgpsim, tmp_path: Path) -> None:
    """Taken down, or its supervisor killed."""
    scenario = str(two_routers(tmp_path, ["name: both"]))
    bgpsim("lab", "up", scenario, "--lab", "one", "-q")
    watcher = Watcher(bgpsim, "--lab", "one")
    watcher.until(all_as_predicted)
    bgpsim("lab", "down", "one")
    assert watcher.until(lambda e: e["event"] == "ended")["why"] == "it was taken down"
    assert watcher.process.wait(timeout=20) == 0

    bgpsim("lab", "up", scenario, "--lab", "two", "-q")
    watcher = Watcher(bgpsim, "--lab", "two")
    watcher.until(all_as_predicted)
    os.kill(bgpsim.json("lab", "inspect", "two")["supervisor"], signal.SIGKILL)
    assert "its supervisor was killed by SIGKILL" in watcher.until(lambda e: e["event"] == "ended")["why"]
    assert watcher.process.wait(timeout=20) == 3
