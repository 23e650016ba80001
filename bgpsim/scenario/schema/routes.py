"""`announce:`, `replace:` and `withdraw:`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from bgpsim.scenario.schema import attribute_values
from bgpsim.scenario.schema.communities import large_community, standard_community
from bgpsim.scenario.schema.prefixes import PrefixSection
from bgpsim.scenario.schema.section import Asn, Name, Section, kebab, list_or_number


class RawAttribute(Section):
    """A path attribute that no router here has a meaning for, octet by octet."""

    code: Annotated[int, AfterValidator(attribute_values.unknown_code)]
    flags: Annotated[int, AfterValidator(attribute_values.optional_flags)] = Field(
        default=0xC0, description="0xC0: optional and transitive (routers pass it on); 0x80: optional"
    )
    value: Annotated[str, AfterValidator(attribute_values.octets)] = Field(description="in hexadecimal: '0x00000001'")


PathId = Annotated[int, Field(ge=1, le=4294967295, description="RFC 7911; the speaker needs `add-path: true`")]
AsSet = Annotated[list[Asn], Field(min_length=1)]
AsPathPart = Annotated[Annotated[Asn, Tag("number")] | Annotated[AsSet, Tag("list")], Discriminator(list_or_number)]


Community = Annotated[str, AfterValidator(standard_community)]
LargeCommunity = Annotated[str, AfterValidator(large_community)]
ExtendedCommunity = Annotated[str, AfterValidator(attribute_values.extended_community)]
RouterId = Annotated[str, AfterValidator(attribute_values.router_id)]
MOST_IN_A_PATH = 255
"""AS numbers in one segment of an AS path (RFC 4271 section 4.3)."""


class GenerateSection(Section):
    """A table as the Internet has them, none of it within the lab's own ranges; the same for the same seed."""

    routes: int = Field(ge=1, le=1_000_000)
    family: Literal["ipv4", "ipv6"] = "ipv4"
    seed: int = Field(default=1, ge=0, le=4294967295)


_OF_TABLES = ("file", "generate")


def _table_alone(entry: AnnounceEntry | WithdrawEntry, others: Sequence[str]) -> None:
    """What goes with one route, or with all, does not go with a table. Raises ValueError."""
    if entry.file is not None and entry.generate is not None:
        raise ValueError("expected either `file:` or `generate:`")
    if entry.peer is not None and entry.file is None:
        raise ValueError("expected `peer:` with `file:` alone")
    key = next(key for key in _OF_TABLES if getattr(entry, key) is not None)
    wrong = [kebab(name) for name in others if name in entry.model_fields_set]
    if wrong:
        raise ValueError(f"found `{wrong[0]}:` with `{key}:`; expected it with `prefix:` alone")


class AnnounceEntry(Section):
    """One route, or a whole table, to one or several of the speaker's peers, one after the other."""

    speaker: Name
    to: list[Name] | None = Field(default=None, min_length=1, description="default: all peers of the speaker")
    prefix: PrefixSection | None = Field(default=None, description="one of prefix, file and generate is there")
    file: Name | None = Field(
        default=None, description="a route file (a route a line, in ExaBGP's words) or an MRT table (RFC 6396)"
    )
    peer: Name | None = Field(
        default=None,
        description="of an MRT file, the peer whose routes are taken; default: of each prefix the first",
    )
    generate: GenerateSection | None = None
    as_path: list[AsPathPart] | None = Field(
        default=None,
        max_length=MOST_IN_A_PATH,
        description="sent as it stands, a list in it as an AS_SET; default: the speaker's own AS, to its own AS none",
    )
    origin: Literal["igp", "egp", "incomplete"] = "igp"
    med: Annotated[int, Field(ge=0, le=4294967295)] | None = None
    communities: list[Community] = Field(default=[])
    large_communities: list[LargeCommunity] = Field(default=[])
    extended_communities: list[ExtendedCommunity] = Field(default=[], description="target:A:N or origin:A:N (RFC 4360)")
    local_preference: Annotated[int, Field(ge=0, le=4294967295)] | None = Field(
        default=None, description="to internal peers alone (RFC 4271 section 5.1.5)"
    )
    originator_id: RouterId | None = None
    cluster_list: list[RouterId] = Field(default=[], max_length=60)
    aggregator: Annotated[str, AfterValidator(attribute_values.aggregator)] | None = Field(
        default=None, description="ASN:ADDRESS"
    )
    atomic_aggregate: bool = False
    attributes: list[RawAttribute] = Field(default=[], description="others, by their codes")
    path_id: PathId | None = None
    next_hop: Annotated[str, AfterValidator(attribute_values.next_hop)] | None = Field(
        default=None, description="default: the speaker's own address on the link"
    )

    @model_validator(mode="after")
    def _one_of_all(self) -> AnnounceEntry:
        if self.file is not None or self.generate is not None:
            _table_alone(self, [name for name in type(self).model_fields if name not in _WITH_A_TABLE])
        elif self.prefix is None:
            raise ValueError("key 'prefix' is missing; expected `prefix:`, or `file:` or `generate:` for a whole table")
        return self


_WITH_A_TABLE = ("speaker", "to", "file", "peer", "generate")


class WithdrawEntry(Section):
    """One prefix, a table's or all, from one or several peers."""

    speaker: Name
    to: list[Name] | None = Field(default=None, min_length=1, description="default: all peers it was announced to")
    prefix: PrefixSection | None = None
    path_id: PathId | None = Field(default=None, description="default: every path of the prefix")
    all_: bool = Field(default=False, description="everything that this speaker has announced")
    file: Name | None = Field(default=None, description="the prefixes of that file, read as `announce:` reads it")
    peer: Name | None = None
    generate: GenerateSection | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> WithdrawEntry:
        if self.file is not None or self.generate is not None:
            _table_alone(self, ("prefix", "path_id", "all_"))
            return self
        if (self.prefix is None) != self.all_:
            raise ValueError("expected either `prefix:` or `all: true`")
        if self.path_id is not None and self.all_:
            raise ValueError("expected `path-id:` with `prefix:` alone")
        return self
