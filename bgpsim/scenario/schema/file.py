"""The scenario file as a whole."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from bgpsim.scenario.schema.lab import LabSection
from bgpsim.scenario.schema.section import Name, Section
from bgpsim.scenario.schema.speakers import SpeakerSection
from bgpsim.scenario.schema.steps import StepSection


class ScenarioFile(Section):
    """A scenario of bgpsim."""

    name: Name
    lab: LabSection
    speakers: dict[str, SpeakerSection] = Field(default={})
    steps: list[StepSection] = Field(min_length=1)


def scenario_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the scenario file."""
    schema = ScenarioFile.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
