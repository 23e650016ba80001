"""The screen, driven by keys, fed from a list."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from scripted import LAB, ScriptedFeed, agreement, heard, path, route, run, session
from textual.pilot import Pilot
from textual.widgets import DataTable, Input, Label, OptionList, Static

from bgpsim.errors import InputError, LabError
from bgpsim.watch.app import WatchApp
from bgpsim.watch.lines import Line
from bgpsim.watch.prompt import Prompt

BEGINNING = (
    LAB,
    {"event": "step", "time": 1.0, "name": "cilium peers", "state": "ended", "verdict": "pass", "by": None},
    session("router0", "net0", first=True),
    session("tor0", "net0", first=True),
    route("10.0.0.0/8", first=True),
    heard("10.0.0.0/8", first=True),
    agreement(bgp=(4, 4)),
)


def watched(
    feed: ScriptedFeed,
    does: Callable[[WatchApp, Pilot[None]], Awaitable[None]],
    size: tuple[int, int] = (140, 40),
    pair: tuple[str, str] | None = None,
) -> WatchApp:
    app = WatchApp(feed, pair, clock=lambda: 10.0)

    async def drive() -> None:
        async with app.run_test(size=size) as pilot:
            await does(app, pilot)

    asyncio.run(drive())
    return app


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    for _ in range(200):
        await pilot.pause(0.02)
        if holds():
            return
    raise AssertionError(head(pilot.app))


def head(app: Any) -> str:
    return str(app.query_one("#head", Static).render())


def rows(app: WatchApp, panel: str) -> list[list[str]]:
    table = app.query_one(f"#{panel}", DataTable)
    return [[cell.plain for cell in table.get_row_at(n)] for n in range(table.row_count)]


def test_it_shows_what_it_is_told_and_q_quits() -> None:
    feed = ScriptedFeed(*BEGINNING)

    async def does(app: WatchApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: len(rows(app, "sessions")) == 2)
        assert "as predicted  bgp 4/4" in head(app)
        assert rows(app, "routes")[0][3:6] == ["tor0", "●", "10.0.0.0/8"]
        assert str(app.query_one("#sessions").border_title) == "session ends 2"
        feed.tell(session("tor0", "net0", state="Down", time=9.0, was={"state": "Established"}), agreement(bgp=(2, 4)))
        await until(pilot, lambda: "not as predicted  bgp 2/4" in head(app))
        assert rows(app, "sessions")[0][:5] == ["~", "✓", "1s", "tor0", "Down Down"]
        assert str(app.query_one("#prediction").border_title) == "path, and 2 facts not as predicted"
        await pilot.press("q")

    app = watched(feed, does)
    assert feed.closed
    assert app.return_code == 0


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (200, 60)])
def test_every_panel_is_on_the_screen(size: tuple[int, int]) -> None:
    async def does(app: WatchApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: bool(rows(app, "routes")))
        for panel in ("sessions", "routes", "heard", "prediction"):
            region = app.query_one(f"#{panel}").region
            assert region.height >= 3, panel
            assert region.bottom <= size[1] - 1
            assert region.right <= size[0]

    watched(ScriptedFeed(*BEGINNING), does, size)


def test_a_line_is_typed_completed_and_played() -> None:
    feed = ScriptedFeed(*BEGINNING)

    async def does(app: WatchApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: bool(app.board.lab))
        await pilot.press("c", *"tor1", "tab", "enter")
        await until(pilot, lambda: bool(feed.played))
        await until(pilot, lambda: any("pass" in note.message for note in app._notifications))

    watched(feed, does)
    assert feed.played == [Line({"link-down": ["tor1:net0"]}, "link-down tor1:net0")]


def test_a_line_that_cannot_be_meant_stays_and_says_why() -> None:
    feed = ScriptedFeed(*BEGINNING)

    async def does(app: WatchApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: bool(app.board.lab))
        await pilot.press("a", *"10.9.0.0/16 tor0", "enter")
        assert isinstance(app.screen, Prompt)
        assert "found 'tor0'; expected PREFIX" in str(app.screen.query_one("#problem", Label).render())
        assert app.screen.query_one(Input).value == "10.9.0.0/16 tor0"
        await pilot.press("escape")
        assert not isinstance(app.screen, Prompt)

    watched(feed, does)
    assert feed.played == []


def test_what_the_keeper_refuses_is_said() -> None:
    feed = ScriptedFeed(*BEGINNING)

    def refuses(line: Line) -> Any:
        raise InputError("tor1 has no interface 'net9'; expected one that is there", hint="did you mean net0?")

    feed.plays = refuses

    async def does(app: WatchApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: bool(app.board.lab))
        await pilot.press("c", *"tor1:net9", "enter")
        await until(pilot, lambda: len(app._notifications) > 0)
        (note,) = app._notifications
        assert note.severity == "error"
        assert "no interface 'net9'" in note.message
        assert "did you mean net0?" in note.message

    watched(feed, does)


def test_the_screen_lives_while_a_step_is_played() -> None:
    feed = ScriptedFeed(*BEGINNING)
    over = threading.Event()

    def waits(line: Line) -> Any:
        assert over.wait(10)
        return run("fail", "a difference")

    feed.plays = waits

    async def does(app: WatchApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: bool(app.board.lab))
        await pilot.press("w", *"all", "enter")
        await until(pilot, lambda: "doing it" in head(app))
        feed.tell(route("10.9.0.0/16", time=9.0))
        await until(pilot, lambda: len(rows(app, "routes")) == 2)
        assert not app._notifications
        over.set()
        await until(pilot, lambda: any("fail: a difference" in note.message for note in app._notifications))
        assert "doing it" not in head(app)

    watched(feed, does)


def test_another_pair_is_chosen_and_one_that_is_none_is_refused() -> None:
    feed = ScriptedFeed(*BEGINNING, path())

    def ways(app: WatchApp) -> str:
        with app.console.capture() as captured:
            app.console.print(app.query_one("#ways", Static).content)
        return captured.get()

    async def does(app: WatchApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "tor0[a>b]: delivered" in ways(app))
        assert "predicted" in ways(app)
        await pilot.press("p", *"worker nobody", "enter")
        await until(pilot, lambda: feed.chosen == [("worker", "nobody")])
        await until(pilot, lambda: "not walked yet" in ways(app))
        feed.tell({"event": "refused", "message": "'nobody' is no endpoint", "hint": None})
        await until(pilot, lambda: "'nobody' is no endpoint" in ways(app))

    watched(feed, does, pair=("worker", "worker3"))


def test_restore_offers_what_is_down() -> None:
    async def does(app: WatchApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: bool(app.board.lab))
        await pilot.press("r")
        assert app.screen.query_one(Input).value == "tor1:net0 "
        assert app.screen.query_one(OptionList).option_count == 0

    watched(ScriptedFeed({**LAB, "down": ["tor1:net0"]}), does)


def test_where_it_cannot_be_watched_it_ends_and_says_why() -> None:
    feed = ScriptedFeed()
    feed.tell(LabError("lab scripted has ended"))

    async def does(app: WatchApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.return_code is not None)

    assert watched(feed, does).return_code == 3


def test_when_the_lab_has_ended_it_stays_to_be_read() -> None:
    feed = ScriptedFeed(*BEGINNING, {"event": "ended", "time": 2.0, "why": "it was taken down", "down": True})

    async def does(app: WatchApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "the lab has ended: it was taken down" in head(app))
        await pilot.press("a")
        assert not isinstance(app.screen, Prompt)

    watched(feed, does)


def test_panels_that_are_gone_are_not_refreshed() -> None:
    """On its way out the screen is emptied, and the next refresh may come before the app has ended."""

    async def does(app: WatchApp, pilot: Pilot[None]) -> None:
        await app.screen.query("*").remove()
        await pilot.pause(0.5)

    watched(ScriptedFeed(*BEGINNING), does)
