"""`lab:`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from bgpsim.scenario.schema.section import Name, Section


class ImagesSection(Section):
    """What runs in place of what the images' tags say."""

    frr: Literal["7.5", "8.4", "10.3", "10.7"] | None = Field(default=None, description="FRR's release, of all routers")


class LabSection(Section):
    """The files of the lab, relative to the scenario file's folder."""

    topology: Name | None = Field(default=None, description="a containerlab topology file")
    topotest: Name | None = Field(
        default=None,
        description="in place of a topology: a folder as FRR's topotests have it, or the test's file in it",
    )
    cluster: Name | None = Field(default=None, description="a kind cluster file")
    manifests: list[Name] = Field(default=[], description="Kubernetes manifests that are there from the start")
    cilium: Literal["1.12", "1.13", "1.14", "1.15", "1.16", "1.17", "1.18"] = Field(
        default="1.14", description="Cilium's minor version"
    )
    ecmp: Literal["as-is", "forced"] = Field(
        default="as-is",
        description="forced: hashing on layer 4 with a seed per router, so that packets walk every branch",
    )
    allow_refused: bool = Field(
        default=False, description="a configuration line that a router refuses does not make the verdict inconclusive"
    )
    images: ImagesSection = Field(
        default=ImagesSection(), description="other versions than the nearest to those that the topology's images name"
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> LabSection:
        if self.topology is None and self.topotest is None:
            raise ValueError("key 'topology' is missing; expected it, or 'topotest'")
        if self.topology is not None and self.topotest is not None:
            raise ValueError("found 'topology' and 'topotest'; expected one of them")
        return self
