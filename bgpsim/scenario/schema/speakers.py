"""`speakers:`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bgpsim.scenario.schema import attribute_values
from bgpsim.scenario.schema.section import Asn, Name, Section


class SpeakerSection(Section):
    """A speaker beside the fabric, on a link of its own to each router that it peers with."""

    asn: Asn
    peers: list[Name] = Field(min_length=1, description="the routers")
    engine: Literal["exabgp", "gobgp"] = Field(
        default="exabgp",
        description="gobgp: GoBGP in its stead, over gRPC, faster with whole tables; it cannot send every attribute",
    )
    traffic: Literal["drop", "answer"] = Field(
        default="drop", description="what becomes of packets it attracts; answer: the impostor takes them and replies"
    )
    add_path: bool = Field(
        default=False, description="several paths of one prefix, in both directions (RFC 7911); the router sends all"
    )
    router_id: Annotated[str, AfterValidator(attribute_values.router_id)] | None = Field(
        default=None, description="default: 192.0.2.1 for the first speaker, 192.0.2.2 for the second …"
    )
