"""A campaign's file, and what its results come to."""

from dataclasses import replace
from pathlib import Path

import pytest

from bgpsim.check.compare import Mismatch
from bgpsim.errors import InputError
from bgpsim.fuzz.campaign import Progress, Settings, batches
from bgpsim.fuzz.known import load_known
from bgpsim.fuzz.tally import Difference, Result, standing_of
from bgpsim.model.left_open import ORDER_OF_ARRIVAL, STALE_GROUP
from bgpsim.report.document import NotModelledPart, RunPart
from bgpsim.scenario.playing.recording import Outcome

SETTINGS = Settings(seed=5, networks=6, changes=2, image="frr", routers=20)
GOOD = Result(0, "a line", 3, "counts", compared=10, equal=10, open=1, reasons=(2, 1), planes={"bgp": 10})
DIFFERENCE = Difference("start", "bgp", "differs", "r1 net0", "med", "1", "2")
BAD = replace(GOOD, index=1, equal=7, explained=1, unexplained=2, by=("x",), differences=(DIFFERENCE,))


def test_a_campaign_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    file = tmp_path / "state.jsonl"
    progress = Progress.begin(file, SETTINGS, resume=False)
    progress.add([GOOD, BAD], 30.0)
    with file.open("a") as open_file:
        open_file.write('{"index": 2, "about"')  # killed while it wrote
    again = Progress.begin(file, SETTINGS, resume=True)
    assert again.results == {0: GOOD, 1: BAD}
    assert again.left == [2, 3, 4, 5]
    again.add([replace(GOOD, index=2)], 15.0)
    assert Progress.begin(file, SETTINGS, resume=True).left == [3, 4, 5]
    assert again.summary()["per_minute"] == 4.0
    assert Progress.begin(file, SETTINGS, resume=False).left == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("text", ["", "no json\n", '{"seed": 6, "changes": 2, "image": "frr"}\n'])
def test_another_file_is_none_of_this_campaign(tmp_path: Path, text: str) -> None:
    file = tmp_path / "state.jsonl"
    file.write_text(text)
    with pytest.raises(InputError, match="expected"):
        Progress.begin(file, SETTINGS, resume=True)


def test_what_does_not_count_is_told_apart(tmp_path: Path) -> None:
    progress = Progress.begin(tmp_path / "state.jsonl", SETTINGS, resume=False)
    progress.add([GOOD, BAD, replace(BAD, index=2, standing="partial")], 1.0)
    told = progress.summary()
    assert (told["networks"], told["counted"], told["not_counted"]) == (3, 2, {"partial": 1})
    assert (told["compared"], told["equal"], told["explained"], told["unexplained"]) == (20, 17, 1, 2)
    assert told["failing"] == [1]
    assert told["reasons"] == {"two_paths": 4, "more_paths": 2}


def test_a_lab_has_few_enough_routers() -> None:
    found = list(batches(SETTINGS, range(12)))
    assert [index for batch in found for index in batch] == list(range(12))
    assert all(sum(len(one.routers) for one in batch.values()) <= 20 for batch in found if len(batch) > 1)


def test_known_differences(tmp_path: Path) -> None:
    file = tmp_path / "known.yaml"
    assert load_known(file) == ()
    file.write_text("- {name: x, statement: bfd, attribute: bgp med, reason: because, frr: '8.4', scenario: x}\n")
    (entry,) = load_known(file)
    assert entry.fits(Mismatch("bgp", "differs", "r1", "1", "2", field="med"))
    assert not entry.fits(Mismatch("bgp", "differs", "r1", "1", "2", field="origin"))
    file.write_text("- {name: x, statement: bfd}\n")
    with pytest.raises(InputError, match="attribute"):
        load_known(file)


@pytest.mark.parametrize(
    ("text", "seconds", "standing"),
    [
        (f"{ORDER_OF_ARRIVAL} decides", 500.0, "counts"),
        (f"{STALE_GROUP} of 10.0.0.0/8 has lost net0", 170.0, "counts"),
        (f"{STALE_GROUP} of 10.0.0.0/8 has lost net0", 190.0, "partial"),
        ("something else", 1.0, "partial"),
    ],
)
def test_a_nexthop_group_is_sure_to_be_there_for_three_minutes(text: str, seconds: float, standing: str) -> None:
    found = NotModelledPart(file="topo.yml", line=1, device="r1", text=text, effect="possible", affects=["r1"])
    run = RunPart(
        scenario="x",
        file="x.yaml",
        verdict="pass",
        confidence="partial",
        error=None,
        lab=None,
        not_modelled=[found],
        volatile={"seconds": {"total": seconds}},
    )
    assert standing_of(Outcome(run, 0))[0] == standing
