"""The scenario file, as pydantic models: the truth that `bgpsim schema` prints.

Only shapes and ranges are checked here; whether a name is one of this lab's is checked in `loading`, which has read it.
"""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address, ip_network
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from bgpsim.network.state import Disposition


def _kebab(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


class Section(BaseModel):
    """Base of all sections: no unknown keys, keys in kebab-case, no silent conversion of text to numbers."""

    model_config = ConfigDict(extra="forbid", alias_generator=_kebab, frozen=True, strict=True)


def _list_or_text(value: Any) -> str:
    return "list" if isinstance(value, list) else "text"


def _mapping_or_text(value: Any) -> str:
    return "mapping" if isinstance(value, dict) else "text"


Asn = Annotated[int, Field(ge=1, le=4294967295, description="an AS number (RFC 6793), 1 to 4294967295")]
Name = Annotated[str, Field(min_length=1)]

_WELL_KNOWN = ("no-export", "no-advertise", "local-as", "blackhole", "graceful-shutdown", "no-peer")


def _community(parts: int, top: int, text: str, example: str) -> str:
    fields = text.split(":")
    if len(fields) != parts or not all(f.isascii() and f.isdigit() and int(f) <= top for f in fields):
        raise ValueError(f"'{text}' is not a community; expected {example}")
    return ":".join(str(int(f)) for f in fields)


def _standard_community(text: str) -> str:
    known = f"ASN:VALUE, each 0 to 65535, or one of {', '.join(_WELL_KNOWN)}"
    return text if text in _WELL_KNOWN else _community(2, 65535, text, known)


def _large_community(text: str) -> str:
    return _community(3, 4294967295, text, "ASN:VALUE:VALUE, each 0 to 4294967295 (RFC 8092)")


Community = Annotated[str, AfterValidator(_standard_community)]
LargeCommunity = Annotated[str, AfterValidator(_large_community)]


def _literal_prefix(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError as error:
        raise ValueError(f"'{text}' is not a prefix: {error}; expected 10.99.0.0/24 or 2001:db8::/48, say") from None


def _literal_address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise ValueError(f"'{text}' is not an address; expected 10.0.0.1 or 2001:db8::1, say") from None


class NamedPrefix(Section):
    """A prefix by name, since a real cluster hands out its own: a node's pod CIDR, an interface's address."""

    of: Name = Field(description="DEVICE.pod-cidr or DEVICE.INTERFACE (`worker3.pod-cidr`, `tor1.lo`)")
    half: Literal["low", "high"] | None = Field(default=None, description="that half of it, one bit longer")
    family: Literal["ipv4", "ipv6"] | None = Field(default=None, description="which, where there are both")


PrefixText = Annotated[str, AfterValidator(_literal_prefix)]
PrefixSection = Annotated[
    Annotated[PrefixText, Tag("text")] | Annotated[NamedPrefix, Tag("mapping")],
    Discriminator(_mapping_or_text),
]


class LabSection(Section):
    """The files of the lab, relative to the scenario file's folder."""

    topology: Name = Field(description="a containerlab topology file")
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


class SpeakerSection(Section):
    """An ExaBGP speaker beside the fabric, on a link of its own to each router that it peers with."""

    asn: Asn
    peers: list[Name] = Field(min_length=1, description="the routers")
    traffic: Literal["drop", "answer"] = Field(default="drop", description="what becomes of packets it attracts")
    router_id: Annotated[str, AfterValidator(lambda text: str(IPv4Address(text)))] | None = Field(
        default=None, description="default: 192.0.2.1 for the first speaker, 192.0.2.2 for the second …"
    )


class AnnounceEntry(Section):
    """One route, to one or several of the speaker's peers, one after the other."""

    speaker: Name
    to: list[Name] | None = Field(default=None, min_length=1, description="default: all peers of the speaker")
    prefix: PrefixSection
    as_path: list[Asn] | None = Field(default=None, description="sent as it stands; default: the speaker's own AS")
    origin: Literal["igp", "egp", "incomplete"] = "igp"
    med: Annotated[int, Field(ge=0, le=4294967295)] | None = None
    communities: list[Community] = []
    large_communities: list[LargeCommunity] = []
    next_hop: Annotated[str, AfterValidator(_literal_address)] | None = Field(
        default=None, description="default: the speaker's own address on the link"
    )


class WithdrawEntry(Section):
    """One prefix, or all, from one or several peers."""

    speaker: Name
    to: list[Name] | None = Field(default=None, min_length=1, description="default: all peers it was announced to")
    prefix: PrefixSection | None = None
    all_: bool = Field(default=False, description="everything that this speaker has announced")

    @model_validator(mode="after")
    def _one_of_both(self) -> WithdrawEntry:
        if (self.prefix is None) != self.all_:
            raise ValueError("expected either `prefix:` or `all: true`")
        return self


class SessionsSection(Section):
    """Every session between the named routers (of a single one: every session it has) is in this state."""

    established: list[Name] = []
    down: list[Name] = []


class Pair(Section):
    """Senders and targets: `pod:namespace/workload@node`, `host:`, `node:`, `label:key=value`, `*`, `address:…`."""

    from_: Name
    to: Name


class DispositionPair(Pair):
    """What becomes of the packets."""

    is_: Disposition


class ExpectSection(Section):
    """What must hold at the end of the step, in the lab (and, for `plan`, in the prediction)."""

    sessions: SessionsSection | None = None
    reach: list[Pair] = Field(default=[], description="delivered, in both directions")
    disposition: list[DispositionPair] = Field(default=[], description="what becomes of packets in this direction")
    lost: list[Pair] | None = Field(
        default=None, description="exactly these were delivered at the end of the step before and are not now"
    )
    gained: list[Pair] | None = Field(default=None, description="exactly these were not delivered and are now")
    same_as: Name | None = Field(default=None, description="all planes are as at the end of that earlier step")


ExecLines = Annotated[
    Annotated[str, Tag("text")] | Annotated[list[str], Tag("list")],
    Discriminator(_list_or_text),
]


class StepSection(Section):
    """Actions, in this order: apply, delete, link-down, link-up, withdraw, announce, exec. Then what is expected."""

    name: Name
    apply: list[Name] = Field(default=[], description="manifests, as `kubectl apply -f` would")
    delete: list[Name] = Field(default=[], description="manifests, as `kubectl delete -f` would")
    link_down: list[Name] = Field(default=[], description="DEVICE:INTERFACE, set down at this end")
    link_up: list[Name] = Field(default=[], description="DEVICE:INTERFACE, set up again")
    withdraw: list[WithdrawEntry] = []
    announce: list[AnnounceEntry] = []
    exec: dict[str, ExecLines] = Field(
        default={}, description="lines run in devices as containerlab's exec would; outside the model"
    )
    expect: ExpectSection | None = None


class ScenarioFile(Section):
    """A scenario of bgpsim."""

    name: Name
    lab: LabSection
    speakers: dict[str, SpeakerSection] = {}
    steps: list[StepSection] = Field(min_length=1)


def scenario_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the scenario file."""
    schema = ScenarioFile.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
