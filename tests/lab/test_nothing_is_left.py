"""A lab whose processes are killed, whichever and whenever, leaves no process, link or mount behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sealed import USERS, Host, SealedLab, User, eventually, ordinary_user, this_user, two_routers

pytestmark = pytest.mark.lab

Victim = Callable[[int, SealedLab], int]

VICTIMS: Mapping[str, Victim] = {
    "the command": lambda command, lab: command,
    "the outer supervisor": lambda command, lab: lab.supervisor,
    "PID 1": lambda command, lab: lab.first_process,
    "the agent": lambda command, lab: lab.agent,
}
SAID = {
    "the outer supervisor": "its supervisor was killed by SIGKILL",
    "PID 1": "its PID 1 was killed by SIGKILL",
    "the agent": "its agent was killed by SIGKILL",
}
HELD = ("sleep", "300")


@pytest.fixture(params=USERS)
def user(request: pytest.FixtureRequest, open_folder: Path) -> User:
    return this_user() if request.param == "this user" else ordinary_user(open_folder)


@pytest.fixture
def folder(open_folder: Path) -> Path:
    place = open_folder / "scenario"
    place.mkdir()
    return place


def kill(user: User, scenario: Path, name: str, processes: int | None) -> None:
    """Kill one process of a run, once its lab has so many processes; None: once a command in it is held."""
    command = user.start("run", str(scenario))
    try:
        lab = SealedLab.of(command)
        if processes is None:
            eventually(lambda: bool(lab.running(*HELD)), f"{name}: the command in the lab runs")
            assert len(lab.processes()) > 10, name
        else:
            eventually(lambda: len(lab.processes()) >= processes, f"{name}: {processes} processes")
        os.kill(VICTIMS[name](command.pid, lab), signal.SIGKILL)
        eventually(lambda: not lab.processes(), f"{name}: every process of the lab has ended", 2)
        out, err = command.communicate(timeout=20)
    finally:
        command.kill()
        command.wait()
    if name == "the command":
        assert command.returncode == -signal.SIGKILL, (name, out)
        return
    # The command itself says what happened, in one line: 2 where the lab had not begun.
    said = [line for line in out.splitlines() if line.startswith("error: ")]
    assert len(said) == 1, (name, out)
    begun = said[0] == f"error: the lab ended by itself: {SAID[name]}"
    assert begun or (processes is not None and said[0] == f"error: the lab could not be sealed off: {SAID[name]}"), said
    assert (command.returncode, err) == (3 if begun else 2, ""), (name, out)


def kill_each(user: User, scenario: Path, cases: list[tuple[str, int | None]]) -> None:
    before = Host.now()
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(kill, user, scenario, name, processes) for name, processes in cases]:
            done.result()
    assert Host.now() == before


def test_nothing_is_left_of_a_lab_killed_while_it_is_made(user: User, folder: Path) -> None:
    """From the moment that it is sealed off, when there is the outer supervisor alone."""
    scenario = two_routers(folder, ["{name: one}"], last=["sleep 300"])
    kill_each(user, scenario, [(n, count) for n in ("the command", "the outer supervisor") for count in range(1, 7)])


def test_nothing_is_left_of_a_lab_killed_in_bring_up(user: User, folder: Path) -> None:
    kill_each(user, two_routers(folder, ["{name: one}"], last=["sleep 300"]), [(name, None) for name in VICTIMS])


def test_nothing_is_left_of_a_lab_killed_in_mid_run(user: User, folder: Path) -> None:
    scenario = two_routers(folder, ["{name: one, exec: {b0: sleep 300}}"])
    kill_each(user, scenario, [(name, None) for name in VICTIMS])
