"""Refused lines in FRR 8.4.4's own words (captured from it)."""

from __future__ import annotations

from typing import Any

from bgpsim.lab.base import CommandResult
from bgpsim.lab.embedded.refusals import refused_at_boot, refused_by_vtysh
from bgpsim.source import Source

LINE = Source("topo.yml", 8)


def result(command: str, output: str) -> CommandResult:
    return CommandResult("tor0", command, 1, output, LINE)


def test_the_very_line_is_named() -> None:
    command = "vtysh -c 'conf t' -c 'router bgp 65010' -c '  neighbor bogus at all' -c 'exit'"
    (refused,) = refused_by_vtysh(result(command, "% Unknown command:   neighbor bogus at all\n"))
    assert refused.line == "neighbor bogus at all"
    assert refused.source == LINE


def test_an_answer_to_show_is_no_refusal() -> None:
    assert refused_by_vtysh(result("vtysh -c 'show ip bgp'", "% BGP instance not found\n")) == []


def test_other_programs_may_say_percent() -> None:
    assert refused_by_vtysh(result("ping -c 1 10.0.0.1", "% not vtysh's\n")) == []


class FakeAgent:
    def __init__(self, log: list[str], check: str) -> None:
        self._answers: dict[str, Any] = {
            "nodes.log": log,
            "nodes.read": "one\n neighbor bogus at all\n",
            "nodes.run": {"output": check, "exit_code": 2},
        }

    def call(self, method: str, /, timeout: float = 60.0, **params: Any) -> Any:
        return self._answers[method]


FAILED = "watchfrr[36]: [ZJW5C-1EHNT] restart all process 37 exited with non-zero status 2"


def test_a_boot_that_went_well_says_nothing() -> None:
    up = "watchfrr[36]: [KWE5Q-QNGFC] all daemons up, doing startup-complete notify"
    assert refused_at_boot(FakeAgent([up], "line 2: % Unknown command[25]: x\n"), "tor0", LINE) == []


def test_a_line_skipped_at_boot_is_named() -> None:
    agent = FakeAgent([FAILED], "line 2: % Unknown command[25]:  neighbor bogus at all\n")
    (refused,) = refused_at_boot(agent, "tor0", LINE)
    assert refused.line == "/etc/frr/frr.conf:2: neighbor bogus at all"
    assert refused.answer.startswith("% Unknown command")


def test_a_well_formed_line_that_was_refused_is_known_by_the_failed_start() -> None:
    (refused,) = refused_at_boot(FakeAgent([FAILED], ""), "tor0", LINE)
    assert refused.line == "/etc/frr/frr.conf"
