"""When a measurement holds, and when it agrees with the prediction."""

from dataclasses import replace

import pytest

from bgpsim.check.losses import MOST_GAP, agrees, void
from bgpsim.network.loss import Loss, LossPrediction, Measured, Measurement, Outage
from bgpsim.network.state import FlowKey

FLOW = FlowKey("pod:a", "pod:b", "10.1.1.2", "10.1.2.2")
CONTROL = FlowKey("pod:c", "pod:d", "10.1.3.2", "10.1.3.3")
WHOLE = Measured(500, 500, 0, 0, (), ())
BROKEN = Measured(500, 480, 0, 0, (Outage(0.1, 0.2, 20, True, ("stopped at r1",)),), ())
GONE = Measured(500, 300, 0, 0, (Outage(3.0, 2.0, 200, False, ("stopped at r1",)),), ())
GOOD = Measurement(0.01, 5.0, {FLOW: BROKEN, CONTROL: WHOLE}, CONTROL, 0.02, 1, (498, 1, 0))


def test_a_measurement_holds() -> None:
    assert void(GOOD) is None


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (replace(GOOD, pairs={FLOW: WHOLE, CONTROL: BROKEN}), "the control pair lost packets"),
        (replace(GOOD, gap=MOST_GAP * 0.01 + 0.001), "the sender was kept from sending for more than 20 intervals"),
        (replace(GOOD, overrun=("r1",)), "captures had no room"),
        (replace(GOOD, pairs={FLOW: replace(WHOLE, complete=False), CONTROL: WHOLE}), "more often than is kept"),
    ],
)
def test_a_measurement_is_void(bad: Measurement, why: str) -> None:
    assert why in (void(bad) or "")


@pytest.mark.parametrize(
    ("loss", "recovers", "whole", "broken", "gone"),
    [
        ("none", True, True, False, False),
        ("must", True, False, True, False),
        ("must", False, False, False, True),
        ("may", True, True, True, False),
        ("may", None, True, True, True),
    ],
)
def test_agreement(loss: Loss, recovers: bool | None, whole: bool, broken: bool, gone: bool) -> None:
    predicted = LossPrediction(loss, recovers, "")
    assert [agrees(predicted, one) for one in (WHOLE, BROKEN, GONE)] == [whole, broken, gone]
