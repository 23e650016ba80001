"""The pure parts of the benchmarks: rows, bounds, and reading what the floor and bgpsim say."""

from typing import Any

import pytest

from benchmarks.commands import CommandFailed, Finished
from benchmarks.dialling import has_session
from benchmarks.figures import Beside, Parts, Row, medians
from benchmarks.rows import unlike, without_luck
from benchmarks.seed_lab import Measured, floor_measured, lab_measured, lab_up, milestones
from benchmarks.table import spelled

FLOOR_LINES = ((0.05, "wired 0.05"), (0.2, "started 0.20"), (2.6, "fabric 2.60"), (11.5, "done 11.50"))


def finished(*lines: tuple[float, str], seconds: float = 12.0) -> Finished:
    return Finished(100.0, seconds, lines, 20_000, 0, "")


def report() -> dict[str, Any]:
    steps = [
        {"volatile": {"seconds": 8.5, "settling": {"seconds": 7.5, "quiet": 5.5, "at": 8.0}}},
        {"volatile": {"seconds": 10.5, "settling": {"seconds": 10.0, "quiet": 1.75, "at": 19.5}}},
    ]
    return {"runs": [{"volatile": {"seconds": {"total": 20.0, "bring_up": 0.5}}, "steps": steps}]}


def test_a_row_with_something_beside_it_is_bound_by_the_ratio_of_medians() -> None:
    row = Row("lab", (4.0, 9.0, 4.4), Beside("floor", 4.0), bound=1.5, peak_kib=1)
    assert row.seconds == 4.4
    assert row.ratio == pytest.approx(1.1)
    assert row.met
    assert row.rule == "1.5 x floor"
    assert not Row("lab", (6.1,), Beside("floor", 4.0), bound=1.5, peak_kib=1).met


def test_a_row_alone_is_bound_in_seconds() -> None:
    row = Row("plan", (0.9, 1.2, 0.8), None, bound=1.0, peak_kib=1)
    assert (row.ratio, row.met, row.rule) == (None, True, "1 s")
    assert not Row("plan", (1.01,), None, bound=1.0, peak_kib=1).met


def test_parts_have_their_own_medians() -> None:
    runs = [Parts("x", (("a", a), ("b", b))) for a, b in ((1.0, 9.0), (2.0, 8.0), (6.0, 7.0))]
    assert medians("x", runs) == Parts("x", (("a", 2.0), ("b", 8.0)))


def test_milestones_are_when_their_lines_came() -> None:
    assert milestones(finished((0.051, "wired 0.05"), (0.3, ""))) == {"wired": 0.051}


def test_the_floor_ends_when_it_says_done_and_its_dial_is_taken_off() -> None:
    measured = floor_measured(finished(*FLOOR_LINES), dial=7.5)
    assert measured.seconds == pytest.approx(4.0)
    assert sum(seconds for _, seconds in measured.parts.parts) == pytest.approx(4.0)


def test_the_lab_loses_its_quiet_windows_and_its_dial() -> None:
    measured = lab_measured(0.9, report(), dial=7.0, peak_kib=1)
    assert measured.seconds == pytest.approx(0.4 + 19.5 - 5.5 - 1.75 - 7.0)
    assert sum(seconds for _, seconds in measured.parts.parts) == pytest.approx(measured.seconds)


def test_luck_with_the_dials_is_taken_off_both_sides() -> None:
    """0.3 s or 1.2 s after the last dial: the least of a side counts in each of its runs."""
    runs = [Measured(seconds, after, 1, Parts("x", ())) for seconds, after in ((4.0, 1.2), (3.1, 0.3), (4.2, 1.2))]
    assert without_luck(runs) == pytest.approx((3.1, 3.1, 3.3))
    assert unlike(runs, [runs[0]])
    assert not unlike(runs, [runs[1]])


def test_the_lab_is_up_when_the_command_says_so() -> None:
    assert lab_up(finished((0.2, "seed  baseline.yaml"), (0.9, "  lab up in 0.5 s  (embedded, rootless)"))) == 0.9
    with pytest.raises(CommandFailed):
        lab_up(finished((0.2, "seed  baseline.yaml")))


@pytest.mark.parametrize(
    ("remote", "state", "there"),
    [
        ("0100000A:00B3", "01", True),
        ("0100000A:00B3", "02", False),  # SYN sent
        ("0100000A:C383", "01", False),
    ],
)
def test_a_session_is_an_established_connection_to_a_bgp_port(remote: str, state: str, there: bool) -> None:
    head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
    row = f"   0: 0202000A:8F3C {remote} {state} 00000000:00000000 02:00000B5A 00000000     0        0 1"
    assert has_session(f"{head}\n{row}\n") is there


def test_times_are_spelled_in_the_unit_that_fits() -> None:
    assert (spelled(1.234), spelled(0.0381), spelled(-0.2)) == ("1.23 s", "38 ms", "-200 ms")
