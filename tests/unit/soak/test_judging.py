"""Soak's own checks: each kind of wrong ending is found, and a right one is not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.soak import processes
from tests.soak.faults import BY_NAME, FAULTS
from tests.soak.growth import Held, grown
from tests.soak.judging import BOUND, Command, Seen, complaints, wrong_report
from tests.soak.record import Record, Row, table
from tests.soak.surroundings import Surroundings

SAID = "error: b1: bgpd ended by itself\n"
RIGHT = Seen(BY_NAME["kill bgpd"], True, False, "b1", (Command("run x", 3, SAID, 2.0),), ())
QUIET = Seen(BY_NAME["none"], False, False, None, (Command("run x", 0, "pass", 0.0),), ())


def with_command(**changes: object) -> Seen:
    return replace(RIGHT, commands=(replace(RIGHT.commands[0], **changes),))


def test_what_is_right() -> None:
    assert complaints(RIGHT) == ()
    assert complaints(QUIET) == ()
    assert complaints(replace(with_command(code=0, said="pass"), late=True)) == ()
    killed = Command("run x", -9, "", 0.1)
    assert complaints(Seen(BY_NAME["kill command"], True, False, None, (killed,), ())) == ()


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        (replace(RIGHT, left=("process 7 zebra",)), "left behind: process 7 zebra"),
        (with_command(code=0, said="pass"), "nobody noticed"),
        (with_command(code=1), "exit code 1, expected 3"),
        (with_command(code=4), "a bug"),
        (with_command(said="error: b1: zebra ended by itself\n"), "the cause is not named"),
        (with_command(said="error: b0: bgpd ended by itself\n"), "the cause is not named"),
        (with_command(said="error: the lab's agent did not answer frr.show within 60 s\n"), "the cause is not named"),
        # Named somewhere in what it printed, but not as the cause.
        (with_command(said="error: it broke\nb1: bgpd ended by itself\n"), "the cause is not named"),
        (with_command(said=SAID + "Traceback (most recent call last):\n"), "a traceback"),
        (with_command(seconds=BOUND + 1), "expected at most"),
        (with_command(hung=True), "expected at most"),
        (with_command(report=("there is none",)), "report: there is none"),
        (replace(QUIET, commands=(Command("run x", 3, "error: it broke", 0.0),)), "exit code 3, expected 0"),
        (replace(QUIET, commands=(Command("run x", 1, "fail", 0.0),)), "exit code 1, expected 0"),
        (replace(RIGHT, commands=(*RIGHT.commands, Command("lab down", 3, "", 0.0))), "lab down: exit code 3"),
        (
            Seen(BY_NAME["client garbage"], True, False, None, (Command("lab check", 3, "error: gone", 1.0),), ()),
            "exit code 3, expected 0",
        ),
    ],
)
def test_what_is_wrong(seen: Seen, says: str) -> None:
    assert any(says in found for found in complaints(seen)), complaints(seen)


def test_every_fault_but_those_that_break_nothing_has_a_cause_to_be_named() -> None:
    for fault in FAULTS:
        assert bool(fault.says) or fault.how in ("none", "client", "pause", "kill", "terminate"), fault.name
        if fault.how == "kill":
            assert fault.says or fault.target == "command"
    assert len(BY_NAME) == len(FAULTS)


def test_a_report_that_is_not_what_was_said() -> None:
    good = {"exit_code": 3, "runs": [{"error": {"message": "it broke"}}]}
    assert wrong_report(good, None, 3, "error: it broke") == ()
    assert wrong_report(None, None, 3, "") == ("there is none",)
    assert "the command's 1" in wrong_report(good, None, 1, "error: it broke")[0]
    assert "not what was said" in wrong_report(good, None, 3, "error: something else")[0]
    assert wrong_report({"exit_code": 3, "runs": []}, None, 3, "") == ("it says no error",)
    assert wrong_report(good, "not valid: x", 3, "error: it broke") == ("not valid: x",)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def test_a_process_that_is_left_is_found(sleeper: subprocess.Popen[bytes]) -> None:
    assert sleeper.pid in list(processes.family(os.getpid()))
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert sleeper.pid not in list(processes.family(os.getpid()))


def test_of_what_a_process_forked_and_itself_it_is_the_one_that_was_there_first() -> None:
    program = "import os, time; os.fork(); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", program, "bgpsim.agent.relay"], start_new_session=True) as forking:
        while not list(processes.family(forking.pid)):
            time.sleep(0.01)
        assert processes.of_role(os.getpid(), "relay") == [forking.pid]
        os.killpg(forking.pid, 9)


def test_an_orphan_that_left_its_parent_is_found() -> None:
    """In a process of its own: a subreaper stays one."""
    program = (
        "import os, subprocess, sys\n"
        "from tests.soak import processes\n"
        "processes.adopt()\n"
        'subprocess.run([sys.executable, \'-c\', \'import subprocess; subprocess.Popen(["sleep", "60"],'
        " start_new_session=True)'])\n"
        "(line,) = processes.left(0.2)\n"
        "os.kill(int(line.split()[1]), 9)\n"
        "print(line, processes.left(5.0))\n"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("process ")
    assert done.stdout.endswith("sleep 60 ()\n"), done.stdout + done.stderr


def test_a_file_a_mount_or_a_link_that_is_left_is_found(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("x")
    before = Surroundings.now((tmp_path,))
    assert Surroundings.now((tmp_path,)).since(before) == ()
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "file").write_text("")
    (tmp_path / "kept").unlink()
    changed = Surroundings.now((tmp_path,)).since(before)
    assert [line.split(" ")[0] for line in changed] == ["file", "file", "gone:"]
    other = replace(before, mounts=before.mounts | {"36 35 0:1 / /x rw"}, links=before.links | {"veth7"})
    assert other.since(before) == ("mount 36 35 0:1 / /x rw", "link veth7")


def test_what_grows_is_found() -> None:
    early = {"keeper": Held(20, 100_000), "agent": Held(40, 50_000)}
    assert grown(early, {"keeper": Held(22, 109_000), "agent": Held(40, 55_000)}) == ()
    assert grown(early, {"keeper": Held(23, 100_000), "agent": Held(40, 55_001)}) == (
        "keeper: 23 descriptors, 20 after 5 steps",
        "agent: 55001 kB PSS, 50000 after 5 steps",
    )


def test_a_record_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    row = Row(1, 0, "run", "kill bgpd", True, False, "b1", 2.5, 3, (3,), "b1: bgpd ended by itself", 8.0, 1.5, ("x",))
    record = Record(tmp_path / "record.jsonl")
    record.add(row)
    record.add(replace(row, number=1, complaints=()))
    with record.file.open("a") as lines:
        lines.write('{"seed": 1, "num')
    assert record.rows() == (row, replace(row, number=1, complaints=()))
    assert record.done(1) == {0, 1}
    assert record.done(2) == frozenset()
    assert "| kill bgpd | 2 | 2 | 3 (2) | b1: bgpd ended by itself | 1.5 s | 1 |" in table(record.rows())
