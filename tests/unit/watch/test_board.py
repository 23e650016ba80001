"""What the screen shows of a stream of events."""

from __future__ import annotations

from typing import Any

import pytest
from scripted import agreement, heard, path, route, session

from bgpsim.watch.board import FRESH, LEFT_SHOWN, Board
from bgpsim.watch.panels import ASCII, UNICODE, age, head_lines, heard_rows, route_rows, session_rows, signs_for


def board(*events: dict[str, Any]) -> Board:
    made = Board()
    for event in events:
        made.take(event)
    return made


def texts(rows: list[tuple[Any, Any]]) -> list[list[str]]:
    return [[cell.plain for cell in cells] for _, cells in rows]


def test_a_route_has_its_age_and_its_mark() -> None:
    made = board(route("10.0.0.0/8", since=90.0, first=True), route("10.9.0.0/16", time=100.0))
    newest, old = texts(route_rows(made, ASCII, 101.0))
    assert newest == ["+", "=", "1s", "tor0", ">", "10.9.0.0/16", "net0", "65000", "10.0.0.1"]
    assert old[:3] == [" ", "=", "11s"]
    assert texts(route_rows(made, ASCII, 100.0 + FRESH))[0][0] == " "


def test_what_left_is_struck_out_for_a_while() -> None:
    made = board(route("10.0.0.0/8", first=True), route("10.0.0.0/8", change="left", time=50.0))
    ((_, cells),) = route_rows(made, UNICODE, 60.0)
    assert cells[0].plain == "-"
    assert all("strike" in str(cell.spans[-1].style) for cell in cells[3:])
    made.forget(50.0 + LEFT_SHOWN)
    assert made.routes
    made.forget(50.1 + LEFT_SHOWN)
    assert not made.routes


def test_what_left_and_came_again_is_there() -> None:
    left, back = route("10.0.0.0/8", change="left", time=5.0), route("10.0.0.0/8", time=6.0)
    made = board(route("10.0.0.0/8", first=True), left, back)
    assert texts(route_rows(made, ASCII, 7.0))[0][:3] == ["+", "=", "1s"]


def test_another_prediction_is_no_change_of_the_route() -> None:
    made = board(
        route("10.0.0.0/8", since=1.0, first=True),
        route("10.0.0.0/8", change="prediction", predicted=False, time=50.0),
    )
    assert texts(route_rows(made, ASCII, 51.0))[0][:3] == [" ", "!", "50s"]


def test_sessions_that_are_amiss_come_first() -> None:
    made = board(
        session("router0", "net0", first=True),
        session("tor0", "net0", first=True),
        session("tor1", "net0", first=True),
        session("tor0", "net0", state="Down", word="Active", time=9.0, was={"state": "Established"}),
        session("tor1", "net0", predicted=False, time=9.0, change="prediction"),
    )
    shown = texts(session_rows(made, ASCII, 10.0))
    assert [row[3] for row in shown] == ["tor1", "tor0", "router0"]
    assert shown[1][:5] == ["~", "=", "1s", "tor0", "Down Active"]


def test_a_sessions_age_is_that_of_its_state() -> None:
    made = board(
        session("tor0", "net0", since=1.0, first=True),
        session("tor0", "net0", accepted=9, time=50.0, was={"families": {}}),
    )
    assert texts(session_rows(made, ASCII, 51.0))[0][:6] == [" ", "=", "50s", "tor0", "Established", "9/2"]


def test_a_speaker_hears_and_sends() -> None:
    made = board(heard("10.0.0.0/8", first=True), heard("10.99.0.1/32", direction="sent", time=3.0))
    assert [row[4] for row in texts(heard_rows(made, ASCII, 4.0))] == ["to tor0", "from tor0"]


def test_agreement_counts_the_pairs_path() -> None:
    made = board(agreement(bgp=(4, 4)), path(predicted=False))
    assert made.planes() == {"bgp": (4, 4), "path": (0, 1)}
    assert made.agrees is False
    made.take(path(predicted=True))
    assert made.agrees is True
    made.take(path(predicted=None))
    assert made.planes() == {"bgp": (4, 4)}
    assert board().agrees is None


def test_another_pair_takes_the_place_of_the_first() -> None:
    made = board(path(), path(addresses=["fd00::1", "fd00::2"]))
    assert len(made.paths) == 2
    made.take(path(to="pod:default/netshoot@worker2"))
    assert [of["to"] for of in made.paths.values()] == ["pod:default/netshoot@worker2"]


def test_the_head_says_how_far_it_is() -> None:
    playing = {"event": "step", "time": 1.0, "name": "cut", "state": "playing", "verdict": None, "by": "pid 1"}
    made = board(playing, agreement(bgp=(3, 4)))
    shown = head_lines(made, "lab", "step “cut”: waiting until nothing moves", ASCII).plain
    assert shown.splitlines() == [
        " lab  step cut | playing | waiting until nothing moves",
        " ! not yet as predicted  bgp 3/4",
    ]
    made.take({**playing, "state": "ended", "verdict": "fail"})
    assert head_lines(made, "lab", None, ASCII).plain.splitlines() == [
        " lab  step cut | fail",
        " ! not as predicted  bgp 3/4",
    ]
    made.take({"event": "ended", "time": 2.0, "why": "it was taken down", "down": True})
    assert "the lab has ended: it was taken down" in head_lines(made, "lab", None, ASCII).plain


def test_signs_are_those_that_a_terminal_has() -> None:
    assert signs_for("utf-8") is UNICODE
    assert signs_for("ascii") is signs_for("latin-1") is signs_for(None) is ASCII
    assert ASCII.text("a → b").isascii()
    assert ASCII.judged(False).plain == "!"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (3600, "1h"), (200_000, "2d")]
)
def test_an_age_is_short(seconds: int, text: str) -> None:
    assert age(1000.0, 1000.0 + seconds) == text


def test_an_age_that_nobody_knows() -> None:
    assert age(None, 5.0) == "-"
