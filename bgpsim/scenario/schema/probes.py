"""`probe:`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from bgpsim.inputs.quantities import microseconds
from bgpsim.scenario.schema.expectations import Pair
from bgpsim.scenario.schema.quantities import Duration
from bgpsim.scenario.schema.section import Section, mapping_or_text


def _interval(duration: str) -> str:
    if not 5_000 <= microseconds(duration) <= 100_000:
        raise ValueError(f"found '{duration}'; expected an interval from 5ms to 100ms")
    return duration


class LostBound(Section):
    at_most: Duration


class ContinuousSection(Section):
    """A packet per pair and interval, from before the first action until the step has settled."""

    pairs: list[Pair] | None = Field(
        default=None, min_length=1, description="default: every ordered pair of pods and hosts, twelve at most"
    )
    interval: Annotated[Duration, AfterValidator(_interval)] = Field(
        default="10ms", description="the resolution of all times, 5ms to 100ms"
    )
    control: Pair | None = Field(
        default=None,
        description="one pair that loses nothing whatever the step does: a loss there voids the measurement;"
        " default: one whose way nothing touches",
    )
    lost: LostBound | None = Field(default=None, description="of each pair, all its outages together")


class ProbeSection(Section):
    """What is sent besides the probes that follow every pair at the end of the step."""

    continuous: ContinuousSection | None = None
    sizes: list[Annotated[int, Field(ge=100, le=65535)]] = Field(
        default=[],
        description="bytes of IP packets that must not be fragmented, sent on every pair once the step has settled",
    )

    @model_validator(mode="after")
    def _something(self) -> ProbeSection:
        if self.continuous is None and not self.sizes:
            raise ValueError("expected `continuous` (with its keys, or {}) or `sizes`")
        return self


Probe = Annotated[
    Annotated[Literal["continuous"], Tag("text")] | Annotated[ProbeSection, Tag("mapping")],
    Discriminator(mapping_or_text),
]
