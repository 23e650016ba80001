"""`impair:` and `link-down:`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from bgpsim.scenario.schema.quantities import Duration, PerCent, Rate
from bgpsim.scenario.schema.section import Name, Section, mapping_or_text


class ImpairEntry(Section):
    """What becomes of packets on a link; a value that is not given is none, whatever was set before."""

    link: Name = Field(description="DEVICE:INTERFACE, either end")
    delay: Duration = Field(default="0", description="20ms, say")
    jitter: Duration = Field(default="0", description="by how much the delay varies, to either side")
    loss: PerCent = Field(default="0", description="1%, say; 100%: nothing passes")
    rate: Rate = Field(default="0", description="10mbit, say; 0: no limit")
    direction: Literal["both", "out"] = Field(default="both", description="out: only what leaves by that interface")
    clear: bool = Field(default=False, description="as it was before it was impaired")

    @model_validator(mode="after")
    def _clear_alone(self) -> ImpairEntry:
        given = sorted(self.model_fields_set & {"delay", "jitter", "loss", "rate"})
        if self.clear and given:
            raise ValueError(f"expected either `clear: true` or values, found it with `{given[0]}:`")
        return self


class SilentLink(Section):
    """A link that is lost without a word: nothing passes, and both ends keep carrier."""

    link: Name = Field(description="DEVICE:INTERFACE, either end")
    silent: bool = Field(default=False, description="false: as DEVICE:INTERFACE alone, the interface is set down")


LinkDown = Annotated[
    Annotated[Name, Tag("text")] | Annotated[SilentLink, Tag("mapping")],
    Discriminator(mapping_or_text),
]
