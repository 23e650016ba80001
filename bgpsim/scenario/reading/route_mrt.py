"""MRT tables (RFC 6396, TABLE_DUMP_V2; plain, gzip or bzip2): what FRR's `dump bgp routes-mrt`, GoBGP and route
collectors write. mrtparse reads them.

Next hops are those of whoever wrote the file, and mean nothing in a lab: the speaker's own address takes their place.
All else is announced as it stands.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from io import BytesIO
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bgpsim.errors import InputError
from bgpsim.inputs.files.speakers import Announcement
from bgpsim.network.grouped import prefix_of
from bgpsim.network.types import Prefix
from bgpsim.scenario.reading.announcements import announcement_of
from bgpsim.scenario.reading.document import message
from bgpsim.scenario.reading.names import hint, problem
from bgpsim.scenario.schema import AnnounceEntry, literal_prefix
from bgpsim.source import Source

_COMPRESSED = (b"\x1f\x8b", b"BZh")
_TABLE_DUMP_V2 = "TABLE_DUMP_V2"
_RIBS = ("RIB_IPV4_UNICAST", "RIB_IPV6_UNICAST", "RIB_IPV4_UNICAST_ADDPATH", "RIB_IPV6_UNICAST_ADDPATH")
_SEVERAL, _MP_REACH = 10, 14
_LEFT_OUT = ("NEXT_HOP", "MP_REACH_NLRI", "AS4_PATH", "AS4_AGGREGATOR")
"""Next hops; and what stands for four-octet AS numbers in attributes that have them in this format (section 4.3.4)."""
_KEYS = {
    "ORIGIN": "origin",
    "AS_PATH": "as-path",
    "MULTI_EXIT_DISC": "med",
    "LOCAL_PREF": "local-preference",
    "ATOMIC_AGGREGATE": "atomic-aggregate",
    "AGGREGATOR": "aggregator",
    "COMMUNITY": "communities",
    "ORIGINATOR_ID": "originator-id",
    "CLUSTER_LIST": "cluster-list",
    "EXTENDED COMMUNITIES": "extended-communities",
    "LARGE_COMMUNITY": "large-communities",
}
"""mrtparse's name of an attribute -> the key of an `announce:` entry."""
_EXTENDED = {2: "target", 3: "origin"}


def is_mrt(path: Path) -> bool:
    """By its first octets: compressed, or a record whose type is a number below 256. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(8)
    return head.startswith(_COMPRESSED) or (len(head) == 8 and head[4] == 0)


def read_mrt(path: Path, shown: str, peer: str | None, source: Source) -> dict[Prefix, Announcement]:
    """The routes by prefix, those with equal attributes sharing one Announcement, which has no speaker yet.

    `peer`: an address or AS number of the file's peers, from which alone routes are taken; None: of each prefix the
    first. `source`: the line that names the peer. Raises InputError for what is no such table or cannot be announced.
    """
    reader = _Reader(shown, peer, source)
    for number, record in enumerate(_records(path, shown), start=1):
        reader.take(number, record)
    return reader.routes


def _records(path: Path, shown: str) -> Iterator[Mapping[str, Any]]:
    import mrtparse  # takes 30 ms, and most scenarios name no such file

    number = 0
    try:
        for number, record in enumerate(mrtparse.Reader(str(path)), start=1):
            if record.err is not None and _SEVERAL in record.data.get("subtype", {}):
                # GoBGP puts whole MP_REACH_NLRIs there (and not their next hop alone, RFC 6396 section 4.3.4), in which
                # mrtparse looks for path ids, since the entries have them.
                record = next(iter(mrtparse.Reader(BytesIO(without_next_hops(record.buf)))))
            if record.err is not None:
                raise InputError(f"record {number}: {record.err_msg}; expected {_TABLE_DUMP_V2} (RFC 6396)", file=shown)
            yield record.data
    except (OSError, EOFError, ValueError, KeyError, IndexError) as error:
        raise InputError(
            f"record {number + 1} cannot be read: {error}; expected a whole MRT file", file=shown
        ) from None


def without_next_hops(record: bytes) -> bytes:
    """A record of the type RIB_IPV6_UNICAST_ADDPATH (RFC 8050 section 4.2) without MP_REACH_NLRI attributes."""
    head, body = record[:8], record[12:]
    at = 5 + (body[4] + 7) // 8
    (entries,) = struct.unpack_from("!H", body, at)
    at += 2
    parts = [body[:at]]
    for _ in range(entries):
        (length,) = struct.unpack_from("!H", body, at + 10)
        kept = b"".join(octets for code, octets in _attributes(body[at + 12 : at + 12 + length]) if code != _MP_REACH)
        parts.append(body[at : at + 10] + struct.pack("!H", len(kept)) + kept)
        at += 12 + length
    whole = b"".join(parts)
    return head + struct.pack("!I", len(whole)) + whole


def _attributes(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Code and octets of each path attribute (RFC 4271 section 4.3)."""
    at = 0
    while at < len(octets):
        wide = bool(octets[at] & 0x10)
        length = int.from_bytes(octets[at + 2 : at + 3 + wide], "big")
        end = at + 3 + wide + length
        yield octets[at + 1], octets[at:end]
        at = end


class _Reader:
    def __init__(self, shown: str, peer: str | None, source: Source) -> None:
        self._shown, self._peer, self._source = shown, peer, source
        self._chosen: frozenset[int] | None = None
        self._known: dict[str, Announcement] = {}
        self.routes: dict[Prefix, Announcement] = {}

    def take(self, number: int, record: Mapping[str, Any]) -> None:
        (kind,), (subtype,) = record["type"].values(), record["subtype"].values()
        if kind != _TABLE_DUMP_V2:
            raise self._wrong(number, f"found {kind}, expected a table ({_TABLE_DUMP_V2})")
        if subtype == "PEER_INDEX_TABLE":
            self._chosen = self._peers(record["peer_entries"])
        elif subtype in _RIBS:
            self._rib(number, record)
        else:
            raise self._wrong(number, f"found {subtype}, expected unicast routes")

    def _peers(self, entries: list[Mapping[str, Any]]) -> frozenset[int] | None:
        if self._peer is None:
            return None
        known = {number: (entry["peer_ip"], entry["peer_as"]) for number, entry in enumerate(entries)}
        wanted = self._peer.removeprefix("AS")
        chosen = frozenset(number for number, names in known.items() if wanted in names)
        if not chosen:
            choices = [f"{address} (AS{asn})" for address, asn in known.values()]
            raise problem(
                self._source,
                f"peer '{self._peer}' is not in '{self._shown}'; expected an address or an AS number of its peers",
                hint(self._peer, choices, "peers"),
            )
        return chosen

    def _rib(self, number: int, record: Mapping[str, Any]) -> None:
        entries = record["rib_entries"]
        entry = next((e for e in entries if self._chosen is None or e["peer_index"] in self._chosen), None)
        if entry is None:
            return
        try:
            prefix = prefix_of(literal_prefix(f"{record['prefix']}/{record['length']}"))
        except ValueError as error:
            raise self._wrong(number, str(error)) from None
        if prefix not in self.routes:
            self.routes[prefix] = self._like(number, prefix, entry["path_attributes"])

    def _like(self, number: int, prefix: Prefix, attributes: list[Mapping[str, Any]]) -> Announcement:
        told = [a for a in attributes if next(iter(a["type"].values())) not in _LEFT_OUT]
        key = repr(told)
        if key not in self._known:
            self._known[key] = self._announcement(number, prefix, told)
        return self._known[key]

    def _announcement(self, number: int, prefix: Prefix, attributes: list[Mapping[str, Any]]) -> Announcement:
        keys: dict[str, Any] = {}
        for attribute in attributes:
            ((code, name),) = attribute["type"].items()
            if name not in _KEYS:
                raise self._wrong(number, f"{prefix} has the attribute {name} ({code}), which cannot be announced")
            try:
                keys[_KEYS[name]] = _value(name, attribute["value"])
            except ValueError as error:
                raise self._wrong(number, f"{prefix}: {error}") from None
        try:
            entry = AnnounceEntry.model_validate({"speaker": "-", "prefix": str(prefix), **keys})
        except ValidationError as error:
            details = error.errors()[0]
            where = tuple(part for part in details["loc"] if part not in ("number", "list", "text"))
            raise self._wrong(number, f"{prefix}: {message(details, where)[0]}") from None
        return announcement_of(entry, "", "", prefix, None, Source("", 0))

    def _wrong(self, number: int, text: str) -> InputError:
        return InputError(f"record {number}: {text}", file=self._shown)


def _value(name: str, value: Any) -> Any:
    """mrtparse's value of an attribute -> a scenario file's."""
    match name:
        case "ORIGIN":
            return next(iter(value.values())).lower()
        case "AS_PATH":
            return [part for segment in value for part in _segment(segment)]
        case "ATOMIC_AGGREGATE":
            return True
        case "AGGREGATOR":
            return f"{value['as']}:{value['id']}"
        case "EXTENDED COMMUNITIES":
            return list(map(_extended, value))
        case _:
            return value


def _segment(segment: Mapping[str, Any]) -> list[Any]:
    kind = next(iter(segment["type"].values()))
    numbers = [int(number) for number in segment["value"]]
    if kind == "AS_SEQUENCE":
        return numbers
    if kind == "AS_SET":
        return [numbers]
    raise ValueError(f"found the AS path segment {kind}, expected AS_SEQUENCE or AS_SET")


def _extended(number: int) -> str:
    """RFC 4360 section 3, RFC 5668."""
    octets = number.to_bytes(8, "big")
    kind = _EXTENDED.get(octets[1])
    if kind is None or octets[0] > 2:
        raise ValueError(f"found the extended community 0x{octets.hex()}, expected a route target or origin")
    if octets[0] == 0:
        return f"{kind}:{int.from_bytes(octets[2:4], 'big')}:{int.from_bytes(octets[4:], 'big')}"
    administrator = int.from_bytes(octets[2:6], "big")
    shown = IPv4Address(administrator) if octets[0] == 1 else administrator
    return f"{kind}:{shown}:{int.from_bytes(octets[6:], 'big')}"
