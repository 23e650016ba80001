"""Prefixes, literal or by name."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from bgpsim.scenario.schema.section import Name, Section, mapping_or_text


def literal_prefix(text: str) -> str:
    if "%" in text:
        raise ValueError(f"'{text}' is not a prefix: it has a zone; expected 2001:db8::/48, say")
    try:
        prefix = ip_network(text)
    except ValueError as error:
        raise ValueError(f"'{text}' is not a prefix: {error}; expected {_meant_prefix(text)}") from None
    if prefix.is_multicast or (prefix.version == 6 and prefix.is_link_local):
        # FRR leaves such a route out of its table without a word (bgpd/bgp_route.c, bgp_nlri_parse_ip).
        kind = "multicast" if prefix.is_multicast else "link-local"
        raise ValueError(f"'{text}' is {kind}; expected a unicast prefix that routers take")
    return str(prefix)


def _meant_prefix(text: str) -> str:
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        return "10.99.0.0/24 or 2001:db8::/48, say"


class NamedPrefix(Section):
    """A prefix by name, since a real cluster hands out its own: a node's pod CIDR, an interface's address."""

    of: Name = Field(description="DEVICE.pod-cidr or DEVICE.INTERFACE (`worker3.pod-cidr`, `tor1.lo`)")
    half: Literal["low", "high"] | None = Field(default=None, description="that half of it, one bit longer")
    family: Literal["ipv4", "ipv6"] | None = Field(default=None, description="which, where there are both")


PrefixText = Annotated[str, AfterValidator(literal_prefix)]
PrefixSection = Annotated[
    Annotated[PrefixText, Tag("text")] | Annotated[NamedPrefix, Tag("mapping")],
    Discriminator(mapping_or_text),
]
