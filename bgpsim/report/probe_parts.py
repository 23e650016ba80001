"""What a step's `probe:` asked for, predicted and found, as parts of report.json. Figures stand under `volatile`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bgpsim.report.part import Part


class PredictedLossPart(Part):
    loss: Literal["must", "may", "none"]
    recovers: bool | None = Field(description="packets arrive once the step has settled; null: it is not predicted")
    because: str


class LossPart(Part):
    """One pair of a stream."""

    sender: str = Field(alias="from")
    target: str = Field(alias="to")
    address: str
    predicted: PredictedLossPart
    agrees: bool | None = Field(description="null: not measured, or the measurement is void")


class ControlPart(Part):
    sender: str = Field(alias="from")
    target: str = Field(alias="to")
    address: str
    because: str = Field(description="why it was chosen")


class ContinuousPart(Part):
    interval_ms: float = Field(description="the resolution of all times")
    of: int = Field(description="of so many pairs `pairs` are those that were measured")
    pairs: list[LossPart]
    control: ControlPart
    void: str | None = Field(default=None, description="why nothing follows from the measurement")


class SizeFatePart(Part):
    outcome: str
    at: str


class SizeVolatile(Part):
    observed: SizeFatePart | None = None


class SizePart(Part):
    """One pair and size."""

    sender: str = Field(alias="from")
    target: str = Field(alias="to")
    address: str
    size: int = Field(description="bytes of the IP packet")
    predicted: list[SizeFatePart] = Field(description="more than one: it depends on the branch")
    observed: SizeFatePart | None = Field(
        default=None, description="under `volatile` where more than one is predicted: hashing chose"
    )
    agrees: bool | None = None
    volatile: SizeVolatile = Field(default_factory=SizeVolatile)


class ProbePart(Part):
    continuous: ContinuousPart | None = None
    sizes: list[SizePart] = Field(default_factory=list)
