"""The scenario file, as pydantic models: the truth that `bgpsim schema` prints.

Only shapes and ranges are checked here; whether a name is one of this lab's is checked in `loading`, which has read it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, ip_address, ip_network
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)

from bgpsim.inputs.files.speakers import WELL_KNOWN_COMMUNITIES
from bgpsim.inputs.quantities import bits_per_second, microseconds, per_cent
from bgpsim.network.state import Disposition
from bgpsim.scenario import attribute_values


def _kebab(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


class Section(BaseModel):
    """Base of all sections: no unknown keys, keys in kebab-case, no silent conversion of text to numbers."""

    model_config = ConfigDict(extra="forbid", alias_generator=_kebab, frozen=True, strict=True)


def _list_or_text(value: Any) -> str:
    return "list" if isinstance(value, list) else "text"


def _list_or_number(value: Any) -> str:
    return "list" if isinstance(value, list) else "number"


def _mapping_or_text(value: Any) -> str:
    return "mapping" if isinstance(value, dict) else "text"


Asn = Annotated[int, Field(ge=1, le=4294967295, description="an AS number (RFC 6793), 1 to 4294967295")]
Name = Annotated[str, Field(min_length=1)]

_NAMES = {name.lower(): name for name in WELL_KNOWN_COMMUNITIES} | {
    "no_export": "no-export",
    "no_advertise": "no-advertise",
    "no-export-subconfed": "local-AS",
    "nopeer": "no-peer",
}
"""As ExaBGP 5 spells them too (configuration/static/parser.py), and RFC 1997 (NO_EXPORT_SUBCONFED)."""
_WELL_KNOWN = {number: name for name, number in WELL_KNOWN_COMMUNITIES.items()}
MOST_IN_A_PATH = 255
"""AS numbers in one segment of an AS path (RFC 4271 section 4.3)."""
_MOST_DIGITS = 10
"""Of 4294967295; a longer number is none, whatever its value, and never reaches `int`."""


def _fields(parts: int, top: int, text: str) -> list[int] | None:
    fields = text.split(":")
    if len(fields) != parts or not all(f.isascii() and f.isdigit() and len(f) <= _MOST_DIGITS for f in fields):
        return None
    numbers = [int(f) for f in fields]
    return numbers if max(numbers) <= top else None


def _standard_community(text: str) -> str:
    """As FRR shows it, so that the prediction and a router's table have one spelling."""
    name = _NAMES.get(text.lower())
    if name is not None:
        return name
    numbers = _fields(2, 65535, text)
    if numbers is None:
        known = ", ".join(WELL_KNOWN_COMMUNITIES)
        raise ValueError(f"'{text}' is not a community; expected ASN:VALUE, each 0 to 65535, or one of {known}")
    high, low = numbers
    if high == 0xFFFF and (high << 16) + low not in _WELL_KNOWN:
        # Routers give some of these names and effects of their own, which differ by version.
        known = ", ".join(f"65535:{n & 0xFFFF} ({name})" for n, name in sorted(_WELL_KNOWN.items()))
        raise ValueError(f"'{text}' is reserved (RFC 1997); expected another community, or one of {known}")
    if high == low == 0:
        raise ValueError(f"'{text}' is reserved (RFC 1997), and `internet` to some routers; expected another community")
    return _WELL_KNOWN.get((high << 16) + low, f"{high}:{low}")


def _large_community(text: str) -> str:
    numbers = _fields(3, 4294967295, text)
    if numbers is None:
        raise ValueError(
            f"'{text}' is not a large community; expected ASN:VALUE:VALUE, each 0 to 4294967295 (RFC 8092)"
        )
    return ":".join(map(str, numbers))


Community = Annotated[str, AfterValidator(_standard_community)]
LargeCommunity = Annotated[str, AfterValidator(_large_community)]
ExtendedCommunity = Annotated[str, AfterValidator(attribute_values.extended_community)]
Dotted = Annotated[str, AfterValidator(attribute_values.dotted)]


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


_NO_HOSTS = (IPv4Network("0.0.0.0/8"), IPv4Network("240.0.0.0/4"))


def _next_hop(text: str) -> str:
    """A router closes the session over a next hop that can be no host's (RFC 4271 section 6.3)."""
    try:
        address = ip_address(text)
    except ValueError:
        raise ValueError(f"'{text}' is not an address; expected 10.0.0.1 or 2001:db8::1, say") from None
    no_host = address.is_multicast or address.is_loopback or address.is_unspecified
    if no_host or "%" in text or any(address in network for network in _NO_HOSTS if network.version == address.version):
        raise ValueError(f"'{text}' is no host's address; expected 10.0.0.1 or 2001:db8::1, say")
    return str(address)


def _router_id(text: str) -> str:
    try:
        number = IPv4Address(text)
    except ValueError:
        raise ValueError(f"'{text}' is not a router ID; expected one written like 192.0.2.1") from None
    if not int(number):
        raise ValueError(f"'{text}' is not a router ID; expected another than 0.0.0.0 (RFC 6286)")
    return str(number)


class NamedPrefix(Section):
    """A prefix by name, since a real cluster hands out its own: a node's pod CIDR, an interface's address."""

    of: Name = Field(description="DEVICE.pod-cidr or DEVICE.INTERFACE (`worker3.pod-cidr`, `tor1.lo`)")
    half: Literal["low", "high"] | None = Field(default=None, description="that half of it, one bit longer")
    family: Literal["ipv4", "ipv6"] | None = Field(default=None, description="which, where there are both")


PrefixText = Annotated[str, AfterValidator(literal_prefix)]
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
    router_id: Annotated[str, AfterValidator(_router_id)] | None = Field(
        default=None, description="default: 192.0.2.1 for the first speaker, 192.0.2.2 for the second …"
    )


class RawAttribute(Section):
    """A path attribute that no router here has a meaning for, octet by octet."""

    code: Annotated[int, AfterValidator(attribute_values.unknown_code)]
    flags: Annotated[int, AfterValidator(attribute_values.optional_flags)] = Field(
        default=0xC0, description="0xC0: optional and transitive (routers pass it on); 0x80: optional"
    )
    value: Annotated[str, AfterValidator(attribute_values.octets)] = Field(description="in hexadecimal: '0x00000001'")


PathId = Annotated[int, Field(ge=1, le=4294967295, description="RFC 7911; the speaker needs `add-path: true`")]
AsSet = Annotated[list[Asn], Field(min_length=1)]
AsPathPart = Annotated[Annotated[Asn, Tag("number")] | Annotated[AsSet, Tag("list")], Discriminator(_list_or_number)]


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
    wrong = [_kebab(name) for name in others if name in entry.model_fields_set]
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
    communities: list[Community] = []
    large_communities: list[LargeCommunity] = []
    extended_communities: list[ExtendedCommunity] = Field(default=[], description="target:A:N or origin:A:N (RFC 4360)")
    local_preference: Annotated[int, Field(ge=0, le=4294967295)] | None = Field(
        default=None, description="to internal peers alone (RFC 4271 section 5.1.5)"
    )
    originator_id: Dotted | None = None
    cluster_list: list[Dotted] = Field(default=[], max_length=60)
    aggregator: Annotated[str, AfterValidator(attribute_values.aggregator)] | None = Field(
        default=None, description="ASN:ADDRESS"
    )
    atomic_aggregate: bool = False
    attributes: list[RawAttribute] = Field(default=[], description="others, by their codes")
    path_id: PathId | None = None
    next_hop: Annotated[str, AfterValidator(_next_hop)] | None = Field(
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


def _quantity(read: Callable[[str], object], example: str) -> Any:
    def with_unit(value: Any) -> Any:
        """`0` needs no unit, and YAML has made a number of it."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            if value:
                raise ValueError(f"found {value}; expected a number with its unit, {example} say")
            return "0"
        return value

    def check(text: str) -> str:
        read(text)
        return text

    shape = {"anyOf": [{"type": "string"}, {"const": 0}], "examples": [example]}
    return Annotated[str, AfterValidator(check), BeforeValidator(with_unit), WithJsonSchema(shape)]


if TYPE_CHECKING:
    Duration: TypeAlias = str
    Rate: TypeAlias = str
    PerCent: TypeAlias = str
else:
    Duration = _quantity(microseconds, "20ms")
    Rate = _quantity(bits_per_second, "10mbit")
    PerCent = _quantity(per_cent, "1%")


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
    Discriminator(_mapping_or_text),
]


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


def _interval(duration: str) -> str:
    if not 5_000 <= microseconds(duration) <= 100_000:
        raise ValueError(f"found '{duration}'; expected an interval from 5ms to 100ms")
    return duration


class LostBound(Section):
    at_most: Duration


class ContinuousSection(Section):
    """A packet per pair and interval, from before the first action until the step has settled."""

    pairs: list[Pair] | None = Field(
        default=None, min_length=1, description="default: every ordered pair of pods and hosts, twelve at most"
    )
    interval: Annotated[Duration, AfterValidator(_interval)] = Field(
        default="10ms", description="the resolution of all times, 5ms to 100ms"
    )
    control: Pair | None = Field(
        default=None,
        description="one pair that loses nothing whatever the step does: a loss there voids the measurement;"
        " default: one whose way nothing touches",
    )
    lost: LostBound | None = Field(default=None, description="of each pair, all its outages together")


class ProbeSection(Section):
    """What is sent besides the probes that follow every pair at the end of the step."""

    continuous: ContinuousSection | None = None
    sizes: list[Annotated[int, Field(ge=100, le=65535)]] = Field(
        default=[],
        description="bytes of IP packets that must not be fragmented, sent on every pair once the step has settled",
    )

    @model_validator(mode="after")
    def _something(self) -> ProbeSection:
        if self.continuous is None and not self.sizes:
            raise ValueError("expected `continuous` (with its keys, or {}) or `sizes`")
        return self


Probe = Annotated[
    Annotated[Literal["continuous"], Tag("text")] | Annotated[ProbeSection, Tag("mapping")],
    Discriminator(_mapping_or_text),
]

ExecLines = Annotated[
    Annotated[str, Tag("text")] | Annotated[list[str], Tag("list")],
    Discriminator(_list_or_text),
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
    withdraw: list[WithdrawEntry] = []
    replace: list[AnnounceEntry] = Field(
        default=[], description="other attributes for a route that is announced; what is not written is not kept"
    )
    announce: list[AnnounceEntry] = []
    exec: dict[str, ExecLines] = Field(
        default={}, description="lines run in devices as containerlab's exec would; outside the model"
    )


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
