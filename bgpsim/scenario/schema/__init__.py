"""The scenario file, as pydantic models: the truth that `bgpsim schema` prints. A file per section.

Only shapes and ranges are checked here; whether a name is one of this lab's is checked by who has read the lab
(`loading`).
"""

from bgpsim.scenario.schema.events import EventSection
from bgpsim.scenario.schema.expectations import ExpectSection, Pair
from bgpsim.scenario.schema.file import ScenarioFile, scenario_schema
from bgpsim.scenario.schema.links import ImpairEntry, SilentLink
from bgpsim.scenario.schema.prefixes import NamedPrefix, PrefixSection, literal_prefix
from bgpsim.scenario.schema.probes import ContinuousSection, ProbeSection
from bgpsim.scenario.schema.routes import AnnounceEntry, RawAttribute, WithdrawEntry
from bgpsim.scenario.schema.speakers import SpeakerSection
from bgpsim.scenario.schema.steps import ActionsSection

__all__ = [
    "ActionsSection",
    "AnnounceEntry",
    "ContinuousSection",
    "EventSection",
    "ExpectSection",
    "ImpairEntry",
    "NamedPrefix",
    "Pair",
    "PrefixSection",
    "ProbeSection",
    "RawAttribute",
    "ScenarioFile",
    "SilentLink",
    "SpeakerSection",
    "WithdrawEntry",
    "literal_prefix",
    "scenario_schema",
]
