"""A stream through a step, predicted and measured: whether they agree, and whether the measurement holds at all."""

from __future__ import annotations

from bgpsim.network.loss import LossPrediction, Measured, Measurement

MOST_GAP = 20
"""Intervals that the sender may have been kept from sending."""


def void(measurement: Measurement) -> str | None:
    """Why nothing follows from a measurement; None where it holds."""
    control = measurement.pairs[measurement.control]
    if control.lost:
        return "the control pair lost packets, and no step can have done that"
    if measurement.gap > MOST_GAP * measurement.interval:
        return f"the sender was kept from sending for more than {MOST_GAP} intervals"
    if measurement.overrun:
        return "captures had no room for some packets"
    if not all(pair.complete for pair in measurement.pairs.values()):
        return "a pair changed its way more often than is kept"
    return None


def agrees(predicted: LossPrediction, measured: Measured) -> bool:
    """`may` is right either way; whether the pair recovers is compared where it is predicted."""
    lost = {"none": measured.lost == 0, "must": measured.lost > 0, "may": True}[predicted.loss]
    return lost and predicted.recovers in (None, measured.recovered)
