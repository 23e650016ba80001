"""The pure parts of the large labs' rows: what the floor and munet are given, and what reports and processes say."""

import os
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.commands import Finished
from benchmarks.figures import Beside, Row
from benchmarks.large_labs import floor_files, floor_measured, lab_measured
from benchmarks.memory import Look, look, parts
from benchmarks.munet_ring import topology
from benchmarks.table import spelled
from bgpsim.generate.files import lab_files
from bgpsim.generate.ring import ring
from bgpsim.generate.writing import write_new
from bgpsim.model import predict
from bgpsim.scenario.reading.loading import load


def test_the_floor_is_given_the_fabric_and_the_predicted_tables(tmp_path: Path) -> None:
    write_new(tmp_path, lab_files(ring(4)))
    state = predict(load(tmp_path / "scenario.yaml").steps[0].network, None, ()).state
    texts = floor_files(ring(4), state)
    assert texts["nodes"].split() == [f"router{n}" for n in range(1, 5)] + [f"host{n}" for n in range(1, 5)]
    assert texts["links"].splitlines()[0] == "router1 net0 router2 net0"
    assert texts["router1.ip"].splitlines() == [
        "link set lo up",
        "addr add 10.0.0.1/32 dev lo",
        "link set net0 up",
        "link set net1 up",
        "link set net2 up",
        "addr add 10.1.0.1/24 dev net2",
    ]
    assert texts["host1.ip"].splitlines()[-2:] == ["addr add 10.1.0.2/24 dev net0", "route add default via 10.1.0.1"]
    assert "log " not in texts["router1.conf"]
    assert texts["router1.conf"].splitlines()[1:3] == ["router bgp 65001", "bgp router-id 10.0.0.1"]
    # Four loopbacks and four subnets. FRR sends its whole table to each side; what the next router has from router1
    # itself, its own two and the two of router4 (router1 has the lower router ID), router1 refuses.
    assert texts["router1.routes"] == "6\n"
    assert texts["router1.counts"] == "net0=4/8 net1=4/8\n"


def test_munet_is_given_each_link_at_both_ends() -> None:
    given = topology(ring(3))["topology"]
    assert isinstance(given, dict)
    ends = {(n["name"], c["name"], c["to"], c["remote-name"]) for n in given["nodes"] for c in n["connections"]}
    assert len(ends) == 2 * 6
    assert {(b, b_interface, a, a_interface) for a, a_interface, b, b_interface in ends} == ends


def test_the_floor_ends_at_done() -> None:
    lines = ((0.1, "wired 0.10"), (1.0, "started 1.00"), (3.5, "routes 3.50"), (4.0, "done 4.00"))
    measured = floor_measured(Finished(100.0, 4.1, lines, 20_000, 0, ""))
    assert measured.seconds == 4.0
    assert sum(seconds for _, seconds in measured.parts.parts) == pytest.approx(4.0)


def test_the_lab_ends_when_it_has_settled_less_the_quiet_window() -> None:
    step = {"volatile": {"settling": {"seconds": 4.0, "quiet": 1.75, "at": 6.5}}}
    report = {"runs": [{"volatile": {"seconds": {"total": 9.0, "bring_up": 2.0}}, "steps": [step]}]}
    measured = lab_measured(2.5, report, peak_kib=1)
    assert measured.seconds == pytest.approx(0.5 + 6.5 - 1.75)
    counted = [seconds for name, seconds in measured.parts.parts if not name.startswith("not counted")]
    assert sum(counted) == pytest.approx(measured.seconds)


def test_memory_is_summed_and_the_daemons_apart() -> None:
    at = Look(Counter(bgpd=200_000, zebra=100_000, bgpsim=30_000, tini=3_000, **{"python3.11": 60_000, "ip": 1}), 2)
    assert (at.total, at.daemons) == (393_001, 300_000)
    shown = dict(parts(at, "lab").parts)
    assert shown["agent"] == pytest.approx(60_000 / 1024)
    assert sum(shown.values()) == pytest.approx(393_001 / 1024)
    row = Row("lab", (at.total / 1024,), Beside("daemons", at.daemons / 1024), 1.3, 1, "MiB")
    assert not row.met
    assert spelled(row.seconds, row.unit) == "384 MiB"


def test_the_memory_of_this_process_can_be_read() -> None:
    here = look(os.getpid())
    assert here.total > 1000
    assert here.routers == 0
