"""`after:` of an `at` entry."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from bgpsim.scenario.schema.prefixes import PrefixSection
from bgpsim.scenario.schema.section import Name, Section


class EventSection(Section):
    """Something that happens within the step: it was not so when the step began, or was otherwise meanwhile."""

    session: Name | None = Field(default=None, description="DEVICE:NEIGHBOR; `is: established` or `is: down`")
    link: Name | None = Field(default=None, description="DEVICE:INTERFACE; `is: up` (with carrier) or `is: down`")
    route: PrefixSection | None = Field(
        default=None, description="in the BGP table of the router `on`; `is: present`, `is: absent` or `best-via`"
    )
    on: Name | None = Field(default=None, description="the router whose table it is")
    is_: Literal["established", "down", "up", "present", "absent"] | None = None
    best_via: Name | None = Field(default=None, description="NEIGHBOR that the best path is from, or `local`")

    @model_validator(mode="after")
    def _whole(self) -> EventSection:
        given = [name for name in ("session", "link", "route") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("expected one of `session:`, `link:` and `route:`")
        states = {"session": ("established", "down"), "link": ("up", "down"), "route": ("present", "absent")}[given[0]]
        via = given[0] == "route" and self.best_via is not None
        if via != (self.is_ is None) or (not via and (self.is_ not in states or self.best_via is not None)):
            also = " or `best-via: NEIGHBOR`" if given[0] == "route" else ""
            raise ValueError(f"expected `is: {states[0]}` or `is: {states[1]}`{also}")
        if (self.on is None) == (given[0] == "route"):
            raise ValueError("expected `on: ROUTER` with `route:`, and with nothing else")
        return self
