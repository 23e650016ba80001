"""A few random networks in one lab, and what is made of one that the model is wrong about."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bgpsim.fuzz.campaign import Campaign, Progress, Settings
from bgpsim.fuzz.files import ROUTER_IMAGE
from bgpsim.fuzz.playing import embedded

pytestmark = pytest.mark.lab

SEED, NETWORKS = 1, 5


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = "import sys; from bgpsim.cli.main import main; main(prog_name='bgpsim')"
    return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], int]:
    state = tmp_path_factory.mktemp("fuzz") / "state.jsonl"
    done = run(
        *("fuzz", "--seed", str(SEED), "--networks", str(NETWORKS), "--changes", "1"), "--state", str(state), "--json"
    )
    assert done.stdout, done.stderr
    return state, json.loads(done.stdout), done.returncode


def test_every_fact_is_as_predicted(campaign: tuple[Path, dict[str, Any], int]) -> None:
    _, told, code = campaign
    assert (told["unexplained"], told["explained"], code) == (0, 0, 0)
    assert told["networks"] == NETWORKS
    assert told["counted"] >= NETWORKS - 1
    assert told["compared"] == told["equal"] > 1000
    assert all(told["planes"][plane] for plane in ("bgp", "fib", "path", "wire"))
    assert told["exercised"]["redistribute connected"] >= 1
    assert told["per_minute"] > 0


def test_what_was_played_is_not_played_again(campaign: tuple[Path, dict[str, Any], int]) -> None:
    state, told, _ = campaign
    again = run(
        *("fuzz", "--seed", str(SEED), "--networks", str(NETWORKS), "--changes", "1"),
        *("--state", str(state), "--json", "--resume"),
    )
    assert json.loads(again.stdout) == told


def test_a_network_that_does_not_come_up_spoils_no_other(tmp_path: Path) -> None:
    """Its router refuses a line, and so does not do what the model says of the lines behind it."""
    settings = Settings(SEED, 2, 0, ROUTER_IMAGE, 10, exercise=False)
    progress = Progress.begin(tmp_path / "state.jsonl", settings, resume=False)
    campaign = Campaign(progress, embedded(), (), lambda _: None)
    batch = {index: small(index) for index in (0, 1)}
    router, *others = batch[1].routers
    broken = (replace(router.lines[0], section="config", text="no such statement"), *router.lines)
    batch[1] = replace(batch[1], routers=(replace(router, lines=broken), *others))
    results = campaign._play(batch)
    assert (results[0].standing, results[0].unexplained) == ("counts", 0)
    assert results[1].standing != "counts"


def small(index: int):
    from bgpsim.fuzz.generator import network

    small_ones = [one for n in range(40) if len((one := network(SEED, n, 0)).routers) == 2]
    return small_ones[index]
