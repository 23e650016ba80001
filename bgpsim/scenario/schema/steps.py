"""`steps:`: the actions of a step, in their order, and what else it says."""

from __future__ import annotations

from typing import Annotated

from pydantic import Discriminator, Field, Tag

from bgpsim.scenario.schema.events import EventSection
from bgpsim.scenario.schema.expectations import ExpectSection
from bgpsim.scenario.schema.links import ImpairEntry, LinkDown
from bgpsim.scenario.schema.probes import Probe
from bgpsim.scenario.schema.routes import AnnounceEntry, WithdrawEntry
from bgpsim.scenario.schema.section import Name, Section, list_or_text

ExecLines = Annotated[
    Annotated[str, Tag("text")] | Annotated[list[str], Tag("list")],
    Discriminator(list_or_text),
]


class ActionsSection(Section):
    """Actions, in this order: apply, delete, node-down, node-up, link-down, link-up, impair, session-down, session-up,
    configure, withdraw, replace, announce, exec."""

    apply: list[Name] = Field(default=[], description="manifests, as `kubectl apply -f` would")
    delete: list[Name] = Field(default=[], description="manifests, as `kubectl delete -f` would")
    node_down: list[Name] = Field(default=[], description="a router, host or Kubernetes node loses its power")
    node_up: list[Name] = Field(default=[], description="it is made anew, its exec lines run again")
    link_down: list[LinkDown] = Field(
        default=[], description="DEVICE:INTERFACE, set down at this end; or {link, silent: true}"
    )
    link_up: list[Name] = Field(default=[], description="DEVICE:INTERFACE, set up again, and silent no more")
    impair: list[ImpairEntry] = Field(default=[], description="delay, loss and rate of links")
    session_down: list[Name] = Field(
        default=[],
        description="DEVICE:NEIGHBOR, shut down at this end; a speaker's session is shut at its router's end",
    )
    session_up: list[Name] = Field(default=[], description="DEVICE:NEIGHBOR, shut down before")
    configure: dict[str, ExecLines] = Field(
        default={}, description="lines typed in `configure terminal` on routers, which the model reads too"
    )
    withdraw: list[WithdrawEntry] = Field(default=[])
    replace: list[AnnounceEntry] = Field(
        default=[], description="other attributes for a route that is announced; what is not written is not kept"
    )
    announce: list[AnnounceEntry] = Field(default=[])
    exec: dict[str, ExecLines] = Field(
        default={}, description="lines run in devices as containerlab's exec would; outside the model"
    )


class AtEntry(ActionsSection):
    """Actions at the moment when something is observed, while the network still moves."""

    after: EventSection


class NamedSection(Section):
    """What has a name of its own."""

    name: Name


class StepSection(ActionsSection, NamedSection):
    """Actions in their order, then those of `at`, one entry after the other. Then what is expected."""

    at: list[AtEntry] = Field(default=[], description="actions on what is observed within the step, in this order")
    probe: Probe | None = Field(default=None, description="`continuous`, or with its settings; sizes show MTU faults")
    expect: ExpectSection | None = None
